"""The same images as in `tests/phases`, with packages that are too large or too many for CI."""

from tests.phases.conftest import flask, lasting

__all__ = ["flask", "lasting"]
