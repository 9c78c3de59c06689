"""Files are moved from the stage, whole directories at once where that is right."""

import os
from pathlib import Path

import pytest

from cnb_python.layout.materialize import move_files
from tests.support.installed import SITE, distribution, install, symlink

ONE = distribution(
    "one", [f"{SITE}/one/__init__.py", f"{SITE}/one/deep/x.py", f"{SITE}/ns/one.py", "bin/one"]
)
TWO = distribution("two", [f"{SITE}/two/__init__.py", f"{SITE}/ns/two.py", "bin/two"])


def files_below(root: Path) -> set[str]:
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def paths(one: object) -> set[str]:
    return {file.path for file in getattr(one, "files", ())}


def test_only_what_is_asked_for_is_moved(tmp_path: Path) -> None:
    stage, target = tmp_path / "stage", tmp_path / "target"
    install(ONE, stage)
    install(TWO, stage)

    move_files(ONE.files, stage, target)

    assert files_below(target) == paths(ONE)
    assert files_below(stage) == paths(TWO)


def test_several_distributions_meet_in_one_place(tmp_path: Path) -> None:
    stage, alone, target = tmp_path / "stage", tmp_path / "alone", tmp_path / "target"
    install(ONE, stage)
    install(TWO, alone)
    target.mkdir()

    move_files(ONE.files, stage, target)
    move_files(TWO.files, alone, target)

    assert files_below(target) == paths(ONE) | paths(TWO)
    assert (target / SITE / "ns/two.py").read_text() == f"two:{SITE}/ns/two.py"


def test_a_directory_that_is_all_of_one_moves_at_once(tmp_path: Path) -> None:
    stage, target = install(ONE, tmp_path / "stage"), tmp_path / "target"
    inode = (stage / SITE / "one/deep").stat().st_ino
    top = stage.stat().st_ino

    move_files(ONE.files, stage, target)

    assert (target / SITE / "one/deep").stat().st_ino == inode
    assert target.stat().st_ino == top


@pytest.mark.parametrize("extra", ["left.py", "deep/left.py", "empty/", "dangling ->"])
def test_what_was_not_asked_for_stays_behind(tmp_path: Path, extra: str) -> None:
    stage, target = install(ONE, tmp_path / "stage"), tmp_path / "target"
    unasked = stage / SITE / "one" / extra.rstrip("/").partition(" ")[0]
    if extra.endswith("/"):
        unasked.mkdir()
    elif extra.endswith("->"):
        unasked.symlink_to("nowhere")
    else:
        unasked.touch()

    move_files(ONE.files, stage, target)

    assert files_below(target) == paths(ONE)
    assert unasked.is_symlink() or unasked.exists()
    assert not (target / SITE / "one/empty").exists()


def test_a_link_to_a_directory_is_moved_as_a_link(tmp_path: Path) -> None:
    one = distribution("one", [f"{SITE}/one/data/x", symlink(f"{SITE}/one/link", "data")])
    stage, target = install(one, tmp_path / "stage"), tmp_path / "target"
    move_files(one.files, stage, target)
    assert (target / SITE / "one/link").readlink() == Path("data")


def test_a_link_in_the_place_of_a_directory_is_not_followed(tmp_path: Path) -> None:
    stage, target = install(ONE, tmp_path / "stage"), tmp_path / "target"
    elsewhere = tmp_path / "elsewhere"
    (stage / SITE / "one").rename(elsewhere)
    (stage / SITE / "one").symlink_to(elsewhere)
    with pytest.raises(OSError, match="one"):
        move_files(ONE.files, stage, target)
    assert files_below(elsewhere) == {"__init__.py", "deep/x.py"}


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    stage = install(ONE, tmp_path / "stage")
    (stage / SITE / "one/deep/x.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"x\.py"):
        move_files(ONE.files, stage, tmp_path / "target")


def test_odd_names_are_moved(tmp_path: Path) -> None:
    names = ["ä ö", "line\nbreak", os.fsdecode(b"\xff"), "-", "a\\b"]
    one = distribution("one", [f"{SITE}/{name}/x.py" for name in names])
    stage, target = install(one, tmp_path / "stage"), tmp_path / "target"
    move_files(one.files, stage, target)
    assert files_below(target) == paths(one)
