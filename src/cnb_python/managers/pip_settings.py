"""pip's settings besides the app's files: `PIP_*` variables and `pip.conf`.

https://pip.pypa.io/en/stable/topics/configuration/
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SYSTEM_FILES = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
# The sections that count for `pip install`, the stronger one last.
SECTIONS = ("global", "install")
_CONFIG_DIRS = "XDG_CONFIG_DIRS"
_PREFIX = "PIP_"
# pip ignores these variables.
_IGNORED = frozenset({"version", "help", "config-file"})


class PipSettings(NamedTuple):
    """The settings that pip reads, apart from its command line."""

    options: Mapping[str, str]
    """Value by the name of a long option: `index-url`. Without empty values."""
    unreadable: str
    """The configuration file that pip could not read; empty if it could read all."""


def read_pip_settings(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = SYSTEM_FILES
) -> PipSettings:
    """Return the settings of a pip that runs with *environ*."""
    settings: dict[str, str] = {}
    by_section: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for file in configuration_files(environ, system_files):
        contents = _contents(file)
        if contents is None:
            return PipSettings({}, str(file))
        for section, options in contents.items():
            by_section[section] |= options
    for options in (*by_section.values(), _variables(environ)):
        # An empty value does not hide a weaker one.
        settings |= {name: value for name, value in options.items() if value}
    return PipSettings(settings, "")


def configuration_files(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = SYSTEM_FILES
) -> Iterator[Path]:
    """Yield the files that pip reads, the stronger later, whether they exist or not.

    An existing PIP_CONFIG_FILE replaces those of the user. A virtual environment may have a file
    too, but the build's has not.
    """
    chosen = environ.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return
    if directories := environ.get(_CONFIG_DIRS, "").strip():
        yield from (
            Path(directory, "pip/pip.conf")
            for directory in directories.split(os.pathsep)
            if directory
        )
    yield from system_files
    if chosen and Path(chosen).exists():
        yield Path(chosen)
        return
    home = environ.get("HOME", "")
    if home:
        yield Path(home, ".pip/pip.conf")
    if config_home := environ.get("XDG_CONFIG_HOME", "").strip():
        yield Path(config_home, "pip/pip.conf")
    elif home:
        yield Path(home, ".config/pip/pip.conf")


def _contents(file: Path) -> dict[str, dict[str, str]] | None:
    """Return the options of *file* by section; None if pip could not read it."""
    if not file.is_file():
        return {}
    import configparser  # noqa: PLC0415 - most builds have no such file

    parser = configparser.RawConfigParser()
    parser.optionxform = _option  # type: ignore[assignment,method-assign]  # as the documentation of configparser has it
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except OSError, UnicodeDecodeError, configparser.Error:
        return None
    return {section: dict(parser.items(section)) for section in SECTIONS if section in parser}


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    options = {
        _option(name.removeprefix(_PREFIX)): value
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    return {name: value for name, value in options.items() if name not in _IGNORED}


def variable_name(name: str) -> str:
    """Return the usual spelling of pip's variable *name*; other names are returned as they are.

    pip ignores case behind `PIP_`, and treats - and _ alike.
    """
    return name.upper().replace("-", "_") if name.startswith(_PREFIX) else name


def _option(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")
