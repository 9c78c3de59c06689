"""Apps with requirements files: installed by uv if the result is the same, else by pip.

What installs is imported only for that: its imports take as long as an unchanged build.

Separate from `registry`, since each package manager has its own package.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnb_python.app import REQUIREMENTS, App
from cnb_python.config.settings import DEFAULTS, PIP, UV, Settings
from cnb_python.errors.base import Message
from cnb_python.errors.config import NoSuchRequirements
from cnb_python.managers import requirement_lines, tool_settings
from cnb_python.managers.base import (
    InstallContext,
    NeedsResolving,
    PackageIndexes,
    Pin,
    PinsRefused,
    Resolution,
)
from cnb_python.managers.development import requirement_groups
from cnb_python.managers.development.groups import requirements_files, with_groups
from cnb_python.managers.pip import pinned
from cnb_python.system import regular_file
from cnb_python.system.interface import Run

_GROUPS = "dependency-groups.txt"
_INCLUDES = re.compile(rb"^\s*(-r|-c|--requirement|--constraint)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pip:
    """The manager of apps with a `requirements.txt`, or the file of the same form of Rye."""

    settings: Settings = DEFAULTS
    name: str = "pip"
    deciding_file: str = REQUIREMENTS
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""
    dependency_groups: tuple[str, ...] = ()
    """Groups in pyproject.toml that are read like a requirements file."""

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the files that the setting names, else the deciding one if *app* has it."""
        if self.settings.requirements or self.dependency_groups:
            own = (requirement_groups.PYPROJECT,) if self.dependency_groups else ()
            return (*self.settings.requirements, *own)
        return (self.deciding_file,) if self.deciding_file in app.names else ()

    def with_development(self, app: App) -> tuple[Pip, tuple[str, ...]]:
        """See `Manager`: the requirements files and dependency groups for development alone.

        Raises UnreadableToml.
        """
        files = requirements_files(self.settings, self._files, app)
        names = requirement_groups.declared(app.directory)
        chosen = with_groups(
            self.settings._replace(groups=(), extras=(), dev_extras=()), names, ()
        )
        settings = self.settings._replace(requirements=files)
        whole = replace(self, settings=settings, dependency_groups=chosen.settings.groups)
        return whole, (*files, *chosen.added)

    def check(self, app: App) -> tuple[Message, ...]:
        """Refuse files that pip would misread; warn of UTF-16 and of settings without effect.

        Raises NoSuchRequirements, NotAFile, UnreadableFile, NotUtf8, UnknownEncoding or
        TooManyIncludes.
        """
        contents = self._contents(app)
        for name, content in contents.items():
            requirement_lines.check_encoding(app.shown(name), content)
            if _INCLUDES.search(content):
                requirement_lines.check_includes(app.directory / name, {})
        wide = tuple(
            Message(
                f"{name} is not UTF-8 text",
                (
                    (
                        f"{name} is saved as UTF-16, as PowerShell's > does. pip reads it, but "
                        "many other tools do not. Save it as UTF-8, in PowerShell: "
                        f"(Get-Content {name}) | Set-Content -Encoding utf8 {name}"
                    ),
                ),
            )
            for name, content in contents.items()
            if requirement_lines.is_wide(content)
        )
        return (*wide, *self._without_effect())

    def _without_effect(self) -> Iterator[Message]:
        """Yield a warning for each setting that has no effect on requirements files."""
        for name in ("groups", "extras"):
            if chosen := getattr(self.settings, name):
                yield Message(
                    f"{self.settings.named(name)} has no effect",
                    (
                        (
                            f"Requirements files have no {name}, so nothing is installed for "
                            f"{', '.join(chosen)}. Name more files instead: "
                            f"{self.settings.named('requirements')}=requirements.txt,more.txt"
                        ),
                    ),
                )

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return the resolution of fully pinned files for *python*, which uv installs.

        *environ* is that of a manager's processes.
        """
        plan = self._plan_of(self._contents(app), app.directory, python, environ)
        return plan if isinstance(plan, NeedsResolving) else plan.resolution

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Resolve without installing. Raises the failure that pip, or uv, reports."""
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        return pip_install.resolve(self._written(context), context, run, by_uv=self._by_uv)

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """See `Manager`. Raises the failure that the tool reports, and PinsRefused."""
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        if not resolution.from_files_alone:
            files = self._written(context)
            return pip_install.install_resolved(files, resolution, pins, context, run)
        plan = self._plan(context)
        if isinstance(plan, NeedsResolving):
            raise PinsRefused(plan.reason)
        return pip_install.install_pinned(pins, plan.network, self.processor, context, run)

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        """See `Manager`: those of the requirements files, and of the settings."""
        del run
        from cnb_python.managers import index_config  # noqa: PLC0415 - see above
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        plan = self._plan(context) if resolution.from_files_alone else None
        if isinstance(plan, pinned.PinnedPlan):
            return index_config.package_indexes(
                index_config.clean_variables(context.environ, plan.network)
            )
        lines = pip_install.finding_lines(self._files, context)
        if resolution.by == UV:
            variables = index_config.indexes_of_uv(context.environ, context.app_dir, lines)
            return index_config.package_indexes(variables)
        # pip knows nothing of uv's variables.
        own = {
            name: value for name, value in context.environ.items() if not name.startswith("UV_")
        }
        return index_config.package_indexes(index_config.exported_index_variables(lines, own))

    @property
    def _files(self) -> tuple[str, ...]:
        own = () if self.dependency_groups else (self.deciding_file,)
        return self.settings.requirements or own

    def _written(self, context: InstallContext) -> tuple[str, ...]:
        """Return the files, with one for the dependency groups."""
        if not self.dependency_groups:
            return self._files
        file = context.scratch / _GROUPS
        text = requirement_groups.text(context.app_dir, self.dependency_groups)
        file.write_text(text, encoding="utf-8")
        return (*self._files, str(file))

    def _of_groups(self, directory: Path) -> dict[str, bytes]:
        if not self.dependency_groups:
            return {}
        text = requirement_groups.text(directory, self.dependency_groups)
        return {requirement_groups.SHOWN: text.encode()}

    def _contents(self, app: App) -> dict[str, bytes]:
        """Return the requirements files by their names. Raises what `check` does."""
        contents = {name: app.bytes_of(name) for name in self._files}
        missing = tuple(app.shown(name) for name, content in contents.items() if content is None)
        if missing and self.settings.requirements:
            raise NoSuchRequirements(missing, app.requirements_variants())
        of_files = {name: content or b"" for name, content in contents.items()}
        return {**of_files, **self._of_groups(app.directory)}

    @property
    def _by_uv(self) -> bool:
        return self.settings.installer == UV

    def _plan_of(
        self,
        contents: Mapping[str, bytes],
        app_dir: Path,
        python: str,
        environ: Mapping[str, str],
    ) -> pinned.PinnedPlan | NeedsResolving:
        if self.settings.installer == PIP:
            return NeedsResolving(f"{self.settings.named('installer')} is pip")
        if self._by_uv and tool_settings.uv_is_configured(environ, app_dir):
            return NeedsResolving("uv has settings of its own")
        return pinned.plan(contents, python, self.processor, environ, by_uv=self._by_uv)

    def _plan(self, context: InstallContext) -> pinned.PinnedPlan | NeedsResolving:
        contents = {name: regular_file.read(context.app_dir / name) for name in self._files}
        contents |= self._of_groups(context.app_dir)
        return self._plan_of(contents, context.app_dir, context.python, context.environ)
