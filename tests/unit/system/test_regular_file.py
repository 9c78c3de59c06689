"""Only regular files are opened and read, up to a limit, and nothing waits."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.system import regular_file
from cnb_python.system.regular_file import TooLargeToRead


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    # Its path may be longer than an address of a socket.
    with socket.socket(socket.AF_UNIX) as server:
        directory = os.open(path.parent, os.O_PATH)
        server.bind(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)


def make_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_pipe, make_socket, make_link_to_a_device])
def test_what_might_never_end_is_refused_with_its_kind(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(path := tmp_path / "file")

    with pytest.raises(OSError, match=r"it is a (named pipe|socket|device), not a file"):
        regular_file.read(path)


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        regular_file.read(tmp_path)


def test_missing_file_is_reported_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        regular_file.read(tmp_path / "file")


def test_null_device_is_an_empty_file() -> None:
    assert regular_file.read(Path(os.devnull)) == b""


def test_link_is_followed_only_where_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")

    assert regular_file.read(tmp_path / "link") == b"text"
    with pytest.raises(OSError, match="it is a symbolic link, not a file"):
        regular_file.read(tmp_path / "link", follow=False)


def test_limit_is_the_largest_size_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10))
    (tmp_path / "larger").write_bytes(bytes(11))

    assert regular_file.read(tmp_path / "file", 10) == bytes(10)
    with pytest.raises(TooLargeToRead) as raised:
        regular_file.read(tmp_path / "larger", 10)
    assert (raised.value.errno, raised.value.limit) == (errno.EFBIG, 10)


def test_file_whose_size_is_unknown_is_read_up_to_the_limit() -> None:
    status = Path("/proc/self/status")

    assert status.stat().st_size == 0
    assert regular_file.read(status).startswith(b"Name:")
    with pytest.raises(TooLargeToRead):
        regular_file.read(status, 10)
