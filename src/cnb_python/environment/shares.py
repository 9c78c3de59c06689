"""Which share holds which distribution's files: a function of content alone.

A share is one image layer. One changed dependency should change one share, so distributions are
spread; clean and cached builds must agree, so nothing but names, sizes and contents decides.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cnb_python.environment import symlinks
from cnb_python.environment.coupling import couples
from cnb_python.environment.distribution import Distribution, File, digest_of
from cnb_python.environment.owners import Owned, owners_of
from cnb_python.environment.places import SHARES, VENV

# Below it, one layer: each layer costs the lifecycle and the registry a round trip.
ONE_SHARE_BELOW = 32 * 1024 * 1024
# Above it, a layer of its own: it would be moved whenever a small neighbour changes.
OWN_SHARE_ABOVE = 8 * 1024 * 1024
# Docker's limit is 127 layers in an image: base, app and other buildpacks need some.
OWN_SHARES_AT_MOST = 24
SPREAD = 16
_FIRST = f"{SHARES}00"
_PLAIN_NAME = re.compile(r"(?!\d\d$)[a-z0-9]+(-[a-z0-9]+)*")
# File systems end at 255 bytes, and a name becomes a part of longer ones.
_NAME_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Share:
    """The files of some distributions, for one layer."""

    name: str
    files: Mapping[str, Owned]
    """By path below the environment, in the order of the paths; lies at `tree/<path>`."""
    distributions: tuple[str, ...]
    """The names of those that have files here, in order."""
    digest: str
    """SHA-256 in hex over paths, modes and contents."""
    size: int
    """Bytes of all files."""


def shares_of(distributions: Sequence[Distribution], *, merged: bool = False) -> tuple[Share, ...]:
    """Return the shares of *distributions*, each path in exactly one, in the order of their names.

    *merged*: one share, `venv`, that is the environment itself. Raises PathClash.
    """
    owners = owners_of(distributions).files
    if merged:
        return (_share(VENV, owners),)
    share_of = share_of_each(distributions, couples(distributions))
    parts: dict[str, dict[str, Owned]] = {name: {} for name in sorted(set(share_of.values()))}
    for path, owned in owners.items():
        parts[share_of[owned.owner]][path] = owned
    return tuple(_share(name, files) for name, files in symlinks.at_home(parts) if files)


def share_of_each(
    distributions: Sequence[Distribution], coupled: Iterable[frozenset[str]] = ()
) -> dict[str, str]:
    """Return the layer name for each distribution's name.

    *coupled* lists disjoint sets of names that must be together. Such a group counts as one, named
    after its largest member.
    """
    if sum(each.size for each in distributions) < ONE_SHARE_BELOW:
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
    above = [group for group in groups if group.size > OWN_SHARE_ABOVE]
    return sorted(above, key=lambda group: (-group.size, group.name))[:OWN_SHARES_AT_MOST]


def _own(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and len(name) <= _NAME_AT_MOST:
        return f"{SHARES}{name}"
    # Two digits would be a share of the spread; no plain name has two hyphens in a row.
    return f"{SHARES}-{_digest(name).hex()[:16]}"


def _spread(name: str) -> str:
    return f"{SHARES}{int.from_bytes(_digest(name)[:4]) % SPREAD:02d}"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()


def _share(name: str, files: Mapping[str, Owned]) -> Share:
    ordered = {path: files[path] for path in sorted(files)}
    values: list[File] = [owned.file for owned in ordered.values()]
    return Share(
        name=name,
        files=ordered,
        distributions=tuple(sorted({owned.owner for owned in ordered.values()})),
        digest=digest_of(values),
        size=sum(file.size for file in values),
    )
