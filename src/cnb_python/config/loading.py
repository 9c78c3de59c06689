"""Reads the settings from variables and `[tool.cnb-python]`.

Separate from `settings`, which is the table alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config import build_commands
from cnb_python.config.build_commands import BuildCommands
from cnb_python.config.kinds import (
    EnvironmentVariables,
    Setting,
    SettingOrigin,
    Value,
    as_toml,
    displayed,
)
from cnb_python.config.settings import DEFAULTS, FILE, PIP, PREFIX, TABLE, TOOL, Settings
from cnb_python.errors.config import BadSettings, UnknownSettings
from cnb_python.errors.inputs import UnreadableFile
from cnb_python.system import regular_file

_PROJECT = "project"
# In place of values that may be secrets.
_HIDDEN = "another value, not shown since it may contain secrets"
# Most apps have a pyproject.toml, and few of them use this table: only files that mention it are
# parsed here.
_MENTIONED = re.compile(rb"cnb.{0,2}python", re.IGNORECASE)


class _Given(NamedTuple):
    """A value that a variable or a file gives a setting."""

    setting: Setting
    origin: SettingOrigin
    text: str
    """As it is written."""
    expected: str
    value: Value | None
    """None: the setting cannot have this value."""


class _Unknown(NamedTuple):
    """A name that no setting has."""

    name: str
    origin: SettingOrigin
    likely: str
    """The setting that was probably meant; empty if no name is similar."""


def read_settings(environ: Mapping[str, str], app_dir: Path) -> Settings:
    """Return the settings from *environ* and the `pyproject.toml` of the app in *app_dir*.

    A variable wins over `pyproject.toml`, and that of the directory `project` over the one at the
    top. An empty variable has no effect. Raises UnknownSettings or BadSettings with all of them,
    UnreadableToml and UnreadableFile.
    """
    given = _read_given(environ, app_dir)
    values = {name: entry.value for name, entry in given.items()}
    origins = {name: entry.origin for name, entry in given.items()}
    # `_make` does not check types: a test holds the kinds in TABLE against the fields.
    settings = Settings._make(
        values.get(name, default) for name, default in DEFAULTS._asdict().items()
    )._replace(origins=origins)
    if settings.requirements and settings.decider != PIP:
        files, manager = given["requirements"], settings.named("manager")
        expected = f"none, or {manager} as {PIP}: {settings.manager} reads no requirements files"
        raise BadSettings((("requirements", str(files.origin), files.text, expected),))
    return settings


def effective(settings: Settings) -> tuple[str, ...]:
    """Return a line for each value that is not the default, with its origin in parentheses."""
    defaults = DEFAULTS._asdict()
    return tuple(
        _line(name, value, settings.origins.get(name))
        for name, value in settings._asdict().items()
        if name != "origins" and value != defaults[name]
    )


def _line(name: str, value: Value, origin: SettingOrigin | None) -> str:
    return f"{name} = {displayed(value)}{f' ({origin})' if origin else ''}"


def _read_given(environ: Mapping[str, str], app_dir: Path) -> Mapping[str, _Given]:
    """Return the value that counts for each setting that was given, by the setting's name."""
    variables = list(_variables(environ))
    top = list(_file(app_dir, FILE))
    project = _by_name((*top, *variables)).get(_PROJECT)
    inner = []
    if project and project.value:
        inner = list(_file(app_dir, f"{project.value}/{FILE}", without=_PROJECT))
    _refuse((*variables, *top, *inner))
    return _by_name((*top, *inner, *variables))


def _by_name(entries: Iterable[_Given | _Unknown]) -> dict[str, _Given]:
    """Return the last of *entries* for each setting, by the setting's name."""
    return {entry.setting.name: entry for entry in entries if isinstance(entry, _Given)}


def _refuse(entries: Sequence[_Given | _Unknown]) -> None:
    if unknown := [entry for entry in entries if isinstance(entry, _Unknown)]:
        raise UnknownSettings(
            tuple((entry.name, str(entry.origin), entry.likely) for entry in unknown),
            tuple((setting.name, setting.variable) for setting in TABLE),
        )
    given = (entry for entry in entries if isinstance(entry, _Given))
    wrong = _without_wholes([entry for entry in given if entry.value is None])
    if wrong:
        raise BadSettings(
            tuple(
                (entry.setting.name, str(entry.origin), entry.text, entry.expected)
                for entry in wrong
            )
        )


def _without_wholes(wrong: Sequence[_Given]) -> tuple[_Given, ...]:
    """Return *wrong* without settings of which a part is wrong."""
    wholes = {
        (entry.setting.name.partition(".")[0], entry.origin.name)
        for entry in wrong
        if "." in entry.setting.name
    }
    return tuple(entry for entry in wrong if (entry.setting.name, entry.origin.name) not in wholes)


