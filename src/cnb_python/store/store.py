"""The store: archives of installed distributions and tools, for the next build.

One directory of archives named by their digests, and a manifest. Nothing in it is used without
checking its digest; whatever is damaged or missing counts as not stored.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions.model import Distribution, File, is_small_part
from cnb_python.errors.machine import DamagedStore
from cnb_python.store import archive as store_archive
from cnb_python.store import files
from cnb_python.store import manifest as store_manifest
from cnb_python.store.archive import NO_CHANGES, NO_CONTENTS, Changes, Member
from cnb_python.store.manifest import (
    LARGEST,
    Manifest,
    StoredTree,
    StoreEntry,
    UnusableManifest,
    first_outside,
    member_of,
)
from cnb_python.store.unpacking import ARCHIVE, Job, unpack

BUDGET_BYTES = 64 * 1024 * 1024
_MANIFEST = ".json.zst"
_UNUSABLE = "its manifest has another format ({})"
_WRITING = "writing to the store"

type _Kind = Literal["info", "tree", "archive"]


class Damaged(NamedTuple):
    """A store that cannot be used."""

    reason: str


class Store:
    """One build's view of the store in *directory*, which exists.

    `put`, `put_tree` and the methods that unpack can be called from several threads at once.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lost: dict[str, str] = {}
        """Why an entry of the manifest cannot be used, by distribution name; set by `read`."""
        self._trees: dict[str, StoredTree] = {}
        self._used: set[str] = set()

    def read(self, manifest: str) -> dict[str, StoreEntry] | Damaged:
        """Return the entries of *manifest*, which `close` returned in an earlier build, by name.

        Entries whose small parts are damaged are in `lost` instead, and those of an older release
        that cannot be scanned for libpython. Raises DiskFull or OSError.
        """
        try:
            with files.verified(self.directory, manifest, _MANIFEST, LARGEST) as file:
                content = store_manifest.load(file.read())
        except DamagedStore as damage:
            return Damaged(damage.reason.replace("its archive", "its manifest"))
        except UnusableManifest as error:
            return Damaged(_UNUSABLE.format(error))
        self._trees.update(content.trees)
        entries = {}
        for name, entry in content.distributions.items():
            try:
                with files.verified(self.directory, entry.info, ARCHIVE):
                    pass
                entries[name] = entry if entry.has_libpython else self._scanned(entry)
            except DamagedStore as damage:
                self.lost[name] = damage.reason
        return entries

    def read_trees(self, manifest: str) -> None:
        """Read only the trees of *manifest*, none if it is damaged.

        Faster than `read`, for builds that need no distributions. The store cannot be closed then.
        """
        try:
            with files.verified(self.directory, manifest, _MANIFEST, LARGEST) as file:
                self._trees.update(store_manifest.load_trees(file.read()))
        except DamagedStore, UnusableManifest:
            self._trees.clear()

    def put(
        self,
        distribution: Distribution,
        root: Path,
        *,
        whole: bool = True,
        contents: Mapping[str, bytes] = NO_CONTENTS,
    ) -> StoreEntry:
        """Archive the files of *distribution*, which lie below *root*: all, or its small parts.

        *contents*: those of some files by path, which are not read again. Equal distributions give
        equal archives. Raises DiskFull, OSError, or ContractBroken if a file differs from its
        description.
        """
        if not store_manifest.is_storable(distribution):
            return StoreEntry(distribution, "", "")
        small = _members(filter(is_small_part, distribution.files))
        info = self._pack(small, root, contents=contents)
        members = _members(distribution.files)
        archive = self._pack(members, root, contents=contents) if whole else ""
        return StoreEntry(distribution, archive, info)

    def job(self, entry: StoreEntry, into: Path, changes: Changes = NO_CHANGES) -> Job:
        """Return the work of writing all files of *entry* below the existing directory *into*."""
        return Job(
            self.directory, entry.archive, _members(entry.distribution.files), into, changes
        )

    def metadata_job(self, entry: StoreEntry, into: Path, changes: Changes = NO_CHANGES) -> Job:
        """Return the work of writing the small parts of *entry* below the directory *into*."""
        return Job(self.directory, entry.info, _small_members(entry), into, changes)

    def is_intact(self, entry: StoreEntry) -> bool:
        """Whether the archive with all files of *entry* is in the store and has its digest."""
        try:
            with files.verified(self.directory, entry.archive, ARCHIVE):
                return True
        except DamagedStore:
            return False

    def metadata(self, entry: StoreEntry) -> bytes:
        """Return the METADATA of *entry*. Raises DamagedStore."""
        paths = [
            file.path
            for file in entry.distribution.files
            if file.path.endswith(".dist-info/METADATA")
        ]
        # The one with the fewest directories: setuptools and others vendor distributions.
        return self.small_file(entry, min(paths, key=lambda path: path.count("/"), default=""))

    def small_file(self, entry: StoreEntry, path: str) -> bytes:
        """Return the file at *path* of the small parts of *entry*. Raises DamagedStore."""
        members = _small_members(entry)
        with files.verified(self.directory, entry.info, ARCHIVE) as file:
            return store_archive.read_member(members, file, path)

    def put_tree(self, key: str, root: Path, only: Collection[str] | None = None) -> None:
        """Archive everything below *root* under *key*. Raises DiskFull or OSError.

        *only*: archive just the files and links at these paths.
        """
        members = tuple(
            sorted(member for member in _tree_members(root) if only is None or member.path in only)
        )
        if first_outside(members) is None:
            self._trees[key] = StoredTree(self._pack(members, root, long_range=True), members)
            self._used.add(key)

    def put_verified_tree(
        self, key: str, root: Path, members: Collection[Member], digests: Mapping[str, str]
    ) -> None:
        """Archive *members* below *root* under *key*, each file only with its digest (by path).

        *members* must be in the order of their paths. Raises ContentChanged, DiskFull or OSError.
        """
        if first_outside(members) is None:
            archive = self._pack(members, root, long_range=True, digests=digests)
            self._trees[key] = StoredTree(archive, tuple(members))
            self._used.add(key)

    def tree_digests(self, key: str) -> dict[Member, str]:
        """Return the members of the tree with *key*, and the SHA-256 in hex of the files.

        Raises DamagedStore.
        """
        tree = self._trees.get(key)
        if tree is None:
            raise DamagedStore("")
        with files.verified(self.directory, tree.archive, ARCHIVE) as file:
            return store_archive.digests_of(tree.members, file)

    @property
    def trees(self) -> frozenset[str]:
        """The keys of all trees in the store."""
        return frozenset(self._trees)

    @property
    def used(self) -> frozenset[str]:
        """The keys of the trees that this build archived or unpacked."""
        return frozenset(self._used)

    def has_tree(self, key: str) -> bool:
        """Whether the store has a tree with *key*."""
        return key in self._trees

    def read_tree_file(self, key: str, path: str) -> bytes:
        """Return the file at *path* of the tree with *key*. Raises DamagedStore."""
        tree = self._trees.get(key)
        if tree is None:
            raise DamagedStore("")
        with files.verified(self.directory, tree.archive, ARCHIVE) as file:
            return store_archive.read_member(tree.members, file, path)

    def unpack_tree(self, key: str, into: Path) -> int:
        """Write the tree with *key* below the directory *into*; return the number of its files.

        Raises DiskFull, OSError, and DamagedStore, without a reason if there is no such tree.
        """
        tree = self._trees.get(key)
        members = tree.members if tree else ()
        unpack(Job(self.directory, tree.archive if tree else "", members, into))
        self._used.add(key)
        return sum(member.kind != "d" for member in members)

    def archive_bytes(self, without: Collection[str]) -> int:
        """Return the total size of the archives on disk, in bytes, *without* some trees (keys).

        Without the manifest too: it contains digests of those trees, so its compressed size may
        differ between builds of the same app.
        """
        names = {f"{self._trees[key].archive}{ARCHIVE}" for key in without if key in self._trees}
        sizes = files.sizes(self.directory)
        return sum(
            size for name, size in sizes.items() if name.endswith(ARCHIVE) and name not in names
        )

    def close(
        self,
        entries: Iterable[StoreEntry],
        trees: Collection[str],
        own_layer: Collection[str],
        budget: int = BUDGET_BYTES,
    ) -> str:
        """Write the manifest of *entries* and *trees* (keys), as far as *budget* (bytes) allows.

        Removes everything else. *own_layer*: names of distributions with an own layer. Returns the
        digest to `read` the store by. Raises DiskFull or OSError.
        """
        complete = Manifest(
            {entry.distribution.name: entry for entry in entries if entry.info},
            {key: tree for key, tree in self._trees.items() if key in trees},
        )
        sizes = {
            name.removesuffix(ARCHIVE): size for name, size in files.sizes(self.directory).items()
        }
        # The manifest counts too; it is longest if everything is in it.
        content = store_manifest.dump(complete)
        manifest = fitting_in_budget(complete, own_layer, sizes, budget - len(content))
        with files.writing(self.directory, _MANIFEST, _WRITING) as draft:
            draft.write(content if manifest == complete else store_manifest.dump(manifest))
        self._prune({f"{draft.digest}{_MANIFEST}", *_file_names(manifest)})
        return draft.digest

    def _pack(
        self,
        members: Collection[Member],
        root: Path,
        *,
        long_range: bool = False,
        digests: Mapping[str, str] | None = None,
        contents: Mapping[str, bytes] = NO_CONTENTS,
    ) -> str:
        with files.writing(self.directory, ARCHIVE, _WRITING) as draft:
            store_archive.pack(
                members,
                root,
                draft.write,
                long_range=long_range,
                digests=digests,
                contents=contents,
            )
        return draft.digest

    def _scanned(self, entry: StoreEntry) -> StoreEntry:
        from cnb_python.store import older_entries  # noqa: PLC0415 - once, after an upgrade

        return older_entries.scanned(
            entry,
            lambda each, into: unpack(self.job(each, into)),
            lambda each, into: unpack(self.metadata_job(each, into)),
        )

    def _prune(self, used: Collection[str]) -> None:
        for path in files.unused(self.directory, used):
            disk.remove(path)


