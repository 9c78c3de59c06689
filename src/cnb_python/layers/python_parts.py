"""Removes the parts of the interpreter that the image does not need from layer `python`.

They are on disk until the end of the build, for packages and hooks that compile C.

Separate from `python`, as an unchanged build need not load it.
"""

from collections.abc import Iterator
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import elf
from cnb_python.layers.python import HEADERS, LIBPYTHON, Parts

# Below the layer. The data of sysconfig (`lib/python3*/_sysconfigdata*.py`) belongs to no part:
# the standard library imports it.
_PATTERNS = {
    LIBPYTHON: ("lib/libpython3*",),
    HEADERS: ("include", "lib/pkgconfig", "lib/python3*/config-*", "bin/python3*-config"),
}
# What runs when the app runs: programs and native modules of the standard library.
_PROGRAMS = ("bin/*", "lib/python3*/lib-dynload/*")


def remove_other_parts(root: Path, parts: Parts) -> None:
    """Remove every part that is not in *parts* from the interpreter at *root*.

    libpython stays if the interpreter itself is linked with it, as those of some releases are.
    Raises OSError.
    """
    for part, patterns in _PATTERNS.items():
        if part in parts or (part == LIBPYTHON and _is_linked(root)):
            continue
        for path in _matching(root, patterns):
            disk.remove(path)


def _is_linked(root: Path) -> bool:
    programs = (path for path in _matching(root, _PROGRAMS) if path.is_file())
    return bool(elf.libpython_names(elf.read(path) for path in programs))


def _matching(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(root.glob(pattern))
