"""The files of releases with their upload times: from an index's JSON, or from a lock.

https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 691, PEP 700)
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.managers.base import Pin
from cnb_python.managers.pylock_file import LOCK, packages_of
from cnb_python.system import json_text
from cnb_python.system.json_text import JsonValue
from cnb_python.system.redaction import parts_of

_HASH = re.compile(r"--hash[= ]sha256:([0-9a-fA-F]{64})")
_INTERPRETER = re.compile(r"(cp|py)3([0-9]{0,3})")
_NO_JSON = "it does not answer with JSON"
_OTHER_JSON = "it does not answer with the JSON of PEP 691"
_API = re.compile(r"1\.[0-9]+")


class NotAnIndexPage(ValueError):
    """An answer is not a page of the JSON API; the text says why."""


class WheelTarget(NamedTuple):
    """What wheels have to fit."""

    python: str
    """The release of the app's interpreter: `3.14.6`."""
    processor: str
    """As file names have it: `x86_64`."""


class ReleaseFile(NamedTuple):
    """A wheel or an sdist of a release."""

    name: str
    version: str
    """Normalized (PEP 440)."""
    sha256: str
    """In lower case; empty: unknown."""
    uploaded: datetime | None
    """In UTC; None: unknown."""
    is_yanked: bool = False
    requires_python: str = ""

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel, not an sdist."""
        return self.name.endswith(".whl")

    def fits(self, target: WheelTarget) -> bool:
        """Whether it is an sdist, or a wheel that may be installed for *target*."""
        if not self.is_wheel:
            return True
        return any(_fits(tag, target) for tag in parse_wheel_filename(self.name)[3])


def read_page(content: bytes) -> tuple[ReleaseFile, ...]:
    """Return the files in the JSON *content* of a project's page. Raises NotAnIndexPage."""
    try:
        page = json_text.parse(content)
    except ValueError as error:
        raise NotAnIndexPage(_NO_JSON) from error
    table = page if isinstance(page, dict) else {}
    meta, files = table.get("meta"), table.get("files")
    api = str(meta.get("api-version")) if isinstance(meta, dict) else ""
    if not _API.fullmatch(api) or not isinstance(files, list):
        raise NotAnIndexPage(_OTHER_JSON)
    return tuple(file for each in files if isinstance(each, dict) and (file := _of_index(each)))


def _of_index(table: Mapping[str, JsonValue]) -> ReleaseFile | None:
    hashes, time = table.get("hashes"), table.get("upload-time")
    return _file(
        str(table.get("filename", "")),
        str(hashes.get("sha256", "")) if isinstance(hashes, dict) else "",
        _time(time) if isinstance(time, str) else None,
        # `yanked` may be a reason.
        is_yanked=table.get("yanked", False) not in {False, None},
        requires_python=str(table.get("requires-python") or ""),
    )


def in_lock(pin: Pin) -> tuple[ReleaseFile, ...]:
    """Return the files that the lock of *pin* lists; none if it is not from a `pylock.toml`."""
    return tuple(file for each in _file_tables(pin) if (file := _of_lock(each)))


def index_in_lock(pin: Pin) -> str:
    """Return the address of the index in the lock of *pin*; empty: it has none."""
    addresses = (each.get("index") for each in _packages(pin))
    return next((each for each in addresses if isinstance(each, str)), "")


def is_of_index(pin: Pin) -> bool:
    """Whether *pin* is a release of an index: no directory, checkout or address."""
    if packages := _packages(pin):
        return not any(each.keys() & {"vcs", "directory", "archive"} for each in packages)
    return bool(pin.version) and f"=={pin.version}" in pin.line.replace(" ", "")


def allowed_hashes(pin: Pin) -> frozenset[str]:
    """Return the SHA-256 of the files that *pin* may be; none: any file of the release."""
    if _packages(pin):
        return frozenset(file.sha256 for file in in_lock(pin) if file.sha256)
    return frozenset(value.lower() for value in _HASH.findall(pin.line))


def _packages(pin: Pin) -> tuple[TomlTable, ...]:
    return _packages_of(pin.line) if pin.line.startswith(LOCK) else ()


@cache
def _packages_of(line: str) -> tuple[TomlTable, ...]:
    # Several functions need it, and parsing takes long.
    return packages_of(line, Path("pylock.toml"))


def _file_tables(pin: Pin) -> Iterator[TomlTable]:
    for package in _packages(pin):
        yield from toml.tables_at(package, "wheels")
        if sdist := toml.table_at(package, "sdist"):
            yield sdist


def _of_lock(table: TomlTable) -> ReleaseFile | None:
    address = str(table.get("url") or table.get("path") or "")
    name = str(table.get("name") or unquote(parts_of(address).path.rpartition("/")[2]))
    time = table.get("upload-time")
    uploaded = time if isinstance(time, datetime) else None
    # The standard's times are in UTC, with or without an offset.
    in_utc = uploaded.replace(tzinfo=UTC) if uploaded and not uploaded.tzinfo else uploaded
    sha256 = str(toml.table_at(table, "hashes").get("sha256", ""))
    return _file(name, sha256, in_utc, is_yanked=False, requires_python="")


def _file(
    name: str, sha256: str, uploaded: datetime | None, *, is_yanked: bool, requires_python: str
) -> ReleaseFile | None:
    """Return the file; None for names of other files, such as eggs."""
    try:
        version = (
            parse_wheel_filename(name)[1]
            if name.endswith(".whl")
            else parse_sdist_filename(name)[1]
        )
    except InvalidWheelFilename, InvalidSdistFilename, ValueError:
        return None
    return ReleaseFile(name, str(version), sha256.lower(), uploaded, is_yanked, requires_python)


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except ValueError, OverflowError:  # in the year 0 of UTC
        return None


def _fits(tag: Tag, target: WheelTarget) -> bool:
    """Whether a wheel with *tag* may be installed; in case of doubt, it may.

    https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    """
    match = _INTERPRETER.fullmatch(tag.interpreter)
    is_linux = tag.platform.startswith(("linux_", "manylinux"))
    if not match or not (
        tag.platform == "any" or (is_linux and tag.platform.endswith(f"_{target.processor}"))
    ):
        return False
    minor, own = int(match[2] or 0), int(target.python.split(".")[1])
    exact = match[1] == "cp" and tag.abi not in {"abi3", "none"}
    return minor == own if exact else minor <= own
