"""The store gives back what was put in, or says that it cannot."""

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


def seen(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode & 0o777,
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(),
        )
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def closed(
    store: Store, *kept: StoreEntry, trees: Iterable[str] = (), budget: int = 1 << 30
) -> str:
    return store.close(kept, {*trees}, (), budget)


def again(store: Store, manifest: str) -> dict[str, StoreEntry]:
    """Read *store* as the next build does."""
    found = Store(store.directory).read(manifest)
    assert not isinstance(found, Damaged), found.reason
    return found


def archive(store: Store, digest: str) -> Path:
    return store.directory / f"{digest}.tar.zst"


def test_files_are_restored(store: Store, stage: Path, tmp_path: Path) -> None:
    manifest = closed(store, store.put(SIX, stage))

    kept = again(store, manifest)["six"]
    Store(store.directory).unpack(kept, new(tmp_path / "into"))

    assert kept.distribution == SIX
    assert seen(tmp_path / "into") == seen(stage)


def test_small_parts_are_restored_alone(store: Store, stage: Path, tmp_path: Path) -> None:
    store.unpack_metadata(store.put(SIX, stage), new(tmp_path / "into"))

    small = {"bin/six", "share/six/small.txt", f"{INFO}/METADATA"}
    found = seen(tmp_path / "into")
    assert found == {path: there for path, there in seen(stage).items() if path in found}
    assert small <= found.keys()
    assert not found.keys() & {"share/six/large.bin", f"{SITE}/six/__init__.py"}


def test_metadata_of_vendored_distribution_is_ignored(store: Store, stage: Path) -> None:
    assert store.metadata(store.put(SIX, stage)) == METADATA.encode()


def test_distribution_without_metadata_raises(store: Store, tmp_path: Path) -> None:
    bare = distribution("bare", [f"{SITE}/bare.py"])
    kept = store.put(bare, install(bare, tmp_path / "stage"))

    with pytest.raises(DamagedStore):
        store.metadata(kept)


def test_several_distributions_are_restored_into_one_directory(
    store: Store, tmp_path: Path
) -> None:
    both = [distribution(name, [f"{SITE}/shared/{name}.py"]) for name in ("a", "b")]
    for one in both:
        install(one, tmp_path / "stage")
    into = new(tmp_path / "into")

    for one in both:
        store.unpack(store.put(one, tmp_path / "stage"), into)

    assert seen(into) == seen(tmp_path / "stage")


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
    one = distribution("any", [file("q", "there"), *files])
    texts = {"q": "there"} | {f"p/{name}": text or "" for name, text in contents.items()}
    root = install(one, tmp_path / "stage", texts)
    store = opened(tmp_path / "store")

    kept = again(store, closed(store, store.put(one, root)))["any"]
    store.unpack(kept, new(tmp_path / "into"))

    assert kept.distribution == one
    assert seen(tmp_path / "into") == seen(root)


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


def many(count: int) -> list[Distribution]:
    return [
        distribution(f"d{n}", [f"{SITE}/d{n}/__init__.py", f"{SITE}/d{n}-1.dist-info/METADATA"])
        for n in range(count)
    ]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_order_and_number_of_threads_do_not_matter(
    store: Store, tmp_path: Path, threads: int
) -> None:
    ones = many(20)
    for one in ones:
        install(one, tmp_path / "stage")
    expected = closed(store, *(store.put(one, tmp_path / "stage") for one in ones))
    other = opened(tmp_path / "other")

    with ThreadPoolExecutor(threads) as pool:
        kept = list(pool.map(lambda one: other.put(one, tmp_path / "stage"), reversed(ones)))

    assert closed(other, *kept) == expected
    assert names(other) == names(store)


def names(store: Store) -> set[str]:
    return {path.name for path in store.directory.iterdir()}


def test_small_parts_alone_are_archived_on_request(
    store: Store, stage: Path, tmp_path: Path
) -> None:
    kept = store.put(SIX, stage, whole=False)

    assert again(store, closed(store, kept))["six"] == kept
    assert store.metadata(kept) == METADATA.encode()
    with pytest.raises(DamagedStore) as caught:
        store.unpack(kept, tmp_path)
    assert caught.value.reason == ""


