"""Who owns which file of a stage. Pure.

What is kept of a distribution must not depend on what was installed beside it, or an environment
made from what was kept would differ from one made at once. So a file has an owner only where its
wheel alone says so; where others have a say, all that could own it are installed again, each in a
stage of its own. There everything is its own, also what its RECORD does not name.
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


def shared_directories(line: str) -> frozenset[str]:
    """Return the directories of an environment that no distribution has for itself."""
    python = f"python{line}"
    inside = (f"lib/{python}", f"lib/{python}/site-packages", f"include/site/{python}")
    return frozenset((*_SHARED, *inside))


def listed_files(
    everyone: Iterable[Installed],
    directories: Mapping[str, str],
    found: Mapping[str, FileEntry],
    root: Path,
) -> list[ListedFile]:
    """Return what *everyone* claims of *found*, the files below *root*.

    *directories* are those that distributions were installed from, below the environment, by name.
    Where several claim a file, what they say of it holds only if the file is like that.
    """
    informing = _by_information(found)
    made = [
        *(claim for one in everyone for claim in _recorded(one, informing[one.info])),
        *(claim for item in directories.items() for claim in _checked_out(*item, found)),
    ]
    times = Counter(path for _, path in {(claim.owner, claim.path) for claim in made})
    return [
        claim if times[claim.path] == 1 else _verified(claim, found, root)
        for claim in made
        if claim.path in found
    ]


def _by_information(found: Iterable[str]) -> defaultdict[str, list[str]]:
    """Return the files of each `*.dist-info` and `*.egg-info`, which may be a file itself."""
    informing = defaultdict[str, list[str]](list)
    for path in found:
        for kind in KINDS:
            before, is_inside, _ = f"{path}/".partition(f"{kind}/")
            if is_inside:
                informing[f"{before}{kind}"].append(path)
    return informing


def _recorded(one: Installed, informing: Iterable[str]) -> Iterator[ListedFile]:
    scripts = {f"bin/{name}": entry for name, entry in one.scripts.items()}
    for path, digest in one.claims.digests.items():
        # What lies there was written by the last of several, in a form of its tool's own.
        entry = scripts.get(path)
        yield ListedFile(
            one.name, path, f"calls {entry.module}:{entry.attribute}" if entry else digest
        )
    # Whatever its RECORD says, or if there is none.
    for path in informing:
        if path not in one.claims.digests:
            yield ListedFile(one.name, path, "")


def _checked_out(
    name: str, directory: str, found: Mapping[str, FileEntry]
) -> Iterator[ListedFile]:
    parts = directory.split("/")
    if len(parts) > 1 and parts[0] == scan.CHECKOUTS:
        # The whole of it, though the project be a subdirectory; what another project that is
        # built there leaves behind cannot be told apart.
        top = f"{parts[0]}/{parts[1]}/"
        yield from (ListedFile(name, path, "") for path in found if path.startswith(top))


def _verified(claim: ListedFile, found: Mapping[str, FileEntry], root: Path) -> ListedFile:
    if claim.content.startswith("calls "):
        return claim
    entry = found[claim.path]
    is_true = not entry.target and scan.digest(root, claim.path, entry) == claim.content
    return claim if is_true else claim._replace(content="")


class ListedFile(NamedTuple):
    """That a distribution has a file."""

    owner: str
    path: str
    content: str
    """What tells equal from different contents; empty where it is unknown."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose each file is."""

    files: Mapping[str, tuple[str, ...]]
    """Sorted paths by owner; some paths may have several, with equal contents."""
    conflicts: tuple[frozenset[str], ...] = ()
    """Names that cannot be told apart by what lies here, each in one set at most."""
    unowned: tuple[str, ...] = ()
    """What nobody owns."""


@dataclass(slots=True)
class _Ledger:
    names: frozenset[str]
    owned: dict[str, set[str]] = field(default_factory=dict)
    groups: list[frozenset[str]] = field(default_factory=list)
    unowned: list[str] = field(default_factory=list)


def assign_owners(
    names: Iterable[str], claims: Iterable[ListedFile], paths: Iterable[str], shared: Iterable[str]
) -> Ownership:
    """Say whose each of *paths* is, of the distributions *names*, by their *claims*.

    *shared* are directories that belong to everybody, such as `site-packages` itself.
    """
    ledger = _Ledger(frozenset(names))
    present = sorted(set(paths))
    if len(ledger.names) == 1:
        (only,) = ledger.names
        return Ownership({only: tuple(present)})
    _take(claims, frozenset(present), ledger)
    _place_others(present, frozenset(shared), ledger)
    files: dict[str, list[str]] = {name: [] for name in sorted(ledger.names)}
    for path in present:
        for owner in ledger.owned.get(path, ()):
            files[owner].append(path)
    return Ownership(
        {name: tuple(owned) for name, owned in files.items()},
        merge_overlapping(ledger.groups),
        tuple(ledger.unowned),
    )


def _take(claims: Iterable[ListedFile], present: frozenset[str], ledger: _Ledger) -> None:
    contents: dict[str, dict[str, str]] = {}
    for claim in claims:
        if claim.path in present and claim.owner in ledger.names:
            contents.setdefault(claim.path, {})[claim.owner] = claim.content
    for path, by_owner in contents.items():
        ledger.owned[path] = set(by_owner)
        if len(by_owner) > 1 and ("" in (said := set(by_owner.values())) or len(said) > 1):
            ledger.groups.append(frozenset(by_owner))


def _place_others(present: Iterable[str], shared: frozenset[str], ledger: _Ledger) -> None:
    """Give each path without an owner to the one that has the directory to itself."""
    owners = _owners_of_directories(ledger.owned)
    for path in present:
        if path in ledger.owned:
            continue
        directory = posixpath.dirname(path)
        while directory not in owners and directory and directory not in shared:
            directory = posixpath.dirname(directory)
        known = owners.get(directory, set())
        candidates = ledger.names if directory in shared or not known else known
        if len(candidates) == 1:
            ledger.owned[path] = set(candidates)
        else:
            ledger.unowned.append(path)
            ledger.groups.append(frozenset(candidates))


def _owners_of_directories(owned: Mapping[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, names in owned.items():
        directory = posixpath.dirname(path)
        while not names <= found.get(directory, set()):
            found.setdefault(directory, set()).update(names)
            directory = posixpath.dirname(directory)
    return found


def merge_overlapping(groups: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """Return *groups* with those that overlap made one, in a fixed order."""
    found: dict[str, frozenset[str]] = {}
    for group in set(groups):
        whole = group.union(*(found[name] for name in group if name in found))
        found.update(dict.fromkeys(whole, whole))
    return tuple(sorted(filter(None, set(found.values())), key=min))
