"""Makes shared libraries that hold nothing but a dynamic section."""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cnb_python.distributions.elf import MAGIC

_BASE, _DYNAMIC, _STRINGS, _VERSIONS = 0x10000, 0x200, 0x400, 0x800
_NO_VERSIONS: Mapping[str, Sequence[str]] = MappingProxyType({})
_WEAK = 2


def elf(
    *paths: str,
    needed: Sequence[str] = (),
    tag: int = 29,
    bits: int = 64,
    order: str = "<",
    versions: Mapping[str, Sequence[str]] = _NO_VERSIONS,
    defines: Sequence[str] = (),
) -> bytes:
    """Return a library with the run paths *paths*, linked with *needed*.

    *tag*: 15 for the older form of run paths. *order*: `<` or `>`, as for `struct`. *versions*:
    what it needs of libraries; one that starts with a minus is weak. It has those, or *defines*
    versions.
    """
    word = "Q" if bits == 64 else "I"
    texts = [(1, name) for name in needed] + [(tag, path) for path in paths]
    strings, entries = b"\0", [(5, _BASE + _STRINGS)]
    for kind, text in texts:
        entries.append((kind, len(strings)))
        strings += text.encode() + b"\0"
    table, strings = _versions(versions, defines, strings, order)
    if table:
        entries.append((0x6FFFFFFE if versions else 0x6FFFFFFC, _BASE + _VERSIONS))
    dynamic = b"".join(struct.pack(f"{order}2{word}", *each) for each in (*entries, (0, 0)))
    size = max(0x1000 + len(table), _STRINGS + len(strings))
    loaded = _segment(1, 0, size, bits, order)
    headers = loaded + _segment(2, _DYNAMIC, len(dynamic), bits, order)
    start = 64 if bits == 64 else 52
    header = MAGIC + bytes([1 if bits == 32 else 2, 1 if order == "<" else 2, 1]).ljust(12, b"\0")
    header += struct.pack(
        f"{order}HHI3{word}I6H", 3, 62, 1, 0, start, 0, 0, start, len(loaded), 2, 0, 0, 0
    )
    whole = bytearray(size)
    parts = ((0, header), (start, headers), (_DYNAMIC, dynamic), (_STRINGS, strings))
    for at, part in (*parts, *([(_VERSIONS, table)] if table else [])):
        whole[at : at + len(part)] = part
    return bytes(whole)


def _versions(
    needed: Mapping[str, Sequence[str]], defined: Sequence[str], strings: bytes, order: str
) -> tuple[bytes, bytes]:
    """Return the table of the versions, and *strings* with their names."""
    table = b""
    for last, library in enumerate(needed, start=1 - len(needed)):
        names = needed[library]
        following = 16 * (1 + len(names)) if last else 0
        table += struct.pack(f"{order}HHIII", 1, len(names), len(strings), 16, following)
        strings += library.encode() + b"\0"
        for index, name in enumerate(names, start=1 - len(names)):
            flags, position = _WEAK if name.startswith("-") else 0, len(strings)
            table += struct.pack(f"{order}IHHII", 0, flags, 2, position, 16 if index else 0)
            strings += name.removeprefix("-").encode() + b"\0"
    for last, name in enumerate(defined, start=1 - len(defined)):
        table += struct.pack(f"{order}HHHHIII", 1, 0, 1, 1, 0, 20, 28 if last else 0)
        table += struct.pack(f"{order}II", len(strings), 0)
        strings += name.encode() + b"\0"
    return table, strings


def _segment(kind: int, offset: int, size: int, bits: int, order: str) -> bytes:
    address = _BASE + offset
    if bits == 64:
        return struct.pack(f"{order}IIQQQQQQ", kind, 0, offset, address, 0, size, size, 8)
    return struct.pack(f"{order}8I", kind, offset, address, 0, size, size, 0, 8)
