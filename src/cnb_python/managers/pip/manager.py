"""pip: `requirements.txt`, installed by uv where that cannot make a difference, else by pip.

What installs is imported when something is: its imports take as long as a build that changes
nothing.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.app import REQUIREMENTS, App
from cnb_python.config.settings import DEFAULTS, PIP, UV, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.config import NoSuchRequirements
from cnb_python.managers import requirement_lines, uv_settings
from cnb_python.managers.base import Advice, InstallContext, NeedsResolving, Pin, Resolution
from cnb_python.managers.pip import pinned
from cnb_python.system.interface import Command, Outcome, Run

_INCLUDES = re.compile(rb"^\s*(-r|-c|--requirement|--constraint)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pip:
    """Apps with a `requirements.txt`."""

    settings: Settings = DEFAULTS
    name: str = "pip"
    deciding_file: str = REQUIREMENTS
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the files that a setting names, else the app's requirements file, if any."""
        if self.settings.requirements:
            return self.settings.requirements
        return (REQUIREMENTS,) if REQUIREMENTS in app.names else ()

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse a file that pip would misread; warn of one that others do.

        Raises NoSuchRequirements, NotAFile, UnreadableFile, NotUtf8 or UnknownEncoding.
        """
        contents = self._contents(app)
        for name, content in contents.items():
            requirement_lines.check_encoding(app.shown(name), content)
            if _INCLUDES.search(content):
                _check_includes(app.directory / name)
        wide = tuple(
            Advice(
                f"{name} is not UTF-8 text",
                f"{name} is saved as UTF-16, as PowerShell's > does. pip reads it, but many other "
                "tools do not. Save it as UTF-8, in PowerShell: "
                f"(Get-Content {name}) | Set-Content -Encoding utf8 {name}",
            )
            for name, content in contents.items()
            if requirement_lines.is_wide(content)
        )
        return (*wide, *self._without_effect())

    def _without_effect(self) -> Iterator[Advice]:
        """Yield what to say of settings that mean nothing to requirements files."""
        for name in ("groups", "extras"):
            if chosen := getattr(self.settings, name):
                yield Advice(
                    f"{self.settings.named(name)} has no effect",
                    f"Requirements files know no {name}, so nothing is installed for "
                    f"{', '.join(chosen)}. Name more files in place of it: "
                    f"{self.settings.named('requirements')}=requirements.txt,more.txt",
                )

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return what the app's files alone decide for *python*, installed by uv.

        *environ* is what a manager's processes would be given.
        """
        planned = self._plan(self._contents(app), app.directory, python, environ)
        return planned if isinstance(planned, NeedsResolving) else planned.resolution

    def install_pinned(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> str:
        """Have uv install *pins* of what `pins` returned; return why it did not, or nothing.

        Raises DiskFull or Killed: those explain whatever else is said.
        """
        del decision
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        planned = self._planned(place)
        if isinstance(planned, NeedsResolving):
            return planned.reason
        return pip_install.try_exactly(pins, planned.network, self.processor, place, run)

    def resolve_and_install(self, place: InstallContext, run: Run) -> Resolution:
        """Decide and install in one go. Raises what pip, or uv, says went wrong."""
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        return pip_install.resolve_and_install(self._files, place, run, by_uv=self._by_uv)

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Decide without installing. Raises what pip, or uv, says went wrong."""
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        return pip_install.resolve(self._files, place, run, by_uv=self._by_uv)

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins* of *decision*. Raises what the tool says went wrong."""
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        planned = self._planned(place) if decision.from_files_alone else None
        if isinstance(planned, pinned.PinnedPlan):
            pip_install.install_exactly(pins, planned.network, place, run)
        else:
            pip_install.install_decided(self._files, decision, pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why pip failed. Asks it again where its first answer does not tell."""
        from cnb_python.managers.pip import install as pip_install  # noqa: PLC0415 - see above

        return pip_install.explain(self._files, command, outcome, place, run)

    @property
    def _files(self) -> tuple[str, ...]:
        return self.settings.requirements or (REQUIREMENTS,)

    def _contents(self, app: App) -> dict[str, bytes]:
        """Return the requirements files by their names. Raises what `check` does."""
        contents = {name: app.bytes_of(name) for name in self._files}
        missing = tuple(app.shown(name) for name, content in contents.items() if content is None)
        if missing and self.settings.requirements:
            raise NoSuchRequirements(missing, app.requirements_variants())
        return {name: content or b"" for name, content in contents.items()}

    @property
    def _by_uv(self) -> bool:
        return self.settings.installer == UV

    def _plan(
        self,
        contents: Mapping[str, bytes],
        app_dir: Path,
        python: str,
        environ: Mapping[str, str],
    ) -> pinned.PinnedPlan | NeedsResolving:
        if self.settings.installer == PIP:
            return NeedsResolving(f"{self.settings.named('installer')} says so")
        if self._by_uv:
            if uv_settings.is_configured(environ, app_dir):
                return NeedsResolving("uv has settings of its own")
            # Those of pip do not concern uv.
            environ = {name: environ[name] for name in environ if not name.startswith("PIP_")}
            environ["PIP_CONFIG_FILE"] = os.devnull
        return pinned.plan(contents, python, self.processor, environ)

    def _planned(self, place: InstallContext) -> pinned.PinnedPlan | NeedsResolving:
        contents = {name: (place.app_dir / name).read_bytes() for name in self._files}
        return self._plan(contents, place.app_dir, place.python, place.environ)


def _check_includes(file: Path) -> None:
    """Raise NotAFile where *file* includes what nobody can read to its end."""
    for _ in requirement_lines.read_lines(file, {}):
        pass
