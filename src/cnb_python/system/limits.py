"""The limits of the build's programs. Light: detection loads it with the settings."""

from typing import NamedTuple


class Limits(NamedTuple):
    """When a program is ended, in seconds; 0: never."""

    idle: int = 1800
    """After so long without progress (`progress_limit`)."""
    total: int = 86_400
    """After so long in all, even with progress."""


DEFAULT_LIMITS = Limits()
