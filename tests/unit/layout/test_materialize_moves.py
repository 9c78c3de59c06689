"""Moving files out of a staged environment: a directory as a whole if nothing else is in it."""

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


def paths(package: object) -> set[str]:
    return {file.path for file in getattr(package, "files", ())}


def test_only_given_files_are_moved(tmp_path: Path) -> None:
    root, target = tmp_path / "stage", tmp_path / "target"
    install(ONE, root)
    install(TWO, root)

    move_files(ONE.files, root, target)

    assert files_below(target) == paths(ONE)
    assert files_below(root) == paths(TWO)


def test_files_of_several_distributions_are_moved_to_one_directory(tmp_path: Path) -> None:
    root, other_root, target = tmp_path / "stage", tmp_path / "alone", tmp_path / "target"
    install(ONE, root)
    install(TWO, other_root)
    target.mkdir()

    move_files(ONE.files, root, target)
    move_files(TWO.files, other_root, target)

    assert files_below(target) == paths(ONE) | paths(TWO)
    assert (target / SITE / "ns/two.py").read_text() == f"two:{SITE}/ns/two.py"


def test_directory_of_one_distribution_is_moved_whole(tmp_path: Path) -> None:
    root, target = install(ONE, tmp_path / "stage"), tmp_path / "target"
    inode = (root / SITE / "one/deep").stat().st_ino
    top = root.stat().st_ino

    move_files(ONE.files, root, target)

    assert (target / SITE / "one/deep").stat().st_ino == inode
    assert target.stat().st_ino == top


@pytest.mark.parametrize("extra", ["left.py", "deep/left.py", "empty/", "dangling ->"])
def test_other_files_stay(tmp_path: Path, extra: str) -> None:
    root, target = install(ONE, tmp_path / "stage"), tmp_path / "target"
    other = root / SITE / "one" / extra.rstrip("/").partition(" ")[0]
    if extra.endswith("/"):
        other.mkdir()
    elif extra.endswith("->"):
        other.symlink_to("nowhere")
    else:
        other.touch()

    move_files(ONE.files, root, target)

    assert files_below(target) == paths(ONE)
    assert other.is_symlink() or other.exists()
    assert not (target / SITE / "one/empty").exists()


def test_link_to_directory_is_moved_as_link(tmp_path: Path) -> None:
    package = distribution("one", [f"{SITE}/one/data/x", symlink(f"{SITE}/one/link", "data")])
    root, target = install(package, tmp_path / "stage"), tmp_path / "target"
    move_files(package.files, root, target)
    assert (target / SITE / "one/link").readlink() == Path("data")


def test_link_in_place_of_directory_is_not_followed(tmp_path: Path) -> None:
    root, target = install(ONE, tmp_path / "stage"), tmp_path / "target"
    elsewhere = tmp_path / "elsewhere"
    (root / SITE / "one").rename(elsewhere)
    (root / SITE / "one").symlink_to(elsewhere)
    with pytest.raises(OSError, match="one"):
        move_files(ONE.files, root, target)
    assert files_below(elsewhere) == {"__init__.py", "deep/x.py"}


def test_missing_file_raises(tmp_path: Path) -> None:
    root = install(ONE, tmp_path / "stage")
    (root / SITE / "one/deep/x.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"x\.py"):
        move_files(ONE.files, root, tmp_path / "target")


def test_unusual_names_are_moved(tmp_path: Path) -> None:
    names = ["ä ö", "line\nbreak", os.fsdecode(b"\xff"), "-", "a\\b"]
    package = distribution("one", [f"{SITE}/{name}/x.py" for name in names])
    root, target = install(package, tmp_path / "stage"), tmp_path / "target"
    move_files(package.files, root, target)
    assert files_below(target) == paths(package)
