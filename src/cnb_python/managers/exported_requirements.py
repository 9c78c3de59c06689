"""Reads the requirements lines that tools export from their lock files: one release each.

For Poetry, Pipenv and PDM, which write no `pylock.toml`.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import BadLock
from cnb_python.managers import markers
from cnb_python.managers.base import Pin, Resolution, digest
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.requirement_lines import (
    RequirementLine,
    egg_name,
    lines_of,
    option_of,
    split_marker,
)
from cnb_python.system.redaction import shown

# Options that name indexes: the lock file has those of each package.
_INDEX_OPTIONS = frozenset(
    {"index-url", "extra-index-url", "find-links", "no-index", "trusted-host"}
)
_EXTRAS = re.compile(r"^([A-Za-z0-9][\w.-]*)\[[^]\n]*\](?=\s*==)", re.MULTILINE)
_COMMIT = re.compile(r"@[0-9a-f]{40}(#|$)")
_DIRECT = re.compile(r"([\w.-]+)\s*(\[[^]]*\])?\s*@\s*(\S+)")


def without_extras(text: str) -> str:
    """Return the exported *text* without the extras of releases.

    >>> without_extras("uvicorn[standard]==0.54.0; python_version >= '3.10'")
    "uvicorn==0.54.0; python_version >= '3.10'"
    """
    return _EXTRAS.sub(r"\1", text)


def read_export(text: str, lock: str, beside: Path, choice: Choice, by: str) -> Resolution:
    """Return the resolution in *text*, exported from *lock*, for *choice*.

    *beside*: the directory that its paths are relative to; *by*: the tool that resolved. Raises
    BadLock.
    """
    pins: dict[str, Pin] = {}
    for line in lines_of(text):
        if option_of(line.text)[0] in _INDEX_OPTIONS:
            continue
        pin = _pin(line, lock, beside, choice)
        if pin and pins.setdefault(pin.name, pin) != pin:
            raise BadLock(lock, f"two of its entries for {pin.name} apply at once")
    return Resolution(tuple(sorted(pins.values())), from_files_alone=True, by=by)


def _pin(line: RequirementLine, lock: str, beside: Path, choice: Choice) -> Pin | None:
    """Return the pin of *line*; None if its marker does not apply."""
    requirement, marker = split_marker(line.editable or line.parts[0])
    if marker and not markers.applies(marker, choice.python, choice.processor):
        return None
    hashes = tuple(sorted(each.lower() for each in line.hashes))
    if direct := _DIRECT.fullmatch(requirement):
        return _of_address(direct[1], direct[2] or "", direct[3], hashes, beside)
    if line.editable or requirement.startswith((".", "/")) or "://" in requirement:
        return _of_path(requirement, lock, beside, hashes, is_editable=bool(line.editable))
    return _of_release(requirement, lock, hashes)


def _of_release(requirement: str, lock: str, hashes: tuple[str, ...]) -> Pin:
    try:
        parsed = Requirement(requirement)
    except (ValueError, RecursionError) as error:
        raise BadLock(lock, f"{requirement!r} is not a requirement: {error}") from error
    versions = [each.version for each in parsed.specifier if each.operator in {"==", "==="}]
    if len(versions) != 1 or len(parsed.specifier) != 1:
        raise BadLock(lock, f"{requirement!r} does not name a single release")
    name = canonicalize_name(parsed.name)
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    line = f"{name}{extras}=={versions[0]}" + "".join(f" --hash={each}" for each in hashes)
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
    line = f"{name}{extras} @ {address}" + "".join(f" --hash={each}" for each in hashes)
    is_commit = bool(_COMMIT.search(address)) and address.startswith(("git+", "hg+"))
    origin = digest((*hashes, shown(address), urlsplit(address).fragment))
    is_certain = (bool(hashes) or is_commit) and not is_directory
    return Pin(name, "", origin, line, is_cacheable=is_certain)


def _of_path(
    requirement: str, lock: str, beside: Path, hashes: tuple[str, ...], *, is_editable: bool
) -> Pin:
    """Return the pin of a line without a name, which `#egg=` or the directory itself has."""
    egg = egg_name(requirement)
    if _is_remote(requirement):
        if not egg:
            raise BadLock(lock, f"{shown(requirement)!r} does not name a package")
        pin = _of_address(egg, "", requirement, hashes, beside)
        return pin._replace(line=f"-e {requirement}") if is_editable else pin
    bare, extras = re.fullmatch(r"(.*?)(\[[^]]*\])?(?:#.*)?", requirement).groups()  # type: ignore[union-attr]  # matches anything
    path = (beside / _path(bare)).resolve()
    name = egg or _name_of(path)
    if not name:
        problem = f"{requirement!r} does not name a package, and neither does {path}"
        raise BadLock(lock, problem)
    line = f"-e {path}{extras or ''}" if is_editable else f"{name}{extras or ''} @ {path.as_uri()}"
    return Pin(canonicalize_name(name), "", digest((line,)), line, is_cacheable=False)


def _is_remote(address: str) -> bool:
    return "://" in address and not address.startswith("file:")


def _path(address: str) -> str:
    return unquote(urlsplit(address).path) if address.startswith("file:") else address


def _name_of(directory: Path) -> str:
    """Return the name of the project in *directory*; empty if its `pyproject.toml` has none."""
    try:
        document = toml.read(directory / "pyproject.toml")
    except UnreadableToml:
        return ""
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    for table in (toml.table_at(document, "project"), poetry):
        if isinstance(name := table.get("name"), str):
            return name
    return ""
