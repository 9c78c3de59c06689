"""The store: archiving, restoring, damage, eviction, and several builds at once."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnb_python.distributions.model import Distribution
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.machine import DamagedStore
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Damaged, Store
from cnb_python.store.unpacking import unpack
from tests.support.installed import SITE, distribution, file, install, symlink

INFO = f"{SITE}/six-1.0.dist-info"
METADATA = "Metadata-Version: 2.4\nName: six\nVersion: 1.0\n"
SIX = distribution(
    "six",
    [
        file("bin/six", "#!/bin/sh\n", program=True),
        file("share/six/large.bin", "0", size=100_000),
        file("share/six/small.txt", "small"),
        file(f"{INFO}/METADATA", METADATA),
        file(f"{SITE}/six/__init__.py", "contents"),
        file(f"{SITE}/six/_vendor/x-1.dist-info/METADATA", "Name: x\n"),
        symlink(f"{SITE}/six/linked.py", "__init__.py"),
        file(f"{SITE}/six/na\udcffme.txt", "odd"),
    ],
)
CONTENTS = {
    "bin/six": "#!/bin/sh\n",
    "share/six/large.bin": "0",
    "share/six/small.txt": "small",
    f"{INFO}/METADATA": METADATA,
    f"{SITE}/six/__init__.py": "contents",
    f"{SITE}/six/_vendor/x-1.dist-info/METADATA": "Name: x\n",
    f"{SITE}/six/na\udcffme.txt": "odd",
}


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return install(SIX, tmp_path / "stage", CONTENTS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return opened(tmp_path / "store")


def opened(directory: Path) -> Store:
    directory.mkdir(parents=True, exist_ok=True)
    return Store(directory)


def new(directory: Path) -> Path:
    directory.mkdir()
    return directory


def tree_at(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode & 0o777,
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(),
        )
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def closed(
    store: Store, *entries: StoreEntry, trees: Iterable[str] = (), budget: int = 1 << 30
) -> str:
    return store.close(entries, {*trees}, (), budget)


def reread(store: Store, manifest: str) -> dict[str, StoreEntry]:
    """Return what the next build reads from *store*."""
    entries = Store(store.directory).read(manifest)
    assert not isinstance(entries, Damaged), entries.reason
    return entries


def archive(store: Store, digest: str) -> Path:
    return store.directory / f"{digest}.tar.zst"


def test_files_are_restored(store: Store, stage: Path, tmp_path: Path) -> None:
    manifest = closed(store, store.put(SIX, stage))

    entry = reread(store, manifest)["six"]
    unpack(Store(store.directory).job(entry, new(tmp_path / "into")))

    assert entry.distribution == SIX
    assert tree_at(tmp_path / "into") == tree_at(stage)


def test_small_parts_are_restored_alone(store: Store, stage: Path, tmp_path: Path) -> None:
    unpack(store.metadata_job(store.put(SIX, stage), new(tmp_path / "into")))

    small = {"bin/six", "share/six/small.txt", f"{INFO}/METADATA"}
    restored = tree_at(tmp_path / "into")
    assert restored == {path: value for path, value in tree_at(stage).items() if path in restored}
    assert small <= restored.keys()
    assert not restored.keys() & {"share/six/large.bin", f"{SITE}/six/__init__.py"}


def test_metadata_of_vendored_distribution_is_ignored(store: Store, stage: Path) -> None:
    assert store.metadata(store.put(SIX, stage)) == METADATA.encode()


def test_distribution_without_metadata_raises(store: Store, tmp_path: Path) -> None:
    bare = distribution("bare", [f"{SITE}/bare.py"])
    entry = store.put(bare, install(bare, tmp_path / "stage"))

    with pytest.raises(DamagedStore):
        store.metadata(entry)


def test_several_distributions_are_restored_into_one_directory(
    store: Store, tmp_path: Path
) -> None:
    both = [distribution(name, [f"{SITE}/shared/{name}.py"]) for name in ("a", "b")]
    for each in both:
        install(each, tmp_path / "stage")
    into = new(tmp_path / "into")

    for each in both:
        unpack(store.job(store.put(each, tmp_path / "stage"), into))

    assert tree_at(into) == tree_at(tmp_path / "stage")


PATHS = st.text(
    st.characters(exclude_characters="/\0", codec="utf-8") | st.just("\udcfe"), min_size=1
).filter(lambda name: name not in {".", ".."} and len(os.fsencode(name)) < 100)


@settings(max_examples=25)  # each makes files, which is slow
@given(st.dictionaries(PATHS, st.text(max_size=20) | st.none(), max_size=8), st.booleans())
def test_any_files_are_restored(
    tmp_path_factory: pytest.TempPathFactory,
    contents: dict[str, str | None],
    program: bool,  # noqa: FBT001 - hypothesis's
) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    files = [
        symlink(f"p/{name}", "../q") if text is None else file(f"p/{name}", text, program=program)
        for name, text in contents.items()
    ]
    each = distribution("any", [file("q", "there"), *files])
    texts = {"q": "there"} | {f"p/{name}": text or "" for name, text in contents.items()}
    root = install(each, tmp_path / "stage", texts)
    store = opened(tmp_path / "store")

    entry = reread(store, closed(store, store.put(each, root)))["any"]
    unpack(store.job(entry, new(tmp_path / "into")))

    assert entry.distribution == each
    assert tree_at(tmp_path / "into") == tree_at(root)


def test_archives_are_reproducible(store: Store, stage: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        other = install(SIX, tmp_path / "other", CONTENTS)
        elsewhere = opened(tmp_path / "elsewhere").put(SIX, other)
    finally:
        os.umask(before)
    for path in other.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)

    assert store.put(SIX, other) == store.put(SIX, stage) == elsewhere


def small_distributions(count: int) -> list[Distribution]:
    return [
        distribution(f"d{n}", [f"{SITE}/d{n}/__init__.py", f"{SITE}/d{n}-1.dist-info/METADATA"])
        for n in range(count)
    ]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_order_and_number_of_threads_do_not_matter(
    store: Store, tmp_path: Path, threads: int
) -> None:
    distributions = small_distributions(20)
    for each in distributions:
        install(each, tmp_path / "stage")
    expected = closed(store, *(store.put(each, tmp_path / "stage") for each in distributions))
    other = opened(tmp_path / "other")

    with ThreadPoolExecutor(threads) as pool:
        entries = list(
            pool.map(lambda each: other.put(each, tmp_path / "stage"), reversed(distributions))
        )

    assert closed(other, *entries) == expected
    assert names(other) == names(store)


def names(store: Store) -> set[str]:
    return {path.name for path in store.directory.iterdir()}


def test_small_parts_alone_are_archived_on_request(
    store: Store, stage: Path, tmp_path: Path
) -> None:
    entry = store.put(SIX, stage, whole=False)

    assert reread(store, closed(store, entry))["six"] == entry
    assert store.metadata(entry) == METADATA.encode()
    with pytest.raises(DamagedStore) as caught:
        unpack(store.job(entry, tmp_path))
    assert caught.value.reason == ""


def test_is_cacheable_round_trips(store: Store, stage: Path) -> None:
    entry = store.put(dataclasses.replace(SIX, is_cacheable=False), stage)

    assert reread(store, closed(store, entry)) == {"six": entry}


def test_distribution_that_could_not_be_restored_is_not_stored(store: Store, stage: Path) -> None:
    entry = store.put(dataclasses.replace(SIX, name="Six"), stage)

    assert (entry.archive, entry.info) == ("", "")
    assert reread(store, closed(store, entry)) == {}
    with pytest.raises(DamagedStore):
        unpack(store.metadata_job(entry, stage))


def test_link_to_outside_excludes_only_its_distribution(store: Store, stage: Path) -> None:
    odd = distribution("odd", [symlink(f"{SITE}/odd.so", "/usr/lib/x.so")])

    manifest = closed(store, store.put(odd, stage), store.put(SIX, stage))

    assert reread(store, manifest).keys() == {"six"}


def test_file_changed_since_collecting_breaks_contract(store: Store, stage: Path) -> None:
    (stage / SITE / "six/__init__.py").write_text("longer than it was")

    with pytest.raises(ContractBroken):
        store.put(SIX, stage)

    assert [each for each in names(store) if each.endswith(".partial")] == []


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def replace_by(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        path.unlink()
        make(path)
        # A link is not followed even to the right content.
        (path.parent.parent / "original").write_bytes(content)

    return damage


def make_hollow(path: Path) -> None:
    """Make *path* a file of a terabyte, which takes no room."""
    with path.open("wb") as file:
        file.truncate(1 << 40)


DAMAGES = {
    "flipped": flip,
    "cut": truncate,
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "pipe": replace_by(os.mkfifo),
    "directory": replace_by(Path.mkdir),
    "link": replace_by(lambda path: path.symlink_to("../original")),
    "endless": replace_by(lambda path: path.symlink_to("/dev/zero")),
    "hollow": make_hollow,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_archive_raises_and_others_are_restored(
    store: Store, stage: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    other = distribution("other", [f"{SITE}/other.py"])
    install(other, stage)
    manifest = closed(store, store.put(SIX, stage), store.put(other, stage))
    entry = reread(store, manifest)
    damage(archive(store, entry["six"].archive))

    with pytest.raises(DamagedStore) as caught:
        unpack(store.job(entry["six"], new(tmp_path / "six")))
    unpack(store.job(entry["other"], new(tmp_path / "other")))

    assert caught.value.reason.startswith("its archive ")
    assert [*(tmp_path / "six").iterdir()] == []
    assert (tmp_path / "other" / SITE / "other.py").is_file()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_distribution_with_damaged_metadata_is_lost(
    store: Store, stage: Path, damage: Callable[[Path], object]
) -> None:
    entry = store.put(SIX, stage)
    manifest = closed(store, entry)
    damage(archive(store, entry.info))
    reader = Store(store.directory)

    assert reader.read(manifest) == {}
    assert reader.lost.keys() == {"six"}
    with pytest.raises(DamagedStore):
        reader.metadata(entry)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_manifest_makes_store_unusable(
    store: Store, stage: Path, damage: Callable[[Path], object]
) -> None:
    manifest = closed(store, store.put(SIX, stage))
    damage(store.directory / f"{manifest}.json.zst")

    entries = Store(store.directory).read(manifest)

    assert isinstance(entries, Damaged)
    assert entries.reason.startswith("its manifest ")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_archive_is_replaced_by_the_next(
    store: Store, stage: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(archive(store, store.put(SIX, stage).archive))

    entry = store.put(SIX, stage)
    closed(store, entry)

    assert unpack(store.job(entry, new(tmp_path / "six"))).keys() >= {f"{SITE}/six/__init__.py"}


@pytest.mark.parametrize("manifest", ["", "x", "../../etc/passwd", "0" * 64])
def test_absent_manifest_makes_store_unusable(store: Store, manifest: str) -> None:
    assert isinstance(store.read(manifest), Damaged)


def test_manifest_of_other_format_makes_store_unusable(store: Store, stage: Path) -> None:
    closed(store, store.put(SIX, stage))
    digest = store.put(SIX, stage).info
    archive(store, digest).rename(store.directory / f"{digest}.json.zst")

    entries = store.read(digest)

    assert isinstance(entries, Damaged)
    assert entries.reason.startswith("its manifest has another format")


def test_archive_of_other_distribution_is_not_unpacked(
    store: Store, stage: Path, tmp_path: Path
) -> None:
    other = distribution("other", [f"{SITE}/other.py"])
    swapped = store.put(SIX, stage)._replace(
        archive=store.put(other, install(other, tmp_path / "other")).archive
    )

    with pytest.raises(DamagedStore):
        unpack(store.job(swapped, new(tmp_path / "into")))

    assert [*(tmp_path / "into").iterdir()] == []


def test_close_removes_unused_archives(store: Store, stage: Path) -> None:
    other = distribution("other", [f"{SITE}/other.py"])
    first = closed(store, store.put(SIX, stage), store.put(other, install(other, stage)))
    (store.directory / "uv/archive-v0").mkdir(parents=True)
    (store.directory / ".1-0123456789abcdef.partial").touch()

    second = closed(store, reread(store, first)["six"])

    six = reread(store, second)["six"]
    assert names(store) == {
        f"{six.archive}.tar.zst",
        f"{six.info}.tar.zst",
        f"{second}.json.zst",
    }


def test_close_is_idempotent(store: Store, stage: Path) -> None:
    first = closed(store, store.put(SIX, stage))
    before = names(store)

    assert closed(store, reread(store, first)["six"]) == first
    assert names(store) == before


def test_budget_includes_manifest(store: Store, tmp_path: Path) -> None:
    distributions = small_distributions(40)
    entries = [store.put(each, install(each, tmp_path / "stage")) for each in distributions]
    closed(store, *entries)
    whole = size(store)

    manifest = closed(store, *entries, budget=whole - 500)

    assert whole - 1500 < size(store) <= whole - 500
    reread_entries = reread(store, manifest)
    assert reread_entries.keys() == {each.name for each in distributions}
    assert 0 < len([each for each in reread_entries.values() if not each.archive]) < 40


def size(store: Store) -> int:
    return sum(path.stat().st_size for path in store.directory.iterdir())


def test_archive_removed_by_other_build_is_not_listed(store: Store, stage: Path) -> None:
    entry = store.put(SIX, stage)
    closed(Store(store.directory))

    manifest = closed(store, entry)

    assert reread(store, manifest) == {}


def test_two_builds_can_write_and_prune_at_once(stage: Path, tmp_path: Path) -> None:
    """Whichever build ends last, its manifest lists no damaged archive as usable."""
    directory = new(tmp_path / "shared")
    distributions = small_distributions(12)
    for each in distributions:
        install(each, stage)

    def build(offset: int) -> tuple[Store, str]:
        store = Store(directory)
        entries = [store.put(each, stage) for each in distributions[offset : offset + 8]]
        return store, closed(store, *entries)

    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(build, [0, 4] * 6))

    for store, manifest in built:
        entries = Store(directory).read(manifest)
        for entry in () if isinstance(entries, Damaged) else entries.values():
            into = new(tmp_path / f"{store.directory.name}-{time.monotonic_ns()}")
            try:
                unpack(store.job(entry, into))
            except DamagedStore:
                assert tree_at(into) == {}
            else:
                assert tree_at(into) == {
                    path: value
                    for path, value in tree_at(stage).items()
                    if path in {each.path for each in entry.distribution.files}
                }


def tree_of(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "lib/empty").mkdir(parents=True)
    (root / "bin/python3.14").write_bytes(b"\x7fELF")
    (root / "bin/python3.14").chmod(0o755)
    (root / "bin/python3").symlink_to("python3.14")
    (root / "lib/here").symlink_to("./empty")
    (root / "lib/os.py").write_text("import sys\n")
    return root


def test_tree_is_restored_with_empty_directories(store: Store, tmp_path: Path) -> None:
    root = tree_of(tmp_path / "tree")
    store.put_tree("Python 3.14.6", root)
    reader = Store(store.directory)
    reader.read(closed(store, trees=["Python 3.14.6"]))
    assert reader.has_tree("Python 3.14.6")

    reader.unpack_tree("Python 3.14.6", new(tmp_path / "into"))

    assert tree_at(tmp_path / "into") == tree_at(root)
    assert (tmp_path / "into/lib/empty").is_dir()
    assert os.readlink(tmp_path / "into/lib/here") == "./empty"  # noqa: PTH115 - Path drops the dot


def test_unknown_tree_raises_without_reason(store: Store, tmp_path: Path) -> None:
    assert not store.has_tree("Python 3.14.6")
    with pytest.raises(DamagedStore) as caught:
        store.unpack_tree("Python 3.14.6", tmp_path)

    assert caught.value.reason == ""


def test_tree_that_is_not_listed_is_removed(store: Store, tmp_path: Path) -> None:
    store.put_tree("Python 3.14.5", tree_of(tmp_path / "tree"))

    manifest = closed(store, trees=["Python 3.14.6"])

    assert names(store) == {f"{manifest}.json.zst"}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_tree_raises(
    store: Store, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    store.put_tree("a", tree_of(tmp_path / "tree"))
    for path in store.directory.iterdir():
        damage(path)

    with pytest.raises(DamagedStore) as caught:
        store.unpack_tree("a", new(tmp_path / "into"))

    assert caught.value.reason
    assert [*(tmp_path / "into").iterdir()] == []


def test_tree_with_link_to_outside_is_not_stored(store: Store, tmp_path: Path) -> None:
    root = tree_of(tmp_path / "tree")
    (root / "lib/outside").symlink_to("/etc")

    store.put_tree("a", root)

    assert names(store) == set()


def test_distribution_with_many_files_is_restored(store: Store, tmp_path: Path) -> None:
    large = distribution("large", (f"{SITE}/large/{n % 50}/f{n}" for n in range(2_000)))
    root = install(large, tmp_path / "stage")

    unpack(store.job(store.put(large, root), new(tmp_path / "into")))

    assert tree_at(tmp_path / "into") == tree_at(root)


def test_trees_are_read_without_distributions(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").write_text("a", encoding="utf-8")
    (tmp_path / "tree/b").write_text("b", encoding="utf-8")
    (tmp_path / "store").mkdir()
    store = Store(tmp_path / "store")
    store.put_tree("key", tmp_path / "tree", frozenset({"b"}))
    manifest = store.close([], {"key"}, ())

    reread = Store(tmp_path / "store")
    reread.read_trees(manifest)

    (tmp_path / "into").mkdir()
    assert reread.unpack_tree("key", tmp_path / "into") == 1
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["b"]


@pytest.mark.parametrize("damage", [b"", b"{}"])
def test_damaged_manifest_has_no_trees(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    manifest = store.close([], (), ())
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    store.read_trees(manifest)
    assert not store.has_tree("key")
