"""Maintainers' programs, by purpose. Run them with `python3 -m tools.<package>.<name>`."""
