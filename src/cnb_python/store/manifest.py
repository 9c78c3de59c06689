"""The manifest of the store: the members of each archive and the distribution they belong to.

It is compressed JSON with one array for each property of all files: that loads twice as fast as
one object for each file, and a package may have 50,000. Every path and link is checked: unpacking
must not write outside its directory.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from compression import zstd
from typing import Literal, NamedTuple, cast

from cnb_python.distributions.model import Distribution, File, LibraryNeed, Material
from cnb_python.store.archive import LIMIT, Member
from cnb_python.system import json_text

FORMAT = 2
# Empty, `.` and `..`, between slashes or at an end.
_ODD_PART = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")
_NAME = re.compile(r"[a-z0-9-]+")
_DIGEST_DIGITS = 64
_BUILDS = "builds"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]*")
_KINDS = re.compile(r"[fxld]*")

LARGEST = 1 << 28
"""Bytes of a manifest, compressed or not: one with a million files has 150 MB."""

# Linux opens no longer one, in bytes.
_LONGEST_PATH = 4096

type _Kind = Literal["f", "x", "l", "d"]


class StoreEntry(NamedTuple):
    """A distribution as the manifest lists it."""

    distribution: Distribution
    archive: str
    """SHA-256 in hex of the archive with all its files; empty without such an archive."""
    info: str
    """SHA-256 in hex of the archive with its small parts; empty if the store has nothing of it."""
    has_libpython: bool = True
    """Whether `distribution.libpython` is known: older releases did not record it."""


class StoredTree(NamedTuple):
    """A directory in the store, such as a tool or the app's Python."""

    archive: str
    members: tuple[Member, ...]
    """In the order of their paths."""


class Manifest(NamedTuple):
    """Everything in a store."""

    distributions: Mapping[str, StoreEntry]
    """By name."""
    trees: Mapping[str, StoredTree]
    """By key."""


class UnusableManifest(ValueError):
    """A manifest that this version did not write, or that is damaged."""


def member_of(file: File) -> Member:
    """Return *file* as a member of an archive."""
    if file.target:
        return Member(file.path, "l", file.size, file.target)
    return Member(file.path, "x" if file.is_program else "f", file.size)


def is_storable(distribution: Distribution) -> bool:
    """Whether *distribution* can be stored and unpacked safely."""
    return (
        _NAME.fullmatch(distribution.name) is not None
        and first_outside([member_of(file) for file in distribution.files]) is None
    )


def dump(manifest: Manifest) -> bytes:
    """Return *manifest* as bytes; equal manifests give equal bytes."""
    content = {
        "format": FORMAT,
        "distributions": [
            _dump_entry(manifest.distributions[name]) for name in sorted(manifest.distributions)
        ],
        "trees": {
            key: {"archive": tree.archive} | _dump_members(tree.members)
            for key, tree in sorted(manifest.trees.items())
        },
    }
    return zstd.compress(json.dumps(content, separators=(",", ":")).encode("ascii"))


def load(content: bytes) -> Manifest:
    """Return the manifest in *content*. Raises only UnusableManifest."""
    try:
        document = _document(content)
        rows = [_load_entry(row) for row in _field(document, "distributions", list)]
        trees = _load_trees(document)
    except (ValueError, zstd.ZstdError) as error:
        raise UnusableManifest(str(error)) from error
    return Manifest({entry.distribution.name: entry for entry in rows}, trees)


def load_trees(content: bytes) -> Mapping[str, StoredTree]:
    """Return only the trees of the manifest in *content*. Raises UnusableManifest."""
    try:
        return _load_trees(_document(content))
    except (ValueError, zstd.ZstdError) as error:
        raise UnusableManifest(str(error)) from error


def _document(content: bytes) -> object:
    decompressor = zstd.ZstdDecompressor()
    text = decompressor.decompress(content, LARGEST)
    if not decompressor.eof or decompressor.unused_data:
        raise UnusableManifest("size")
    document = json_text.parse(text)
    if _field(document, "format", int) != FORMAT:
        raise UnusableManifest("format")
    return document


