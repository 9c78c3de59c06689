"""Installs packages into a staging environment, by the manager or from what it pinned."""
