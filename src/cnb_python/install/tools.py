"""Provides the programs of package managers, from the store or by installing them.

They are installed outside the environment and never reach the image. The store keeps them, so that
the next build need not download them.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.errors.machine import DamagedStore
from cnb_python.managers import tool
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.managers.tool import Program
from cnb_python.store.store import Store
from cnb_python.system.interface import Output

_KEY = "program"
_BUILDPACK_PYTHON = Path(sys.executable)

type Install = Callable[[Program, Path, Path], None]
"""Installs a program into a directory, for an interpreter."""


@dataclass(slots=True)
class ToolCache:
    """The programs that one build uses."""

    store: Store
    directory: Path
    """Where they are installed or unpacked."""
    output: Output
    python: Path = _BUILDPACK_PYTHON
    """The interpreter that runs them: that of the buildpack."""
    installed: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Names and versions of the distributions of each tool that the build used, by tool.

    They are read before foreign code runs, which could change the files.
    """
    _used: set[str] = field(default_factory=set)

    def start_command(self, program: Program, install: Install) -> tuple[str, ...]:
        """Return the start of the command line of *program*, after providing it with *install*.

        Raises what *install* raises, DiskFull and OSError.
        """
        directory, key = self.directory / program.name, key_of(program)
        if key not in self._used:
            disk.remove(directory)
            directory.mkdir(parents=True)
            if not self._unpack(program, key, directory):
                self._install(program, directory, install)
                self.store.put_tree(key, directory)
            self.installed[program.name] = sorted(_distributions(directory))
            self._used.add(key)
        return tool.start(self.python, directory, program)

    def forget(self) -> None:
        """Provide every program again before it runs: its files may have changed."""
        self._used.clear()

    def _unpack(self, program: Program, key: str, directory: Path) -> bool:
        if not self.store.has_tree(key):
            return False
        try:
            self.store.unpack_tree(key, directory)
        except DamagedStore as damage:
            self.output.line(f"Downloading {program.name} again: {damage.reason}")
            disk.remove(directory)
            directory.mkdir(parents=True)
            return False
        self.output.line(f"Using cached {_display_name(program)}")
        return True

    def _install(self, program: Program, directory: Path, install: Install) -> None:
        self.output.line(f"Downloading {_display_name(program)}")
        if not program.is_locked:
            self.output.warning(
                f"This buildpack has no hashes for {_display_name(program)}",
                (
                    f"It has those of {program.name} {program.version} and all its dependencies.",
                    "For any other release, it installs the files and dependencies that the",
                    "index serves on the day of the build.",
                ),
            )
        install(program, directory, self.python)


def _distributions(directory: Path) -> Iterator[tuple[str, str]]:
    for path in directory.glob("*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").rpartition("-")
        if name and version:
            yield normalized_name(name), version


def keys_to_keep(store: Store, manager: str) -> frozenset[str]:
    """Return the keys of the programs of *manager* that the next build may need from *store*.

    These are the programs that this build used; all programs in the store if it used none.
    """
    own = f"{_KEY} {manager} "
    stored = frozenset(key for key in store.trees if key.startswith(own))
    return stored & store.used or stored


def key_of(program: Program) -> str:
    """Return the key of *program* in the store, which covers interpreter and processor."""
    machine = f"{sys.implementation.cache_tag}-{os.uname().machine}"
    return f"{_KEY} {program.name} {machine} {program.digest}"


def _display_name(program: Program) -> str:
    return f"{program.name} {program.versions.removeprefix('==') or program.version}"
