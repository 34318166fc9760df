"""Measure everything and print the table; with --store keep it, and how the cost grows."""

import argparse

from benchmarks import growth, report

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("--store", action="store_true", help=f"write {growth.STORED.name}")
report.main(store=parser.parse_args().store)
