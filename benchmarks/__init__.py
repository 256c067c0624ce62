"""Benchmarks, run as `python -m benchmarks.validate` and `python -m benchmarks.push`.

Each compares with a floor measured in the same run, so that the ratio means something on any
machine. Method and figures: docs/benchmarks.md.
"""
