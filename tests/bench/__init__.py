"""Benchmarks: ratios within one run, never asserted. ``script/bench`` prints them as a table."""
