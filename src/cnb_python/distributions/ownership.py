"""Decides which distribution owns each file of a staged environment.

The files of a distribution must not depend on what was installed with it: an environment from the
store would differ from one that is installed at once. So a file has an owner only if its wheel
alone shows that. All distributions that could own any other file are installed again, each in a
staged environment of its own, where it owns everything, also files that its RECORD does not list.
"""

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cnb_python.distributions import scan
from cnb_python.distributions.dist_info import KINDS, Installed
from cnb_python.distributions.scan import FileEntry

_SHARED = ("", "bin", "etc", "include", "include/site", "lib", "share", scan.CHECKOUTS)


class ListedFile(NamedTuple):
    """A file that a distribution lists as its own."""

    owner: str
    path: str
    content: str
    """Equal for equal contents; empty if the content is unknown."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """The owner of each file."""

    files: Mapping[str, tuple[str, ...]]
    """Sorted paths by owner; a path has several owners if their contents are equal."""
    conflicts: tuple[frozenset[str], ...] = ()
    """Names of distributions with files of unclear owner, each in one set at most."""
    unowned: tuple[str, ...] = ()
    """Paths without an owner."""


def shared_directories(line: str) -> frozenset[str]:
    """Return the directories of an environment that belong to no single distribution."""
    python = f"python{line}"
    inside = (f"lib/{python}", f"lib/{python}/site-packages", f"include/site/{python}")
    return frozenset((*_SHARED, *inside))


def listed_files(
    installed: Iterable[Installed],
    sources: Mapping[str, str],
    entries: Mapping[str, FileEntry],
    root: Path,
) -> list[ListedFile]:
    """Return the files of *entries*, which lie below *root*, that the *installed* list.

    *sources*: the directory below the environment that a distribution was installed from, by name.
    If several list a file, a recorded digest counts only if the file has it.
    """
    metadata = _metadata_files(entries)
    listed = [
        *(file for each in installed for file in _recorded(each, metadata[each.info])),
        *(file for name, path in sources.items() for file in _checked_out(name, path, entries)),
    ]
    counts = Counter(path for _, path in {(file.owner, file.path) for file in listed})
    return [
        file if counts[file.path] == 1 else _verified(file, entries, root)
        for file in listed
        if file.path in entries
    ]


def _metadata_files(paths: Iterable[str]) -> defaultdict[str, list[str]]:
    """Return the files of each `*.dist-info` and `*.egg-info`, which may be a file itself."""
    files = defaultdict[str, list[str]](list)
    for path in paths:
        for kind in KINDS:
            before, is_inside, _ = f"{path}/".partition(f"{kind}/")
            if is_inside:
                files[f"{before}{kind}"].append(path)
    return files


def _recorded(installed: Installed, metadata: Iterable[str]) -> Iterator[ListedFile]:
    name, digests = installed.name, installed.recorded.digests
    scripts = {f"bin/{script}": entry for script, entry in installed.scripts.items()}
    for path, digest in digests.items():
        # If several have this script, its file was written by the last, in the form of its tool.
        entry = scripts.get(path)
        content = f"calls {entry.module}:{entry.attribute}" if entry else digest
        yield ListedFile(name, path, content)
    # Also if the RECORD lacks them, or there is no RECORD.
    yield from (ListedFile(name, path, "") for path in metadata if path not in digests)


def _checked_out(
    name: str, directory: str, entries: Mapping[str, FileEntry]
) -> Iterator[ListedFile]:
    parts = directory.split("/")
    if len(parts) > 1 and parts[0] == scan.CHECKOUTS:
        # The whole checkout, even if the project is a subdirectory: files that building another
        # project of it writes cannot be distinguished.
        top = f"{parts[0]}/{parts[1]}/"
        yield from (ListedFile(name, path, "") for path in entries if path.startswith(top))


def _verified(file: ListedFile, entries: Mapping[str, FileEntry], root: Path) -> ListedFile:
    if file.content.startswith("calls "):
        return file
    entry = entries[file.path]
    is_correct = not entry.target and scan.digest(root, file.path, entry) == file.content
    return file if is_correct else file._replace(content="")


@dataclass(slots=True)
class _Assignment:
    """The owners that are assigned so far."""

    names: frozenset[str]
    owners: dict[str, set[str]] = field(default_factory=dict)
    """By path."""
    groups: list[frozenset[str]] = field(default_factory=list)
    unowned: list[str] = field(default_factory=list)


def assign_owners(
    names: Iterable[str], files: Iterable[ListedFile], paths: Iterable[str], shared: Iterable[str]
) -> Ownership:
    """Return the owner of each of *paths* among the distributions *names*, which list *files*.

    *shared*: directories that belong to no single distribution, such as `site-packages`.
    """
    assignment = _Assignment(frozenset(names))
    present = sorted(set(paths))
    if len(assignment.names) == 1:
        (only,) = assignment.names
        return Ownership({only: tuple(present)})
    _assign_listed(files, frozenset(present), assignment)
    _assign_unlisted(present, frozenset(shared), assignment)
    owned: dict[str, list[str]] = {name: [] for name in sorted(assignment.names)}
    for path in present:
        for owner in assignment.owners.get(path, ()):
            owned[owner].append(path)
    return Ownership(
        {name: tuple(owned_paths) for name, owned_paths in owned.items()},
        merge_overlapping(assignment.groups),
        tuple(assignment.unowned),
    )


def _assign_listed(
    files: Iterable[ListedFile], present: frozenset[str], assignment: _Assignment
) -> None:
    contents: dict[str, dict[str, str]] = {}
    for file in files:
        if file.path in present and file.owner in assignment.names:
            contents.setdefault(file.path, {})[file.owner] = file.content
    for path, content_of in contents.items():
        assignment.owners[path] = set(content_of)
        distinct = set(content_of.values())
        if len(content_of) > 1 and ("" in distinct or len(distinct) > 1):
            assignment.groups.append(frozenset(content_of))


def _assign_unlisted(
    present: Iterable[str], shared: frozenset[str], assignment: _Assignment
) -> None:
    """Assign each path without an owner to the only owner of its directory, if there is one."""
    owners_of = _owners_of_directories(assignment.owners)
    for path in present:
        if path in assignment.owners:
            continue
        directory = posixpath.dirname(path)
        while directory not in owners_of and directory and directory not in shared:
            directory = posixpath.dirname(directory)
        owners = owners_of.get(directory, set())
        candidates = assignment.names if directory in shared or not owners else owners
        if len(candidates) == 1:
            assignment.owners[path] = set(candidates)
        else:
            assignment.unowned.append(path)
            assignment.groups.append(frozenset(candidates))


def _owners_of_directories(owners: Mapping[str, set[str]]) -> dict[str, set[str]]:
    owners_of: dict[str, set[str]] = {}
    for path, names in owners.items():
        directory = posixpath.dirname(path)
        while not names <= owners_of.get(directory, set()):
            owners_of.setdefault(directory, set()).update(names)
            directory = posixpath.dirname(directory)
    return owners_of


def merge_overlapping(groups: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """Return *groups*, of which those with common members are merged, in a fixed order."""
    group_of: dict[str, frozenset[str]] = {}
    for group in set(groups):
        merged = group.union(*(group_of[name] for name in group if name in group_of))
        group_of.update(dict.fromkeys(merged, merged))
    return tuple(sorted(filter(None, set(group_of.values())), key=min))
