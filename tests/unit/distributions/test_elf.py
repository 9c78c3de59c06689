"""Dynamic sections of ELF files: run paths, and the libraries that a file is linked with."""

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

    assert elf.read(library) == Dynamic(("$ORIGIN/../a.libs", "/usr/lib"), needed)


@pytest.mark.parametrize(
    "content", [b"", b"\x7fEL", MAGIC, MAGIC + b"\2\1", MAGIC + b"\xff" * 200, b"#!/bin/sh"]
)
def test_other_files_are_not_elf(tmp_path: Path, content: bytes) -> None:
    library = tmp_path / "x.so"
    library.write_bytes(content)

    assert elf.read(library) == NOT_ELF


WHOLE = elf_files.elf("$ORIGIN/x", needed=["libpython3.14.so.1.0"])


@given(st.integers(0, 0x430), st.binary(min_size=1, max_size=8), st.integers(5, len(WHOLE)))
def test_damaged_library_is_read_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, position: int, damage: bytes, length: int
) -> None:
    library = tmp_path_factory.getbasetemp() / "damaged.so"
    content = bytearray(WHOLE)
    content[position : position + len(damage)] = damage
    library.write_bytes(content[:length])

    assert isinstance(elf.read(library), Dynamic)


def test_strings_without_an_end_are_not_read(tmp_path: Path) -> None:
    library = tmp_path / "long.so"
    content = elf_files.elf("x", needed=["y"] * 20)
    library.write_bytes(content[:0x400] + b"x" * 1_000_000)

    assert elf.read(library) == Dynamic((), ("",) * 20)


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
