"""The manifest of the store: equal after loading, or refused."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from compression import zstd
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import Material
from cnb_python.store.archive import Member
from cnb_python.store.manifest import (
    Manifest,
    StoredTree,
    StoreEntry,
    UnusableManifest,
    dump,
    is_storable,
    load,
)
from tests.support.installed import SITE, distribution, file, symlink

DIGEST = hashlib.sha256(b"").hexdigest()
SIX = dataclasses.replace(
    distribution(
        "six",
        [
            file("bin/six", "#!", program=True),
            symlink(f"{SITE}/link.py", "./six.py"),
            file(f"{SITE}/na\udcffme\u2028.py", "odd"),
            file(f"{SITE}/six.py", "contents"),
        ],
        reaches=(f"{SITE}/other.libs",),
    ),
    from_source=True,
    origin="0123",
    libpython=("libpython3.14.so.1.0",),
    materials=(
        Material("flit_core-3.whl", "", f"sha256:{DIGEST}", builds=True),
        Material("six-1.0.tar.gz", "https://pip.example/six-1.0.tar.gz", f"sha256:{DIGEST}"),
    ),
)
KEPT = StoreEntry(SIX, DIGEST, DIGEST)
TREE = StoredTree(
    DIGEST, (Member("a", "d"), Member("a/b", "x", 5), Member("a/c", "l", target="b"))
)
MANIFEST = Manifest({"six": KEPT}, {"Python 3.14.6 ü": TREE})

type Row = dict[str, Any]


def changed(change: Callable[[Row], object]) -> bytes:
    """Return the manifest as JSON, after *change*, compressed."""
    content = json.loads(zstd.decompress(dump(MANIFEST)))
    change(content)
    return zstd.compress(json.dumps(content).encode())


def test_manifest_round_trips() -> None:
    assert load(dump(MANIFEST)) == MANIFEST


def test_distribution_without_archive_round_trips() -> None:
    bare = Manifest({"six": KEPT._replace(archive="")}, {})

    assert load(dump(bare)) == bare


def test_equal_manifests_give_equal_bytes() -> None:
    other = KEPT._replace(distribution=dataclasses.replace(SIX, name="a"))
    first = Manifest({"a": other, "six": KEPT}, {"b": TREE, "c": TREE})
    second = Manifest({"six": KEPT, "a": other}, {"c": TREE, "b": TREE})

    assert dump(first) == dump(second)


def first(name: str, value: object) -> Callable[[Row], object]:
    return lambda content: content["distributions"][0].update({name: value})


def tree(name: str, value: object) -> Callable[[Row], object]:
    return lambda content: content["trees"]["Python 3.14.6 ü"].update({name: value})


BROKEN: dict[str, Callable[[Row], object]] = {
    "an older format": lambda content: content.update(format=0),
    "a newer format": lambda content: content.update(format=3),
    "a format that is true": lambda content: content.update(format=True),
    "no format": lambda content: content.pop("format"),
    "distributions as an object": lambda content: content.update(distributions={}),
    "a distribution that is null": lambda content: content["distributions"].append(None),
    "trees as a list": lambda content: content.update(trees=[]),
    "a tree that is not an object": lambda content: content["trees"].update(x="y"),
    "no name": first("name", ""),
    "a name that leads outside": first("name", "../six"),
    "a name that is a number": first("name", 6),
    "a version that is a number": first("version", 1.0),
    "a missing origin": first("origin", None),
    "an archive that is no digest": first("archive", "../x"),
    "small parts without a digest": first("info", ""),
    "too few digests": first("digests", DIGEST),
    "digests that are not hexadecimal": first("digests", "x" * 256),
    "too few paths": first("paths", ["a"]),
    "a path that is a number": first("paths", ["a", "b", "c", 1]),
    "a path that leads outside": first("paths", ["../a", "b", "c", "d"]),
    "a path that is absolute": first("paths", ["/a", "b", "c", "d"]),
    "a repeated path": first("paths", ["a", "b", "b", "d"]),
    "a path below a link": first("paths", ["a", "b", "b/c", "d"]),
    "an unknown kind": first("kinds", "xlfh"),
    "a directory among files": first("kinds", "xlfd"),
    "a size that is a text": first("sizes", ["1", 2, 3, 4]),
    "a size below nothing": first("sizes", [-1, 2, 3, 4]),
    "too few targets": first("targets", []),
    "a target that leads outside": first("targets", ["../../../../evil"]),
    "a target that is absolute": first("targets", ["/etc/passwd"]),
    "reaching a number": first("reaches", [1]),
    "libpython as a text": first("libpython", "libpython3.14.so"),
    "built from perhaps": first("built", 1),
    "keeping perhaps": first("keeps", 1),
    "materials as a text": first("materials", "six-1.0.tar.gz"),
    "a material of too few parts": first("materials", [["six-1.0.tar.gz", "", ""]]),
    "a material of numbers": first("materials", [[1, 2, 3, 4]]),
    "a tree's archive": tree("archive", "python"),
    "a tree's path that leads outside": tree("paths", ["a", "a/../../b", "c"]),
    "a tree's target that leads outside": tree("targets", ["../../b"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_invalid_value_is_refused(case: str) -> None:
    with pytest.raises(UnusableManifest):
        load(changed(BROKEN[case]))


def test_unmodified_manifest_is_accepted() -> None:
    assert load(changed(lambda _: None)) == MANIFEST


def test_distribution_of_an_older_release_has_unknown_materials() -> None:
    older = changed(lambda content: content["distributions"][0].pop("materials"))

    assert load(older).distributions["six"].distribution.materials == ()


def test_distribution_of_an_older_release_has_unknown_libpython() -> None:
    content = changed(lambda content: content["distributions"][0].pop("libpython"))

    (entry,) = load(content).distributions.values()

    assert entry == KEPT._replace(
        distribution=dataclasses.replace(SIX, libpython=()), has_libpython=False
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        zstd.compress(b""),
        zstd.compress(b"{"),
        zstd.compress(b"[]"),
        zstd.compress(b"null"),
        zstd.compress(b"\xff\xfe"),
        zstd.compress(b"[" * 100_000),
        zstd.compress(b'{"format": 2' + b"0" * 5000 + b"}"),
        dump(MANIFEST)[:-3],
    ],
    ids=range(10),
)
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableManifest):
        load(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = sorted(json.loads(zstd.decompress(dump(MANIFEST)))["distributions"][0])


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1))
def test_any_value_of_any_field_is_handled(fields: Row) -> None:
    try:
        loaded = load(changed(lambda content: content["distributions"][0].update(fields)))
    except UnusableManifest:
        return
    assert all(is_storable(kept.distribution) for kept in loaded.distributions.values())


def test_large_manifest_is_loaded_in_time() -> None:
    large = distribution("large", (f"{SITE}/large/f{number:06}" for number in range(50_000)))
    small = (distribution(f"d{n}", [f"{SITE}/d{n}/__init__.py"]) for n in range(2_000))
    manifest = Manifest(
        {each.name: StoreEntry(each, DIGEST, DIGEST) for each in (large, *small)}, {}
    )

    loaded = load(dump(manifest))

    assert loaded == Manifest(dict(sorted(manifest.distributions.items())), {})


@pytest.mark.parametrize(
    "distribution",
    [
        dataclasses.replace(SIX, name="Six"),
        dataclasses.replace(SIX, name=""),
        distribution("six", [symlink("a", "/usr/lib/x.so")]),
        distribution("six", [symlink("a/b", "../../x")]),
        distribution("six", [file("a", size=1 << 33)]),
    ],
    ids=["no normal name", "no name", "absolute link", "link outside", "too large"],
)
def test_distribution_that_could_not_be_restored_is_not_storable(distribution: Any) -> None:  # noqa: ANN401 - pytest's
    assert not is_storable(distribution)


def test_ordinary_distribution_is_storable() -> None:
    assert is_storable(SIX)
