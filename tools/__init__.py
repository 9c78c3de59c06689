"""Maintainer's scripts: run as `python3 tools/<name>.py`, imported as `tools.<name>`."""
