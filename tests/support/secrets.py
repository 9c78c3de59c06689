"""Searches everything that a build leaves for secrets, in any encoding and in archives."""

import base64
import gzip
import io
import tarfile
import threading
from collections.abc import Iterable, Iterator
from compression import zstd
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.support.index import Login

_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_TAR, _TAR_AT = b"ustar", 257


def spellings(login: Login) -> dict[str, bytes]:
    """Return every form of *login* to search for, by a name of the form."""
    pair = f"{login.user}:{login.password}"
    encoded = f"{quote(login.user, safe='')}:{quote(login.password, safe='')}"
    texts = {
        "plain": login.password,
        "percent-encoded": quote(login.password, safe=""),
        "percent-encoded but for slashes": quote(login.password),
        "form-encoded": quote_plus(login.password),
        "in Base64": _base64(login.password),
        "as a header": _base64(pair),
        "as a header, percent-encoded": _base64(encoded),
        "in an address, in Base64": _base64(f"{encoded}@"),
    }
    return {form: text.encode() for form, text in texts.items()}


def find_secrets(logins: Iterable[Login], *paths: Path) -> list[str]:
    """Return the paths that contain one of *logins*, with its form; reads nested archives too."""
    forms = [(form, text) for login in logins for form, text in spellings(login).items()]
    return [
        f"{where}: {form}"
        for path in paths
        for where, content in _contents(path)
        for form, text in forms
        if text in content or text in where.encode(errors="surrogateescape")
    ]


def find_text(text: str, *paths: Path) -> list[str]:
    """Return the files that contain *text*, also in archives."""
    return [
        where for path in paths for where, content in _contents(path) if text.encode() in content
    ]


@contextmanager
def watch_command_lines(logins: Iterable[Login]) -> Iterator[list[str]]:
    """Collect the command lines that contain one of *logins* while the block runs."""
    forms = {text for login in logins for text in spellings(login).values()}
    lines_seen: set[bytes] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            lines = map(_command_line, Path("/proc").glob("[0-9]*/cmdline"))
            lines_seen.update(line for line in lines if any(text in line for text in forms))

    thread = threading.Thread(target=look)
    thread.start()
    command_lines: list[str] = []
    try:
        yield command_lines
    finally:
        ended.set()
        thread.join()
        command_lines += [
            line.replace(b"\0", b" ").decode(errors="replace") for line in lines_seen
        ]


def _command_line(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended


def _base64(text: str) -> str:
    # Without the end, which depends on the text that follows.
    return base64.b64encode(text.encode()).decode().rstrip("=")[:-1]


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of every file below *root*, also in archives."""
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            yield str(path), str(path.readlink()).encode(errors="surrogateescape")
        elif path.is_file():
            yield from _unpacked(str(path), path.read_bytes())


def _unpacked(where: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield where, content
    if content.startswith(_GZIP):
        yield from _unpacked(f"{where} (gzip)", gzip.decompress(content))
    elif content.startswith(_ZSTD):
        yield from _unpacked(f"{where} (zstd)", zstd.decompress(content))
    elif content[_TAR_AT:].startswith(_TAR):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                inside = f"{where}/{member.name}"
                yield inside, repr(member.get_info()).encode(errors="surrogateescape")
                if member.isfile() and (file := archive.extractfile(member)):
                    packed = file.read()
                    # Other members are part of the content that was yielded for the archive.
                    if packed.startswith((_GZIP, _ZSTD)) or packed[_TAR_AT:].startswith(_TAR):
                        yield from _unpacked(inside, packed)
