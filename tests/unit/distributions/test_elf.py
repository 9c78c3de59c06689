"""Run paths of native libraries."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.scan import MAGIC, reaches, run_paths

SITE = "lib/python3.14/site-packages"


def elf(*paths: str, tag: int = 29, bits: int = 64, order: str = "<") -> bytes:
    """Return a shared library that contains only run paths."""
    word = "Q" if bits == 64 else "I"
    strings = b"\0" + b"".join(path.encode() + b"\0" for path in paths)
    base, table, load = 0x10000, 0x400, 0x1000
    entries, position = [(5, base + table)], 1
    for path in paths:
        entries.append((tag, position))
        position += len(path.encode()) + 1
    dynamic = b"".join(struct.pack(f"{order}2{word}", *each) for each in (*entries, (0, 0)))

    def segment(kind: int, offset: int, size: int) -> bytes:
        if bits == 64:
            return struct.pack(
                f"{order}IIQQQQQQ", kind, 0, offset, base + offset, 0, size, size, 8
            )
        return struct.pack(f"{order}8I", kind, offset, base + offset, 0, size, size, 0, 8)

    headers = segment(1, 0, load) + segment(2, 0x200, len(dynamic))
    size = len(headers) // 2
    start = 64 if bits == 64 else 52
    header = MAGIC + bytes([1 if bits == 32 else 2, 1 if order == "<" else 2, 1]).ljust(12, b"\0")
    header += struct.pack(
        f"{order}HHI3{word}I6H", 3, 62, 1, 0, start, 0, 0, start, size, 2, 0, 0, 0
    )
    whole = bytearray(load)
    for at, part in ((0, header), (start, headers), (0x200, dynamic), (table, strings)):
        whole[at : at + len(part)] = part
    return bytes(whole)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("tag", [15, 29])
def test_run_paths_are_read(tmp_path: Path, tag: int, bits: int, order: str) -> None:
    library = tmp_path / "x.so"
    library.write_bytes(elf("$ORIGIN/../a.libs:/usr/lib", "", tag=tag, bits=bits, order=order))

    assert run_paths(library) == ("$ORIGIN/../a.libs", "/usr/lib")


@pytest.mark.parametrize(
    "content", [b"", b"\x7fEL", MAGIC, MAGIC + b"\2\1", MAGIC + b"\xff" * 200, b"#!/bin/sh"]
)
def test_other_files_have_no_run_paths(tmp_path: Path, content: bytes) -> None:
    library = tmp_path / "x.so"
    library.write_bytes(content)

    assert run_paths(library) == ()


WHOLE = elf("$ORIGIN/x")


@given(st.integers(0, 0x420), st.binary(min_size=1, max_size=8), st.integers(5, len(WHOLE)))
def test_damaged_library_has_no_run_paths(
    tmp_path_factory: pytest.TempPathFactory, position: int, damage: bytes, length: int
) -> None:
    library = tmp_path_factory.getbasetemp() / "damaged.so"
    content = bytearray(WHOLE)
    content[position : position + len(damage)] = damage
    library.write_bytes(content[:length])

    assert isinstance(run_paths(library), tuple)


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
