"""Every word shown for a failure: what was found, what is expected, the steps that mend it."""

from dataclasses import dataclass
from typing import assert_never

from cnb_python.errors import Failure, UnsupportedApi


@dataclass(frozen=True, slots=True)
class Message:
    """A titled explanation: paragraphs first, then numbered steps."""

    title: str
    body: tuple[str, ...]
    steps: tuple[str, ...] = ()


def describe(failure: Failure) -> Message:
    """Say what went wrong and what to do."""
    match failure:
        case UnsupportedApi():
            return _unsupported_api(failure)
        case _:
            assert_never(failure)


def _unsupported_api(failure: UnsupportedApi) -> Message:
    return Message(
        title=f"Buildpack API {failure.found or '(none)'} is not supported",
        body=(
            f"buildpack.toml declares Buildpack API {failure.found!r}.",
            f"This buildpack speaks {', '.join(failure.supported)}.",
        ),
        steps=(
            "Use the buildpack.toml that belongs to this release of the buildpack.",
            "For a lifecycle before 0.21 use the package made with `make package API=0.10`.",
        ),
    )
