"""Which shard holds which distribution's files.

A shard is one image layer. Distributions are spread over several, so that an update of one changes
few bytes of the image. Only names, sizes and contents decide where a distribution lies, so that
clean and cached builds agree.
"""

import hashlib
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cnb_python.distributions.model import Distribution, File, digest_of, directories_of
from cnb_python.layout.conflicts import OwnedFile, owners_of
from cnb_python.layout.names import DEVELOPMENT, SHARD_PREFIX, VENV

# Smaller environments are one shard: each layer costs the lifecycle and the registry a round trip.
ONE_SHARD_BELOW = 32 * 1024 * 1024
# Larger distributions get their own layer, so that it does not change with a small neighbour.
OWN_LAYER_ABOVE = 8 * 1024 * 1024
# Docker's limit is 127 layers in an image, and the base, the app and other buildpacks need some.
OWN_LAYERS_AT_MOST = 24
SPREAD = 16
_FIRST = f"{SHARD_PREFIX}00"
_PLAIN_NAME = re.compile(r"(?!(?:\d\d|dev)$)[a-z0-9]+(-[a-z0-9]+)*")
# File systems allow 255 bytes, and a name becomes a part of longer ones.
_NAME_AT_MOST = 100
_BELOW_SITE_PACKAGES = re.compile(r"lib/python[^/]+/site-packages/.+")
_COMPILED_SUFFIXES = (".so", ".pyc")


@dataclass(frozen=True, slots=True)
class Shard:
    """The files of some distributions, for one layer."""

    name: str
    files: Mapping[str, OwnedFile]
    """By path below the environment, in the order of the paths; each lies at `tree/<path>`."""
    distributions: tuple[str, ...]
    """The names of the distributions with files in this shard, in order."""
    digest: str
    """SHA-256 in hex over paths, modes and contents."""
    size: int
    """Bytes of all files."""


def shards_of(
    distributions: Sequence[Distribution],
    *,
    merged: bool = False,
    development: Container[str] = frozenset(),
) -> tuple[Shard, ...]:
    """Return the shards of *distributions*, each path in exactly one, in the order of their names.

    Those named in *development* have a shard of their own, and the other shards are what they are
    without them. *merged*: return one shard, `venv`, which is the environment itself. Raises
    PathConflict.
    """
    owners = owners_of(distributions, development).files
    if merged:
        return (_shard(VENV, owners),)
    production = [each for each in distributions if each.name not in development]
    shard_of = shard_of_each(production, coupled_groups(production))
    parts: dict[str, dict[str, OwnedFile]] = {name: {} for name in sorted(set(shard_of.values()))}
    added: dict[str, OwnedFile] = {}
    for path, owned in owners.items():
        files = parts[shard_of[owned.owner]] if owned.owner in shard_of else added
        files[path] = owned
    retargeted = dict(_with_retargeted_links(parts))
    if added:
        retargeted[DEVELOPMENT] = dict(_with_retargeted_links({**parts, DEVELOPMENT: added}))[
            DEVELOPMENT
        ]
    return tuple(_shard(name, files) for name, files in sorted(retargeted.items()) if files)


