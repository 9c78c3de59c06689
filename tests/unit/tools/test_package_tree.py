import struct
from pathlib import Path

import pytest

from tools.package import tree


def elf(machine: int) -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine)


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/detect").write_text("#!/bin/sh\n")
    (root / "bin/detect").chmod(0o700)
    (root / "data.toml").write_text("a = 1\n")
    return root


def test_digest_does_not_depend_on_times_or_directory(root: Path, tmp_path: Path) -> None:
    before = tree.digest(root)

    moved = root.rename(tmp_path / "elsewhere")
    (moved / "data.toml").touch()

    assert tree.digest(moved) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "data.toml").write_text("a = 2\n"),
        lambda root: (root / "data.toml").chmod(0o755),
        lambda root: (root / "data.toml").rename(root / "other.toml"),
        lambda root: (root / "new").write_text(""),
        lambda root: (root / "bin/link").symlink_to("detect"),
    ],
    ids=["content", "mode", "name", "file", "link"],
)
def test_digest_changes_with_names_modes_and_contents(root: Path, change: object) -> None:
    before = tree.digest(root)

    assert callable(change)
    change(root)

    assert tree.digest(root) != before


def test_modes_become_those_of_pack(root: Path) -> None:
    (root / "data.toml").chmod(0o600)
    (root / "bin").chmod(0o700)

    tree.normalise(root)

    modes = {path.name: path.stat().st_mode & 0o777 for path in [root, *root.rglob("*")]}
    assert modes == {"root": 0o755, "bin": 0o755, "detect": 0o755, "data.toml": 0o644}


def test_good_tree_has_no_problem(root: Path) -> None:
    (root / "bin/python3").write_bytes(elf(62))

    assert tree.problems(root, "amd64") == []


def test_a_program_of_another_architecture_is_a_problem(root: Path) -> None:
    (root / "bin/python3").write_bytes(elf(62))

    assert tree.problems(root, "arm64") == [f"{root}/bin/python3: built for amd64"]


def test_a_link_is_a_problem(root: Path) -> None:
    (root / "out").symlink_to("/etc")

    assert tree.problems(root, "amd64") == [f"{root}/out: a link"]


def test_two_dots_in_a_name_are_a_problem(root: Path) -> None:
    (root / "a..b").write_text("")

    assert len(tree.problems(root, "amd64")) == 1


def test_size_counts_the_bytes_of_all_files(root: Path) -> None:
    assert tree.size(root) == len("#!/bin/sh\n") + len("a = 1\n")
    assert tree.size(root / "data.toml") == 6
    assert tree.size(root / "absent") == 0
