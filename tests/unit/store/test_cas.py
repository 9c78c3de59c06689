"""Files named by the digest of their content: complete or absent, and checked when read."""

import errno
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnb_python.errors.machine import DamagedStore, DiskFull
from cnb_python.store.files import sizes, unused, verified, writing

SUFFIX = ".bin"
CONTENT = b"some content" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def put(directory: Path, content: bytes = CONTENT) -> str:
    with writing(directory, SUFFIX, "writing") as draft:
        for at in range(0, len(content), 1000):
            draft.write(content[at : at + 1000])
    return draft.digest


def put_half(directory: Path, stopped_by: BaseException) -> None:
    with writing(directory, SUFFIX, "writing") as draft:
        draft.write(CONTENT)
        raise stopped_by


def get(directory: Path, digest: str = DIGEST) -> bytes:
    with verified(directory, digest, SUFFIX) as file:
        return file.read()


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def draft_name(begun: float) -> str:
    return f".{int(begun)}-0123456789abcdef.partial"


def test_file_is_named_by_digest_of_content(tmp_path: Path) -> None:
    assert put(tmp_path) == DIGEST
    assert names(tmp_path) == [f"{DIGEST}.bin"]
    assert get(tmp_path) == CONTENT


def test_mode_does_not_depend_on_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        put(tmp_path)
    finally:
        os.umask(before)

    assert (tmp_path / f"{DIGEST}.bin").stat().st_mode & 0o777 == 0o644


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    class Stopped(BaseException):
        """As by Ctrl-C."""

    with pytest.raises(Stopped):
        put_half(tmp_path, Stopped())

    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_leaves_nothing_and_names_activity(tmp_path: Path, number: int) -> None:
    with pytest.raises(DiskFull) as caught:
        put_half(tmp_path, OSError(number, "full"))

    assert caught.value.doing == "writing"
    assert names(tmp_path) == []


def test_other_os_errors_are_raised_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), writing(tmp_path / "gone", SUFFIX, "writing"):
        pytest.fail("the directory does not exist")


def test_writing_again_repairs_damaged_file(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / f"{DIGEST}.bin").write_bytes(CONTENT[:-1] + b"?")

    put(tmp_path)

    assert get(tmp_path) == CONTENT


def test_concurrent_writers_of_one_file_do_not_interfere(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: put(tmp_path), range(64))) == {DIGEST}

    assert names(tmp_path) == [f"{DIGEST}.bin"]
    assert get(tmp_path) == CONTENT


@pytest.mark.parametrize(
    "content",
    [b"", CONTENT[:-1], CONTENT + b"x", b"S" + CONTENT[1:]],
    ids=["empty", "cut", "longer", "one bit"],
)
def test_file_with_other_content_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{DIGEST}.bin").write_bytes(content)

    with pytest.raises(DamagedStore) as caught:
        get(tmp_path)

    assert caught.value.reason == "its archive has changed"


@pytest.mark.parametrize(
    "digest", ["", "abc", "../" * 21 + "x", DIGEST.upper(), f"{DIGEST}\n", DIGEST]
)
def test_absent_file_is_missing(tmp_path: Path, digest: str) -> None:
    with pytest.raises(DamagedStore) as caught:
        get(tmp_path, digest)

    assert caught.value.reason == "its archive is no longer in the store"


def test_directory_in_place_of_file_is_damage(tmp_path: Path) -> None:
    (tmp_path / f"{DIGEST}.bin").mkdir()

    with pytest.raises(DamagedStore):
        get(tmp_path)


def test_file_removed_while_reading_is_read_to_its_end(tmp_path: Path) -> None:
    put(tmp_path)

    with verified(tmp_path, DIGEST, SUFFIX) as file:
        (tmp_path / f"{DIGEST}.bin").unlink()
        assert file.read() == CONTENT


def test_sizes_ignore_directories_and_links(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")

    assert sizes(tmp_path) == {f"{DIGEST}.bin": len(CONTENT)}


def test_files_that_are_not_listed_are_unused(tmp_path: Path) -> None:
    put(tmp_path)
    put(tmp_path, b"other")
    (tmp_path / "left by an older release").mkdir()

    paths = unused(tmp_path, {f"{DIGEST}.bin"})

    other = f"{hashlib.sha256(b'other').hexdigest()}.bin"
    assert {path.name for path in paths} == {"left by an older release", other}


def test_draft_of_running_build_is_kept(tmp_path: Path) -> None:
    with writing(tmp_path, SUFFIX, "writing") as draft:
        draft.write(CONTENT)
        assert unused(tmp_path, ()) == []

    assert get(tmp_path) == CONTENT


@pytest.mark.parametrize("age", [-90_000, -3700, 3700, 90_000])
def test_old_draft_is_unused_although_file_is_new(tmp_path: Path, age: int) -> None:
    """Restoring a cache gives every file the time of the restore."""
    left = tmp_path / draft_name(time.time() - age)
    left.touch()

    assert unused(tmp_path, ()) == [left]


@pytest.mark.parametrize("name", [".x.partial", ".1.partial", ".99999999999999-0.partial"])
def test_malformed_draft_names_are_unused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    assert unused(tmp_path, ()) == [tmp_path / name]
