"""Benchmarks: each module measures in one run and prints one JSON object last."""
