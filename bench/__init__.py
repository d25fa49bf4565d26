"""Benchmarks: each prints JSON with its figures and a floor measured in the same run."""
