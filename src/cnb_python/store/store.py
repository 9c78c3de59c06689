"""The store: what was installed, compressed, so that the next build need not do it again.

One directory of archives that are named by their digests, and a list of what they hold. Nothing in
it is trusted but by that name; whatever is damaged or gone is simply not kept.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions.model import Distribution, File, is_small_part
from cnb_python.errors.machine import DamagedStore
from cnb_python.store import archive as store_archive
from cnb_python.store import cas
from cnb_python.store import manifest as listing
from cnb_python.store.archive import Member
from cnb_python.store.manifest import (
    Manifest,
    StoredTree,
    StoreEntry,
    UnusableManifest,
    first_outside,
    member_of,
)

BUDGET_BYTES = 64 * 1024 * 1024

type _Kind = Literal["info", "tree", "archive"]


class _Candidate(NamedTuple):
    """Something that may be kept. They sort by how soon it is."""

    rank: int
    size: int
    name: str
    kind: _Kind


def fitting_in_budget(
    manifest: Manifest, alone: Collection[str], sizes: Mapping[str, int], budget: int
) -> Manifest:
    """Return what of *manifest* fits into *budget* bytes, where *sizes* are those of archives.

    Small parts come first: nothing is known of a distribution without them. Then what was built
    from source, for that takes longest to do again, then trees, then the rest; of each, the small
    ones. Of the distributions in *alone*, whose contents are rarely asked for, only what was
    built from source. Archives that *sizes* lacks are gone.
    """
    chosen: dict[_Kind, set[str]] = {"info": set(), "tree": set(), "archive": set()}
    for candidate in sorted(_candidates(manifest, alone, sizes)):
        has_info = candidate.kind != "archive" or candidate.name in chosen["info"]
        if has_info and candidate.size <= budget:
            budget -= candidate.size
            chosen[candidate.kind].add(candidate.name)
    kept = manifest.distributions
    return Manifest(
        {
            name: kept[name] if name in chosen["archive"] else kept[name]._replace(archive="")
            for name in sorted(chosen["info"])
        },
        {key: manifest.trees[key] for key in sorted(chosen["tree"])},
    )


def _candidates(
    manifest: Manifest, alone: Collection[str], sizes: Mapping[str, int]
) -> Iterator[_Candidate]:
    for key, tree in manifest.trees.items():
        if tree.archive in sizes:
            yield _Candidate(2, sizes[tree.archive], key, "tree")
    for name, kept in manifest.distributions.items():
        if kept.info in sizes:
            yield _Candidate(0, sizes[kept.info], name, "info")
        if kept.archive in sizes and _is_wanted(kept, alone):
            rank = 1 if kept.distribution.from_source else 3
            yield _Candidate(rank, sizes[kept.archive], name, "archive")


def _is_wanted(kept: StoreEntry, alone: Collection[str]) -> bool:
    return kept.distribution.from_source or kept.distribution.name not in alone


_ARCHIVE = ".tar.zst"
_MANIFEST = ".json.zst"
_UNUSABLE = "the list of its contents is of another form ({})"
_WRITING = "writing to the store"


class Damaged(NamedTuple):
    """A store that cannot be used."""

    reason: str


class Store:
    """One build's view of the store in *directory*, which exists.

    `put`, `put_tree` and everything that brings may be called from several threads at once.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lost: dict[str, str] = {}
        """Why a distribution that was kept is not any more, by name; known after `read`."""
        self._trees: dict[str, StoredTree] = {}
        self._used: set[str] = set()

    def read(self, manifest: str) -> dict[str, StoreEntry] | Damaged:
        """Return by name what the build kept that closed the store with *manifest*.

        Those whose small parts are not sound are in `lost` instead.
        """
        try:
            with cas.verified(self.directory, manifest, _MANIFEST) as file:
                found = listing.load(file.read())
        except DamagedStore as damage:
            return Damaged(damage.reason.replace("its archive", "the list of its contents"))
        except UnusableManifest as error:
            return Damaged(_UNUSABLE.format(error))
        self._trees.update(found.trees)
        for kept in found.distributions.values():
            try:
                with cas.verified(self.directory, kept.info, _ARCHIVE):
                    pass
            except DamagedStore as damage:
                self.lost[kept.distribution.name] = damage.reason
        return {name: kept for name, kept in found.distributions.items() if name not in self.lost}

    def read_trees(self, manifest: str) -> None:
        """Know the trees that the build kept that closed the store with *manifest*, if it can be.

        For who wants nothing else: it is quicker than `read`, and no store is closed after it.
        """
        try:
            with cas.verified(self.directory, manifest, _MANIFEST) as file:
                self._trees.update(listing.load_trees(file.read()))
        except DamagedStore, UnusableManifest:
            self._trees.clear()

    def put(self, distribution: Distribution, root: Path, *, whole: bool = True) -> StoreEntry:
        """Archive the files of *distribution*, which lie below *root*; all, or its small parts.

        Equal distributions become equal archives. Raises DiskFull, OSError, or ContractBroken when
        a file is not what *distribution* says.
        """
        if not listing.may_be_kept(distribution):
            return StoreEntry(distribution, "", "")
        info = self._pack(_members(filter(is_small_part, distribution.files)), root)
        archive = self._pack(_members(distribution.files), root) if whole else ""
        return StoreEntry(distribution, archive, info)

    def unpack(self, kept: StoreEntry, into: Path) -> None:
        """Put all files of *kept* below the directory *into*, beside what is there.

        Raises DamagedStore, DiskFull or OSError; each may leave a part behind.
        """
        self._unpack(kept.archive, _members(kept.distribution.files), into)

    def unpack_metadata(self, kept: StoreEntry, into: Path) -> None:
        """Put the small parts of *kept* below the directory *into*. Raises what `bring` does."""
        self._unpack(kept.info, _small(kept), into)

    def metadata(self, kept: StoreEntry) -> bytes:
        """Return the METADATA of *kept*. Raises DamagedStore."""
        # The highest: setuptools and others carry distributions of their own inside.
        found = [one.path for one in _small(kept) if one.path.endswith(".dist-info/METADATA")]
        wanted = min(found, key=lambda path: path.count("/"), default="")
        with cas.verified(self.directory, kept.info, _ARCHIVE) as file:
            return store_archive.read(_small(kept), file, wanted)

    def put_tree(self, key: str, root: Path, only: Collection[str] | None = None) -> None:
        """Archive everything below *root* under *key*. Raises DiskFull or OSError.

        *only*: no more than the files and links at these paths.
        """
        found = _walk(root, "")
        members = tuple(sorted(one for one in found if only is None or one.path in only))
        if first_outside(members) is None:
            self._trees[key] = StoredTree(self._pack(members, root, far=True), members)
            self._used.add(key)

    @property
    def trees(self) -> frozenset[str]:
        """The keys of everything that `put_tree` archived."""
        return frozenset(self._trees)

    @property
    def used(self) -> frozenset[str]:
        """The keys of those of them that this build archived or brought."""
        return frozenset(self._used)

    def has_tree(self, key: str) -> bool:
        """Whether something was archived under *key*."""
        return key in self._trees

    def unpack_tree(self, key: str, into: Path) -> int:
        """Put what was archived under *key* below the directory *into*; return how many files.

        Raises what `bring` does; DamagedStore without a reason when there is no such archive.
        """
        tree = self._trees.get(key)
        members = tree.members if tree else ()
        self._unpack(tree.archive if tree else "", members, into)
        self._used.add(key)
        return sum(one.kind != "d" for one in members)

    def close(
        self,
        kept: Iterable[StoreEntry],
        trees: Collection[str],
        alone: Collection[str],
        budget: int = BUDGET_BYTES,
    ) -> str:
        """Keep what is of use of *kept* and *trees* (keys) within *budget* bytes.

        Everything else is removed. *alone* are the names of distributions that have a share of
        their own. Returns what to `read` the store by. Raises DiskFull or OSError.
        """
        named = Manifest(
            {one.distribution.name: one for one in kept if one.info},
            {key: tree for key, tree in self._trees.items() if key in trees},
        )
        sizes = {
            name.removesuffix(_ARCHIVE): size for name, size in cas.sizes(self.directory).items()
        }
        # The list itself counts: with nothing left out it is longest.
        chosen = fitting_in_budget(named, alone, sizes, budget - len(listing.dump(named)))
        with cas.writing(self.directory, _MANIFEST, _WRITING) as draft:
            draft.write(listing.dump(chosen))
        self._prune({f"{draft.digest}{_MANIFEST}", *_names(chosen)})
        return draft.digest

    def _pack(self, members: Collection[Member], root: Path, *, far: bool = False) -> str:
        with cas.writing(self.directory, _ARCHIVE, _WRITING) as draft:
            store_archive.pack(members, root, draft.write, far=far)
        return draft.digest

    def _unpack(self, archive: str, members: Collection[Member], into: Path) -> None:
        if not archive:
            raise DamagedStore("")
        with cas.verified(self.directory, archive, _ARCHIVE) as file:
            store_archive.unpack(members, file, into, "unpacking what the store keeps")

    def _prune(self, wanted: Collection[str]) -> None:
        for path in cas.unwanted(self.directory, wanted):
            disk.remove(path)


def _members(files: Iterable[File]) -> list[Member]:
    return [member_of(file) for file in files]


def _small(kept: StoreEntry) -> list[Member]:
    return _members(filter(is_small_part, kept.distribution.files))


def _names(manifest: Manifest) -> Iterator[str]:
    for kept in manifest.distributions.values():
        yield from (f"{digest}{_ARCHIVE}" for digest in (kept.archive, kept.info) if digest)
    for tree in manifest.trees.values():
        yield f"{tree.archive}{_ARCHIVE}"


def _walk(root: Path, directory: str) -> Iterator[Member]:
    with os.scandir(root / directory) as found:
        inside = list(found)
    for one in inside:
        path = f"{directory}/{one.name}" if directory else one.name
        if one.is_symlink():
            # Word for word: Path would make `./a` to `a`.
            yield Member(path, "l", target=os.readlink(one.path))  # noqa: PTH115 - see above
        elif one.is_dir():
            # For the empty ones; the others come with what they hold.
            yield Member(path, "d")
            yield from _walk(root, path)
        elif one.is_file():
            status = one.stat()
            yield Member(path, "x" if status.st_mode & 0o111 else "f", status.st_size)
