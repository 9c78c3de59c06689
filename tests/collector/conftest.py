"""The same builds as in `tests/phases`, whose spans are read."""

from tests.phases.conftest import app, base, buildpack, builds

__all__ = ["app", "base", "buildpack", "builds"]
