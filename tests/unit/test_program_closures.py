"""The requirements of Poetry, Pipenv and PDM: pinned by hash, canonical, without an index."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "src/cnb_python/data/tools"
PROGRAMS = ("pdm", "pipenv", "poetry")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
RELEASE = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)==([^\s;]+) \\")


def blocks(name: str) -> list[list[str]]:
    """The lines of each package of the closure *name*."""
    pieces: list[list[str]] = []
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if line.startswith(" "):
            pieces[-1].append(line)
        else:
            pieces.append([line])
    return pieces


def pinned(name: str) -> list[tuple[str, str]]:
    text = (FOLDER / f"{name}.in").read_text()
    return re.findall(r"^([a-z-]+)(?:\[\w+\])?==(\S+)$", text, re.MULTILINE)


def test_each_tool_has_its_requirements() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(
        f"{name}.{kind}" for name in PROGRAMS for kind in ("in", "txt")
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_requirement_is_one_release_with_hashes(name: str) -> None:
    for first, *hashes in blocks(name):
        assert RELEASE.fullmatch(first), first
        assert hashes
        assert all(HASH.fullmatch(line) for line in hashes), first
        assert hashes == sorted(hashes)
        assert [line.endswith("\\") for line in hashes] == [True] * (len(hashes) - 1) + [False]


@pytest.mark.parametrize("name", PROGRAMS)
def test_packages_are_sorted_and_named_once(name: str) -> None:
    names = [first.partition("==")[0] for first, *_ in blocks(name)]
    assert names == sorted(set(names))


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_pins_include_those_of_the_maintainers(name: str) -> None:
    releases = {first.removesuffix(" \\") for first, *_ in blocks(name)}
    pins = pinned(name)
    assert pins[0][0] == name
    assert {f"{distribution}=={version}" for distribution, version in pins} <= releases


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_index_is_named(path: Path) -> None:
    assert "://" not in path.read_text()
    assert "index-url" not in path.read_text()
