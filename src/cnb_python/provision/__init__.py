"""Provides Python and the packages: nothing, Python only, or what changed."""
