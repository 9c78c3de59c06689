"""Downloads and copies: the file is complete and has its hash, or does not exist."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.errors.downloads import ChecksumMismatch, DownloadFailed
from cnb_python.errors.machine import DiskFull
from cnb_python.system.interface import Download, SaveChunks
from cnb_python.system.verified_file import Fetcher

CONTENT = b"an archive" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = "https://me:secret@mirror.example/a.tar.gz"


def serve(_download: Download, store: SaveChunks) -> str:
    return store([CONTENT[:7], CONTENT[7:]])


def refuse(download: Download, store: SaveChunks) -> str:
    del store
    pytest.fail(f"{download.url} was asked for")


def python_download(url: str = URL, sha256: str = SHA256) -> Download:
    return Download(url, sha256, "Python 3.14.6")


def test_a_download_with_its_hash_is_written(tmp_path: Path) -> None:
    Fetcher(serve)(python_download(), tmp_path / "a")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [CONTENT]


def test_a_download_with_another_hash_is_refused_and_removed(tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch) as caught:
        Fetcher(serve)(python_download(sha256="0" * 64), tmp_path / "a")

    failure = caught.value
    assert (failure.expected, failure.actual) == ("0" * 64, SHA256)
    assert failure.url == "https://mirror.example/a.tar.gz"
    assert [*tmp_path.iterdir()] == []


def test_a_refused_download_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    with pytest.raises(ChecksumMismatch):
        Fetcher(serve)(python_download(sha256="0" * 64), tmp_path / "a")

    assert (tmp_path / "a").read_text() == "old"


def test_only_the_last_attempt_counts(tmp_path: Path) -> None:
    def stumble(_download: Download, store: SaveChunks) -> str:
        store([CONTENT, CONTENT])
        return store([CONTENT])

    Fetcher(stumble)(python_download(), tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_download_without_a_hash_is_not_checked(tmp_path: Path) -> None:
    Fetcher(serve)(python_download(sha256=""), tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("form", ["{path}", "file://{path}"])
def test_a_local_file_is_verified_too(form: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    url = form.format(path=source)

    Fetcher(refuse)(python_download(url), tmp_path / "a")
    with pytest.raises(ChecksumMismatch):
        Fetcher(refuse)(python_download(url, "0" * 64), tmp_path / "b")

    assert (tmp_path / "a").read_bytes() == CONTENT
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_path_without_a_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed) as caught:
        Fetcher(refuse)(python_download(f"{tmp_path}/{name}"), tmp_path / "a")

    assert (caught.value.attempts, caught.value.status) == (1, None)
    assert caught.value.reason


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_reported_with_the_directory(number: int, tmp_path: Path) -> None:
    def fill(_download: Download, store: SaveChunks) -> str:
        def chunks() -> Iterator[bytes]:
            yield CONTENT
            raise OSError(number, "no room")

        return store(chunks())

    with pytest.raises(DiskFull) as caught:
        Fetcher(fill)(python_download(), tmp_path / "a")

    assert caught.value.doing == f"writing Python 3.14.6 to {tmp_path}"
    assert [*tmp_path.iterdir()] == []


def test_other_disk_errors_are_not_reported_as_full(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Fetcher(serve)(python_download(), tmp_path / "absent" / "a")
