"""Poetry: the app has a `poetry.lock`, which Poetry exports and uv installs.

Separate from `registry`, since each package manager has its own package.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.managers import fingerprint
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.managers.development.groups import with_groups
from cnb_python.managers.lock_manager import Exporter, ExportingManager, check_lock_and_source
from cnb_python.managers.poetry import pyproject
from cnb_python.managers.poetry.pyproject import PYPROJECT, PoetryProject
from cnb_python.system.interface import Run

LOCK = "poetry.lock"
# Poetry's settings for the project.
_SETTINGS = "poetry.toml"
_LOCAL_SOURCE = re.compile(
    r'\[package\.source\]\ntype = "(?:directory|file)"\nurl = "([^"\n]+)"', re.MULTILINE
)
# Files that the metadata of a package quotes.
_QUOTED_FILES = re.compile(r"(readme|licen[cs]e|copying|notice|authors)\b.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Poetry(ExportingManager):
    """Apps with a `poetry.lock`."""

    name: str = "poetry"
    deciding_file: str = LOCK

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return `poetry.lock` if the app has one."""
        return (LOCK,) if LOCK in app.names else ()

    def with_development(self, app: App) -> tuple[Poetry, tuple[str, ...]]:
        """See `Manager`."""
        project = pyproject.read(app.directory)
        chosen = with_groups(self.settings, project.groups, project.extras)
        return replace(self, settings=chosen.settings), chosen.added

    def check(self, app: App) -> tuple[Message, ...]:
        """Refuse a lock file without a valid `pyproject.toml`.

        Raises LockWithoutProject, NotAFile, UnreadableFile or UnreadableToml.
        """
        check_lock_and_source(app, LOCK, PYPROJECT, "Poetry")
        pyproject.read(app.directory)
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that Poetry has to export the lock file, with the fingerprint of its inputs."""
        directory = app.directory
        poetry_project = pyproject.read(directory)
        inputs = fingerprint.of_lock_reader(
            self,
            python,
            (
                poetry_project.program(self.settings).chosen_release,
                fingerprint.without_secrets(poetry_project.relevant),
            ),
            fingerprint.variables(environ, "POETRY_"),
            fingerprint.files(directory, (LOCK, _SETTINGS)),
            _app_inputs(directory, poetry_project),
            fingerprint.local_sources(directory / LOCK, _LOCAL_SOURCE, app.top),
        )
        return NeedsResolving(f"only Poetry reads {LOCK}", inputs, f"Exporting {LOCK} with Poetry")

    def exporter(self, context: InstallContext, run: Run) -> Exporter:
        """Return Poetry for this build."""
        from cnb_python.managers.poetry.export import PoetryExport  # noqa: PLC0415 - heavy

        return PoetryExport(self.settings, self.processor, context, run)


def _app_inputs(directory: Path, project: PoetryProject) -> Iterator[str]:
    """Yield what the installation of the app itself depends on besides `pyproject.toml`.

    Poetry points it to directories and modules that it finds by their names, and copies a few
    texts into its metadata. The code in them may change.
    """
    if project.has_build:
        yield fingerprint.project_digest(directory, is_editable=False)
    elif project.is_package:
        yield from fingerprint.outside_parts(directory, is_plain=True)
        for parent in (directory, directory / "src"):
            names = sorted(path.name for path in parent.iterdir()) if parent.is_dir() else []
            yield from (name for name in names if name.endswith(".py") or (parent / name).is_dir())
            yield from fingerprint.files(parent, filter(_QUOTED_FILES.fullmatch, names))
