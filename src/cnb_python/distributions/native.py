"""Which shared libraries a distribution needs from outside, and whether importing it needs them.

Separate from `collect`, as whether a library exists is only known when all of the environment is.
"""

import ast
import posixpath
import re
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.distributions import elf
from cnb_python.distributions.elf import NOT_ELF, Dynamic
from cnb_python.distributions.model import Distribution, LibraryNeed

# Other names do not occur; they would also not fit into the record.
_NAME = re.compile(r"[\w.+-]{1,200}", re.ASCII)
_VERSION = re.compile(r"([A-Z]+)_(\d+(?:\.\d+)*)", re.ASCII)
# The C libraries of Alpine and of Android: files for another kind of system.
_FOREIGN = re.compile(r"libc\.musl-.*|libc\.so|libbionic.*|ld-musl.*")
_MOST = 500
_SITE = re.compile(r"lib/python[^/]+/site-packages/(.+)", re.DOTALL)
_PACKAGE = "__init__"
_MOST_MODULES = 2000
_MOST_BYTES = 4 * 1024 * 1024


def needs_of(files: Iterable[tuple[str, Dynamic]], machine: int) -> tuple[LibraryNeed, ...]:
    """Return the libraries that *files*, all of one distribution by path, need from outside.

    A library counts as inside if a file has its name, wherever it is: packages load libraries in
    advance, and then their directory does not matter. Files that are not for *machine* are left
    out, unless it is 0.
    """
    listed = list(files)
    own = {posixpath.basename(path) for path, _ in listed}
    needs: dict[str, set[str]] = {}
    for _, dynamic in listed:
        if dynamic is NOT_ELF or machine not in {0, dynamic.machine}:
            continue
        names = [posixpath.basename(library) for library in dynamic.libraries]
        if any(map(_FOREIGN.fullmatch, names)):
            continue
        for name in names:
            if name not in own and _NAME.fullmatch(name) and len(needs) < _MOST:
                needs.setdefault(name, set())
        for library, version in dynamic.versions:
            if library in needs and _NAME.fullmatch(version):
                needs[library].add(version)
    return tuple(LibraryNeed(name, highest(needs[name])) for name in sorted(needs))


def highest(versions: Iterable[str]) -> tuple[str, ...]:
    """Return the highest of *versions* with each prefix, and those that are no numbers, sorted.

    >>> highest(["GLIBC_2.4", "GLIBC_2.17", "CXXABI_1.3", "GLIBC_ABI_DT_RELR"])
    ('CXXABI_1.3', 'GLIBC_2.17', 'GLIBC_ABI_DT_RELR')
    """
    numbered: dict[str, tuple[tuple[int, ...], str]] = {}
    unnumbered = set[str]()
    for version in versions:
        if match := _VERSION.fullmatch(version):
            numbers = tuple(int(part[:9]) for part in match[2].split("."))
            numbered[match[1]] = max((numbers, version), numbered.get(match[1], ((), "")))
        else:
            unnumbered.add(version)
    return tuple(sorted({version for _, version in numbered.values()} | unnumbered))


class Users(NamedTuple):
    """What in a distribution needs a library."""

    file: str
    """A file that is linked with it; empty if its files could not be read."""
    at_import: bool
    """Whether importing one of its packages certainly loads the library."""


def users_of(library: str, distribution: Distribution, root: Path) -> Users:
    """Return what needs *library* in *distribution*, whose files are below *root*."""
    linked_with = defaultdict[str, set[str]](set)
    for path, names in _linked(distribution, root):
        for name in names:
            linked_with[name].add(path)
    users = set(linked_with[library])
    first = min(users, key=lambda path: (path.count("/"), path), default="")
    waiting = [*users]
    while waiting:
        more = linked_with[posixpath.basename(waiting.pop())] - users
        users |= more
        waiting += more
    return Users(first, _is_imported(users, distribution, root))


