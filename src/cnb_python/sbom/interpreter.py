"""The app's Python as a component, with the libraries that are linked into it.

Their versions are read from the interpreter: from attributes of the modules that use them, or from
texts in the program where no attribute has them. Separate from `provision/sboms.py`, which runs
it.
"""

import mmap
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.distributions import elf
from cnb_python.sbom import purl
from cnb_python.sbom.model import Component, License, Property
from cnb_python.system import json_text
from cnb_python.system.json_text import InvalidJson, JsonValue

TABLE = Path(__file__).parents[1] / "data/linked_libraries.toml"
# Of CPython's own code: https://spdx.org/licenses/Python-2.0.1.html
_LICENSE = "Python-2.0.1"
_RELEASE = re.compile(r"([\d.]+)(\w*)")
_NUMBER = re.compile(r"\d+(?:[._]\d+)+[a-z]?")
_PROBE = """
import importlib, json
facts = {}
for module_name, attributes in %r.items():
    try:
        module = importlib.import_module(module_name)
    except ImportError:
        continue
    values = {}
    for name in attributes:
        value = getattr(module, name, "")
        # Of a version as a tuple, the last number is a date.
        values[name] = "%%d.%%d" %% value[:2] if isinstance(value, tuple) else str(value)
    facts[module_name] = {"file": getattr(module, "__file__", None) or "", "values": values}
print(json.dumps(facts))
"""


class _Library(NamedTuple):
    """A row of the table, where each field is described."""

    name: str
    module: str
    attribute: str
    text: str
    near: str
    within: int
    only_if: tuple[str, ...]
    license: str
    cpe: str
    shared: str


_TEXTS = ("name", "module", "attribute", "text", "near", "license", "cpe", "shared")


class _ModuleFacts(NamedTuple):
    """A module of the interpreter."""

    file: str
    """Its path; empty if it is in the program itself."""
    values: Mapping[str, str]


def probe() -> str:
    """Return a program that prints what `linked_libraries` needs, for the app's Python."""
    attributes: dict[str, list[str]] = {}
    for library in _table():
        names = attributes.setdefault(library.module, [])
        names += filter(None, (library.attribute, *library.only_if[:1]))
    return _PROBE % attributes


def component(version: str, archive_sha256: str, libraries: Iterable[Component]) -> Component:
    """Return CPython *version* with the *libraries* that are linked into it.

    *archive_sha256*: of the archive that it was unpacked from.
    """
    return Component(
        ref=purl.generic("python", version),
        name="python",
        version=version,
        kind="application",
        purl=purl.generic("python", version),
        cpe=_cpe("python:python", version),
        license=License(_LICENSE),
        sha256=archive_sha256,
        description="The interpreter CPython",
        homepage="https://www.python.org/",
        contains=tuple(libraries),
    )


def linked_libraries(printed: str, program: Path) -> tuple[Component, ...]:
    """Return the libraries that are linked into the interpreter *program*, sorted by name.

    *printed*: the output of `probe`. Those of the operating system are left out: the interpreter
    only loads them. Empty if *printed* is not what the probe prints. Raises OSError.
    """
    modules = _modules(printed)
    if not modules:
        return ()
    code = _code_of(program)
    needed, texts = _Needed(program, code), _Texts(code)
    return tuple(
        _component(library, _version(library, modules[library.module], texts))
        for library in _table()
        if library.module in modules
        and _is_used(library, modules[library.module])
        and not needed.names_system_library(library.shared, modules[library.module].file)
    )


def _component(library: _Library, version: str) -> Component:
    properties: tuple[Property, ...] = (("cnb-python:used-by", library.module),)
    return Component(
        ref=purl.generic(library.name, version),
        name=library.name,
        version=version,
        purl=purl.generic(library.name, version),
        cpe=_cpe(library.cpe, version) if library.cpe and version else "",
        license=License(library.license),
        properties=properties,
    )


def _cpe(product: str, version: str) -> str:
    """Return the CPE of a release; of `3.15.0b2`, the last part is the update."""
    match = _RELEASE.fullmatch(version)
    number, update = match.groups() if match else (version, "")
    return f"cpe:2.3:a:{product}:{number}:{update or '*'}:*:*:*:*:*:*"


def _table() -> list[_Library]:
    return [_row(row) for row in toml.tables_at(toml.read(TABLE), "library")]


def _row(row: TomlTable) -> _Library:
    condition, within = row.get("if"), row.get("within")
    texts = {name: str(row.get(name, "")) for name in _TEXTS}
    return _Library(
        only_if=tuple(map(str, condition)) if isinstance(condition, list) else (),
        within=within if isinstance(within, int) else 0,
        **texts,
    )


def _modules(printed: str) -> dict[str, _ModuleFacts]:
    # Beside warnings of the interpreter: both of its outputs are one.
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    try:
        facts = json_text.parse(lines[-1]) if lines else None
    except InvalidJson:
        return {}
    rows = facts.items() if isinstance(facts, dict) else ()
    return {name: module for name, row in rows if (module := _module(row)) is not None}


def _module(row: JsonValue) -> _ModuleFacts | None:
    if not isinstance(row, dict):
        return None
    file, values = row.get("file"), row.get("values")
    if not (isinstance(file, str) and isinstance(values, dict)):
        return None
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return _ModuleFacts(file, texts)


def _is_used(library: _Library, module: _ModuleFacts) -> bool:
    if not library.only_if:
        return True
    name, value = library.only_if
    return module.values.get(name) == value


def _version(library: _Library, module: _ModuleFacts, texts: _Texts) -> str:
    """Return the version of *library*; empty if the interpreter does not have it."""
    if library.text:
        return texts.version(library, module.file)
    match = _NUMBER.search(module.values.get(library.attribute, ""))
    return match[0] if match else ""


class _Texts:
    """The texts in the interpreter's program and its modules."""

    def __init__(self, code: Path) -> None:
        self._code = code

    def version(self, library: _Library, module_file: str) -> str:
        """Return the version in the texts near a known one; empty if two texts fit."""
        whole = re.compile(rb"\0" + library.text.encode() + rb"\0")
        path = Path(module_file) if module_file else self._code
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            versions = {
                match[1].decode()
                for piece in _pieces(data, library.near.encode(), library.within)
                for match in whole.finditer(piece)
            }
        return versions.pop() if len(versions) == 1 else ""


def _pieces(data: mmap.mmap, near: bytes, within: int) -> Iterator[bytes]:
    """Yield the *within* bytes before and after each position of *near*.

    A pattern alone would take seconds for the whole program.
    """
    position = data.find(near)
    while position >= 0:
        yield data[max(position - within, 0) : position + within]
        position = data.find(near, position + 1)


class _Needed:
    """The shared libraries that the interpreter loads."""

    def __init__(self, program: Path, code: Path) -> None:
        own = program.parents[1] / "lib"
        self._own = {path.name for path in own.glob("lib*.so*")}
        self._of_program = self._of(program) | self._of(code)

    def names_system_library(self, beginning: str, module_file: str) -> bool:
        """Whether a library is loaded whose name begins like that; not one of the interpreter."""
        needed = self._of_program | (self._of(Path(module_file)) if module_file else frozenset())
        return any(name.startswith(beginning) for name in needed)

    def _of(self, file: Path) -> frozenset[str]:
        return frozenset(elf.read(file).libraries) - self._own


def _code_of(program: Path) -> Path:
    """Return the file with the code of the interpreter: *program*, or its shared library."""
    for name in elf.read(program).libraries:
        library = program.parents[1] / "lib" / name
        if name.startswith("libpython") and library.is_file():
            return library
    return program
