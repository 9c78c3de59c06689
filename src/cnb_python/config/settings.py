"""Every setting: what a user may choose, by a `BP_*` variable or in `[tool.cnb-python]`.

To add one: a field with its default in `Settings`, a row in `TABLE`, `make docs`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.config import loading
from cnb_python.config.kinds import Directory, Flag, Names, OneOf, Origin, Setting, Text
from cnb_python.errors.settings import BadSettings

VERSION = "BP_PYTHON_VERSION"
LAYOUT = "BP_PYTHON_LAYOUT"
INSTALLER = "BP_PYTHON_INSTALLER"
BUILD = "BP_PYTHON_BUILD"
COLLECTSTATIC = "BP_PYTHON_COLLECTSTATIC"
STICKY = "BP_PYTHON_STICKY"
MIRROR = "BP_PYTHON_MIRROR"
PROJECT = "BP_PYTHON_PROJECT"

LINKED, MERGED = "linked", "merged"
AUTO, PIP, UV = "auto", "pip", "uv"
MANAGERS = (AUTO, PIP, "pipenv", "poetry", UV, "pdm", "pylock", "project")

TABLE: tuple[Setting, ...] = (
    Setting(
        "python",
        VERSION,
        Text("3.14"),
        "The app's Python. It comes before every file that names one.",
    ),
    Setting(
        "sticky",
        STICKY,
        Flag(),
        "An app that names no Python stays on the line of its previous build when the default "
        "moves on, and prefers it within a range.",
    ),
    Setting(
        "manager",
        "BP_PYTHON_MANAGER",
        OneOf(MANAGERS),
        "Whose files say what is installed, where the app has those of several package managers.",
    ),
    Setting(
        "poetry",
        "BP_PYTHON_POETRY",
        Text("2.1.3"),
        "The release of Poetry that reads the lock, or a range. It comes before "
        "`requires-poetry`.",
    ),
    Setting(
        "pipenv",
        "BP_PYTHON_PIPENV",
        Text("2026.0.3"),
        "The release of Pipenv that reads the lock, or a range.",
    ),
    Setting(
        "pdm",
        "BP_PYTHON_PDM",
        Text("2.26.0"),
        "The release of PDM that reads the lock, or a range.",
    ),
    Setting(
        "requirements",
        "BP_PYTHON_REQUIREMENTS",
        Names(("requirements/base.txt", "requirements/web.txt")),
        "Requirements files that pip reads together, in place of `requirements.txt`.",
    ),
    Setting(
        "groups",
        "BP_PYTHON_GROUPS",
        Names(("web", "worker")),
        "Dependency groups that are installed besides what the app always needs.",
    ),
    Setting(
        "extras",
        "BP_PYTHON_EXTRAS",
        Names(("postgres", "s3")),
        "Extras of the app's own project that are installed too.",
    ),
    Setting(
        "project",
        PROJECT,
        Directory("services/api"),
        "The directory of the app in a repository of several. The rest of the repository is in "
        "the image too.",
    ),
    Setting(
        "installer",
        INSTALLER,
        OneOf((AUTO, PIP, UV)),
        "Who installs a `requirements.txt`: uv where it must agree with pip and else pip "
        "(`auto`), or always the one that is named.",
    ),
    Setting(
        "layout",
        LAYOUT,
        OneOf((LINKED, MERGED)),
        "One layer for each share of the packages, so that one change moves little (`linked`), "
        "or one layer of ordinary files (`merged`).",
    ),
    Setting(
        "build",
        BUILD,
        Flag(),
        "Later buildpacks see Python and the packages while they build.",
    ),
    Setting(
        "collectstatic",
        COLLECTSTATIC,
        Flag(),
        "Django's static files are collected while the image is built. On where it is not said.",
    ),
    Setting(
        "keep",
        "BP_PYTHON_KEEP",
        Names((".git", ".venv")),
        "Names, or paths from the top of the app, of what stays in the image although it usually "
        "has no place there: virtual environments, bytecode, `.git`.",
    ),
    Setting(
        "mirror",
        MIRROR,
        Text("https://mirror.example.org/python"),
        "Where Python releases come from: the address or path of a directory with the same files "
        "as python-build-standalone's downloads, or of a table of your own (`.../python.toml`).",
    ),
)


class Settings(NamedTuple):
    """What was chosen; a field is called as its setting, its default is the setting's."""

    python: str = ""
    sticky: bool = False
    manager: str = AUTO
    poetry: str = ""
    pipenv: str = ""
    pdm: str = ""
    requirements: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    project: str = ""
    """Relative to the top of the app, without a slash at its end; empty: the top."""
    installer: str = AUTO
    layout: str = LINKED
    build: bool = False
    collectstatic: bool = True
    keep: tuple[str, ...] = ()
    mirror: str = ""
    origins: Mapping[str, Origin] = MappingProxyType({})
    """Who gave each setting that was given, by its name."""

    @property
    def decider(self) -> str:
        """The manager that was chosen, by its name: requirements files are for pip alone."""
        return PIP if self.manager == AUTO and self.requirements else self.manager

    def named(self, name: str) -> str:
        """Return what to call setting *name* in a message: who gave it, or else its variable."""
        variable = next(one.variable for one in TABLE if one.name == name)
        origin = self.origins.get(name)
        return f"{name} ({origin})" if origin and origin.name != variable else variable


DEFAULTS = Settings()


def read_settings(environ: Mapping[str, str], app_dir: Path) -> Settings:
    """Return what *environ* and the `pyproject.toml` of the app in *app_dir* choose.

    A variable comes before `pyproject.toml`, and that of the directory `project` before the one
    at the top. An empty variable chooses nothing. Raises UnknownSettings, BadSettings and
    UnreadableToml.
    """
    found = loading.read(TABLE, environ, app_dir)
    values = {name: one.value for name, one in found.items()}
    origins = {name: one.origin for name, one in found.items()}
    # `_make` takes them as they come: the kinds in TABLE give what the fields hold (a test).
    settings = Settings._make(
        values.get(name, default) for name, default in DEFAULTS._asdict().items()
    )._replace(origins=origins)
    if settings.requirements and settings.decider != PIP:
        files, chosen = found["requirements"], settings.named("manager")
        expected = f"none, or {chosen} as {PIP}: {settings.manager} reads no requirements files"
        raise BadSettings((("requirements", str(files.origin), files.found, expected),))
    return settings


def effective(settings: Settings) -> tuple[str, ...]:
    """Return a line for each value that is not the default, with who gave it."""
    defaults = DEFAULTS._asdict()
    return tuple(
        loading.line(name, value, settings.origins.get(name))
        for name, value in settings._asdict().items()
        if name != "origins" and value != defaults[name]
    )
