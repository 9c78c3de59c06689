"""Apps with a `pyproject.toml` or a `setup.py` and no lock: uv resolves when the image is built.

Nobody can know what comes of that, so it is asked for in each build.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.managers.base import (
    Advice,
    InstallContext,
    NeedsResolving,
    Pin,
    Resolution,
    ResolvesOnChange,
)
from cnb_python.system.interface import Command, Outcome, Run

PYPROJECT = "pyproject.toml"
SETUP = "setup.py"
_HOW = {
    PYPROJECT: "Run `uv lock` (or the lock command of the tool that you use) and commit its file.",
    SETUP: (
        "Move what it declares to a pyproject.toml and run `uv lock`, or pin the packages in a "
        "requirements.txt whose last line is: -e ."
    ),
}


@dataclass(frozen=True, slots=True)
class PlainProject(ResolvesOnChange):
    """Apps that declare what they need, and pin nothing."""

    settings: Settings = DEFAULTS
    name: str = "project"
    deciding_file: str = PYPROJECT

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the file that declares a project; one with settings of tools alone is none."""
        if PYPROJECT in app.files and _declares(app.directory / PYPROJECT):
            return (PYPROJECT,)
        return (SETUP,) if SETUP in app.files else ()

    def check(self, app: App) -> tuple[Advice, ...]:
        """Return how to pin what is installed."""
        (file,) = self.deciding_files(app)
        return (
            Advice(
                f"{file} pins nothing",
                "Each build takes the newest releases that it allows: two builds of the same "
                f"commit can differ. {_HOW[file]}",
            ),
        )

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that nobody knows."""
        del python, environ
        return NeedsResolving(f"{self.deciding_files(app)[0]} pins nothing")

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Have uv resolve. Raises what it says went wrong."""
        from cnb_python.managers.pyproject import resolve  # noqa: PLC0415 - heavy

        return resolve.resolve(self.settings, place, run, is_package=_is_package(place.app_dir))

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers import install_locked  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - heavy

        install_locked.install(pins, uv.own_place(place, as_pip=True), run, uv.OWN)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why uv failed."""
        del run
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - heavy

        return uv.explain(command, outcome, place)


def _declares(file: Path) -> bool:
    """Whether *file* declares a project. Raises UnreadableToml."""
    document = toml.read(file)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    return bool(toml.table_at(document, "project") or "build-system" in document or poetry)


def _is_package(directory: Path) -> bool:
    """Whether the project in *directory* is installed itself, by uv's own rule.

    https://docs.astral.sh/uv/concepts/projects/config/#project-packaging
    """
    file = directory / PYPROJECT
    document = toml.read(file) if file.is_file() else {}
    wanted = toml.table_at(toml.table_at(document, "tool"), "uv").get("package")
    has_backend = "build-system" in document or not toml.table_at(document, "project")
    return wanted is True or (wanted is not False and has_backend)
