"""Contents of the cache layer: one archive per distribution, and their list."""
