"""What an environment is made from, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.managers.manager import Manager
from cnb_python.project import Project


@dataclass(frozen=True, slots=True)
class EnvironmentRequest:
    """Everything the app's environment depends on."""

    project: Project
    manager: Manager
    interpreter: Path
    """The app's interpreter, by its final path: `.../layers/.../bin/python3.14`."""
    python: str
    """Its release: `3.14.6`."""
    tool: Path
    """The manager's own files: for pip a wheel, or the directory `pip` of an installation."""
    cache: Path | None
    """What the manager may keep between builds."""
    environ: Mapping[str, str]
    """The environment variables of the build phase."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A filled environment."""

    directory: Path
    site_packages: Path
    distributions: Mapping[str, str]
    """Version by normalised name of every installed distribution, in name order."""
