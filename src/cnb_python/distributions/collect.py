"""Collects installed distributions, with every file normalized.

The result for a distribution depends only on its wheel, its path in the image and the interpreter:
not on the tool that installed it, nor on the other distributions.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import bytecode, dist_info, elf, entry_points, scan
from cnb_python.distributions.bytecode import Package, SourceFile
from cnb_python.distributions.dist_info import DirectUrl, DistributionRoot, Installed
from cnb_python.distributions.model import Distribution, File
from cnb_python.distributions.scan import Content, FileEntry, reaches
from cnb_python.errors.base import ContractBroken
from cnb_python.managers.base import Pin
from cnb_python.system.interface import System

# The tool that may remove the distribution again. Tools compare it with `pip` or `uv` before they
# change or advise anything, and an image has no such tool.
INSTALLER = b"cnb-python\n"
_REMOVED = ("REQUESTED", "uv_cache.json", "uv_build.json")
_SCRIPTS = "bin/"
_RESERVED_SCRIPT = re.compile(r"python(3(\.\d+t?)?)?")
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class InstalledPin:
    """What was installed for a pin."""

    pin: Pin
    root: DistributionRoot
    may_be_built: bool
    """It was installed by itself, from source unless its `direct_url.json` names a wheel."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Distributions as the image gets them."""

    distributions: tuple[Distribution, ...]
    """In the order of the pins."""
    messages: tuple[str, ...]
    """Log lines about wrong RECORDs."""


def collect(
    installed_pins: Sequence[InstalledPin], interpreter: Path, system: System
) -> Collection:
    """Normalize and compile the files of *installed_pins*; return their distributions.

    Raises DiskFull, Killed, BytecodeFailed, OSError, and ContractBroken if a root does not contain
    the pinned distribution.
    """
    normalized = [_normalized(each) for each in installed_pins]
    _compile(normalized, interpreter, system)
    return _collection(normalized, system.cpus)


@dataclass(frozen=True, slots=True)
class _Normalized:
    """One distribution, whose files on disk are normalized."""

    of: InstalledPin
    installed: Installed
    direct_url: DirectUrl
    entries: Mapping[str, FileEntry]
    """By path, without bytecode."""
    rewritten: frozenset[str]
    """The paths of files that differ from what was installed."""


def _normalized(of: InstalledPin) -> _Normalized:
    """Normalize the files of one distribution. Raises OSError, and ContractBroken."""
    root = of.root
    entries = scan.walk(root.path, root.line)
    candidates = dist_info.installed_in(root.path, entries, root.site, str(root.final))
    installed = _own(candidates, of.pin)
    direct_url = _direct_url(root, entries, installed)
    remaining = set(entries)
    rewritten = _normalize_metadata(root, installed, direct_url, remaining)
    rewritten |= _normalize_scripts(root, installed, remaining)
    normalized = {path: entries[path] for path in remaining - rewritten}
    normalized |= {path: scan.entry(root.path / path) for path in rewritten}
    return _Normalized(of, installed, direct_url, normalized, frozenset(rewritten))


def _own(installed: Iterable[Installed], pin: Pin) -> Installed:
    """Return the one of *installed* that *pin* is for; of several, that of the pinned version."""
    own = sorted(
        (each for each in installed if each.name == pin.name),
        key=lambda each: (each.version != pin.version, each.info),
    )
    if not own:
        raise ContractBroken("environment", f"pinned and not installed: {pin.name}")
    return own[0]


def _direct_url(
    root: DistributionRoot, entries: Mapping[str, FileEntry], installed: Installed
) -> DirectUrl:
    path = f"{installed.info}/direct_url.json"
    if path not in entries or entries[path].target:
        return dist_info.NO_DIRECT_URL
    return dist_info.read_direct_url((root.path / path).read_bytes())


def _below(final: Path, directory: str) -> str:
    """Return *directory* relative to the environment *final*; empty if it is outside."""
    below = directory.removeprefix(f"{final}/")
    return "" if below == directory else below


def _normalize_metadata(
    root: DistributionRoot, installed: Installed, direct_url: DirectUrl, paths: set[str]
) -> set[str]:
    """Rewrite the files of the `*.dist-info`, except RECORD; return the paths written.

    RECORD is written at the end. Takes removed files out of *paths*.
    """
    for name in (*_REMOVED, "direct_url.json"):
        path = f"{installed.info}/{name}"
        if path in paths:
            disk.remove(root.path / path)
            paths.discard(path)
    contents = {f"{installed.info}/INSTALLER": INSTALLER}
    if direct_url.content:
        contents[f"{installed.info}/direct_url.json"] = direct_url.content
    for path, content in contents.items():
        disk.write(root.path / path, content)
    return set(contents)


