"""Dynamic sections of ELF files: run paths, and the libraries that a file is linked with."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions import elf
from cnb_python.distributions.elf import MAGIC, NOT_ELF, Dynamic, libpython_names
from cnb_python.distributions.scan import reaches
from tests.support import elf_files

SITE = "lib/python3.14/site-packages"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("tag", [15, 29])
def test_run_paths_and_libraries_are_read(tmp_path: Path, tag: int, bits: int, order: str) -> None:
    library, needed = tmp_path / "x.so", ("libpython3.14.so.1.0", "libc.so.6")
    paths = ("$ORIGIN/../a.libs:/usr/lib", "")
    library.write_bytes(elf_files.elf(*paths, needed=needed, tag=tag, bits=bits, order=order))

    machine = (1 if bits == 32 else 2) << 16 | 62
    assert elf.read(library) == Dynamic(("$ORIGIN/../a.libs", "/usr/lib"), needed, (), machine)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [32, 64])
def test_name_of_a_library_is_read(tmp_path: Path, bits: int, order: str) -> None:
    library, other = tmp_path / "x.so", tmp_path / "text"
    library.write_bytes(elf_files.elf("libx.so.1", tag=14, bits=bits, order=order))
    other.write_bytes(elf_files.elf("/usr/lib")[: 64 if bits == 64 else 3])

    assert elf.soname(library) == "libx.so.1"
    assert (elf.is_elf(library), elf.is_elf(other)) == (True, bits == 64)
    assert elf.soname(other) == ""


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [32, 64])
def test_needed_versions_are_read_without_weak_ones(tmp_path: Path, bits: int, order: str) -> None:
    library = tmp_path / "x.so"
    needed = {"libc.so.6": ["GLIBC_2.4", "-GLIBC_2.38", "GLIBC_2.17"], "libz.so.1": ["ZLIB_1.2.9"]}
    needed["libstdc++.so.6"] = ["CXXABI_1.3", "GLIBCXX_3.4.29"]
    library.write_bytes(elf_files.elf(needed=[*needed], versions=needed, bits=bits, order=order))

    assert elf.read(library).versions == (
        ("libc.so.6", "GLIBC_2.4"),
        ("libc.so.6", "GLIBC_2.17"),
        ("libstdc++.so.6", "CXXABI_1.3"),
        ("libstdc++.so.6", "GLIBCXX_3.4.29"),
    )


@pytest.mark.parametrize("bits", [32, 64])
def test_defined_versions_are_read(tmp_path: Path, bits: int) -> None:
    library = tmp_path / "libc.so.6"
    library.write_bytes(elf_files.elf(defines=["libc.so.6", "GLIBC_2.4", "GLIBC_2.17"], bits=bits))

    assert elf.defined_versions(library) == {"libc.so.6", "GLIBC_2.4", "GLIBC_2.17"}


def test_library_without_versions_defines_none(tmp_path: Path) -> None:
    for content in (elf_files.elf(needed=["libc.so.6"]), b"x", b""):
        (tmp_path / "x.so").write_bytes(content)
        assert elf.defined_versions(tmp_path / "x.so") == frozenset()


def test_versions_in_a_circle_end(tmp_path: Path) -> None:
    content = bytearray(elf_files.elf(versions={"libc.so.6": ["GLIBC_2.4"]}))
    struct.pack_into("<I", content, 0x800 + 12, 2**32 - 16)
    struct.pack_into("<I", content, 0x810 + 12, 0)
    (tmp_path / "x.so").write_bytes(content)

    assert len(elf.read(tmp_path / "x.so").versions) <= 4096


@pytest.mark.parametrize(
    "content", [b"", b"\x7fEL", MAGIC, MAGIC + b"\2\1", MAGIC + b"\xff" * 200, b"#!/bin/sh"]
)
def test_other_files_are_not_elf(tmp_path: Path, content: bytes) -> None:
    library = tmp_path / "x.so"
    library.write_bytes(content)

    assert elf.read(library) == NOT_ELF


WHOLE = elf_files.elf(
    "$ORIGIN/x", needed=["libpython3.14.so.1.0"], versions={"libc.so.6": ["GLIBC_2.4"]}
)


@given(st.integers(0, 0x830), st.binary(min_size=1, max_size=8), st.integers(5, len(WHOLE)))
def test_damaged_library_is_read_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, position: int, damage: bytes, length: int
) -> None:
    library = tmp_path_factory.getbasetemp() / "damaged.so"
    content = bytearray(WHOLE)
    content[position : position + len(damage)] = damage
    library.write_bytes(content[:length])

    assert isinstance(elf.read(library), Dynamic)
    assert isinstance(elf.defined_versions(library), frozenset)


def test_strings_without_an_end_are_not_read(tmp_path: Path) -> None:
    library = tmp_path / "long.so"
    content = elf_files.elf("x", needed=["y"] * 20)
    library.write_bytes(content[:0x400] + b"x" * 1_000_000)

    assert elf.read(library) == Dynamic((), ("",) * 20, (), 2 << 16 | 62)


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("libpython3.14.so.1.0", "libpython3.14.so.1.0"),
        ("$ORIGIN/../lib/libpython3.14.so.1.0", "libpython3.14.so.1.0"),
        ("libpython3.13t.so.1.0", "libpython3.13t.so.1.0"),
        ("libpython3.14.so", "libpython3.14.so"),
        ("libpython3.so", "libpython3.so"),
    ],
)
def test_shared_library_of_python_is_recognized(library: str, name: str) -> None:
    assert libpython_names([NOT_ELF, Dynamic(libraries=("libc.so.6", library))]) == (name,)


@pytest.mark.parametrize(
    "library",
    [
        # auditwheel renames the libraries that it copies into a wheel.
        "libpython3-4fd5a3a2.14.so.1.0",
        *("libpython2.7.so.1.0", "libpythonic.so", "libboost_python314.so.1", "python3.14", ""),
    ],
)
def test_other_libraries_are_not_libpython(library: str) -> None:
    assert libpython_names([Dynamic(libraries=(library,))]) == ()


@pytest.mark.parametrize(
    ("run_path", "directory"),
    [
        ("$ORIGIN/../../nvidia/cublas/lib", f"{SITE}/nvidia/cublas/lib"),
        ("${ORIGIN}/../lib", f"{SITE}/torch/lib"),
        ("$ORIGIN", f"{SITE}/torch/_C"),
        ("$ORIGIN/../../../..", "lib"),
    ],
)
def test_run_paths_are_relative_to_library(run_path: str, directory: str) -> None:
    assert reaches([(f"{SITE}/torch/_C/x.so", (run_path,))]) == (directory,)


@pytest.mark.parametrize("run_path", ["/usr/lib", "$ORIGIN" + "/.." * 9, "$ORIGINAL/x", "$LIB/x"])
def test_run_paths_to_outside_are_ignored(run_path: str) -> None:
    assert reaches([(f"{SITE}/torch/x.so", (run_path,))]) == ()
