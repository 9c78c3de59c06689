"""Applies service bindings: variables and files that processes of the build are given."""