def _normalize_scripts(root: DistributionRoot, installed: Installed, paths: set[str]) -> set[str]:
    """Write the scripts of entry points, and the first lines of others; return their paths."""
    written = set[str]()
    if _SCRIPTS.rstrip("/") in paths:
        return written  # a file or a link, which may lead anywhere
    python = f"{root.final}/bin/python"
    for name, entry_point in installed.scripts.items():
        if not _RESERVED_SCRIPT.fullmatch(name):
            path = f"{_SCRIPTS}{name}"
            (root.path / path).parent.mkdir(exist_ok=True)
            script = entry_points.script(entry_point, python)
            disk.write(root.path / path, script, disk.PROGRAM_MODE)
            written.add(path)
    for path in sorted(paths - written):
        if path.startswith(_SCRIPTS) and not (root.path / path).is_symlink():
            if content := _with_interpreter(root, path):
                disk.write(root.path / path, content)
            # pip keeps the mode of a script that is not Python as in its wheel, uv does not.
            (root.path / path).chmod(disk.PROGRAM_MODE)
            written.add(path)
    return written


def _with_interpreter(root: DistributionRoot, path: str) -> bytes | None:
    file = root.path / path
    with file.open("rb") as stream:
        if stream.read(2) != b"#!":
            return None
    return entry_points.with_interpreter(file.read_bytes(), str(root.path), str(root.final))


def _compile(normalized: Iterable[_Normalized], interpreter: Path, system: System) -> None:
    packages = []
    for each in normalized:
        directories = (f"{each.of.root.site}/", f"{scan.CHECKOUTS}/")
        modules = [
            SourceFile(path, entry.size)
            for path, entry in each.entries.items()
            if path.endswith(".py") and path.startswith(directories) and not entry.target
        ]
        packages.append(Package(each.of.root.path, each.of.root.final, modules))
    bytecode.compile_modules(interpreter, packages, system)


def _collection(normalized: Sequence[_Normalized], cpus: int) -> Collection:
    """Return the distributions, with new RECORDs, and messages about their old ones."""
    read = scan.read_all(((each.of.root.path, _with_bytecode(each)) for each in normalized), cpus)
    return Collection(
        tuple(_distribution(*each) for each in zip(normalized, read, strict=True)),
        tuple(
            message
            for each, contents in zip(normalized, read, strict=True)
            for message in _record_messages(each, contents)
        ),
    )


def _with_bytecode(normalized: _Normalized) -> dict[str, FileEntry]:
    """Return all files, in the order of their paths."""
    compiled = bytecode.bytecode_of(normalized.of.root.path, normalized.entries)
    return dict(sorted({**normalized.entries, **compiled}.items()))


def _distribution(normalized: _Normalized, contents: Sequence[Content]) -> Distribution:
    root, pin, info = normalized.of.root, normalized.of.pin, normalized.installed.info
    record = f"{info}/RECORD"
    files = [content.file for content in contents if content.file.path != record]
    text = dist_info.render_record([*files, File(record, "", 0)], record, root.site)
    disk.write(root.path / record, text)
    files = sorted([*files, scan.file_of(record, text)])
    directory = normalized.direct_url.directory
    return Distribution(
        name=pin.name,
        version=normalized.installed.version,
        origin=pin.origin,
        files=tuple(files),
        reaches=reaches(
            (content.file.path, content.dynamic.run_paths)
            for content in contents
            if content.dynamic.run_paths
        ),
        libpython=elf.libpython_names(content.dynamic for content in contents),
        from_source=normalized.of.may_be_built and normalized.direct_url.is_built,
        is_cacheable=pin.is_cacheable and (not directory or bool(_below(root.final, directory))),
    )


def _record_messages(normalized: _Normalized, contents: Iterable[Content]) -> list[str]:
    """Return log lines about wrong hashes and paths in the RECORD that was installed."""
    recorded, name = normalized.installed.recorded, normalized.installed.name
    record = f"{normalized.installed.info}/RECORD"
    wrong = [
        content.file.path
        for content in contents
        if (digest := recorded.digests.get(content.file.path))
        and content.file.path not in {record, *normalized.rewritten}
        and content.file.digest != digest
    ]
    messages = [f"The RECORD of {name} has wrong hashes: {listed(wrong)}"] if wrong else []
    if recorded.outside:
        messages.append(
            f"The RECORD of {name} lists files outside the environment: {listed(recorded.outside)}"
        )
    return messages


def listed(paths: Sequence[str]) -> str:
    """Return the first of *paths* as one line, and the number of the others."""
    more = len(paths) - _MOST_LISTED
    # Paths of packages must not send control sequences to a terminal.
    printable = [path if path.isprintable() else ascii(path) for path in paths[:_MOST_LISTED]]
    return ", ".join(printable) + (f" and {more} more" if more > 0 else "")
