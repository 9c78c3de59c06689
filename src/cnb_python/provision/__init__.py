"""Provides Python and the environment: reuses them, makes Python alone, or rebuilds."""
