"""Every setting: what a user may choose, by a `BP_*` variable or in `[tool.cnb-python]`.

To add one: a field with its default in `Settings`, a row in `TABLE`, `make docs`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.kinds import (
    Directory,
    Flag,
    Names,
    OneOf,
    Setting,
    SettingOrigin,
    Text,
    Value,
    displayed,
    written,
)
from cnb_python.errors.config import BadSettings, UnknownSettings
from cnb_python.errors.inputs import UnreadableFile

FILE = "pyproject.toml"
TOOL = "cnb-python"
PREFIX = "BP_PYTHON_"
_PROJECT = "project"

# Most apps have a pyproject.toml, and few of them choose anything: those are not parsed here.
_MENTIONED = re.compile(rb"cnb.{0,2}python", re.IGNORECASE)


class GivenValue(NamedTuple):
    """A value that somebody gave a setting."""

    setting: Setting
    origin: SettingOrigin
    found: str
    """As it is written."""
    expected: str
    value: Value | None
    """None: it is none that the setting may have."""


class _UnknownName(NamedTuple):
    """A name that is no setting's."""

    name: str
    origin: SettingOrigin
    likely: str
    """The setting that was probably meant; empty: none is similar."""


def read_given(
    table: tuple[Setting, ...], environ: Mapping[str, str], app_dir: Path
) -> Mapping[str, GivenValue]:
    """Return what counts for each setting of *table* that was given, by its name.

    Raises UnknownSettings or BadSettings with all of them, UnreadableToml and UnreadableFile.
    """
    variables = list(_variables(table, environ))
    top = list(_file(table, app_dir, FILE))
    found = _by_name((*top, *variables))
    below = []
    if (project := found.get(_PROJECT)) and project.value:
        below = list(_file(table, app_dir, f"{project.value}/{FILE}", without=_PROJECT))
    _refuse((*variables, *top, *below), table)
    return _by_name((*top, *below, *variables))


def setting_line(name: str, value: Value, origin: SettingOrigin | None) -> str:
    """Return what to show of a value that counts: `layout = merged, by BP_PYTHON_LAYOUT`."""
    by = f", by {origin}" if origin else ""
    return f"{name} = {displayed(value)}{by}"


def _by_name(said: Iterable[GivenValue | _UnknownName]) -> dict[str, GivenValue]:
    """Return the last of each."""
    return {one.setting.name: one for one in said if isinstance(one, GivenValue)}


def _refuse(found: Sequence[GivenValue | _UnknownName], table: tuple[Setting, ...]) -> None:
    if unknown := [one for one in found if isinstance(one, _UnknownName)]:
        raise UnknownSettings(
            tuple((one.name, str(one.origin), one.likely) for one in unknown),
            tuple((one.name, one.variable) for one in table),
        )
    if wrong := [one for one in found if isinstance(one, GivenValue) and one.value is None]:
        raise BadSettings(
            tuple((one.setting.name, str(one.origin), one.found, one.expected) for one in wrong)
        )


def _variables(
    table: tuple[Setting, ...], environ: Mapping[str, str]
) -> Iterator[GivenValue | _UnknownName]:
    by_variable = {setting.variable: setting for setting in table}
    by_word = {name.removeprefix(PREFIX): name for name in by_variable}
    for name in sorted(environ):
        text = environ[name].strip()
        if not text:
            continue
        if setting := by_variable.get(name):
            kind = setting.kind
            yield GivenValue(
                setting, SettingOrigin(name), text, kind.in_variable, kind.from_text(text)
            )
        elif name.startswith(PREFIX):
            nearest = _nearest(name.removeprefix(PREFIX), by_word)
            yield _UnknownName(name, SettingOrigin(name), by_word.get(nearest, ""))


def _file(
    table: tuple[Setting, ...], app_dir: Path, name: str, without: str = ""
) -> Iterator[GivenValue | _UnknownName]:
    """Yield what the `pyproject.toml` *name* gives; *without* is no setting there."""
    content = _content(app_dir / name, name)
    if not _MENTIONED.search(content):
        return
    text = toml.decoded(content, Path(name))
    tools = toml.table_at(toml.parse(text, Path(name)), "tool")
    for key in tools:
        if key != TOOL and _MENTIONED.fullmatch(key.encode()):
            yield _UnknownName(
                f"[tool.{key}]", SettingOrigin(name, _line(text, key)), f"[tool.{TOOL}]"
            )
    chosen = tools.get(TOOL, {})
    if not isinstance(chosen, dict):
        yield _UnknownName(
            f"tool.{TOOL}", SettingOrigin(name, _line(text, TOOL)), f"[tool.{TOOL}]"
        )
        return
    yield from _keys(tuple(one for one in table if one.name != without), chosen, name, text)


def _keys(
    table: tuple[Setting, ...], chosen: TomlTable, name: str, text: str
) -> Iterator[GivenValue | _UnknownName]:
    by_name = {setting.name: setting for setting in table}
    by_word = by_name | {
        setting.variable.removeprefix(PREFIX).lower(): setting for setting in table
    }
    for key, value in chosen.items():
        origin = SettingOrigin(name, _line(text, key))
        if setting := by_name.get(key):
            yield _of_toml(setting, value, origin)
        else:
            nearest = _nearest(key.lower().replace("-", "_"), by_word)
            yield _UnknownName(key, origin, by_word[nearest].name if nearest else "")


def _of_toml(setting: Setting, value: TomlValue, origin: SettingOrigin) -> GivenValue:
    kind = setting.kind
    return GivenValue(setting, origin, written(value), kind.in_toml, kind.from_toml(value))


def _content(path: Path, name: str) -> bytes:
    """Return what the file *name* at *path* holds, nothing where there is no such file."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for misspelt names

    return next(iter(get_close_matches(name, known, n=1)), "")


def _line(text: str, key: str) -> int | None:
    """Return the line that most likely gives *key*, from 1: the parser does not say."""
    inside = False
    mention = re.compile(rf"""\s*(?:["']?[\w-]+["']?\s*\.\s*)*["']?{re.escape(key)}["']?\s*=""")
    for number, one in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\[?([^]]*)\]", one):
            inside = bool(_MENTIONED.search(header[1].encode()))
            if key in {part.strip(" \t\"'") for part in header[1].split(".")}:
                return number
        elif mention.match(one) and (inside or TOOL in one):
            return number
    return None


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
    origins: Mapping[str, SettingOrigin] = MappingProxyType({})
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
    found = read_given(TABLE, environ, app_dir)
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
        setting_line(name, value, settings.origins.get(name))
        for name, value in settings._asdict().items()
        if name != "origins" and value != defaults[name]
    )
