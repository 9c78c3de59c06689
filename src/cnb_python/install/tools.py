"""Brings the programs of package managers, from the store or the index, outside the environment.

They never reach the image. What a build has fetched stays in the store, so that the next one that
needs it does not ask an index.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.errors.machine import DamagedStore
from cnb_python.managers import tool
from cnb_python.managers.tool import Program
from cnb_python.store.store import Store
from cnb_python.system.interface import Output

_KEY = "program"
_OURS = Path(sys.executable)

type Install = Callable[[Program, Path, Path], None]
"""Puts a program into a directory, for an interpreter."""


@dataclass(slots=True)
class ToolCache:
    """The programs that one build uses."""

    store: Store
    directory: Path
    """Where they are laid out."""
    output: Output
    python: Path = _OURS
    """The interpreter that the buildpack travels with, which runs them."""
    _used: set[str] = field(default_factory=set)

    def bring(self, wanted: Program, install: Install) -> tuple[str, ...]:
        """Return the words that start *wanted*, laid out with *install* where it is not yet.

        Raises what *install* raises, DiskFull and OSError.
        """
        directory, key = self.directory / wanted.name, key_of(wanted)
        if key not in self._used:
            disk.remove(directory)
            directory.mkdir(parents=True)
            if not self._is_brought(wanted, key, directory):
                self._fetch(wanted, directory, install)
                self.store.put_tree(key, directory)
            self._used.add(key)
        return tool.start(self.python, directory, wanted)

    def _is_brought(self, wanted: Program, key: str, directory: Path) -> bool:
        if not self.store.has_tree(key):
            return False
        try:
            self.store.unpack_tree(key, directory)
        except DamagedStore as damage:
            self.output.line(f"Fetching {wanted.name} again: {damage.reason}")
            disk.remove(directory)
            directory.mkdir(parents=True)
            return False
        self.output.line(f"{_named(wanted)} from the store")
        return True

    def _fetch(self, wanted: Program, directory: Path, install: Install) -> None:
        self.output.line(f"Fetching {_named(wanted)}")
        if not wanted.is_locked:
            self.output.warning(
                f"{_named(wanted)} is not one that this buildpack has checked",
                (
                    f"It knows the files of {wanted.name} {wanted.version}, and of everything",
                    "that this release needs, by their hashes. Of another one it takes what the",
                    "index has on the day of the build.",
                ),
            )
        install(wanted, directory, self.python)


def kept(store: Store, manager: str) -> frozenset[str]:
    """Return the keys of the programs of *manager* that the next build may want from *store*.

    Those that this build used; where it used none, all that there are.
    """
    own = f"{_KEY} {manager} "
    there = frozenset(key for key in store.trees if key.startswith(own))
    return there & store.used or there


def key_of(wanted: Program) -> str:
    """Return what *wanted* is kept under: another interpreter or processor needs other files."""
    machine = f"{sys.implementation.cache_tag}-{os.uname().machine}"
    return f"{_KEY} {wanted.name} {machine} {wanted.digest}"


def _named(wanted: Program) -> str:
    return f"{wanted.name} {wanted.versions.removeprefix('==') or wanted.version}"
