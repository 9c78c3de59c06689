"""Finds what was given for the settings of a table, and refuses what none of them may be."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.kinds import Origin, Setting, Value, displayed, written
from cnb_python.errors.inputs import UnreadableFile
from cnb_python.errors.settings import BadSettings, UnknownSettings

FILE = "pyproject.toml"
TOOL = "cnb-python"
PREFIX = "BP_PYTHON_"
PROJECT = "project"

# Most apps have a pyproject.toml, and few of them choose anything: those are not parsed here.
_MENTIONED = re.compile(rb"cnb.{0,2}python", re.IGNORECASE)


class Given(NamedTuple):
    """A value that somebody gave a setting."""

    setting: Setting
    origin: Origin
    found: str
    """As it is written."""
    expected: str
    value: Value | None
    """None: it is none that the setting may have."""


class _Unknown(NamedTuple):
    """A name that is no setting's."""

    name: str
    origin: Origin
    likely: str
    """The setting that was probably meant; empty: none is similar."""


def read(
    table: tuple[Setting, ...], environ: Mapping[str, str], app_dir: Path
) -> Mapping[str, Given]:
    """Return what counts for each setting of *table* that was given, by its name.

    Raises UnknownSettings or BadSettings with all of them, UnreadableToml and UnreadableFile.
    """
    variables = list(_variables(table, environ))
    top = list(_file(table, app_dir, FILE))
    found = _by_name((*top, *variables))
    below = []
    if (project := found.get(PROJECT)) and project.value:
        below = list(_file(table, app_dir, f"{project.value}/{FILE}", without=PROJECT))
    _refuse((*variables, *top, *below), table)
    return _by_name((*top, *below, *variables))


def line(name: str, value: Value, origin: Origin | None) -> str:
    """Return what to show of a value that counts: `layout = merged, by BP_PYTHON_LAYOUT`."""
    by = f", by {origin}" if origin else ""
    return f"{name} = {displayed(value)}{by}"


def _by_name(said: Iterable[Given | _Unknown]) -> dict[str, Given]:
    """Return the last of each."""
    return {one.setting.name: one for one in said if isinstance(one, Given)}


def _refuse(found: Sequence[Given | _Unknown], table: tuple[Setting, ...]) -> None:
    if unknown := [one for one in found if isinstance(one, _Unknown)]:
        raise UnknownSettings(
            tuple((one.name, str(one.origin), one.likely) for one in unknown),
            tuple((one.name, one.variable) for one in table),
        )
    if wrong := [one for one in found if isinstance(one, Given) and one.value is None]:
        raise BadSettings(
            tuple((one.setting.name, str(one.origin), one.found, one.expected) for one in wrong)
        )


def _variables(
    table: tuple[Setting, ...], environ: Mapping[str, str]
) -> Iterator[Given | _Unknown]:
    by_variable = {setting.variable: setting for setting in table}
    by_word = {name.removeprefix(PREFIX): name for name in by_variable}
    for name in sorted(environ):
        text = environ[name].strip()
        if not text:
            continue
        if setting := by_variable.get(name):
            kind = setting.kind
            yield Given(setting, Origin(name), text, kind.in_variable, kind.from_text(text))
        elif name.startswith(PREFIX):
            nearest = _nearest(name.removeprefix(PREFIX), by_word)
            yield _Unknown(name, Origin(name), by_word.get(nearest, ""))


def _file(
    table: tuple[Setting, ...], app_dir: Path, name: str, without: str = ""
) -> Iterator[Given | _Unknown]:
    """Yield what the `pyproject.toml` *name* gives; *without* is no setting there."""
    content = _content(app_dir / name, name)
    if not _MENTIONED.search(content):
        return
    text = toml.decoded(content, Path(name))
    tools = toml.table_at(toml.parse(text, Path(name)), "tool")
    for key in tools:
        if key != TOOL and _MENTIONED.fullmatch(key.encode()):
            yield _Unknown(f"[tool.{key}]", Origin(name, _line(text, key)), f"[tool.{TOOL}]")
    chosen = tools.get(TOOL, {})
    if not isinstance(chosen, dict):
        yield _Unknown(f"tool.{TOOL}", Origin(name, _line(text, TOOL)), f"[tool.{TOOL}]")
        return
    yield from _keys(tuple(one for one in table if one.name != without), chosen, name, text)


def _keys(
    table: tuple[Setting, ...], chosen: TomlTable, name: str, text: str
) -> Iterator[Given | _Unknown]:
    by_name = {setting.name: setting for setting in table}
    by_word = by_name | {
        setting.variable.removeprefix(PREFIX).lower(): setting for setting in table
    }
    for key, value in chosen.items():
        origin = Origin(name, _line(text, key))
        if setting := by_name.get(key):
            yield _of_toml(setting, value, origin)
        else:
            nearest = _nearest(key.lower().replace("-", "_"), by_word)
            yield _Unknown(key, origin, by_word[nearest].name if nearest else "")


def _of_toml(setting: Setting, value: TomlValue, origin: Origin) -> Given:
    kind = setting.kind
    return Given(setting, origin, written(value), kind.in_toml, kind.from_toml(value))


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
