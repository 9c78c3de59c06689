"""Every failure has words."""

from collections.abc import Iterator
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
    assert set(get_args(errors.Failure.__value__)) == set(leaves(BuildpackError)) - set(
        leaves(BuildpackBug)
    )
