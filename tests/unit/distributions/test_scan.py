"""Listing and cleaning up a staged environment."""

from pathlib import Path

import pytest

from cnb_python.distributions.scan import DirectoriesTooDeep, FileEntry, walk
from tests.support.trees import deep


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("12345")


def test_files_and_links_are_listed_and_links_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "lib/a.py", "bin/run")
    (tmp_path / "bin/run").chmod(0o700)
    (tmp_path / "lib/up").symlink_to("..")
    (tmp_path / "lib/gone").symlink_to("nowhere")

    assert walk(tmp_path, "3.14") == {
        "bin/run": FileEntry(5, is_program=True),
        "lib/a.py": FileEntry(5),
        "lib/gone": FileEntry(7, target="nowhere"),
        "lib/up": FileEntry(2, target=".."),
    }


def test_files_of_virtual_environment_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "pyvenv.cfg", "bin/python", "bin/python3", "bin/python3.14t", "bin/python3.13")

    assert list(walk(tmp_path, "3.14t")) == ["bin/python3.13"]


def test_bytecode_caches_are_removed(tmp_path: Path) -> None:
    put(tmp_path, "a/__pycache__/x.pyc", "b/__pycache__", "c/sourceless.pyc")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/__pycache__").symlink_to(tmp_path / "c")

    assert list(walk(tmp_path, "3.14")) == ["c/sourceless.pyc"]
    assert not (tmp_path / "d/__pycache__").is_symlink()
    assert (tmp_path / "c/sourceless.pyc").exists()


def test_version_control_directories_are_removed_from_checkouts_only(tmp_path: Path) -> None:
    put(
        tmp_path, "src/x/.git/config", "src/x/.hg", "lib/templates/.git/config", ".lock", "x/.lock"
    )

    assert sorted(walk(tmp_path, "3.14")) == ["lib/templates/.git/config", "x/.lock"]


@pytest.mark.parametrize("mode", [0o000, 0o500, 0o2777])
def test_directories_get_mode_of_image(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "a/b/x")
    (tmp_path / "a").chmod(mode)

    assert list(walk(tmp_path, "3.14")) == ["a/b/x"]
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o755


def test_too_many_directories_inside_each_other_are_refused(tmp_path: Path) -> None:
    (deep(tmp_path / "usual", 200) / "file").touch()
    (deep(tmp_path / "deep", 1200) / "file").touch()

    assert len(walk(tmp_path / "usual", "3.14")) == 1
    with pytest.raises(DirectoriesTooDeep):
        walk(tmp_path / "deep", "3.14")
