"""The same builds as in `tests/phases`, with older releases of the lifecycle."""

from tests.phases.conftest import base, buildpack, builds

__all__ = ["base", "buildpack", "builds"]
