"""Everything besides the app's files that pip would read: `PIP_*` variables and pip.conf.

https://pip.pypa.io/en/stable/topics/configuration/
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SYSTEM_FILES = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
_CONFIG_DIRS = "XDG_CONFIG_DIRS"
# The sections that count for `pip install`; the later ones are stronger.
SECTIONS = ("global", "install")
_PREFIX = "PIP_"
# Not options: pip passes over them.
_IGNORED = frozenset({"version", "help", "config-file"})


class PipSettings(NamedTuple):
    """What pip would find, apart from its command line."""

    options: Mapping[str, str]
    """Value by the name of a long option: `index-url`. Empty values do not count and are left out.
    """
    unreadable: str
    """The configuration file that pip would fail to read, if any."""


def read_pip_settings(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = SYSTEM_FILES
) -> PipSettings:
    """Return what pip would find with *environ*, whose `HOME` is the one that pip sees."""
    found: dict[str, str] = {}
    by_section: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for file in configuration_files(environ, system_files):
        contents = _contents(file)
        if contents is None:
            return PipSettings({}, str(file))
        for section, options in contents.items():
            by_section[section] |= options
    for options in (*by_section.values(), _variables(environ)):
        # An empty value hides nothing.
        found |= {name: value for name, value in options.items() if value}
    return PipSettings(found, "")


def configuration_files(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = SYSTEM_FILES
) -> Iterator[Path]:
    """Yield what pip reads, the stronger later, whether it exists or not.

    An existing file of PIP_CONFIG_FILE stands in for those of the user. The file of the virtual
    environment is not among them: ours has none.
    """
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    if directories := environ.get(_CONFIG_DIRS, "").strip():
        yield from (Path(one, "pip/pip.conf") for one in directories.split(os.pathsep) if one)
    yield from system_files
    if named and Path(named).exists():
        yield Path(named)
        return
    home = environ.get("HOME", "")
    if home:
        yield Path(home, ".pip/pip.conf")
    if chosen := environ.get("XDG_CONFIG_HOME", "").strip():
        yield Path(chosen, "pip/pip.conf")
    elif home:
        yield Path(home, ".config/pip/pip.conf")


def _contents(file: Path) -> dict[str, dict[str, str]] | None:
    """Return the options of *file* by section, None where pip would fail to read it."""
    if not file.is_file():
        return {}
    import configparser  # noqa: PLC0415 - most builds have no such file

    parser = configparser.RawConfigParser()
    parser.optionxform = _option  # type: ignore[assignment,method-assign]  # that is how it is done
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except OSError, UnicodeDecodeError, configparser.Error:
        return None
    return {section: dict(parser.items(section)) for section in SECTIONS if section in parser}


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    named = {
        _option(name.removeprefix(_PREFIX)): value
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    return {name: value for name, value in named.items() if name not in _IGNORED}


def _option(name: str) -> str:
    # pip ignores case, and takes - for _.
    return name.lower().replace("_", "-").removeprefix("--")
