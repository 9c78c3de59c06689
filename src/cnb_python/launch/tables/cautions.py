"""What an app of a framework has to have, or its container cannot start: a part of the tables.

Separate from `frameworks`, which has a caution in some of its rows.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cnb_python.errors.base import Message


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning about an app whose file lacks something."""

    sign: str
    """A pattern; a file that it matches has what is needed."""
    title: str
    body: tuple[str, ...]
    """`{file}` is the file."""
    instead: str = ""
    """A file of the app that is enough, too."""

    def messages(self, directory: Path, file: str, content: bytes) -> tuple[Message, ...]:
        """Return the warning about *file* of the app in *directory*, with *content*.

        Empty if the app has what is needed.
        """
        has_sign = re.search(self.sign.encode(), content, re.MULTILINE)
        if has_sign or (self.instead and (directory / self.instead).is_file()):
            return ()
        body = tuple(line.replace("{file}", file) for line in self.body)
        return (Message(self.title, body),)
