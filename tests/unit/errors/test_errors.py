"""Every failure has words."""

from cnb_python.errors.base import AppError, BuildpackBug, BuildpackError, Failure, OutsideError
from tools.docs.error_samples import kinds


def leaves(kind: type[BuildpackError]) -> set[type[BuildpackError]]:
    """The classes below *kind* that are raised, not only inherited from."""
    children = kind.__subclasses__()
    return set().union(*map(leaves, children)) if children else {kind}


def test_every_failure_describes_itself() -> None:
    described = set(kinds())

    assert leaves(Failure) == described
    assert leaves(BuildpackError) - described == leaves(BuildpackBug)
    assert {AppError, OutsideError}.isdisjoint(described)
