"""Benchmarks: ``python -m benchmarks.overhead``. Results are printed and written to results.json."""
