"""Measure everything and print the table; with --store keep it, and how the cost grows."""

import argparse

from benchmarks import growth, report

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("--store", action="store_true", help=f"write {growth.STORED.name}")
parser.add_argument("--only", choices=report.MODULES, help="these rows, and keep the others")
asked = parser.parse_args()
report.main(store=asked.store, only=asked.only)