def _load_trees(document: object) -> dict[str, StoredTree]:
    return {
        key: StoredTree(_digest(row, "archive"), _load_members(row))
        for key, row in _field(document, "trees", dict).items()
    }


def _dump_entry(entry: StoreEntry) -> dict[str, object]:
    distribution = entry.distribution
    return {
        "name": distribution.name,
        "version": distribution.version,
        "origin": distribution.origin,
        "built": distribution.from_source,
        "keeps": distribution.is_cacheable,
        "reaches": distribution.reaches,
        "libpython": distribution.libpython,
        **_dump_needs(distribution.library_needs),
        **_dump_materials(distribution.materials),
        "archive": entry.archive,
        "info": entry.info,
        "digests": "".join(file.digest for file in distribution.files),
    } | _dump_members([member_of(file) for file in distribution.files])


def _load_entry(row: object) -> StoreEntry:
    members = _load_members(row)
    has_libpython = isinstance(row, dict) and "libpython" in row
    distribution = Distribution(
        name=_matching(row, "name", _NAME),
        version=_field(row, "version", str),
        origin=_field(row, "origin", str),
        files=tuple(map(_file, members, _digests(row, len(members)), strict=True)),
        reaches=_texts(row, "reaches"),
        libpython=_texts(row, "libpython") if has_libpython else (),
        library_needs=_load_needs(row),
        from_source=_field(row, "built", bool),
        is_cacheable=_field(row, "keeps", bool),
        materials=_load_materials(row),
    )
    archive = _digest(row, "archive") if _field(row, "archive", str) else ""
    return StoreEntry(distribution, archive, _digest(row, "info"), has_libpython)


def _dump_needs(needs: tuple[LibraryNeed, ...] | None) -> dict[str, object]:
    if needs is None:
        return {}
    return {"needs": [" ".join((need.library, *need.versions)) for need in needs]}


def _load_needs(row: object) -> tuple[LibraryNeed, ...] | None:
    if not (isinstance(row, dict) and "needs" in row):
        return None
    pairs = (text.split(" ") for text in _texts(row, "needs"))
    return tuple(LibraryNeed(library, tuple(versions)) for library, *versions in pairs)


def _dump_materials(materials: tuple[Material, ...]) -> dict[str, object]:
    rows = [[*each[:3], _BUILDS if each.builds else ""] for each in materials]
    return {"materials": rows} if rows else {}


def _load_materials(row: object) -> tuple[Material, ...]:
    # Older releases did not record them.
    if not (isinstance(row, dict) and "materials" in row):
        return ()
    rows = [_texts({"": each}, "") for each in _field(row, "materials", list)]
    if any(len(each) != len(Material._fields) for each in rows):
        raise UnusableManifest("materials")
    return tuple(
        Material(name, address, digest, bool(builds)) for name, address, digest, builds in rows
    )


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
    remaining = iter(targets)
    members = tuple(
        Member(path, cast("_Kind", kind), size, next(remaining) if kind == "l" else "")
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


def first_outside(members: Collection[Member]) -> str | None:
    """Return the first path of *members* that must not be unpacked; None if all are safe.

    Paths must also be sorted and unique, and not below a file or a link.
    """
    previous = ""
    for member in members:
        if member.path <= previous or not _stays_inside(member):
            return member.path
        previous = member.path
    return _first_below_another(members)


def _stays_inside(member: Member) -> bool:
    return (
        len(member.path) <= _LONGEST_PATH
        and not _ODD_PART.search(member.path)
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
    """Whether the target has `..` only at its start, and not more than *link* has directories.

    `a/../..` may lead anywhere, since `a` may be a link itself.
    """
    target = link.target
    if not target or target.startswith("/") or "\0" in target or not _can_be_named(target):
        return False
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return ".." not in parts[ups:] and ups <= link.path.count("/")


def _first_below_another(members: Iterable[Member]) -> str | None:
    """Return a path that is below a file or a link."""
    files = {member.path for member in members if member.kind != "d"}
    directories = {""}
    for member in members:
        above = member.path.rpartition("/")[0]
        while above not in directories:
            if above in files:
                return member.path
            directories.add(above)
            above = above.rpartition("/")[0]
    return None
