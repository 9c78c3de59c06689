"""Measures build times and sizes, and draws the speed chart: `make bench`."""
