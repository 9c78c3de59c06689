"""The same builds as in `tests/phases`, whose images are scanned."""

from tests.phases.conftest import base, buildpack, builds

__all__ = ["base", "buildpack", "builds"]
