"""pyproject.toml or setup.py without a lock file, resolved by uv."""
