"""What the managers with a lock file have in common: their settings, refusals and installation.

Imported by unchanged builds; what exports or installs is imported when something changed.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cnb_python.app import App
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.locks import LockWithoutProject
from cnb_python.managers.base import InstallContext, PackageIndexes, Pin, Resolution
from cnb_python.system.interface import Run


def check_lock_and_source(app: App, lock: str, source: str, tool: str) -> None:
    """Refuse a *lock* that is not a readable file, or lacks the *source* that it is made from.

    *tool*: as users write it, `Poetry`. Raises NotAFile, UnreadableFile or LockWithoutProject.
    """
    app.content(lock)
    if source not in app.names:
        raise LockWithoutProject(lock, source, tool)


@dataclass(frozen=True, slots=True)
class LockManager:
    """A manager that reads a lock file for the app's Python and this machine."""

    settings: Settings = DEFAULTS
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""


class Exporter(Protocol):
    """The tool of one build: it exports the lock file."""

    def resolve(self) -> Resolution:
        """Return what the lock file holds. Raises the tool's failure."""
        ...

    def install(self, pins: Sequence[Pin]) -> frozenset[str]:
        """See `Manager`. Raises uv's or the tool's failure."""
        ...

    def package_indexes(self) -> PackageIndexes:
        """See `Manager`."""
        ...


@dataclass(frozen=True, slots=True)
class ExportingManager(LockManager, ABC):
    """A manager whose own tool exports its lock file; uv installs what the export names."""

    @abstractmethod
    def exporter(self, context: InstallContext, run: Run) -> Exporter:
        """Return the manager's tool for this build."""

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Return what the lock file holds. Raises the tool's failure."""
        return self.exporter(context, run).resolve()

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """See `Manager`. Raises uv's or the tool's failure."""
        del resolution
        return self.exporter(context, run).install(pins)

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        """See `Manager`: those that the lock file names."""
        del resolution
        return self.exporter(context, run).package_indexes()


class IndexesOfUv:
    """A manager whose packages come from the indexes of uv's settings, or pip's."""

    __slots__ = ()

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        """See `Manager`. Raises UnreadablePipConfig."""
        del resolution, run
        from cnb_python.managers import index_config  # noqa: PLC0415 - only where ages are checked

        variables = index_config.indexes_of_uv(context.environ, context.app_dir)
        return index_config.package_indexes(variables)


class InstalledByUv(IndexesOfUv):
    """A manager whose packages uv installs with uv's own settings, or pip's where uv has none."""

    __slots__ = ()

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """See `Manager`. Raises uv's failure."""
        del resolution
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv.required_version import with_required_uv  # noqa: PLC0415 - heavy

        own = uv.own_context(context, as_pip=True)
        return uv.install(pins, own, with_required_uv(context, run), uv.OWN)
