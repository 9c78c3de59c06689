"""Where the dynamic linker finds libraries in the file system of an image."""

from pathlib import Path

import pytest

from cnb_python.distributions.system_libraries import SystemLibraries, in_directories
from tests.support import elf_files

LIBC = elf_files.elf(defines=["libc.so.6", "GLIBC_2.4"])


def put(root: Path, path: str, content: bytes = LIBC) -> Path:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)
    return root / path


@pytest.mark.parametrize(
    "path",
    ["lib/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6", "lib64/libc.so.6", "opt/a/libc.so.6"],
)
def test_library_is_found(tmp_path: Path, path: str) -> None:
    put(tmp_path, "etc/ld.so.conf", b"# comment\ninclude /etc/ld.so.conf.d/*.conf\n")
    put(tmp_path, "etc/ld.so.conf.d/a.conf", b"include /etc/ld.so.conf\n/opt/a # here\n")
    libraries = SystemLibraries(tmp_path)

    assert libraries.find("libc.so.6") is None
    expected = put(tmp_path, path)
    assert libraries.find("libc.so.6") == expected
    assert libraries.versions("libc.so.6") == {"libc.so.6", "GLIBC_2.4"}


def test_absolute_links_start_at_the_root(tmp_path: Path) -> None:
    """As in an unpacked image: `/lib` and `libx.so.1` are links there."""
    (tmp_path / "lib").symlink_to("/usr/lib")
    expected = put(tmp_path, "usr/lib/real/libx.so.1.2")
    (tmp_path / "usr/lib/libx.so.1").symlink_to("/usr/lib/real/../real/libx.so.1.2")

    assert SystemLibraries(tmp_path).find("libx.so.1") == expected


def test_broken_links_are_no_libraries(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libx.so.1").symlink_to("libx.so.1")
    (tmp_path / "lib/liby.so.1").symlink_to("/missing")
    libraries = SystemLibraries(tmp_path)

    assert libraries.find("libx.so.1") is None
    assert libraries.find("liby.so.1") is None
    assert libraries.versions("liby.so.1") == frozenset()


@pytest.mark.parametrize(
    "pattern", ["/", "a/*/" * 2000, "[", "/**/*.conf", "\xff\x00", "../../.."]
)
def test_odd_includes_name_no_files(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    put(tmp_path, "deep/er/a.conf", b"/opt/a\n")
    put(tmp_path, "opt/a/libx.so.1")
    put(tmp_path, "etc/ld.so.conf", f"include {pattern}\n".encode("latin-1"))

    assert SystemLibraries(tmp_path).find("libx.so.1") is None


def test_own_file_system_is_searched() -> None:
    assert SystemLibraries(Path("/")).find("libc.so.6")


def test_only_absolute_directories_count(tmp_path: Path) -> None:
    put(tmp_path, "libx.so.1")

    assert in_directories("libx.so.1", ["", "relative", str(tmp_path)])
    assert not in_directories("libx.so.1", ["", "."])
