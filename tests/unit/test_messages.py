"""Every failure has words."""

from collections.abc import Iterator
from types import UnionType
from typing import get_args

from cnb_python import errors
from cnb_python.errors import BuildpackBug, BuildpackError

FAMILIES = {errors.AppError, errors.OutsideError, errors.BuildpackBug}


def leaves(cls: type[BuildpackError]) -> Iterator[type[BuildpackError]]:
    """The classes below *cls* that are raised, not only inherited from."""
    children = cls.__subclasses__()
    if not children and cls not in FAMILIES:
        yield cls
    for child in children:
        yield from leaves(child)


def test_the_union_holds_every_failure_that_needs_words() -> None:
    """A failure missing from the union would escape the type checker."""
    failure: UnionType | type[BuildpackError] = errors.Failure
    members = set(get_args(failure)) or {failure}

    assert members == set(leaves(BuildpackError)) - set(leaves(BuildpackBug))
