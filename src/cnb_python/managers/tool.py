"""The tools: those bundled with the buildpack, and Poetry, Pipenv and PDM, which builds install.

`data/tools` pins one release of each with all that it needs, with hashes; other releases that
users choose are not pinned. Unchanged builds import this.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.errors.base import IncompleteBuildpack

DATA = Path(__file__).parents[1] / "data"
PINS = DATA / "tools.toml"
FOLDER = DATA / "tools"
_PIN = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?P<extras>\[[\w,-]+\])?==(?P<version>\S+)")
# Modules of the app or of the buildpack must not come before the program's own. The first argument
# is the directory that the program is installed in.
_START = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def find_pip(buildpack: Path) -> Path:
    """Return the bundled wheel of pip, or in a checkout the installed package.

    Raises IncompleteBuildpack.
    """
    wheels = sorted((buildpack / "tools").glob("pip-*.whl"))
    installed = sorted((buildpack / ".venv/lib").glob("python3.*/site-packages/pip"))
    for path in (*wheels, *installed):
        return path
    raise IncompleteBuildpack("tools/pip-*.whl", buildpack)


def find_uv(buildpack: Path) -> Path:
    """Return the bundled uv, or in a checkout the installed one.

    Raises IncompleteBuildpack.
    """
    for path in (buildpack / "tools/uv", buildpack / ".venv/bin/uv"):
        if path.is_file():
            return path
    raise IncompleteBuildpack("tools/uv", buildpack)


def find_defaults(buildpack: Path) -> Path:
    """Return the bundled program for exec.d, or in a checkout the installed one.

    Raises IncompleteBuildpack.
    """
    for path in (buildpack / "tools/defaults", buildpack / ".venv/bin/cnb-python-defaults"):
        if path.is_file():
            return path
    raise IncompleteBuildpack("tools/defaults", buildpack)


def versions() -> str:
    """Return the bundled installers with their versions: `pip 26.3, uv 0.13.8`."""
    pins = toml.read(PINS)
    pinned = {name: toml.table_at(pins, name).get("version") for name in ("pip", "uv")}
    return ", ".join(f"{name} {version}" for name, version in pinned.items())


class Program(NamedTuple):
    """A program of a package manager, in the release of `data/tools` or another."""

    name: str
    """The name of its distribution and of its module: `poetry`."""
    versions: str = ""
    """The allowed releases, as a specifier (`==1.8.5`, `>=1.8,<2`); empty: the pinned one."""

    @classmethod
    def chosen(cls, name: str, versions: str) -> Program:
        """Return program *name* in the release, or the range, that the user chose.

        The pinned release if it is in the range, or if the user chose nothing.

        >>> Program.chosen("poetry", "1.8.5").versions
        '==1.8.5'
        """
        pinned = cls(name)
        specifier = versions if re.match(r"[<>=!~]", versions) else f"=={versions}"
        return pinned if not versions or pinned.satisfies(specifier) else cls(name, specifier)

    def satisfies(self, specifier: str) -> bool:
        """Whether *specifier* (PEP 440) contains the pinned release."""
        if specifier == f"=={self.version}":
            return True
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - 25 ms

        try:
            return SpecifierSet(specifier).contains(self.version)
        except ValueError:
            return False  # uv reports what is wrong with it

    @property
    def version(self) -> str:
        """The pinned release, also if the user chose another: `2.5.1`."""
        return _pins(self.name)[0]["version"]

    @property
    def lines(self) -> str:
        """The requirements file that installs it, as text."""
        if not self.versions:
            return (FOLDER / f"{self.name}.txt").read_text(encoding="utf-8")
        pin, *plugins = _pins(self.name)
        requirement = f"{pin['name']}{pin['extras'] or ''}{self.versions}"
        # Its plugins in the releases that fit.
        return "\n".join((requirement, *(plugin["name"] for plugin in plugins)))

    @property
    def is_locked(self) -> bool:
        """Whether its lines have hashes."""
        return not self.versions

    @property
    def chosen_release(self) -> str:
        """Name and release for the fingerprint of a lock file: `poetry ==1.8.5`.

        The pinned release is not in it, so that a new one of this buildpack exports no lock file
        again: it gives the same packages, or `cache_keys.FORMAT` is raised.
        """
        return f"{self.name} {self.versions}"

    @property
    def digest(self) -> str:
        """A SHA-256 in hex over name and requirements."""
        return hashlib.sha256(f"{self.name}\n{self.lines}".encode()).hexdigest()


type StartProgram = Callable[[Program], tuple[str, ...]]
"""Returns the arguments that start a program, and installs it first if necessary.

Raises ToolUnavailable.
"""


def start(python: Path, directory: Path, program: Program) -> tuple[str, ...]:
    """Return the arguments that start *program*, installed in *directory*, with *python*."""
    return (str(python), "-I", "-S", "-c", _START, str(directory), program.name)


def _pins(name: str) -> list[re.Match[str]]:
    """Return the pins that maintainers edit: the program itself, then its plugins."""
    return list(_PIN.finditer((FOLDER / f"{name}.in").read_text(encoding="utf-8")))


def not_available(program: Program) -> tuple[str, ...]:
    """Stand in for `StartProgram` where no manager needs a program."""
    raise LookupError(program.name)
