"""Service bindings that cannot be used."""

from typing import Literal

from cnb_python.errors.kinds import OutsideError

type BindingProblem = Literal[
    "unknown key",
    "missing key",
    "said twice",
    "no address",
    "no name",
    "no secret",
    "unreadable",
    "no certificate",
    "private key",
]


class BadBinding(OutsideError):
    """A service binding does not say what one of its type has to. Never holds what it says."""

    name: str
    type: str
    key: str
    problem: BindingProblem
    details: tuple[str, ...]
    """The keys that would do, or where what cannot be read stands."""


class SeveralBindings(OutsideError):
    """Service bindings of which only one can count."""

    type: str
    names: tuple[str, ...]
    key: str


type BindingFailure = BadBinding | SeveralBindings