def test_is_cacheable_round_trips(store: Store, stage: Path) -> None:
    kept = store.put(dataclasses.replace(SIX, is_cacheable=False), stage)

    assert again(store, closed(store, kept)) == {"six": kept}


def test_distribution_that_could_not_be_restored_is_not_stored(store: Store, stage: Path) -> None:
    kept = store.put(dataclasses.replace(SIX, name="Six"), stage)

    assert (kept.archive, kept.info) == ("", "")
    assert again(store, closed(store, kept)) == {}
    with pytest.raises(DamagedStore):
        store.unpack_metadata(kept, stage)


def test_link_to_outside_excludes_only_its_distribution(store: Store, stage: Path) -> None:
    odd = distribution("odd", [symlink(f"{SITE}/odd.so", "/usr/lib/x.so")])

    manifest = closed(store, store.put(odd, stage), store.put(SIX, stage))

    assert again(store, manifest).keys() == {"six"}


def test_file_changed_since_collecting_breaks_contract(store: Store, stage: Path) -> None:
    (stage / SITE / "six/__init__.py").write_text("longer than it was")

    with pytest.raises(ContractBroken):
        store.put(SIX, stage)

    assert [one for one in names(store) if one.endswith(".partial")] == []


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


DAMAGES = [flip, truncate, Path.unlink, lambda path: path.write_bytes(b"")]
IDS = ["flipped", "cut", "gone", "empty"]


