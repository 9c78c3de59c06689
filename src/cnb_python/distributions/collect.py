"""Collects the distributions of a staged environment, with every file normalized.

The result for a distribution depends only on its wheel, its path in the image and the interpreter:
not on the tool that installed it, nor on the distributions installed with it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import bytecode, dist_info, elf, entry_points, ownership, scan
from cnb_python.distributions.bytecode import SourceFile
from cnb_python.distributions.dist_info import INFO, DirectUrl, Installed, StagedEnvironment
from cnb_python.distributions.model import Distribution, File
from cnb_python.distributions.ownership import Ownership
from cnb_python.distributions.scan import Content, FileEntry, reaches
from cnb_python.managers.base import Pin
from cnb_python.system.interface import System

# The tool that may remove the distribution again. Tools compare it with `pip` or `uv` before they
# change or advise anything, and an image has no such tool.
INSTALLER = b"cnb-python\n"
_REMOVED = ("REQUESTED", "uv_cache.json", "uv_build.json")
_SCRIPTS = "bin/"
# pip writes these with the version of Python that it runs in, uv does not.
_OF_PIP = re.compile(r"pip[\d.]+|easy_install-[\d.]+")
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class Collection:
    """The distributions of a staged environment."""

    distributions: tuple[Distribution, ...]
    """In the order of their names, without those in *conflicts*."""
    conflicts: tuple[frozenset[str], ...]
    """Names of distributions with files of unclear owner: each has to be installed separately."""
    missing: tuple[str, ...]
    """Names that were pinned and are not installed."""
    messages: tuple[str, ...]
    """Log lines about unexpected metadata and files."""


def collect(
    staged: StagedEnvironment, pins: Mapping[str, Pin], interpreter: Path, system: System
) -> Collection:
    """Normalize and compile the files of *staged*; return its distributions.

    *pins*: what was installed, by name. Raises DiskFull, Killed, BytecodeFailed, or OSError.
    """
    contents = _normalized(staged, pins)
    for path in contents.ownership.unowned:
        disk.remove(staged.root / path)
    _compile(staged, contents.distributions, interpreter, system)
    distributions, wrong_records = _distributions(
        staged, contents.distributions, pins, system.cpus
    )
    return Collection(
        distributions=distributions,
        conflicts=contents.ownership.conflicts,
        missing=tuple(sorted(set(pins) - {each.name for each in contents.installed})),
        messages=(*_messages(contents, pins), *wrong_records),
    )


@dataclass(frozen=True, slots=True)
class _Normalized:
    """One distribution, whose files on disk are normalized."""

    installed: Installed
    direct_url: DirectUrl
    entries: Mapping[str, FileEntry]
    """By path, without bytecode."""
    rewritten: frozenset[str]
    """The paths of files that differ from what was installed."""


@dataclass(frozen=True, slots=True)
class _StagedContents:
    """Everything in a staged environment."""

    installed: tuple[Installed, ...]
    """All installed distributions, also those that are not pinned."""
    distributions: tuple[_Normalized, ...]
    """In the order of their names, without those in conflict."""
    ownership: Ownership


def _normalized(staged: StagedEnvironment, pins: Mapping[str, Pin]) -> _StagedContents:
    """Assign each file of *staged* to its owner, and normalize the distributions in *pins*.

    Raises OSError.
    """
    entries = scan.walk(staged.root, staged.line)
    installed = dist_info.installed_in(staged.root, entries, staged.site, str(staged.final))
    pinned = _pinned(installed, pins)
    direct_urls = {name: _direct_url(staged, entries, each) for name, each in pinned.items()}
    sources = {name: _below(staged.final, each.directory) for name, each in direct_urls.items()}
    listed_files = ownership.listed_files(installed, sources, entries, staged.root)
    shared = ownership.shared_directories(staged.line)
    owned = ownership.assign_owners(pinned, listed_files, entries, shared)
    in_conflict = frozenset[str]().union(*owned.conflicts)
    distributions = [
        _normalize_distribution(
            staged, entries, pinned[name], direct_urls[name], owned.files[name]
        )
        for name in pinned
        if name not in in_conflict
    ]
    return _StagedContents(tuple(installed), tuple(distributions), owned)


def _pinned(installed: Iterable[Installed], pins: Mapping[str, Pin]) -> dict[str, Installed]:
    """Return one distribution for each name in *pins*: of several, that of the pinned version."""
    pinned: dict[str, Installed] = {}
    for candidate in sorted(installed, key=lambda each: (each.name, each.info)):
        if candidate.name in pins:
            previous = pinned.get(candidate.name)
            if previous is None or previous.version != pins[candidate.name].version:
                pinned[candidate.name] = candidate
    return pinned


def _direct_url(
    staged: StagedEnvironment, entries: Mapping[str, FileEntry], installed: Installed
) -> DirectUrl:
    path = f"{installed.info}/direct_url.json"
    if path not in entries or entries[path].target:
        return dist_info.NO_DIRECT_URL
    return dist_info.read_direct_url((staged.root / path).read_bytes())


def _below(final: Path, directory: str) -> str:
    """Return *directory* relative to the environment *final*; empty if it is outside."""
    below = directory.removeprefix(f"{final}/")
    return "" if below == directory else below


def _normalize_distribution(
    staged: StagedEnvironment,
    entries: Mapping[str, FileEntry],
    installed: Installed,
    direct_url: DirectUrl,
    paths: Iterable[str],
) -> _Normalized:
    remaining = set(paths)
    rewritten = _normalize_metadata(staged, installed, direct_url, remaining)
    rewritten |= _normalize_scripts(staged, installed, remaining)
    normalized = {path: entries[path] for path in remaining - rewritten}
    normalized |= {path: scan.entry(staged.root / path) for path in rewritten}
    return _Normalized(installed, direct_url, normalized, frozenset(rewritten))


def _normalize_metadata(
    staged: StagedEnvironment, installed: Installed, direct_url: DirectUrl, paths: set[str]
) -> set[str]:
    """Rewrite the files of the `*.dist-info`, except RECORD; return the paths written.

    RECORD is written at the end. Takes removed files out of *paths*.
    """
    if not installed.info.endswith(INFO):
        return set()  # a legacy egg
    for name in (*_REMOVED, "direct_url.json"):
        path = f"{installed.info}/{name}"
        if path in paths:
            disk.remove(staged.root / path)
            paths.discard(path)
    contents = {f"{installed.info}/INSTALLER": INSTALLER}
    if direct_url.content:
        contents[f"{installed.info}/direct_url.json"] = direct_url.content
    for path, content in contents.items():
        disk.write(staged.root / path, content)
    return set(contents)


def _normalize_scripts(
    staged: StagedEnvironment, installed: Installed, paths: set[str]
) -> set[str]:
    """Write the scripts of entry points, and the first lines of others; return their paths."""
    written = set()
    python = f"{staged.final}/bin/python"
    for name, entry_point in installed.scripts.items():
        path = f"{_SCRIPTS}{name}"
        is_absent = not (staged.root / path).exists()
        if path in paths or (_OF_PIP.fullmatch(name) and is_absent):
            script = entry_points.script(entry_point, python)
            disk.write(staged.root / path, script, disk.PROGRAM_MODE)
            written.add(path)
    for path in sorted(paths - written):
        if path.startswith(_SCRIPTS) and not (staged.root / path).is_symlink():
            if content := _with_interpreter(staged, path):
                disk.write(staged.root / path, content)
            # pip keeps the mode of a script that is not Python as in its wheel, uv does not.
            (staged.root / path).chmod(disk.PROGRAM_MODE)
            written.add(path)
    return written


def _with_interpreter(staged: StagedEnvironment, path: str) -> bytes | None:
    file = staged.root / path
    with file.open("rb") as stream:
        if stream.read(2) != b"#!":
            return None
    return entry_points.with_interpreter(file.read_bytes(), str(staged.root), str(staged.final))


def _compile(
    staged: StagedEnvironment,
    distributions: Iterable[_Normalized],
    interpreter: Path,
    system: System,
) -> None:
    directories = (f"{staged.site}/", f"{scan.CHECKOUTS}/")
    packages = [
        [
            SourceFile(path, entry.size)
            for path, entry in distribution.entries.items()
            if path.endswith(".py") and path.startswith(directories) and not entry.target
        ]
        for distribution in distributions
    ]
    bytecode.compile_modules(interpreter, staged.root, staged.final, packages, system)


def _distributions(
    staged: StagedEnvironment,
    normalized: Sequence[_Normalized],
    pins: Mapping[str, Pin],
    cpus: int,
) -> tuple[tuple[Distribution, ...], list[str]]:
    """Return the distributions, with new RECORDs, and messages about their old ones."""
    entries = [
        {**each.entries} | bytecode.bytecode_of(staged.root, each.entries) for each in normalized
    ]
    merged = {path: entry for each in entries for path, entry in each.items()}
    read = scan.read_all(staged.root, merged.items(), cpus)
    distributions, messages = [], []
    for each, own_entries in zip(normalized, entries, strict=True):
        contents = [read[path] for path in sorted(own_entries)]
        messages += _record_messages(each, read)
        distributions.append(_distribution(staged, each, contents, pins[each.installed.name]))
    return tuple(distributions), messages


def _distribution(
    staged: StagedEnvironment, normalized: _Normalized, contents: Sequence[Content], pin: Pin
) -> Distribution:
    info, files = normalized.installed.info, [content.file for content in contents]
    if info.endswith(INFO):
        record = f"{info}/RECORD"
        files = [file for file in files if file.path != record]
        text = dist_info.render_record([*files, File(record, "", 0)], record, staged.site)
        disk.write(staged.root / record, text)
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
        from_source=normalized.installed.from_source or normalized.direct_url.is_repository,
        is_cacheable=pin.is_cacheable and (not directory or bool(_below(staged.final, directory))),
    )


def _messages(contents: _StagedContents, pins: Mapping[str, Pin]) -> list[str]:
    """Return log lines about distributions that are not pinned, duplicates and unowned files."""
    messages = [f"{name} was installed but is not pinned" for name in _unpinned(contents, pins)]
    counts = Counter(each.name for each in contents.installed)
    messages += [f"{name} is installed twice" for name in sorted(counts) if counts[name] > 1]
    if contents.ownership.unowned:
        messages.append(f"Not listed in any RECORD: {listed(contents.ownership.unowned)}")
    return messages


def _unpinned(contents: _StagedContents, pins: Mapping[str, Pin]) -> list[str]:
    owned = {path for paths in contents.ownership.files.values() for path in paths}
    names = {
        each.name
        for each in contents.installed
        if each.name not in pins and owned.isdisjoint({each.info, f"{each.info}/METADATA"})
    }
    return sorted(names)


def _record_messages(normalized: _Normalized, read: Mapping[str, Content]) -> list[str]:
    """Return log lines about wrong hashes and paths in the RECORD that was installed."""
    recorded, name = normalized.installed.recorded, normalized.installed.name
    wrong = [
        path
        for path, digest in recorded.digests.items()
        if digest
        and path in normalized.entries
        and path not in normalized.rewritten
        and path != f"{normalized.installed.info}/RECORD"
        and read[path].file.digest != digest
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
