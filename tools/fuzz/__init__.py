"""Mutates the files that the buildpack reads, and calls each reader with them: `make fuzz`."""
