"""RECORD: which files a distribution has. Pure; what is read was written by strangers.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import base64
import binascii
import csv
import io
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from cnb_python.distributions.model import File

_LONGEST_FIELD = 1 << 20


class Claims(NamedTuple):
    """What a RECORD says."""

    digests: Mapping[str, str]
    """SHA-256 in hex by path below the environment, empty where it is not said."""
    outside: tuple[str, ...]
    """What would lie outside the environment, as it is written."""


def read(content: bytes, site: str, final: str) -> Claims:
    """Return what *content* claims, taken from directory *site* of the environment *final*.

    Lines that make no sense are left out.
    """
    digests: dict[str, str] = {}
    outside: list[str] = []
    for row in _rows(content):
        path = _place(row[0], site, final)
        if path:
            digests[path] = _digest(row[1] if len(row) > 1 else "")
        else:
            outside.append(row[0])
    return Claims(digests, tuple(outside))


def render(files: Iterable[File], own: str, site: str) -> bytes:
    """Return the RECORD, which is at *own*, of *files*: sorted, with paths from *site*.

    As pip does, nothing is said of bytecode, and nothing of itself.
    """
    rows = []
    for file in files:
        is_silent = file.path == own or file.path.endswith(".pyc") or file.target
        said = ("", "") if is_silent else (f"sha256={_base64(file.digest)}", str(file.size))
        rows.append((_from_site(file.path, site), *said))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode(errors="surrogateescape")


def _rows(content: bytes) -> Iterator[list[str]]:
    text = content.decode("utf-8", "surrogateescape").replace("\0", "")
    # Not the module's default, which ends the reading of everything that follows.
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            continue
        if row and row[0]:
            yield row


def _place(path: str, site: str, final: str) -> str:
    """Return *path* below the environment, empty when it is not there."""
    whole = posixpath.normpath(posixpath.join(final, site, path))
    below = whole.removeprefix(f"{final}/")
    if below == whole:
        return ""
    # `lib64` is a link to `lib`.
    return f"lib/{below.removeprefix('lib64/')}" if below.startswith("lib64/") else below


def _digest(field: str) -> str:
    name, _, value = field.partition("=")
    if name != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except binascii.Error, ValueError:
        return ""


def _base64(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()


def _from_site(path: str, site: str) -> str:
    if path.startswith(f"{site}/"):
        return path[len(site) + 1 :]
    return posixpath.relpath(path, site)
