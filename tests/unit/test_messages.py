"""Every failure has words."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from cnb_python import errors
from cnb_python.errors.kinds import AppError, BuildpackBug, BuildpackError, OutsideError
from tools.error_samples import kinds

FAMILIES = {AppError, OutsideError, BuildpackBug}


def leaves(cls: type[BuildpackError]) -> Iterator[type[BuildpackError]]:
    """The classes below *cls* that are raised, not only inherited from."""
    children = cls.__subclasses__()
    if not children and cls not in FAMILIES:
        yield cls
    for child in children:
        yield from leaves(child)


def test_the_union_holds_every_failure_that_needs_words() -> None:
    """A failure missing from the union would escape the type checker."""
    for module in iter_modules(errors.__path__, f"{errors.__name__}."):
        import_module(module.name)

    assert set(kinds()) == set(leaves(BuildpackError)) - set(leaves(BuildpackBug))
