"""What labsupport costs, beside what others cost: `make bench`, or `python -m benchmarks`."""
