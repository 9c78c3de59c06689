"""Makes shared libraries that hold nothing but a dynamic section."""

import struct
from collections.abc import Sequence

from cnb_python.distributions.elf import MAGIC

_BASE, _DYNAMIC, _STRINGS = 0x10000, 0x200, 0x400


def elf(
    *paths: str, needed: Sequence[str] = (), tag: int = 29, bits: int = 64, order: str = "<"
) -> bytes:
    """Return a library with the run paths *paths*, linked with *needed*.

    *tag*: 15 for the older form of run paths. *order*: `<` or `>`, as for `struct`.
    """
    word = "Q" if bits == 64 else "I"
    texts = [(1, name) for name in needed] + [(tag, path) for path in paths]
    strings, entries = b"\0", [(5, _BASE + _STRINGS)]
    for kind, text in texts:
        entries.append((kind, len(strings)))
        strings += text.encode() + b"\0"
    dynamic = b"".join(struct.pack(f"{order}2{word}", *each) for each in (*entries, (0, 0)))
    size = max(0x1000, _STRINGS + len(strings))
    loaded = _segment(1, 0, size, bits, order)
    headers = loaded + _segment(2, _DYNAMIC, len(dynamic), bits, order)
    start = 64 if bits == 64 else 52
    header = MAGIC + bytes([1 if bits == 32 else 2, 1 if order == "<" else 2, 1]).ljust(12, b"\0")
    header += struct.pack(
        f"{order}HHI3{word}I6H", 3, 62, 1, 0, start, 0, 0, start, len(loaded), 2, 0, 0, 0
    )
    whole = bytearray(size)
    for at, part in ((0, header), (start, headers), (_DYNAMIC, dynamic), (_STRINGS, strings)):
        whole[at : at + len(part)] = part
    return bytes(whole)


def _segment(kind: int, offset: int, size: int, bits: int, order: str) -> bytes:
    address = _BASE + offset
    if bits == 64:
        return struct.pack(f"{order}IIQQQQQQ", kind, 0, offset, address, 0, size, size, 8)
    return struct.pack(f"{order}8I", kind, offset, address, 0, size, size, 0, 8)
