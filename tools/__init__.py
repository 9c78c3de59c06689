"""Maintainers' programs, by purpose: run as `python3 -m tools.<package>.<name>`."""
