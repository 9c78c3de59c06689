"""Names of the layers of the environment. Apart, so that unchanged builds load nothing else."""

# Sorts after `python`: the lifecycle puts the layer that is last by name first on PATH.
VENV = "venv"
"""The layer with the virtual environment."""
SHARD_PREFIX = "deps-"
"""The start of the names of all shards."""
DEVELOPMENT = f"{SHARD_PREFIX}dev"
"""The shard of the packages that only tests and development need."""
TREE = "tree"
"""The directory of a shard with all its files: the lifecycle gives `bin` and `lib` a meaning."""
