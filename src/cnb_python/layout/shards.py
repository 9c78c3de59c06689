"""Which share holds which distribution's files: a function of content alone.

A share is one image layer. One changed dependency should change one share, so distributions are
spread; clean and cached builds must agree, so nothing but names, sizes and contents decides.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cnb_python.distributions.model import Distribution, File, digest_of
from cnb_python.layout.conflicts import OwnedFile, owners_of
from cnb_python.layout.names import SHARD_PREFIX, VENV

_BELOW_SITE_PACKAGES = re.compile(r"lib/python[^/]+/site-packages/.+")
_COMPILED_SUFFIXES = (".so", ".pyc")


def coupled_groups(distributions: Sequence[Distribution]) -> tuple[frozenset[str], ...]:
    """Return the names that belong together, each in one set at most, in a fixed order.

    Two do when they have a path in common, when one has files in a regular package of the other,
    or when native libraries of one look for those of the other.
    """
    ordered = sorted(distributions, key=lambda one: one.name)
    found = [*_sharing_paths(ordered), *_inside_packages(ordered), *_reaching(ordered)]
    return _joined(found)


def _sharing_paths(distributions: Sequence[Distribution]) -> Iterator[set[str]]:
    owner: dict[str, str] = {}
    found: set[tuple[str, str]] = set()
    for one in distributions:
        for file in one.files:
            first = owner.setdefault(file.path, one.name)
            if first != one.name:
                found.add((first, one.name))
    yield from (set(pair) for pair in found)


def _inside_packages(distributions: Sequence[Distribution]) -> Iterator[set[str]]:
    packages: dict[str, str] = {}
    for one in distributions:
        for file in one.files:
            if directory := _package(file.path):
                packages.setdefault(directory, one.name)
    for one in distributions:
        inside = {packages[each] for each in _directories(one) if each in packages}
        if inside - {one.name}:
            yield inside | {one.name}


def _package(path: str) -> str:
    """Return the directory that *path* makes a regular package, empty where it does not."""
    directory, _, name = path.rpartition("/")
    is_init = name == "__init__.py" or (
        name.startswith("__init__.")
        and name.endswith(_COMPILED_SUFFIXES)
        and not directory.endswith("/__pycache__")
    )
    # A stray `site-packages/__init__.py` makes no package of everything.
    return directory if is_init and _BELOW_SITE_PACKAGES.fullmatch(directory) else ""


def _directories(distribution: Distribution) -> set[str]:
    """Return every directory that has files of *distribution* somewhere below it."""
    found: set[str] = set()
    for directory in {file.path.rpartition("/")[0] for file in distribution.files}:
        above = directory
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found


def _reaching(distributions: Sequence[Distribution]) -> Iterator[set[str]]:
    wanted = {directory for one in distributions for directory in one.reaches}
    libraries = _libraries(distributions, wanted)
    for one in distributions:
        reached = set[str]().union(*(libraries.get(each, ()) for each in one.reaches))
        if reached - {one.name}:
            yield reached | {one.name}


def _libraries(
    distributions: Sequence[Distribution], wanted: set[str]
) -> Mapping[str, Iterable[str]]:
    """Return who has native libraries in each directory that is *wanted*."""
    found: dict[str, set[str]] = {}
    for one in distributions if wanted else ():
        for file in one.files:
            directory, _, name = file.path.rpartition("/")
            if ".so" in name and directory in wanted:
                found.setdefault(directory, set()).add(one.name)
    return found


def _joined(groups: Iterable[set[str]]) -> tuple[frozenset[str], ...]:
    """Return *groups* with those that overlap made one."""
    found: dict[str, set[str]] = {}
    for group in groups:
        whole = set(group).union(*(found[name] for name in group if name in found))
        found.update(dict.fromkeys(whole, whole))
    return tuple(sorted({frozenset(whole) for whole in found.values()}, key=min))


def with_retargeted_links(
    parts: Mapping[str, Mapping[str, OwnedFile]],
) -> Iterator[tuple[str, Mapping[str, OwnedFile]]]:
    """Yield each share of *parts* (name → its files by path) with links that work from there."""
    if not any(owned.file.target for files in parts.values() for owned in files.values()):
        yield from parts.items()
        return
    shards_of = _shards_below(parts)
    for name, files in parts.items():
        yield name, {path: _moved(owned, name, shards_of) for path, owned in files.items()}


def _shards_below(parts: Mapping[str, Mapping[str, OwnedFile]]) -> dict[str, set[str]]:
    """Return the shares that have each path, or files below it."""
    found: dict[str, set[str]] = {}
    for name, files in parts.items():
        for path in files:
            above = path
            while above and name not in found.setdefault(above, set()):
                found[above].add(name)
                above = above.rpartition("/")[0]
    return found


def _moved(owned: OwnedFile, shard: str, holders: Mapping[str, set[str]]) -> OwnedFile:
    file = owned.file
    if not file.target or file.target.startswith("/"):
        return owned
    aim = _aim(file)
    if holders.get(aim) == {shard}:
        return owned
    # Out of `<share>/tree/<path>` and into its neighbour.
    target = f"{'../' * (file.path.count('/') + 2)}{VENV}/{aim}"
    digest = hashlib.sha256(target.encode(errors="surrogateescape")).hexdigest()
    return owned._replace(file=file._replace(target=target, digest=digest))


def _aim(file: File) -> str:
    """Return what *file* leads to, as a path below the environment."""
    parts = file.path.split("/")[:-1]
    for part in file.target.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


# Below it, one layer: each layer costs the lifecycle and the registry a round trip.
ONE_SHARD_BELOW = 32 * 1024 * 1024
# Above it, a layer of its own: it would be moved whenever a small neighbour changes.
OWN_SHARD_ABOVE = 8 * 1024 * 1024
# Docker's limit is 127 layers in an image: base, app and other buildpacks need some.
OWN_SHARDS_AT_MOST = 24
SPREAD = 16
_FIRST = f"{SHARD_PREFIX}00"
_PLAIN_NAME = re.compile(r"(?!\d\d$)[a-z0-9]+(-[a-z0-9]+)*")
# File systems end at 255 bytes, and a name becomes a part of longer ones.
_NAME_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Shard:
    """The files of some distributions, for one layer."""

    name: str
    files: Mapping[str, OwnedFile]
    """By path below the environment, in the order of the paths; lies at `tree/<path>`."""
    distributions: tuple[str, ...]
    """The names of those that have files here, in order."""
    digest: str
    """SHA-256 in hex over paths, modes and contents."""
    size: int
    """Bytes of all files."""


def shards_of(distributions: Sequence[Distribution], *, merged: bool = False) -> tuple[Shard, ...]:
    """Return the shares of *distributions*, each path in exactly one, in the order of their names.

    *merged*: one share, `venv`, that is the environment itself. Raises PathClash.
    """
    owners = owners_of(distributions).files
    if merged:
        return (_shard(VENV, owners),)
    shard_of = shard_of_each(distributions, coupled_groups(distributions))
    parts: dict[str, dict[str, OwnedFile]] = {name: {} for name in sorted(set(shard_of.values()))}
    for path, owned in owners.items():
        parts[shard_of[owned.owner]][path] = owned
    return tuple(_shard(name, files) for name, files in with_retargeted_links(parts) if files)


def shard_of_each(
    distributions: Sequence[Distribution], coupled: Iterable[frozenset[str]] = ()
) -> dict[str, str]:
    """Return the layer name for each distribution's name.

    *coupled* lists disjoint sets of names that must be together. Such a group counts as one, named
    after its largest member.
    """
    if sum(each.size for each in distributions) < ONE_SHARD_BELOW:
        return {each.name: _FIRST for each in distributions}
    groups = _groups({each.name: each.size for each in distributions}, coupled)
    own = {group.name for group in _largest(groups)}
    return {
        member: _own(group.name) if group.name in own else _spread(group.name)
        for group in groups
        for member in group.members
    }


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    size: int
    members: frozenset[str]


def _groups(sizes: Mapping[str, int], coupled: Iterable[frozenset[str]]) -> list[_Group]:
    groups = list(coupled)
    alone = sizes.keys() - frozenset[str]().union(*groups)
    return [
        _Group(
            name=max(members, key=lambda name: (sizes[name], name)),
            size=sum(sizes[name] for name in members),
            members=members,
        )
        for members in (*groups, *(frozenset({name}) for name in sorted(alone)))
    ]


def _largest(groups: Sequence[_Group]) -> list[_Group]:
    above = [group for group in groups if group.size > OWN_SHARD_ABOVE]
    return sorted(above, key=lambda group: (-group.size, group.name))[:OWN_SHARDS_AT_MOST]


def _own(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and len(name) <= _NAME_AT_MOST:
        return f"{SHARD_PREFIX}{name}"
    # Two digits would be a share of the spread; no plain name has two hyphens in a row.
    return f"{SHARD_PREFIX}-{_digest(name).hex()[:16]}"


def _spread(name: str) -> str:
    return f"{SHARD_PREFIX}{int.from_bytes(_digest(name)[:4]) % SPREAD:02d}"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()


def _shard(name: str, files: Mapping[str, OwnedFile]) -> Shard:
    ordered = {path: files[path] for path in sorted(files)}
    values: list[File] = [owned.file for owned in ordered.values()]
    return Shard(
        name=name,
        files=ordered,
        distributions=tuple(sorted({owned.owner for owned in ordered.values()})),
        digest=digest_of(values),
        size=sum(file.size for file in values),
    )
