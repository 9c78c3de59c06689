"""Compares linked with merged environments of popular distributions: `make compat`."""
