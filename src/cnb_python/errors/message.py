"""The shape of every explanation."""

from typing import NamedTuple


class Message(NamedTuple):
    """A titled explanation: paragraphs first, then steps."""

    title: str
    body: tuple[str, ...]
    steps: tuple[str, ...] = ()
