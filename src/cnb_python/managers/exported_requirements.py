"""Reads the requirements lines that other tools export from their locks: one release each.

For tools that write no `pylock.toml`. What a line may be:
https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import BadLock
from cnb_python.managers import markers
from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.install_locked import Choice
from cnb_python.managers.pip.pinned import digest
from cnb_python.managers.pip.requirements_txt import RequirementLine, lines_of
from cnb_python.system.redaction import shown

_EXTRAS = re.compile(r"^([A-Za-z0-9][\w.-]*)\[[^]\n]*\](?=\s*==)", re.MULTILINE)


def plain(text: str) -> str:
    """Return the exported *text* with releases alone.

    >>> plain("uvicorn[standard]==0.54.0; python_version >= '3.10'")
    "uvicorn==0.54.0; python_version >= '3.10'"
    """
    return _EXTRAS.sub(r"\1", text)


_EDITABLE = re.compile(r"(?:--editable(?:=|\s+)|-e\s*)(\S.*)")
_HASH = re.compile(r"--hash(?:=|\s+)(\w+:[0-9a-fA-F]+)")
_OF_SOURCES = re.compile(
    r"(--index-url|-i|--extra-index-url|--find-links|-f|--no-index|--trusted-host)\b"
)
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_COMMIT = re.compile(r"@[0-9a-f]{40}(#|$)")
_DIRECT = re.compile(r"([\w.-]+)\s*(\[[^]]*\])?\s*@\s*(\S+)")


class Exported(NamedTuple):
    """What an export says."""

    decision: Resolution
    finding: tuple[str, ...]
    """The lines that say where to look, for `uv.Sources.lines`."""


def read(text: str, lock: str, beside: Path, choice: Choice, by: str) -> Exported:
    """Return what *text*, exported from *lock*, decides for *choice*.

    *beside*: the directory from which its paths are told. Raises BadLock.
    """
    pins: dict[str, Pin] = {}
    finding = []
    for line in lines_of(text):
        if _OF_SOURCES.match(line.text):
            finding.append(line.text)
            continue
        pin = _read(line, lock, beside, choice)
        if pin and pins.setdefault(pin.name, pin) != pin:
            raise BadLock(lock, f"two of its entries for {pin.name} apply at once")
    decision = Resolution(tuple(sorted(pins.values())), from_files_alone=True, by=by)
    return Exported(decision, tuple(finding))


def _read(line: RequirementLine, lock: str, beside: Path, choice: Choice) -> Pin | None:
    """Return what *line* asks for, None where its marker says that it does not count."""
    editable = _EDITABLE.fullmatch(line.text)
    words, options = (editable[1], "") if editable else line.parts
    wanted, _, marker = words.partition(" ;") if " ;" in words else words.partition("; ")
    if marker and not markers.applies(marker.strip(), choice.python, choice.processor):
        return None
    hashes = tuple(sorted(one.lower() for one in _HASH.findall(options)))
    direct = _DIRECT.fullmatch(wanted.strip())
    if direct:
        return _of_address(direct[1], direct[2] or "", direct[3], hashes, beside)
    if editable or _is_place(wanted):
        return _of_place(wanted.strip(), lock, beside, hashes, is_editable=bool(editable))
    return _of_release(wanted, lock, hashes)


def _is_place(wanted: str) -> bool:
    return wanted.startswith((".", "/")) or "://" in wanted


def _of_release(wanted: str, lock: str, hashes: tuple[str, ...]) -> Pin:
    try:
        read = Requirement(wanted)
    except (ValueError, RecursionError) as error:
        raise BadLock(lock, f"{wanted.strip()!r} is no requirement: {error}") from error
    versions = [one.version for one in read.specifier if one.operator in {"==", "==="}]
    if len(versions) != 1 or len(read.specifier) != 1:
        raise BadLock(lock, f"{wanted.strip()!r} names no single release")
    name = canonicalize_name(read.name)
    extras = f"[{','.join(sorted(read.extras))}]" if read.extras else ""
    line = f"{name}{extras}=={versions[0]}" + "".join(f" --hash={one}" for one in hashes)
    return Pin(name, versions[0], digest(hashes), line, is_cacheable=bool(hashes))


def _of_address(
    written: str, extras: str, address: str, hashes: tuple[str, ...], beside: Path
) -> Pin:
    name = canonicalize_name(written)
    if not _is_remote(address):
        path = (beside / _path(address)).resolve()
        address, is_directory = path.as_uri(), path.is_dir()
    else:
        is_directory = False
    line = f"{name}{extras} @ {address}" + "".join(f" --hash={one}" for one in hashes)
    is_commit = bool(_COMMIT.search(address)) and address.startswith(("git+", "hg+"))
    origin = digest((*hashes, shown(address), urlsplit(address).fragment))
    is_certain = (bool(hashes) or is_commit) and not is_directory
    return Pin(name, "", origin, line, is_cacheable=is_certain)


def _of_place(
    wanted: str, lock: str, beside: Path, hashes: tuple[str, ...], *, is_editable: bool
) -> Pin:
    """Return what a line without a name asks for; the directory, or `#egg=`, knows it."""
    egg = _EGG.search(wanted)
    if _is_remote(wanted):
        if not egg:
            raise BadLock(lock, f"{shown(wanted)!r} names no package")
        pin = _of_address(egg[1], "", wanted, hashes, beside)
        return pin._replace(line=f"-e {wanted}") if is_editable else pin
    bare, extras = re.fullmatch(r"(.*?)(\[[^]]*\])?(?:#.*)?", wanted).groups()  # type: ignore[union-attr]  # matches anything
    path = (beside / _path(bare)).resolve()
    name = egg[1] if egg else _name_of(path)
    if not name:
        raise BadLock(lock, f"{wanted!r} names no package, and {path} does not say its name")
    line = f"-e {path}{extras or ''}" if is_editable else f"{name}{extras or ''} @ {path.as_uri()}"
    return Pin(canonicalize_name(name), "", digest((line,)), line, is_cacheable=False)


def _is_remote(address: str) -> bool:
    return "://" in address and not address.startswith("file:")


def _path(address: str) -> str:
    return unquote(urlsplit(address).path) if address.startswith("file:") else address


def _name_of(directory: Path) -> str:
    """Return what the project in *directory* calls itself; empty where its table does not say."""
    try:
        table = toml.read(directory / "pyproject.toml")
    except UnreadableToml:
        return ""
    poetry = toml.table_at(toml.table_at(table, "tool"), "poetry")
    for one in (toml.table_at(table, "project"), poetry):
        if isinstance(name := one.get("name"), str):
            return name
    return ""
