"""The shape of every explanation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A titled explanation: paragraphs first, then numbered steps."""

    title: str
    body: tuple[str, ...]
    steps: tuple[str, ...] = ()
