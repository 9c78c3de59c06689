"""What the answer of a manager with a lock file depends on, as one digest; nothing secret.

Imported by builds that change nothing: it reads files, and no lock.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Protocol

from cnb_python.config.settings import Settings
from cnb_python.managers.exact import digest

# To the last @ of an address: a password may hold anything, though it should not.
_SECRETS = re.compile(r"(?<=://)[^\s'\"]*@|(?<=[\w/])\?[^\s'\"]+")
# They say who may have something, not what it is.
_CREDENTIALS = re.compile(r"USER|PASS|TOKEN|SECRET|CREDENTIAL|_KEY\b|CLIENT_CERT", re.IGNORECASE)


class Reader(Protocol):
    """A manager that reads a lock for the app's Python and this machine."""

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    @property
    def settings(self) -> Settings:
        """They choose what of the lock counts."""
        ...

    @property
    def processor(self) -> str:
        """As environment markers have it: `x86_64`."""
        ...


def inputs(reader: Reader, python: str, *parts: Iterable[str]) -> str:
    """Return `Undecided.inputs` of *reader* for *python*, the release of the app's interpreter.

    *parts* are what it depends on besides; nothing in them may be secret.
    """
    chosen = ("groups", *reader.settings.groups, "extras", *reader.settings.extras)
    return digest((reader.name, python, reader.processor, *chosen, *chain.from_iterable(parts)))


def lock(content: bytes) -> Iterator[str]:
    """Yield what tells two states of a lock apart: its tool leaves logins out of it."""
    yield hashlib.sha256(content).hexdigest()


def files(directory: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield what tells two states of the files *names* in *directory* apart."""
    for name in names:
        file = directory / name
        try:
            # Reading a pipe would wait for ever.
            text = file.read_text("utf-8", "surrogateescape") if file.is_file() else ""
        except OSError:
            text = ""
        yield from (name, public(text))


def variables(environ: Mapping[str, str], *prefixes: str) -> Iterator[str]:
    """Yield the public part of the variables whose names begin with one of *prefixes*."""
    for name in sorted(environ):
        if name.startswith(prefixes) and not _CREDENTIALS.search(name):
            yield f"{name}={public(environ[name])}"


def public(text: str) -> str:
    """Return *text* without what addresses in it may hold of secrets.

    >>> public("UV_INDEX=https://me:se/cret@example.org/simple?token=1")
    'UV_INDEX=https://example.org/simple'
    """
    return _SECRETS.sub("", text)
