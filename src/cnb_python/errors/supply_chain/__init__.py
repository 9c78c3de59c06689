"""Packages that are too young, vulnerable or malware."""
