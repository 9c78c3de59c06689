"""The store's list of contents: what each archive holds, and for which distribution.

JSON, compressed, with a column for each property of all files: that is read twice as fast as an
object for each, and a package may have 50,000.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from compression import zstd
from typing import Literal, NamedTuple, cast

from cnb_python.distributions.model import Distribution, File
from cnb_python.store.archive import LIMIT, Member

# Empty, `.` and `..`, between slashes or at an end.
_ODD_PART = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")


def first_outside(members: Collection[Member]) -> str | None:
    """Return the path of one of *members* that may not be kept, None when all may.

    Paths must also be in order, each once, and none below a file or a link.
    """
    before = ""
    for member in members:
        if member.path <= before or not _stays_inside(member):
            return member.path
        before = member.path
    return _first_below_another(members)


def _stays_inside(member: Member) -> bool:
    return (
        not _ODD_PART.search(member.path)
        and _can_be_named(member.path)
        and 0 <= member.size < LIMIT
        and (_leads_inside(member) if member.kind == "l" else not member.target)
    )


def _can_be_named(path: str) -> bool:
    try:
        path.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _leads_inside(link: Member) -> bool:
    """Whether a link leads up first and down then, up no further than there are directories.

    `a/../..` may lead anywhere, for `a` may be a link itself.
    """
    target = link.target
    if not target or target.startswith("/") or "\0" in target or not _can_be_named(target):
        return False
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    return ".." not in parts[ups:] and ups <= link.path.count("/")


def _first_below_another(members: Iterable[Member]) -> str | None:
    """Return a path that has a file or a link above it."""
    taken = {member.path for member in members if member.kind != "d"}
    known = {""}
    for member in members:
        above = member.path.rpartition("/")[0]
        while above not in known:
            if above in taken:
                return member.path
            known.add(above)
            above = above.rpartition("/")[0]
    return None


FORMAT = 2
_NAME = re.compile(r"[a-z0-9-]+")
_DIGEST_DIGITS = 64
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]*")
_KINDS = re.compile(r"[fxld]*")

type _Kind = Literal["f", "x", "l", "d"]


class StoreEntry(NamedTuple):
    """A distribution that the store has, or had when it was asked."""

    distribution: Distribution
    archive: str
    """SHA-256 in hex of the archive of all its files; empty: they are not kept."""
    info: str
    """That of the archive of its small parts; empty: nothing of it is kept."""


class StoredTree(NamedTuple):
    """A directory that the store has as a whole."""

    archive: str
    members: tuple[Member, ...]
    """In the order of their paths."""


class Manifest(NamedTuple):
    """Everything that a store holds."""

    distributions: Mapping[str, StoreEntry]
    """By name."""
    trees: Mapping[str, StoredTree]
    """By key."""


class UnusableManifest(ValueError):
    """A list of contents that is not ours, or of another format."""


def member_of(file: File) -> Member:
    """Return *file* as an entry of an archive."""
    if file.target:
        return Member(file.path, "l", file.size, file.target)
    return Member(file.path, "x" if file.is_program else "f", file.size)


def may_be_kept(distribution: Distribution) -> bool:
    """Whether *distribution* can be put back safely."""
    return (
        _NAME.fullmatch(distribution.name) is not None
        and first_outside([member_of(file) for file in distribution.files]) is None
    )


def dump(manifest: Manifest) -> bytes:
    """Return *manifest* as bytes, equal ones for equal contents."""
    content = {
        "format": FORMAT,
        "distributions": [
            _dump_kept(manifest.distributions[name]) for name in sorted(manifest.distributions)
        ],
        "trees": {
            key: {"archive": tree.archive} | _dump_members(tree.members)
            for key, tree in sorted(manifest.trees.items())
        },
    }
    return zstd.compress(json.dumps(content, separators=(",", ":")).encode("ascii"))


def load(content: bytes) -> Manifest:
    """Return the manifest that *content* holds. Raises UnusableManifest whatever it holds."""
    try:
        whole = _whole(content)
        rows = [_load_kept(row) for row in _field(whole, "distributions", list)]
        trees = _load_trees(whole)
    except (ValueError, RecursionError, zstd.ZstdError) as error:
        raise UnusableManifest(str(error)) from error
    return Manifest({kept.distribution.name: kept for kept in rows}, trees)


def load_trees(content: bytes) -> Mapping[str, StoredTree]:
    """Return the trees alone of the manifest that *content* holds. Raises UnusableManifest."""
    try:
        return _load_trees(_whole(content))
    except (ValueError, RecursionError, zstd.ZstdError) as error:
        raise UnusableManifest(str(error)) from error


def _whole(content: bytes) -> object:
    whole: object = json.loads(zstd.decompress(content))
    if _field(whole, "format", int) != FORMAT:
        raise UnusableManifest("format")
    return whole


def _load_trees(whole: object) -> dict[str, StoredTree]:
    return {
        key: StoredTree(_digest(row, "archive"), _load_members(row))
        for key, row in _field(whole, "trees", dict).items()
    }


def _dump_kept(kept: StoreEntry) -> dict[str, object]:
    one = kept.distribution
    return {
        "name": one.name,
        "version": one.version,
        "origin": one.origin,
        "built": one.from_source,
        "keeps": one.is_cacheable,
        "reaches": one.reaches,
        "archive": kept.archive,
        "info": kept.info,
        "digests": "".join(file.digest for file in one.files),
    } | _dump_members([member_of(file) for file in one.files])


def _load_kept(row: object) -> StoreEntry:
    members = _load_members(row)
    distribution = Distribution(
        name=_matching(row, "name", _NAME),
        version=_field(row, "version", str),
        origin=_field(row, "origin", str),
        files=tuple(map(_file, members, _digests(row, len(members)), strict=True)),
        reaches=_texts(row, "reaches"),
        from_source=_field(row, "built", bool),
        is_cacheable=_field(row, "keeps", bool),
    )
    archive = _digest(row, "archive") if _field(row, "archive", str) else ""
    return StoreEntry(distribution, archive, _digest(row, "info"))


def _digests(row: object, count: int) -> list[str]:
    joined = _matching(row, "digests", _HEX)
    if len(joined) != count * _DIGEST_DIGITS:
        raise UnusableManifest("digests")
    return [joined[at : at + _DIGEST_DIGITS] for at in range(0, len(joined), _DIGEST_DIGITS)]


def _file(member: Member, digest: str) -> File:
    if member.kind == "d":
        raise UnusableManifest("kinds")
    return File(member.path, digest, member.size, member.kind == "x", member.target)


def _dump_members(members: Collection[Member]) -> dict[str, object]:
    return {
        "paths": [member.path for member in members],
        "kinds": "".join(member.kind for member in members),
        "sizes": [member.size for member in members],
        "targets": [member.target for member in members if member.kind == "l"],
    }


def _load_members(row: object) -> tuple[Member, ...]:
    paths, kinds = _texts(row, "paths"), _matching(row, "kinds", _KINDS)
    sizes = _field(row, "sizes", list)
    targets = _texts(row, "targets")
    if not len(paths) == len(kinds) == len(sizes) or kinds.count("l") != len(targets):
        raise UnusableManifest("paths")
    if any(type(size) is not int for size in sizes):
        raise UnusableManifest("sizes")
    rest = iter(targets)
    members = tuple(
        Member(path, cast("_Kind", kind), size, next(rest) if kind == "l" else "")
        for path, kind, size in zip(paths, kinds, sizes, strict=True)
    )
    if (outside := first_outside(members)) is not None:
        raise UnusableManifest(outside)
    return members


def _field[Kind](row: object, name: str, kind: type[Kind]) -> Kind:
    value = row.get(name) if isinstance(row, dict) else None
    # Not isinstance(): True is an int.
    if type(value) is not kind:
        raise UnusableManifest(name)
    return value


def _texts(row: object, name: str) -> tuple[str, ...]:
    values: Iterable[object] = _field(row, name, list)
    texts = tuple(value for value in values if isinstance(value, str))
    if len(texts) != len(_field(row, name, list)):
        raise UnusableManifest(name)
    return texts


def _matching(row: object, name: str, pattern: re.Pattern[str]) -> str:
    text = _field(row, name, str)
    if not pattern.fullmatch(text):
        raise UnusableManifest(name)
    return text


def _digest(row: object, name: str) -> str:
    return _matching(row, name, _DIGEST)
