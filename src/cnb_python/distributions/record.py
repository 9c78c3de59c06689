"""Reads and writes RECORD, the list of the files of a distribution.

Separate from `dist_info`, since helper processes write it, without the library that reads names.
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


class RecordedFiles(NamedTuple):
    """The files that a RECORD lists."""

    digests: Mapping[str, str]
    """SHA-256 in hex by path below the environment; empty if the RECORD has none."""
    outside: tuple[str, ...]
    """Paths outside the environment, as written."""


def read_record(content: bytes, site: str, final: str) -> RecordedFiles:
    """Return the files that RECORD *content* lists, relative to *site* of the environment *final*.

    Invalid lines are skipped.
    """
    digests: dict[str, str] = {}
    outside: list[str] = []
    for row in _rows(content):
        path = _below_environment(row[0], site, final)
        if path:
            digests[path] = _digest(row[1] if len(row) > 1 else "")
        else:
            outside.append(row[0])
    return RecordedFiles(digests, tuple(outside))


def render_record(files: Iterable[File], own: str, site: str) -> bytes:
    """Return the RECORD of *files* that lies at *own*: sorted, with paths relative to *site*.

    As with pip, bytecode and the RECORD itself have neither hash nor size.
    """
    rows = []
    for file in files:
        is_bare = file.path == own or file.path.endswith(".pyc") or file.target
        hash_and_size = ("", "") if is_bare else (f"sha256={_base64(file.digest)}", str(file.size))
        rows.append((_from_site(file.path, site), *hash_and_size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode(errors="surrogateescape")


def _rows(content: bytes) -> Iterator[list[str]]:
    text = content.decode("utf-8", "surrogateescape").replace("\0", "")
    # The default limit of the module would end reading at a longer field.
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


def _below_environment(path: str, site: str, final: str) -> str:
    """Return *path* relative to the environment, empty if it is outside."""
    absolute = posixpath.normpath(posixpath.join(final, site, path))
    below = absolute.removeprefix(f"{final}/")
    if below == absolute:
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
