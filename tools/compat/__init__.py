"""Compares linked environments with merged ones on popular distributions: `make compat`."""