def _members(files: Iterable[File]) -> list[Member]:
    return [member_of(file) for file in files]


def _small_members(entry: StoreEntry) -> list[Member]:
    return _members(filter(is_small_part, entry.distribution.files))


def _file_names(manifest: Manifest) -> Iterator[str]:
    for entry in manifest.distributions.values():
        yield from (f"{digest}{ARCHIVE}" for digest in (entry.archive, entry.info) if digest)
    for tree in manifest.trees.values():
        yield f"{tree.archive}{ARCHIVE}"


def _tree_members(root: Path) -> Iterator[Member]:
    for path, status in disk.walk(root):
        if stat.S_ISLNK(status.st_mode):
            # The exact target: Path would turn `./a` into `a`.
            yield Member(path, "l", target=os.readlink(root / path))  # noqa: PTH115 - see above
        elif stat.S_ISDIR(status.st_mode):
            # Needed for empty directories; the others would be made for their files.
            yield Member(path, "d")
        elif stat.S_ISREG(status.st_mode):
            yield Member(path, "x" if status.st_mode & 0o111 else "f", status.st_size)


class _Candidate(NamedTuple):
    """An archive that may stay in the store. Candidates sort by priority."""

    rank: int
    size: int
    name: str
    kind: _Kind


def fitting_in_budget(
    manifest: Manifest, own_layer: Collection[str], sizes: Mapping[str, int], budget: int
) -> Manifest:
    """Return the part of *manifest* that fits into *budget* bytes, given the *sizes* of archives.

    Small parts come first, since a distribution is unknown without them. Then come distributions
    built from source, which take longest to install again, then trees, then all others; among
    equals, the smaller first. Distributions in *own_layer* stay only if built from source: their
    contents are rarely needed. Archives that *sizes* lacks no longer exist.
    """
    chosen: dict[_Kind, set[str]] = {"info": set(), "tree": set(), "archive": set()}
    for candidate in sorted(_candidates(manifest, own_layer, sizes)):
        has_info = candidate.kind != "archive" or candidate.name in chosen["info"]
        if has_info and candidate.size <= budget:
            budget -= candidate.size
            chosen[candidate.kind].add(candidate.name)
    entries = manifest.distributions
    return Manifest(
        {
            name: entries[name]
            if name in chosen["archive"]
            else entries[name]._replace(archive="")
            for name in sorted(chosen["info"])
        },
        {key: manifest.trees[key] for key in sorted(chosen["tree"])},
    )


def _candidates(
    manifest: Manifest, own_layer: Collection[str], sizes: Mapping[str, int]
) -> Iterator[_Candidate]:
    for key, tree in manifest.trees.items():
        if tree.archive in sizes:
            yield _Candidate(2, sizes[tree.archive], key, "tree")
    for name, entry in manifest.distributions.items():
        from_source = entry.distribution.from_source
        if entry.info in sizes:
            yield _Candidate(0, sizes[entry.info], name, "info")
        if entry.archive in sizes and (from_source or entry.distribution.name not in own_layer):
            yield _Candidate(1 if from_source else 3, sizes[entry.archive], name, "archive")
