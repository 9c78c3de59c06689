"""The programs of those package managers that do not travel with the buildpack.

What a release of one needs to run is pinned with hashes in `data/tools`; another release that the
user asks for is not. Imported by builds that change nothing.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.errors.base import IncompleteBuildpack

PINS = Path(__file__).parents[1] / "data/tools.toml"


def find_pip(buildpack: Path) -> Path:
    """Return the wheel that the packaged buildpack carries, or a checkout's installed package.

    Raises IncompleteBuildpack.
    """
    wheels = sorted((buildpack / "tools").glob("pip-*.whl"))
    installed = sorted((buildpack / ".venv/lib").glob("python3.*/site-packages/pip"))
    for found in (*wheels, *installed):
        return found
    raise IncompleteBuildpack("tools/pip-*.whl", buildpack)


def find_uv(buildpack: Path) -> Path:
    """Return the program that the packaged buildpack carries, or that of a checkout.

    Raises IncompleteBuildpack.
    """
    for found in (buildpack / "tools/uv", buildpack / ".venv/bin/uv"):
        if found.is_file():
            return found
    raise IncompleteBuildpack("tools/uv", buildpack)


def find_defaults(buildpack: Path) -> Path:
    """Return the program of exec.d that the packaged buildpack carries, or that of a checkout.

    Raises IncompleteBuildpack.
    """
    for found in (buildpack / "tools/defaults", buildpack / ".venv/bin/cnb-python-defaults"):
        if found.is_file():
            return found
    raise IncompleteBuildpack("tools/defaults", buildpack)


def versions() -> str:
    """Return what installs, with versions: `pip 26.3, uv 0.13.8`."""
    pins = toml.read(PINS)
    found = {name: toml.table_at(pins, name).get("version") for name in ("pip", "uv")}
    return ", ".join(f"{name} {version}" for name, version in found.items())


FOLDER = Path(__file__).parents[1] / "data/tools"
_PIN = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?P<extras>\[[\w,-]+\])?==(?P<version>\S+)")
# Neither the app's modules nor those of the buildpack must come before the program's own. The
# first word behind the code is the directory that `bring` gives.
_START = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


class Program(NamedTuple):
    """A program of a package manager, in the release of `data/tools` or another."""

    name: str
    """As its distribution and its module are called: `poetry`."""
    versions: str = ""
    """Which releases will do, as a specifier (`==1.8.5`, `>=1.8,<2`); empty: the pinned one."""

    @classmethod
    def chosen(cls, name: str, versions: str) -> Program:
        """Return program *name* in the release, or the range, that the user has chosen.

        The pinned one where that will do, or nothing is chosen.

        >>> Program.chosen("poetry", "1.8.5").versions
        '==1.8.5'
        """
        pinned = cls(name)
        specifier = versions if re.match(r"[<>=!~]", versions) else f"=={versions}"
        return pinned if not versions or pinned.satisfies(specifier) else cls(name, specifier)

    def satisfies(self, specifier: str) -> bool:
        """Whether the pinned release is one of *specifier*, of PEP 440."""
        if specifier == f"=={self.version}":
            return True
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - 25 ms

        try:
            return SpecifierSet(specifier).contains(self.version)
        except InvalidSpecifier:
            return False  # uv says what is wrong with it

    @property
    def version(self) -> str:
        """The pinned release, whatever was asked for: `2.5.1`."""
        return _pins(self.name)[0]["version"]

    @property
    def lines(self) -> str:
        """What installs it, as the text of a requirements file."""
        if not self.versions:
            return (FOLDER / f"{self.name}.txt").read_text(encoding="utf-8")
        own, *others = _pins(self.name)
        asked = f"{own['name']}{own['extras'] or ''}{self.versions}"
        # What goes with it (a plug-in) in the release that fits.
        return "\n".join((asked, *(one["name"] for one in others)))

    @property
    def is_locked(self) -> bool:
        """Whether its lines have hashes."""
        return not self.versions

    @property
    def digest(self) -> str:
        """A SHA-256 in hex over what was asked for."""
        return hashlib.sha256(f"{self.name}\n{self.lines}".encode()).hexdigest()


type Bring = Callable[[Program], tuple[str, ...]]
"""Returns the words that start a program, in front of its arguments, where it can be had.

Raises ProgramUnavailable.
"""


def start(python: Path, directory: Path, program: Program) -> tuple[str, ...]:
    """Return the words that start *program*, installed in *directory*, by *python*."""
    return (str(python), "-I", "-S", "-c", _START, str(directory), program.name)


def _pins(name: str) -> list[re.Match[str]]:
    """Return what is pinned by hand, the program itself first."""
    return list(_PIN.finditer((FOLDER / f"{name}.in").read_text(encoding="utf-8")))


def not_available(program: Program) -> tuple[str, ...]:
    """Stand in for `Bring` where no manager needs one."""
    raise LookupError(program.name)
