"""A program in Go as a component, from the build information that its linker put into it.

Separate from `distributions`, which knows nothing about Go.
https://pkg.go.dev/debug/buildinfo
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from cnb_python.sbom import purl
from cnb_python.sbom.model import Component, License

_MAGIC = b"\xff Go buildinf:"
# Since Go 1.18 the texts follow the header of 32 bytes.
_FLAGS_OFFSET, _TEXTS_OFFSET = 15, 32
_HAS_TEXTS = 2
# Before and after the list of modules.
_SENTINEL_BYTES = 16
_MOST_BYTES = 1 << 20


class BuildInfo(NamedTuple):
    """The build information of a program."""

    go: str
    """The release of Go: `1.26.6`; empty if there is no information."""
    modules: tuple[tuple[str, str], ...]
    """The modules that it is linked with, except its own: names and versions."""


def component(name: str, program: bytes, license_: License) -> Component:
    """Return *program*, called *name*, with Go's standard library and its modules inside."""
    sha256 = hashlib.sha256(program).hexdigest()
    ref = f"program:{name}"
    info = build_info(program)
    return Component(
        ref=ref,
        name=name,
        kind="application",
        license=license_,
        sha256=sha256,
        contains=tuple(_parts(info)),
    )


def _parts(info: BuildInfo) -> Iterator[Component]:
    if info.go:
        ref = purl.golang("stdlib", info.go)
        cpe = f"cpe:2.3:a:golang:go:{info.go}:-:*:*:*:*:*:*"
        license_ = License("BSD-3-Clause")
        yield Component(ref, "stdlib", info.go, purl=ref, cpe=cpe, license=license_)
    for module, version in info.modules:
        ref = purl.golang(module, version)
        yield Component(ref, module, version, purl=ref)


def build_info(program: bytes) -> BuildInfo:
    """Return the build information in *program*; nothing in it if there is none."""
    start = program.find(_MAGIC)
    try:
        if start < 0 or not program[start + _FLAGS_OFFSET] & _HAS_TEXTS:
            return BuildInfo("", ())
        version, end = _text(program, start + _TEXTS_OFFSET)
        listed, _ = _text(program, end)
    except IndexError:  # the program ends before them
        return BuildInfo("", ())
    lines = listed[_SENTINEL_BYTES:-_SENTINEL_BYTES].decode("utf-8", "replace").splitlines()
    rows = [line.split("\t") for line in lines]
    modules = tuple((row[1], row[2]) for row in rows if row[0] == "dep" and len(row) > 2)
    return BuildInfo(version.decode("ascii", "replace").removeprefix("go"), modules)


def _text(program: bytes, start: int) -> tuple[bytes, int]:
    """Return the text at *start* and where it ends: its length is before it, as a varint."""
    length = shift = 0
    for position in range(start, start + 5):
        length |= (program[position] & 0x7F) << shift
        shift += 7
        if program[position] < 0x80:
            end = position + 1 + min(length, _MOST_BYTES)
            return program[position + 1 : end], end
    return b"", start
