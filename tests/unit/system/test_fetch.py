"""A file is complete and the right one, or not there."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.errors.machine import ChecksumMismatch, DiskFull, DownloadFailed
from cnb_python.system.fetch import Fetcher, Store
from cnb_python.system.interface import Download

CONTENT = b"an archive" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = "https://me:secret@mirror.example/a.tar.gz"


def serve(_download: Download, store: Store) -> str:
    return store([CONTENT[:7], CONTENT[7:]])


def refuse(download: Download, store: Store) -> str:
    del store
    pytest.fail(f"{download.url} was asked for")


def wanted(url: str = URL, sha256: str = SHA256) -> Download:
    return Download(url, sha256, "Python 3.14.6")


def test_a_download_is_written_when_it_is_the_right_one(tmp_path: Path) -> None:
    Fetcher(serve)(wanted(), tmp_path / "a")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [CONTENT]


def test_another_file_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch) as caught:
        Fetcher(serve)(wanted(sha256="0" * 64), tmp_path / "a")

    failure = caught.value
    assert (failure.expected, failure.actual) == ("0" * 64, SHA256)
    assert failure.url == "https://mirror.example/a.tar.gz"
    assert [*tmp_path.iterdir()] == []


def test_a_refused_file_leaves_the_old_one_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    with pytest.raises(ChecksumMismatch):
        Fetcher(serve)(wanted(sha256="0" * 64), tmp_path / "a")

    assert (tmp_path / "a").read_text() == "old"


def test_only_the_last_attempt_counts(tmp_path: Path) -> None:
    def stumble(_download: Download, store: Store) -> str:
        store([CONTENT, CONTENT])
        return store([CONTENT])

    Fetcher(stumble)(wanted(), tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_without_a_known_hash_is_taken_as_it_is(tmp_path: Path) -> None:
    Fetcher(serve)(wanted(sha256=""), tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("form", ["{path}", "file://{path}"])
def test_a_file_of_this_machine_is_verified_too(form: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    url = form.format(path=source)

    Fetcher(refuse)(wanted(url), tmp_path / "a")
    with pytest.raises(ChecksumMismatch):
        Fetcher(refuse)(wanted(url, "0" * 64), tmp_path / "b")

    assert (tmp_path / "a").read_bytes() == CONTENT
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_path_that_holds_no_file_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed) as caught:
        Fetcher(refuse)(wanted(f"{tmp_path}/{name}"), tmp_path / "a")

    assert (caught.value.attempts, caught.value.status) == (1, None)
    assert caught.value.reason


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_directory(number: int, tmp_path: Path) -> None:
    def fill(_download: Download, store: Store) -> str:
        def chunks() -> Iterator[bytes]:
            yield CONTENT
            raise OSError(number, "no room")

        return store(chunks())

    with pytest.raises(DiskFull) as caught:
        Fetcher(fill)(wanted(), tmp_path / "a")

    assert caught.value.doing == f"writing Python 3.14.6 to {tmp_path}"
    assert [*tmp_path.iterdir()] == []


def test_other_faults_of_the_disk_are_not_called_full(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Fetcher(serve)(wanted(), tmp_path / "absent" / "a")
