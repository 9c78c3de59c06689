"""Files are unpacked inside their directory, whatever the manifest contains."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnb_python.store.archive import LIMIT, Member
from cnb_python.store.manifest import first_outside

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
TARGETS = st.lists(st.sampled_from(["a", "b", "..", "..", "."]), min_size=1, max_size=5)


@settings(max_examples=60)  # each makes files, which is slow
@given(st.dictionaries(PATHS, TARGETS.map("/".join), min_size=1, max_size=8))
def test_accepted_links_stay_inside(links: dict[str, str]) -> None:
    accepted: list[Member] = []
    for path, target in sorted(links.items()):
        if first_outside(more := [*accepted, Member(path, "l", target=target)]) is None:
            accepted = more
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch).resolve() / "1/2/3/4/root"
        root.mkdir(parents=True)
        for link in accepted:
            (root / link.path).parent.mkdir(parents=True, exist_ok=True)
            (root / link.path).symlink_to(link.target)

        for link in accepted:
            try:
                assert (root / link.path).resolve(strict=True).is_relative_to(root)
            except OSError:  # a circle, or nowhere
                assert (root / link.path).is_symlink()


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", ".", "./a", "a/.", "..", "../a", "a/..", "a/../b", "a\0b"],
)
def test_unsafe_paths_are_refused(path: str) -> None:
    assert first_outside([Member(path, "f", 1)]) == path


def test_longest_path_is_that_of_the_system() -> None:
    path = "/".join("a" * 2048)

    assert first_outside([Member(path, "f", 1)]) is None
    assert first_outside([Member(f"{path}/a", "f", 1)]) == f"{path}/a"


@pytest.mark.parametrize(
    "path",
    ["a", "a/b", "...", "..a", "a..", ".a", "a/...", " ", "\n", "é", "\udc80", "a\\b", "..\n"],
)
def test_unusual_names_are_accepted(path: str) -> None:
    assert first_outside([Member(path, "f", 1)]) is None


def test_name_that_cannot_be_encoded_is_refused() -> None:
    assert first_outside([Member("\ud800", "f", 1)]) == "\ud800"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "/etc/passwd",
        "../../a",
        "../..",
        "a/..",
        "b/../../..",
        "../a/../b",
        "\0",
        "\ud800",
    ],
)
def test_unsafe_links_are_refused(target: str) -> None:
    assert first_outside([Member("a/l", "l", target=target)]) == "a/l"


@pytest.mark.parametrize("target", ["x", "./x", "../x", "..", "x/y", "x//y", "...", ".", "\udc80"])
def test_links_inside_are_accepted(target: str) -> None:
    assert first_outside([Member("a/l", "l", target=target)]) is None


def test_target_of_other_kind_is_refused() -> None:
    assert first_outside([Member("a", "f", 1, "b")]) == "a"


@pytest.mark.parametrize("size", [-1, LIMIT])
def test_sizes_out_of_range_are_refused(size: int) -> None:
    assert first_outside([Member("a", "f", size)]) == "a"


@pytest.mark.parametrize("kind", ["f", "x", "l"])
def test_path_below_file_or_link_is_refused(kind: str) -> None:
    above = Member("a", "l", target="b") if kind == "l" else Member("a", "f")

    assert first_outside([above, Member("a/b/c", "f")]) == "a/b/c"


def test_path_below_directory_is_accepted() -> None:
    assert first_outside([Member("a", "d"), Member("a/b", "d"), Member("a/b/c", "f")]) is None


@pytest.mark.parametrize("paths", [("a", "a"), ("b", "a")])
def test_unordered_or_repeated_paths_are_refused(paths: tuple[str, ...]) -> None:
    assert first_outside([Member(path, "f") for path in paths]) == paths[1]