def shard_of_each(
    distributions: Sequence[Distribution], coupled: Iterable[frozenset[str]] = ()
) -> dict[str, str]:
    """Return the name of the shard of each distribution, by the distribution's name.

    *coupled* lists disjoint sets of names that must be in the same shard. Such a group counts as
    one distribution, named after its largest member.
    """
    if sum(distribution.size for distribution in distributions) < ONE_SHARD_BELOW:
        return {distribution.name: _FIRST for distribution in distributions}
    sizes = {distribution.name: distribution.size for distribution in distributions}
    groups = _groups(sizes, coupled)
    with_own_layer = {group.name for group in _largest(groups)}
    return {
        member: _own_layer(group.name) if group.name in with_own_layer else _spread(group.name)
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
    single = sizes.keys() - frozenset[str]().union(*groups)
    return [
        _Group(
            name=max(members, key=lambda name: (sizes[name], name)),
            size=sum(sizes[name] for name in members),
            members=members,
        )
        for members in (*groups, *(frozenset({name}) for name in sorted(single)))
    ]


def _largest(groups: Sequence[_Group]) -> list[_Group]:
    large = [group for group in groups if group.size > OWN_LAYER_ABOVE]
    return sorted(large, key=lambda group: (-group.size, group.name))[:OWN_LAYERS_AT_MOST]


def _own_layer(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and len(name) <= _NAME_AT_MOST:
        return f"{SHARD_PREFIX}{name}"
    # Two digits would name a shard of the spread, `dev` that for development; no plain name has
    # two hyphens in a row.
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


def coupled_groups(distributions: Sequence[Distribution]) -> tuple[frozenset[str], ...]:
    """Return the names of coupled distributions, each in one set at most, in a fixed order.

    Two are coupled if they have a path in common, if one has files in a regular package of the
    other, or if native libraries of one load those of the other by a relative path.
    """
    ordered = sorted(distributions, key=lambda distribution: distribution.name)
    pairs = [*_with_common_paths(ordered), *_inside_packages(ordered), *_reaching(ordered)]
    return _merge_overlapping(pairs)


def _merge_overlapping(groups: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """Return *groups*, of which those with common members are merged, in a fixed order."""
    group_of: dict[str, frozenset[str]] = {}
    for group in set(groups):
        merged = group.union(*(group_of[name] for name in group if name in group_of))
        group_of.update(dict.fromkeys(merged, merged))
    return tuple(sorted(filter(None, set(group_of.values())), key=min))


def _with_common_paths(distributions: Sequence[Distribution]) -> Iterator[frozenset[str]]:
    owner: dict[str, str] = {}
    pairs: set[tuple[str, str]] = set()
    for distribution in distributions:
        for file in distribution.files:
            first = owner.setdefault(file.path, distribution.name)
            if first != distribution.name:
                pairs.add((first, distribution.name))
    yield from map(frozenset, pairs)


def _inside_packages(distributions: Sequence[Distribution]) -> Iterator[frozenset[str]]:
    packages: dict[str, str] = {}
    for distribution in distributions:
        for file in distribution.files:
            if directory := _package(file.path):
                packages.setdefault(directory, distribution.name)
    for distribution in distributions:
        above = directories_of(file.path for file in distribution.files)
        owners = {packages[path] for path in above & packages.keys()}
        if owners - {distribution.name}:
            yield frozenset(owners | {distribution.name})


def _package(path: str) -> str:
    """Return the directory that *path* makes a regular package; empty for other files."""
    directory, _, name = path.rpartition("/")
    is_init = name == "__init__.py" or (
        name.startswith("__init__.")
        and name.endswith(_COMPILED_SUFFIXES)
        and not directory.endswith("/__pycache__")
    )
    # A stray `site-packages/__init__.py` does not make everything one package.
    return directory if is_init and _BELOW_SITE_PACKAGES.fullmatch(directory) else ""


def _reaching(distributions: Sequence[Distribution]) -> Iterator[frozenset[str]]:
    reached = {directory for distribution in distributions for directory in distribution.reaches}
    libraries = _library_owners(distributions, reached)
    for distribution in distributions:
        owners = set[str]().union(*(libraries.get(path, ()) for path in distribution.reaches))
        if owners - {distribution.name}:
            yield frozenset(owners | {distribution.name})


def _library_owners(
    distributions: Sequence[Distribution], directories: set[str]
) -> Mapping[str, Iterable[str]]:
    """Return the names of the distributions with native libraries in each of *directories*."""
    owners: dict[str, set[str]] = {}
    for distribution in distributions if directories else ():
        for file in distribution.files:
            directory, _, name = file.path.rpartition("/")
            if ".so" in name and directory in directories:
                owners.setdefault(directory, set()).add(distribution.name)
    return owners


def _with_retargeted_links(
    parts: Mapping[str, Mapping[str, OwnedFile]],
) -> Iterator[tuple[str, Mapping[str, OwnedFile]]]:
    """Yield the name and files of each shard of *parts*, with symbolic links that work from it."""
    if not any(owned.file.target for files in parts.values() for owned in files.values()):
        yield from parts.items()
        return
    holders = _holders(parts)
    for name, files in parts.items():
        yield name, {path: _retargeted(owned, name, holders) for path, owned in files.items()}


def _holders(parts: Mapping[str, Mapping[str, OwnedFile]]) -> dict[str, set[str]]:
    """Return the names of the shards that have each path, or files below it."""
    holders: dict[str, set[str]] = {}
    for name, files in parts.items():
        for path in files:
            above = path
            while above and name not in holders.setdefault(above, set()):
                holders[above].add(name)
                above = above.rpartition("/")[0]
    return holders


def _retargeted(owned: OwnedFile, shard: str, holders: Mapping[str, set[str]]) -> OwnedFile:
    file = owned.file
    if not file.target or file.target.startswith("/"):
        return owned
    destination = _destination(file)
    if holders.get(destination) == {shard}:
        return owned
    # Out of `<shard>/tree/<path>` and into layer `venv` beside it.
    target = f"{'../' * (file.path.count('/') + 2)}{VENV}/{destination}"
    digest = hashlib.sha256(target.encode(errors="surrogateescape")).hexdigest()
    return owned._replace(file=file._replace(target=target, digest=digest))


def _destination(link: File) -> str:
    """Return the path below the environment that *link* leads to."""
    parts = link.path.split("/")[:-1]
    for part in link.target.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