def _linked(distribution: Distribution, root: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each native file, and the names of the libraries that it is linked with."""
    for file in distribution.files:
        if not file.target and elf.may_be_elf(file.path, is_program=file.is_program):
            try:
                dynamic = elf.read(root / file.path)
            except OSError:
                continue
            names = map(posixpath.basename, dynamic.libraries)
            yield (
                file.path,
                frozenset(name for name in names if not _is_beside(name, dynamic.run_paths)),
            )


def _is_beside(library: str, run_paths: Iterable[str]) -> bool:
    """Whether *library* is in one of the absolute *run_paths* of a file, such as `/opt/x/lib`."""
    return any(path.startswith("/") and Path(path, library).is_file() for path in run_paths)


def _is_imported(paths: Collection[str], distribution: Distribution, root: Path) -> bool:
    """Whether importing a package of *distribution* loads one of the native modules *paths*.

    Only imports that always run count: not in functions, in conditions, or where an ImportError
    is caught. A module that is named like its package (`cv2/cv2.abi3.so`) counts as well.
    """
    modules = dict(_modules(distribution))
    native = {name for name, path in modules.items() if path in paths}
    if not native:
        return False
    if any(_is_main(name, modules) for name in native):
        return True
    return not native.isdisjoint(_imported(_starts(modules), modules, root))


def _modules(distribution: Distribution) -> Iterator[tuple[str, str]]:
    """Yield dotted name and path of each module; of a package, of its `__init__`."""
    for file in distribution.files:
        match = _SITE.fullmatch(file.path)
        directory, _, name = match[1].rpartition("/") if match else ("", "", "")
        stem, _, suffix = name.partition(".")
        if suffix == "py" or (suffix and suffix.split(".")[-1] == "so"):
            parts = [*directory.split("/"), stem] if directory else [stem]
            if stem == _PACKAGE:
                parts.pop()
            if parts and all(map(str.isidentifier, parts)):
                yield ".".join(parts), file.path


def _is_main(name: str, modules: Mapping[str, str]) -> bool:
    above, _, last = name.rpartition(".")
    if not above:
        return not last.startswith("_")
    return above in modules and above.rpartition(".")[2] == last


def _starts(modules: Mapping[str, str]) -> Iterator[str]:
    """Yield the modules that users import first: public ones that are not inside a package."""
    for name in modules:
        above, _, last = name.rpartition(".")
        if above not in modules and not last.startswith("_") and name.count(".") <= 1:
            yield name


def _imported(starts: Iterable[str], modules: Mapping[str, str], root: Path) -> set[str]:
    """Return the names of *modules* that importing *starts* always imports."""
    waiting, imported = list(starts), set[str]()
    while waiting and len(imported) < _MOST_MODULES:
        name = waiting.pop()
        if name in imported or name not in modules:
            continue
        imported.add(name)
        if modules[name].endswith(".py"):
            for other in _imports(root / modules[name], name, modules[name]):
                parts = other.split(".")
                waiting += (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return imported


def _imports(path: Path, name: str, relative: str) -> Iterator[str]:
    """Yield the dotted names that may be modules, and that the module at *path* imports."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return
        with warnings.catch_warnings():
            # Warnings about the package's code do not belong in the build log.
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except OSError, SyntaxError, ValueError, RecursionError, MemoryError:
        return
    package = name if relative.endswith("/__init__.py") else name.rpartition(".")[0]
    for statement in _always_run(tree.body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - statement.level + 1] if statement.level else []
            base = ".".join((*above, *([statement.module] if statement.module else [])))
            yield base
            yield from (f"{base}.{alias.name}" for alias in statement.names)


def _always_run(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.With):
            yield from _always_run(statement.body)
        elif isinstance(statement, ast.Try):
            handlers = statement.handlers
            if all(isinstance(handler.body[-1], ast.Raise) for handler in handlers):
                yield from _always_run(statement.body)
        else:
            yield statement
