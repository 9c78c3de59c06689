"""PDM: the app has a `pdm.lock`, which PDM exports and uv installs.

Separate from `registry`, since each package manager has its own package.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.errors.base import Message
from cnb_python.managers import fingerprint
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.managers.development.groups import with_groups
from cnb_python.managers.lock_manager import Exporter, ExportingManager, check_lock_and_source
from cnb_python.managers.tool import Program
from cnb_python.system.interface import Run

LOCK, PYPROJECT = "pdm.lock", "pyproject.toml"
# PDM's settings for the project.
_SETTINGS = "pdm.toml"
_LOCAL_SOURCE = re.compile(r'^path = "([^"\n]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pdm(ExportingManager):
    """Apps with a `pdm.lock`."""

    name: str = "pdm"
    deciding_file: str = LOCK

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return `pdm.lock` if the app has one."""
        return (LOCK,) if LOCK in app.names else ()

    def with_development(self, app: App) -> tuple[Pdm, tuple[str, ...]]:
        """See `Manager`."""
        document = toml.read(app.directory / PYPROJECT)
        own = toml.table_at(toml.table_at(document, "tool"), "pdm")
        groups = toml.table_at(own, "dev-dependencies") | toml.table_at(
            document, "dependency-groups"
        )
        extras = toml.table_at(toml.table_at(document, "project"), "optional-dependencies")
        chosen = with_groups(self.settings, groups, extras)
        return replace(self, settings=chosen.settings), chosen.added

    def check(self, app: App) -> tuple[Message, ...]:
        """Refuse a lock file without a valid `pyproject.toml`.

        Raises LockWithoutProject, NotAFile, UnreadableFile or UnreadableToml.
        """
        check_lock_and_source(app, LOCK, PYPROJECT, "PDM")
        toml.read(app.directory / PYPROJECT)
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that PDM has to export the lock file, with the fingerprint of its inputs."""
        directory = app.directory
        program = Program.chosen("pdm", self.settings.pdm)
        inputs = fingerprint.of_lock_reader(
            self,
            python,
            (program.chosen_release, fingerprint.project_digest(directory, is_editable=True)),
            fingerprint.variables(environ, "PDM_"),
            fingerprint.files(directory, (LOCK, _SETTINGS)),
            fingerprint.local_sources(directory / LOCK, _LOCAL_SOURCE, app.top),
        )
        return NeedsResolving(f"only PDM reads {LOCK}", inputs, f"Exporting {LOCK} with PDM")

    def exporter(self, context: InstallContext, run: Run) -> Exporter:
        """Return PDM for this build."""
        from cnb_python.managers.pdm.export import PdmExport  # noqa: PLC0415 - heavy

        return PdmExport(self.settings, self.processor, context, run)
