"""Packages that cannot be found, installed or built."""
