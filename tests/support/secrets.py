"""Looks for secrets in everything that a build leaves, however it is packed or spelled."""

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
    """Every form in which *login* might be found: what it is, by what to look for."""
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


def spilled(logins: Iterable[Login], *places: Path) -> list[str]:
    """The places where one of *logins* is, with its form; archives in archives are opened."""
    wanted = [(form, text) for login in logins for form, text in spellings(login).items()]
    return [
        f"{where}: {form}"
        for place in places
        for where, content in _contents(place)
        for form, text in wanted
        if text in content or text in where.encode(errors="surrogateescape")
    ]


@contextmanager
def watched(logins: Iterable[Login]) -> Iterator[list[str]]:
    """Collect the command lines that hold one of *logins* while the block runs, as `ps` would."""
    wanted = {text for login in logins for text in spellings(login).values()}
    found: set[bytes] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            lines = map(_command_line, Path("/proc").glob("[0-9]*/cmdline"))
            found.update(line for line in lines if any(text in line for text in wanted))

    thread = threading.Thread(target=look)
    thread.start()
    told: list[str] = []
    try:
        yield told
    finally:
        ended.set()
        thread.join()
        told += [line.replace(b"\0", b" ").decode(errors="replace") for line in found]


def _command_line(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended


def _base64(text: str) -> str:
    # Without the end, which depends on what follows.
    return base64.b64encode(text.encode()).decode().rstrip("=")[:-1]


def _contents(place: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below *place*, and what is inside of it, by its path."""
    for path in (place, *place.rglob("*")):
        if path.is_symlink():
            yield str(path), str(path.readlink()).encode(errors="surrogateescape")
        elif path.is_file():
            yield from _opened(str(path), path.read_bytes())


def _opened(where: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield where, content
    if content.startswith(_GZIP):
        yield from _opened(f"{where} (gzip)", gzip.decompress(content))
    elif content.startswith(_ZSTD):
        yield from _opened(f"{where} (zstd)", zstd.decompress(content))
    elif content[_TAR_AT:].startswith(_TAR):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                inside = f"{where}/{member.name}"
                yield inside, repr(member.get_info()).encode(errors="surrogateescape")
                if member.isfile() and (file := archive.extractfile(member)):
                    packed = file.read()
                    # What a tar holds as it is has been looked at with it.
                    if packed.startswith((_GZIP, _ZSTD)) or packed[_TAR_AT:].startswith(_TAR):
                        yield from _opened(inside, packed)