@pytest.mark.parametrize("damage", DAMAGES, ids=IDS)
def test_damaged_archive_raises_and_others_are_restored(
    store: Store, stage: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    other = distribution("other", [f"{SITE}/other.py"])
    install(other, stage)
    manifest = closed(store, store.put(SIX, stage), store.put(other, stage))
    kept = again(store, manifest)
    damage(archive(store, kept["six"].archive))

    with pytest.raises(DamagedStore) as caught:
        store.unpack(kept["six"], new(tmp_path / "six"))
    store.unpack(kept["other"], new(tmp_path / "other"))

    assert caught.value.reason.startswith("its archive is not ")
    assert [*(tmp_path / "six").iterdir()] == []
    assert (tmp_path / "other" / SITE / "other.py").is_file()


@pytest.mark.parametrize("damage", DAMAGES, ids=IDS)
def test_distribution_with_damaged_metadata_is_lost(
    store: Store, stage: Path, damage: Callable[[Path], object]
) -> None:
    kept = store.put(SIX, stage)
    manifest = closed(store, kept)
    damage(archive(store, kept.info))
    reader = Store(store.directory)

    assert reader.read(manifest) == {}
    assert reader.lost.keys() == {"six"}
    with pytest.raises(DamagedStore):
        reader.metadata(kept)


@pytest.mark.parametrize("damage", DAMAGES, ids=IDS)
def test_damaged_manifest_makes_store_unusable(
    store: Store, stage: Path, damage: Callable[[Path], object]
) -> None:
    manifest = closed(store, store.put(SIX, stage))
    damage(store.directory / f"{manifest}.json.zst")

    found = Store(store.directory).read(manifest)

    assert isinstance(found, Damaged)
    assert found.reason.startswith("the list of its contents is not ")


@pytest.mark.parametrize("manifest", ["", "x", "../../etc/passwd", "0" * 64])
def test_absent_manifest_makes_store_unusable(store: Store, manifest: str) -> None:
    assert isinstance(store.read(manifest), Damaged)


def test_manifest_of_other_format_makes_store_unusable(store: Store, stage: Path) -> None:
    closed(store, store.put(SIX, stage))
    foreign = store.put(SIX, stage).info
    archive(store, foreign).rename(store.directory / f"{foreign}.json.zst")

    found = store.read(foreign)

    assert isinstance(found, Damaged)
    assert found.reason.startswith("the list of its contents is of another form")


def test_archive_of_other_distribution_is_not_unpacked(
    store: Store, stage: Path, tmp_path: Path
) -> None:
    other = distribution("other", [f"{SITE}/other.py"])
    swapped = store.put(SIX, stage)._replace(
        archive=store.put(other, install(other, tmp_path / "other")).archive
    )

    with pytest.raises(DamagedStore):
        store.unpack(swapped, new(tmp_path / "into"))

    assert [*(tmp_path / "into").iterdir()] == []


def test_close_removes_unused_archives(store: Store, stage: Path) -> None:
    other = distribution("other", [f"{SITE}/other.py"])
    first = closed(store, store.put(SIX, stage), store.put(other, install(other, stage)))
    (store.directory / "uv/archive-v0").mkdir(parents=True)
    (store.directory / ".1-0123456789abcdef.partial").touch()

    second = closed(store, again(store, first)["six"])

    six = again(store, second)["six"]
    assert names(store) == {
        f"{six.archive}.tar.zst",
        f"{six.info}.tar.zst",
        f"{second}.json.zst",
    }


def test_close_is_idempotent(store: Store, stage: Path) -> None:
    first = closed(store, store.put(SIX, stage))
    before = names(store)

    assert closed(store, again(store, first)["six"]) == first
    assert names(store) == before


def test_budget_includes_manifest(store: Store, tmp_path: Path) -> None:
    ones = many(40)
    kept = [store.put(one, install(one, tmp_path / "stage")) for one in ones]
    closed(store, *kept)
    whole = size(store)

    manifest = closed(store, *kept, budget=whole - 500)

    assert whole - 1500 < size(store) <= whole - 500
    found = again(store, manifest)
    assert found.keys() == {one.name for one in ones}
    assert 0 < len([one for one in found.values() if not one.archive]) < 40


def size(store: Store) -> int:
    return sum(path.stat().st_size for path in store.directory.iterdir())


def test_archive_removed_by_other_build_is_not_listed(store: Store, stage: Path) -> None:
    kept = store.put(SIX, stage)
    closed(Store(store.directory))

    manifest = closed(store, kept)

    assert again(store, manifest) == {}


def test_two_builds_can_write_and_prune_at_once(stage: Path, tmp_path: Path) -> None:
    """Whoever comes last, the list that stands names nothing unsound as sound."""
    directory = new(tmp_path / "shared")
    ones = many(12)
    for one in ones:
        install(one, stage)

    def build(offset: int) -> tuple[Store, str]:
        store = Store(directory)
        kept = [store.put(one, stage) for one in ones[offset : offset + 8]]
        return store, closed(store, *kept)

    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(build, [0, 4] * 6))

    for store, manifest in built:
        found = Store(directory).read(manifest)
        for kept in () if isinstance(found, Damaged) else found.values():
            into = new(tmp_path / f"{store.directory.name}-{time.monotonic_ns()}")
            try:
                store.unpack(kept, into)
            except DamagedStore:
                assert seen(into) == {}
            else:
                assert seen(into) == {
                    path: there
                    for path, there in seen(stage).items()
                    if path in {each.path for each in kept.distribution.files}
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

    assert seen(tmp_path / "into") == seen(root)
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


@pytest.mark.parametrize("damage", DAMAGES, ids=IDS)
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

    store.unpack(store.put(large, root), new(tmp_path / "into"))

    assert seen(tmp_path / "into") == seen(root)


def test_trees_are_read_without_distributions(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").write_text("a", encoding="utf-8")
    (tmp_path / "tree/b").write_text("b", encoding="utf-8")
    (tmp_path / "store").mkdir()
    store = Store(tmp_path / "store")
    store.put_tree("key", tmp_path / "tree", frozenset({"b"}))
    manifest = store.close([], {"key"}, ())

    again = Store(tmp_path / "store")
    again.read_trees(manifest)

    (tmp_path / "into").mkdir()
    assert again.unpack_tree("key", tmp_path / "into") == 1
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["b"]


@pytest.mark.parametrize("damage", [b"", b"{}"])
def test_damaged_manifest_has_no_trees(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    manifest = store.close([], (), ())
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    store.read_trees(manifest)
    assert not store.has_tree("key")
