"""The same builds as in `tests/phases`, with packages that are too large or too many for CI."""

from tests.phases.conftest import app, base, buildpack, builds, flask, lasting

__all__ = ["app", "base", "buildpack", "builds", "flask", "lasting"]
