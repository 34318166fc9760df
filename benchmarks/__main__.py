"""Measure everything and print the table."""

from benchmarks.bench import main

main()
