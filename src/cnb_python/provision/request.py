"""What one build is to provide."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from cnb_python.app import Project
from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.env import EnvDelta
from cnb_python.cnb.plan import PYTHON, merged
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.layers.cache_keys import EnvironmentKey, OutcomeKey, environment_key, outcome_key
from cnb_python.layers.python import Runtime
from cnb_python.layers.venv_env import launch_environment
from cnb_python.layout.names import VENV
from cnb_python.managers.base import Manager
from cnb_python.managers.resolution import Decision
from cnb_python.python.releases import Release

_PROJECT = "project.toml"


def asked_by(context: BuildContext, settings: Settings) -> str:
    """Return who asked, as a phrase: `the setting BP_PYTHON_BUILD`; empty where nobody did."""
    if settings.build:
        return f"the setting {settings.named('build')}"
    if True in merged(context.plan, PYTHON).get("build", ()):
        return "another buildpack"
    if _adds_buildpacks(context):
        return f"the buildpacks that {_PROJECT} adds"
    return ""


def _adds_buildpacks(context: BuildContext) -> bool:
    """Whether the app's project descriptor adds buildpacks, which cannot say what they need.

    https://github.com/buildpacks/spec/blob/main/extensions/project-descriptor.md
    """
    path = context.app_dir / _PROJECT
    try:
        table = toml.read(path) if path.is_file() else {}
    except UnreadableToml:
        return False  # pack has read it before us, and says so
    buildpacks = toml.table_at(toml.table_at(table, "io"), "buildpacks")
    own, after = buildpacks.get("group"), toml.table_at(buildpacks, "post").get("group")
    # A group in place of the builder's has us in it.
    return bool(after) or (isinstance(own, list) and len(own) > 1)


class Job(NamedTuple):
    """Python and the packages of an app."""

    project: Project
    manager: Manager
    runtime: Runtime
    settings: Settings
    context: BuildContext
    demand: str
    """Who else wants to see Python and the packages, as a phrase; empty: nobody."""
    tools: str
    """The tools that install, with their versions: `pip 26.3, uv 0.13.8`."""

    @property
    def release(self) -> Release:
        """The app's Python."""
        return self.runtime.release

    @property
    def contents_key(self) -> EnvironmentKey:
        """What everything that is installed depends on."""
        return environment_key(
            self.runtime.release, self.context, self.tools, self.project.directory
        )

    @property
    def outcome_key(self) -> OutcomeKey:
        """What else the image's environment depends on."""
        return outcome_key(self.manager.name, self.settings, self.context)

    def env(self, distributions: Mapping[str, str]) -> tuple[EnvDelta, ...]:
        """Return the variables of the app's processes, with *distributions* installed."""
        venv = self.context.layers_dir / VENV
        return launch_environment(self.project.directory, venv, distributions)


def decision_digest(decision: Decision) -> str:
    """Return a SHA-256 in hex over everything that was decided."""
    text = "\n".join("\0".join(map(repr, pin)) for pin in decision.pins)
    return hashlib.sha256(text.encode()).hexdigest()


def env_digest(env: tuple[EnvDelta, ...]) -> str:
    """Return a SHA-256 in hex over variables."""
    return hashlib.sha256(repr(env).encode()).hexdigest()
