"""The names of the layers that are the environment. Imported by builds that change nothing."""

# Sorts after `python`: the lifecycle puts the alphabetically last layer first on PATH.
VENV = "venv"
"""The layer that is the environment as its interpreter sees it."""
SHARD_PREFIX = "deps-"
"""What the names of shares begin with."""
TREE = "tree"
"""The directory of a share that holds all its files: a layer's own `bin` and `lib` mean more."""
