"""pylock.toml (PEP 751), installed by uv."""
