"""Measures what the README promises: `python3 -m tools.bench` (`make bench`)."""
