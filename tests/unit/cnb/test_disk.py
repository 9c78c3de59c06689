"""Files are written completely or not at all; trees with any modes are removed."""

import errno
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnb_python.cnb import disk

ORDINARY_USER = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat(follow_symlinks=False).st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@contextmanager
def plain_user() -> Iterator[None]:
    """Act as an ordinary user: modes do not stop root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(ORDINARY_USER)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that a plain user owns; tmp_path lies where only root may go."""
    with plain_user():
        path = Path(tempfile.mkdtemp(dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.mark.usefixtures("umask")
def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    disk.write(tmp_path / "file", b"x")
    disk.write(tmp_path / "program", b"x", disk.PROGRAM_MODE)
    disk.make_directory(tmp_path / "directory")

    assert mode(tmp_path / "file") == 0o644
    assert mode(tmp_path / "program") == 0o755
    assert mode(tmp_path / "directory") == 0o755


def test_an_existing_directory_gets_the_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o500)
    (tmp_path / "a" / "file").touch()

    disk.make_directory(tmp_path / "a")

    assert mode(tmp_path / "a") == 0o755
    assert (tmp_path / "a" / "file").exists()


def test_a_file_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    with pytest.raises(FileExistsError):
        disk.make_directory(tmp_path / "a")


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"much longer than the new one")
    path.chmod(0o600)

    disk.write(path, b"new")

    assert path.read_bytes() == b"new"
    assert mode(path) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"old")

    with pytest.raises(TypeError):
        disk.write(path, "not bytes")  # type: ignore[arg-type]  # stands for a full disk

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            disk.write(path, b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_leftovers_of_a_killed_write_are_replaced(tmp_path: Path, kind: str) -> None:
    draft = tmp_path / ".a.toml.partial"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    match kind:
        case "file":
            draft.write_bytes(b"half")
        case "link":
            draft.symlink_to(elsewhere)
        case _:
            draft.mkdir()

    disk.write(tmp_path / "a.toml", b"new")

    assert (tmp_path / "a.toml").read_bytes() == b"new"
    assert elsewhere.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.toml", "elsewhere"]


def test_the_draft_of_a_document_does_not_end_in_toml(tmp_path: Path) -> None:
    seen: list[str] = []

    class Watched(bytes):
        def __buffer__(self, flags: int) -> memoryview:
            seen.extend(path.name for path in tmp_path.iterdir())
            return super().__buffer__(flags)

    disk.write(tmp_path / "launch.toml", Watched(b"x"))

    assert seen == [".launch.toml.partial"]


def test_a_read_only_tree_is_removed_by_an_ordinary_user(shared: Path) -> None:
    with plain_user():
        deep = shared / "layer" / "pkg" / "mod"
        deep.mkdir(parents=True)
        (deep / "file").touch(0o444)
        (deep / "closed").mkdir(mode=0o000)
        for directory in (deep, deep.parent, deep.parent.parent):
            directory.chmod(0o555)

        disk.remove(shared / "layer")

    assert list(shared.iterdir()) == []


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o555)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "out").symlink_to(outside)
    (tmp_path / "tree" / "nowhere").symlink_to("missing")
    (tmp_path / "alias").symlink_to(outside)
    (tmp_path / "dangling").symlink_to("missing")

    for name in ("tree", "alias", "dangling"):
        disk.remove(tmp_path / name)

    assert list(tmp_path.iterdir()) == [outside]
    assert mode(outside) == 0o555


def test_removing_a_missing_path_does_nothing(tmp_path: Path) -> None:
    disk.remove(tmp_path / "none")

    assert list(tmp_path.iterdir()) == []


def test_walk_yields_everything_but_skipped_names_and_follows_no_links(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("12")
    (tmp_path / "a/link").symlink_to(tmp_path)
    (tmp_path / "skipped").mkdir()
    (tmp_path / "skipped/file").touch()

    statuses = dict(disk.walk(tmp_path, {"skipped"}))

    assert list(statuses).index("a/b") < list(statuses).index("a/b/file")
    assert statuses.keys() == {"a", "a/b", "a/b/file", "a/link"}
    assert statuses["a/b/file"].st_size == 2
    assert stat.S_ISLNK(statuses["a/link"].st_mode)


def test_walk_reads_directory_after_caller_changed_its_mode(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed/file").touch()
    (tmp_path / "closed").chmod(0o000)

    paths = []
    for path, status in disk.walk(tmp_path):
        paths.append(path)
        if stat.S_ISDIR(status.st_mode):
            (tmp_path / path).chmod(0o755)

    assert paths == ["closed", "closed/file"]


def test_walk_and_remove_yields_what_walk_yields_and_leaves_nothing(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/file").write_text("12")
    (tree / "a/link").symlink_to(tmp_path)
    (tmp_path / "outside").touch()
    before = {path: disk.state_of(status) for path, status in disk.walk(tree)}

    removed = {path: disk.state_of(status) for path, status in disk.walk_and_remove(tree)}

    assert removed == before
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]


def test_walk_and_remove_removes_a_read_only_tree(shared: Path) -> None:
    with plain_user():
        deep = shared / "layer/pkg"
        deep.mkdir(parents=True)
        (deep / "file").touch(0o444)
        deep.chmod(0o555)

        assert len(list(disk.walk_and_remove(shared / "layer"))) == 2

    assert list(shared.iterdir()) == []


def test_a_tree_deeper_than_the_recursion_limit_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / "tree"
    for _ in range(1200):
        deep.mkdir()
        deep /= "d"

    disk.remove(tmp_path / "tree")

    assert list(tmp_path.iterdir()) == []


def test_state_of_a_directory_does_not_depend_on_its_contents(tmp_path: Path) -> None:
    before = disk.state_of(tmp_path.lstat())
    (tmp_path / "file").touch()

    assert disk.state_of(tmp_path.lstat()) == before
    assert disk.state_of((tmp_path / "file").lstat()) != before
