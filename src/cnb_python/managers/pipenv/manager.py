"""Pipenv: the app has a `Pipfile.lock`, which Pipenv exports and uv installs.

A `Pipfile` without its lock file is resolved in every build.

Separate from `registry`, since each package manager has its own package.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.errors.base import Message
from cnb_python.managers import fingerprint
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.managers.development.groups import with_groups
from cnb_python.managers.lock_manager import Exporter, ExportingManager, check_lock_and_source
from cnb_python.managers.tool import Program
from cnb_python.managers.tool_settings import read_pip_settings
from cnb_python.system.interface import Run

LOCK, PIPFILE = "Pipfile.lock", "Pipfile"
_NO_CATEGORIES = frozenset({"source", "packages", "requires", "scripts", "pipenv"})
# An entry with an address.
_FROM_URL = re.compile(rb'\{[^{}]*"file": "https?://[^{}]*\}')
_LOCAL_SOURCE = re.compile(r'"(?:path|file)": "(?!\w+://)([^"\n]+)"')


@dataclass(frozen=True, slots=True)
class Pipenv(ExportingManager):
    """Apps with a `Pipfile`, most of them with its lock file."""

    name: str = "pipenv"
    deciding_file: str = LOCK

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return those of `Pipfile.lock` and `Pipfile` that the app has."""
        return tuple(name for name in (LOCK, PIPFILE) if name in app.names)

    def with_development(self, app: App) -> tuple[Pipenv, tuple[str, ...]]:
        """See `Manager`: `[dev-packages]` is the group `dev`, and categories are groups.

        https://pipenv.pypa.io/en/latest/dependencies.html
        """
        pipfile = toml.parse(app.text(PIPFILE) or "", Path(PIPFILE))
        groups = ["dev" if name == "dev-packages" else name for name in pipfile if pipfile[name]]
        groups = [name for name in groups if name not in _NO_CATEGORIES]
        chosen = with_groups(self.settings, groups, ())
        return replace(self, settings=chosen.settings), chosen.added

    def check(self, app: App) -> tuple[Message, ...]:
        """Refuse a lock file without its `Pipfile`; warn about a `Pipfile` without lock file.

        Raises LockWithoutProject, NotAFile or UnreadableFile.
        """
        if LOCK in app.names:
            check_lock_and_source(app, LOCK, PIPFILE, "Pipenv")
        app.content(PIPFILE)
        if LOCK in app.names:
            return ()
        return (
            Message(
                f"{PIPFILE} pins nothing",
                (
                    (
                        f"The app has no {LOCK}, so each build installs the newest releases of "
                        f"that day. Run pipenv lock and commit {LOCK}: then every build installs "
                        "the same releases, and unchanged builds install nothing."
                    ),
                ),
            ),
        )

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that Pipenv has to export the lock file, with the fingerprint of its inputs."""
        if LOCK not in app.names:
            return NeedsResolving(f"there is no {LOCK}")
        directory = app.directory
        inputs = fingerprint.of_lock_reader(
            self,
            python,
            (Program.chosen("pipenv", self.settings.pipenv).chosen_release,),
            fingerprint.variables(environ, "PIPENV_"),
            (read_pip_settings(environ).options.get("no-binary", ""),),
            fingerprint.files(directory, (LOCK, PIPFILE)),
            fingerprint.local_sources(directory / LOCK, _LOCAL_SOURCE, app.top),
        )
        entries = _FROM_URL.findall(app.contents.get(LOCK, b""))
        if not all(b'"hashes"' in entry for entry in entries):
            # What is at its address may be replaced.
            inputs = ""
        return NeedsResolving(f"only Pipenv reads {LOCK}", inputs, f"Exporting {LOCK} with Pipenv")

    def exporter(self, context: InstallContext, run: Run) -> Exporter:
        """Return Pipenv for this build."""
        from cnb_python.managers.pipenv.export import PipenvExport  # noqa: PLC0415 - heavy

        return PipenvExport(self.settings, self.processor, context, run)
