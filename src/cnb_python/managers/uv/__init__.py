"""uv.lock, and the commands of uv that other managers install with."""
