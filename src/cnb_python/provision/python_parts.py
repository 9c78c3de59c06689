"""Which parts of the interpreter the image needs: libpython, and the files for C builds.

An extension module finds Python's functions in the program that imports it. Only programs that
embed Python need its shared library, and only code that compiles C when it runs needs headers.

Separate from `provide` and `finish`, which both need it: an unchanged build may contain a new
program of the app.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.layers.python import ALL_PARTS, HEADERS, LIBPYTHON, Parts
from cnb_python.layers.store import BuildRecord
from cnb_python.provision.request import ProvisionRequest

# Distributions that use a part without being linked with it.
_USED_BY: Mapping[str, Parts] = MappingProxyType(
    {
        # They give the path of libpython to other programs (simulators, Java, Julia), which load
        # it. pythonnet does not: .NET finds Python's functions in the program that loads it.
        **dict.fromkeys(("find-libpython", "jep", "julia"), frozenset({LIBPYTHON})),
        # They compile C or C++ that includes Python.h when they run, if there is a compiler.
        **dict.fromkeys(("torch", "triton"), frozenset({HEADERS})),
    }
)
_TITLES = {LIBPYTHON: "libpython", HEADERS: "C headers"}
# Files with these suffixes are no programs, so their modes are not looked up.
_DATA = frozenset(
    {"py", "pyc", "pyi", "js", "mjs", "cjs", "ts", "map", "json", "html", "css", "scss", "md"}
    | {"txt", "rst", "toml", "yaml", "yml", "po", "mo", "svg", "png", "jpg", "gif", "webp"}
)
_SKIPPED = ".git"


class NeededParts(NamedTuple):
    """The parts of the interpreter that the image needs."""

    parts: Parts
    reasons: Mapping[str, str]
    """For each part, what needs it: `uwsgi`."""

    def log_lines(self, previous: Parts | None) -> Iterator[str]:
        """Yield a line for each part that the image has, or that *previous* has."""
        for part in sorted(ALL_PARTS):
            if part in self.parts:
                yield f"Keeping {_TITLES[part]} for {self.reasons[part]}"
            elif previous and part in previous:
                yield f"Leaving out {_TITLES[part]}: nothing needs it any more"


def needed_parts(request: ProvisionRequest, record: BuildRecord) -> NeededParts:
    """Return the parts that the image of *request* needs, with the packages of *record*.

    The app's files are read as they are now, so the result may change while app steps run.
    """
    for_all = request.build_consumers
    if not for_all and request.settings.full:
        for_all = f"the setting {request.settings.named('full')}"
    if for_all:
        return NeededParts(ALL_PARTS, dict.fromkeys(ALL_PARTS, for_all))
    reasons = _by_packages(record.distributions, record.embedding or ())
    if LIBPYTHON not in reasons:
        line = release_line(request)
        if path := next(_linked_files(request.context.app_dir, line), ""):
            reasons[LIBPYTHON] = f"the app's file {path}"
    return NeededParts(frozenset(reasons), reasons)


def release_line(request: ProvisionRequest) -> str:
    """Return the line of the app's Python as libpython's name has it: `3.14` or `3.14t`."""
    return request.runtime.interpreter.path.name.removeprefix("python")


def is_linked(libpython: Collection[str], line: str) -> bool:
    """Whether one of the names *libpython* is that of the app's Python.

    >>> is_linked(["libpython3.14.so.1.0"], "3.14"), is_linked(["libpython3.9.so.1.0"], "3.14")
    (True, False)
    """
    stable = {"libpython3.so", "libpython3t.so"}
    return any(name in stable or name.startswith(f"libpython{line}.so") for name in libpython)


def _by_packages(distributions: Collection[str], embedding: Collection[str]) -> dict[str, str]:
    users: dict[str, set[str]] = {LIBPYTHON: set(embedding)} if embedding else {}
    for name in _USED_BY.keys() & distributions:
        for part in _USED_BY[name]:
            users.setdefault(part, set()).add(name)
    return {part: ", ".join(sorted(names)) for part, names in users.items()}


def _linked_files(app_dir: Path, line: str) -> Iterator[str]:
    """Yield the paths, below *app_dir*, of the app's files that are linked with libpython."""
    for path in _programs(str(app_dir)):
        from cnb_python.distributions import elf  # noqa: PLC0415 - only for apps with programs

        try:
            names = elf.libpython_names([elf.read(Path(path))])
        except OSError:
            continue
        if is_linked(names, line):
            yield path.removeprefix(f"{app_dir}/")


def _programs(directory: str) -> Iterator[str]:
    """Yield the paths of programs and libraries below *directory*; links are not followed."""
    try:
        with os.scandir(directory) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != _SKIPPED:
                yield from _programs(entry.path)
        elif _may_be_program(entry):
            yield entry.path


def _may_be_program(entry: os.DirEntry[str]) -> bool:
    if entry.name.rpartition(".")[2] in _DATA or not entry.is_file(follow_symlinks=False):
        return False
    if ".so" in entry.name:
        return True
    try:
        return bool(entry.stat(follow_symlinks=False).st_mode & 0o111)
    except OSError:
        return False