def _variables(environ: Mapping[str, str]) -> Iterator[_Given | _Unknown]:
    by_variable = {setting.variable: setting for setting in TABLE}
    by_word = {name.removeprefix(PREFIX): name for name in by_variable}
    for name in sorted(environ):
        text = environ[name].strip()
        if not text:
            continue
        if setting := by_variable.get(name):
            kind = setting.kind
            written = _HIDDEN if isinstance(kind, EnvironmentVariables) else text
            origin = SettingOrigin(name)
            if isinstance(kind, BuildCommands):
                yield from _commands(setting, build_commands.table_of(text), origin)
            yield _Given(setting, origin, written, kind.in_variable, kind.from_text(text))
        elif name.startswith(PREFIX):
            nearest = _nearest(name.removeprefix(PREFIX), by_word)
            yield _Unknown(name, SettingOrigin(name), by_word.get(nearest, ""))


def _file(app_dir: Path, name: str, without: str = "") -> Iterator[_Given | _Unknown]:
    """Yield the entries of the `pyproject.toml` *name*, in which *without* is not a setting."""
    content = _content(app_dir / name, name)
    if not _MENTIONED.search(content):
        return
    text = toml.decoded(content, Path(name))
    tools = toml.table_at(toml.parse(text, Path(name)), "tool")
    for key in tools:
        if key != TOOL and _MENTIONED.fullmatch(key.encode()):
            origin = SettingOrigin(name, _line_number(text, key))
            yield _Unknown(f"[tool.{key}]", origin, f"[tool.{TOOL}]")
    table = tools.get(TOOL, {})
    if not isinstance(table, dict):
        origin = SettingOrigin(name, _line_number(text, TOOL))
        yield _Unknown(f"tool.{TOOL}", origin, f"[tool.{TOOL}]")
        return
    yield from _keys(table, name, text, without)


def _keys(table: TomlTable, name: str, text: str, without: str) -> Iterator[_Given | _Unknown]:
    settings = [setting for setting in TABLE if setting.name != without]
    by_name = {setting.name: setting for setting in settings}
    by_word = by_name | {
        setting.variable.removeprefix(PREFIX).lower(): setting for setting in settings
    }
    for key, value in table.items():
        origin = SettingOrigin(name, _line_number(text, key))
        # TOML files of Python projects mostly have hyphens.
        if setting := by_name.get(key.replace("-", "_")):
            if isinstance(setting.kind, BuildCommands):
                yield from _commands(setting, value, origin, text)
            yield _from_toml(setting, value, origin)
        else:
            nearest = _nearest(key.lower().replace("-", "_"), by_word)
            yield _Unknown(key, origin, by_word[nearest].name if nearest else "")


def _commands(
    setting: Setting, value: TomlValue | None, origin: SettingOrigin, text: str = ""
) -> Iterator[_Given]:
    """Yield an entry for each mistake in the tables *value*; *text*: the file, if it is one."""
    if not isinstance(value, dict):
        return
    for mistake in build_commands.mistakes(value):
        name = f"{setting.name}.{mistake.path}"
        line = _line_number(text, mistake.key) if text else None
        at = SettingOrigin(origin.name, line or origin.line)
        part = Setting(name, setting.variable, setting.kind, setting.meaning)
        yield _Given(part, at, mistake.text, mistake.expected, None)


def _from_toml(setting: Setting, value: TomlValue, origin: SettingOrigin) -> _Given:
    kind = setting.kind
    written = _HIDDEN if isinstance(kind, EnvironmentVariables) else as_toml(value)
    return _Given(setting, origin, written, kind.in_toml, kind.from_toml(value))


def _content(path: Path, name: str) -> bytes:
    """Return the content of the file *name* at *path*, empty if there is no such file."""
    try:
        return regular_file.read(path) if path.is_file() else b""
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for misspelt names

    return next(iter(get_close_matches(name, names, n=1)), "")


def _line_number(text: str, key: str) -> int | None:
    """Return the line, from 1, that most likely gives *key*: the parser has no line numbers."""
    is_inside = False
    mention = re.compile(rf"""\s*(?:["']?[\w-]+["']?\s*\.\s*)*["']?{re.escape(key)}["']?\s*=""")
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\[?([^]]*)\]", line):
            is_inside = bool(_MENTIONED.search(header[1].encode()))
            if key in {part.strip(" \t\"'") for part in header[1].split(".")}:
                return number
        elif mention.match(line) and (is_inside or TOOL in line):
            return number
    return None
