"""The settings of pip and uv, and the build settings that change a build from source.

Of the build settings, only those that compilers, build tools and installers are known to read.
What else a package reads cannot be known, and most variables of a build (a commit, a date) must
not cause a rebuild.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.base import Message
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.managers import fingerprint
from cnb_python.managers.requirement_lines import read_lines
from cnb_python.system import regular_file

# What such groups hold is not for production.
_NOT_FOR_PRODUCTION = re.compile(
    r"(dev|test|lint|doc|typ|format|ci|bench|nox|tox|local|debug)", re.IGNORECASE
)
PIP_SYSTEM_FILES = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
# The sections that count for `pip install`, the stronger one last.
PIP_SECTIONS = ("global", "install")
_CONFIG_DIRS = "XDG_CONFIG_DIRS"
_PREFIX = "PIP_"
# pip ignores these variables.
_IGNORED = frozenset({"version", "help", "config-file"})
_VARIABLES = re.compile(
    r"(C|CXX|CPP|LD|F|FC|ARCH|RUST|MAKE)FLAGS|CC|CXX|CPP|LD|LDSHARED|AR|FC|F77|F90"
    r"|CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|PKG_CONFIG_\w+"
    r"|CMAKE_\w+|SKBUILD_\w+|CARGO_(BUILD|PROFILE)_\w+|SETUPTOOLS_\w+"
    r"|UV_(CONFIG_SETTINGS|NO_BUILD|BUILD_CONSTRAINT)\w*"
)
_OPTIONS = frozenset(
    {
        *("build-constraint", "build-option", "config-setting", "config-settings"),
        *("global-option", "no-build-isolation", "use-pep517"),
    }
)
# https://docs.astral.sh/uv/reference/settings/, there at the top and in the table `pip`.
_KEYS = frozenset(
    {
        *("build-constraint-dependencies", "config-settings", "config-settings-package"),
        *("extra-build-dependencies", "extra-build-variables"),
        *("no-build-isolation", "no-build-isolation-package"),
        # A wheel in the store is not what uv builds, and the other way round.
        *("no-binary", "no-binary-package", "no-build", "no-build-package"),
    }
)
# What a file with settings of builds, or of indexes, contains.
_BUILD_WORDS = (b"build", b"config-settings", b"no-binary")
_INDEX_WORDS = (b"index", b"find-links")
_EXCLUDE_NEWER = "exclude-newer"


class PipSettings(NamedTuple):
    """The settings that pip reads, apart from its command line."""

    options: Mapping[str, str]
    """Value by the name of a long option: `index-url`. Without empty values."""
    unreadable: str
    """The configuration file that pip could not read; empty if it could read all."""


class UvIndexes(NamedTuple):
    """The indexes in uv's configuration files, as uv's variables have them: `name=https://...`."""

    default: str
    """Empty: the files name none."""
    further: tuple[str, ...]
    """Indexes and directories with packages."""


NO_INDEXES = UvIndexes("", ())


def read_pip_settings(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = PIP_SYSTEM_FILES
) -> PipSettings:
    """Return the settings of a pip that runs with *environ*."""
    settings: dict[str, str] = {}
    by_section: dict[str, dict[str, str]] = {section: {} for section in PIP_SECTIONS}
    for file in pip_configuration_files(environ, system_files):
        contents = _contents(file)
        if contents is None:
            return PipSettings({}, str(file))
        for section, options in contents.items():
            by_section[section] |= options
    for options in (*by_section.values(), _variables(environ)):
        # An empty value does not hide a weaker one.
        settings |= {name: value for name, value in options.items() if value}
    return PipSettings(settings, "")


def pip_configuration_files(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = PIP_SYSTEM_FILES
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
    if not file.exists():
        return {}
    import configparser  # noqa: PLC0415 - most builds have no such file

    parser = configparser.RawConfigParser()
    parser.optionxform = _option  # type: ignore[assignment,method-assign]  # as the documentation of configparser has it
    try:
        parser.read_string(regular_file.read(file).decode("utf-8"))
    except OSError, UnicodeDecodeError, configparser.Error:
        return None
    return {section: dict(parser.items(section)) for section in PIP_SECTIONS if section in parser}


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    options = {
        _option(name.removeprefix(_PREFIX)): value
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    return {name: value for name, value in options.items() if name not in _IGNORED}


def pip_variable_name(name: str) -> str:
    """Return the usual spelling of pip's variable *name*; other names are returned as they are.

    pip ignores case behind `PIP_`, and treats - and _ alike.
    """
    return name.upper().replace("-", "_") if name.startswith(_PREFIX) else name


def _option(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def uv_is_configured(environ: Mapping[str, str], app_dir: Path) -> bool:
    """Whether uv has settings: they may change what a fully pinned file means to it."""
    return (
        any(name.startswith("UV_") for name in environ)
        or any(file.is_file() for file in uv_configuration_files(environ, app_dir))
        or _has_table(app_dir / "pyproject.toml")
    )


def uv_fingerprint_parts(environ: Mapping[str, str], app_dir: Path) -> Iterator[str]:
    """Yield the settings in files of their own, for a fingerprint: without secrets."""
    for file in uv_configuration_files(environ, app_dir):
        yield from fingerprint.files(file.parent, (file.name,))


def uv_configuration_files(environ: Mapping[str, str], app_dir: Path) -> tuple[Path, ...]:
    """Return every uv.toml that may count, the stronger first, whether it exists or not."""
    homes = (environ.get("XDG_CONFIG_HOME"), environ.get("HOME") and f"{environ['HOME']}/.config")
    systems = (environ.get("XDG_CONFIG_DIRS", "").strip() or "/etc/xdg").split(os.pathsep)
    configs = [Path(directory, "uv") for directory in (*homes, *systems) if directory]
    directories = (app_dir, *app_dir.parents, *configs, Path("/etc/uv"))
    chosen = environ.get("UV_CONFIG_FILE")
    files = (directory / "uv.toml" for directory in directories)
    return (*((Path(chosen),) if chosen else ()), *files)


def _has_table(file: Path) -> bool:
    """Whether *file* may have a table `tool.uv`; uv reports what is not TOML."""
    try:
        return b"tool.uv" in regular_file.read(file).replace(b" ", b"")
    except OSError:
        return False


def uv_refuses_wheels(environ: Mapping[str, str], app_dir: Path) -> bool:
    """Whether a setting of uv may say that packages are built even if they have wheels."""
    files = _uv_files(environ, app_dir)
    return any(file.is_file() and b"no-binary" in regular_file.read(file) for file in files)


def settings_digest(environ: Mapping[str, str], app_dir: Path) -> str:
    """Return a digest in hex over all build settings; empty without any.

    *environ* is that of a manager's processes, *app_dir* their working directory. A digest, since
    a flag may hold a path or a token.
    """
    options = read_pip_settings(environ).options
    constraints = f"{options.get('build-constraint', '')} {environ.get('UV_BUILD_CONSTRAINT', '')}"
    settings = [
        *((name, environ[name]) for name in environ if _VARIABLES.fullmatch(name)),
        *((name, options[name]) for name in options if name in _OPTIONS),
        *((name, _constraints(app_dir / name, environ)) for name in constraints.split()),
        *_uv_settings(environ, app_dir),
    ]
    text = "\n".join(f"{name}\0{value}" for name, value in sorted(settings) if value)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16] if text else ""


def _constraints(file: Path, environ: Mapping[str, str]) -> str:
    """Return the lines of *file* and of its includes; empty if it is an address."""
    return "\n".join(line.text for _, line in read_lines(file, environ))


def uv_build_tables(environ: Mapping[str, str], app_dir: Path) -> Iterator[TomlTable]:
    """Yield the tables of uv's files that may have settings of builds."""
    for file in _uv_files(environ, app_dir):
        uv = _uv_table(file)
        yield from (uv, toml.table_at(uv, "pip"))


def _uv_files(environ: Mapping[str, str], app_dir: Path) -> tuple[Path, ...]:
    projects = (directory / "pyproject.toml" for directory in (app_dir, *app_dir.parents))
    return (*projects, *uv_configuration_files(environ, app_dir))


def _uv_settings(environ: Mapping[str, str], app_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield the build settings of uv in each of its files."""
    for file in _uv_files(environ, app_dir):
        uv = _uv_table(file)
        for prefix, table in (("", uv), ("pip.", toml.table_at(uv, "pip"))):
            for name in table.keys() & _KEYS:
                value = json.dumps(table[name], sort_keys=True, default=str)
                yield f"{file.name} {prefix}{name}", value


def uv_indexes(environ: Mapping[str, str], app_dir: Path) -> UvIndexes:
    """Return the indexes in uv's configuration files, the stronger file's first.

    https://docs.astral.sh/uv/concepts/indexes/
    """
    default, further = "", list[str]()
    for file in _uv_files(environ, app_dir):
        uv = _uv_table(file, _INDEX_WORDS)
        for table in (uv, toml.table_at(uv, "pip")):
            listed = toml.tables_at(table, "index")
            defaults = [_address(index) for index in listed if index.get("default") is True]
            defaults += _texts(table.get("index-url"))
            default = default or next(iter(defaults), "")
            # An explicit index is for the packages that are assigned to it.
            further += (
                _address(index)
                for index in listed
                if index.get("default") is not True and index.get("explicit") is not True
            )
            further += _texts(table.get("extra-index-url")) + _texts(table.get("find-links"))
    return UvIndexes(default, tuple(further))


def uv_exclude_newer(environ: Mapping[str, str], app_dir: Path) -> str:
    """Return the limit on upload times in uv's configuration files; empty if they have none."""
    for file in _uv_files(environ, app_dir):
        uv = _uv_table(file, (_EXCLUDE_NEWER.encode(),))
        for table in (toml.table_at(uv, "pip"), uv):
            if limit := table.get(_EXCLUDE_NEWER):
                return str(limit)
    return ""


def _address(index: TomlTable) -> str:
    name, url = index.get("name"), str(index.get("url", ""))
    return f"{name}={url}" if isinstance(name, str) else url


def _texts(value: TomlValue | None) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _uv_table(file: Path, words: tuple[bytes, ...] = _BUILD_WORDS) -> TomlTable:
    """Return uv's table in *file*; empty if it has none of *words*, or cannot be read."""
    try:
        content = regular_file.read(file)
        if not any(word in content for word in words):
            return {}
        document = toml.read(file)
    except OSError, UnreadableToml:
        return {}
    if file.name != "pyproject.toml":
        return document
    return toml.table_at(toml.table_at(document, "tool"), "uv")


def uv_default_groups(document: TomlTable) -> tuple[str, ...]:
    """Return the default groups that hold the packages of an app whose `[project]` names none.

    Empty if `[project]` has dependencies. Groups for development never count.
    https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups
    """
    own = toml.table_at(toml.table_at(document, "tool"), "uv").get("default-groups")
    if own == "all":
        own = list(toml.table_at(document, "dependency-groups"))
    if not isinstance(own, list) or toml.table_at(document, "project").get("dependencies"):
        return ()
    names = (name for name in own if isinstance(name, str))
    return tuple(name for name in names if not _NOT_FOR_PRODUCTION.match(name))


def default_groups_used(groups: tuple[str, ...]) -> Message:
    """Return a warning that *groups* are installed, the result of `uv_default_groups`."""
    return Message(
        f"The packages of {', '.join(groups)} are installed",
        (
            (
                "[project] has no dependencies, and default-groups of [tool.uv] in "
                f"pyproject.toml names {', '.join(groups)}."
            ),
            (
                "Move them to the dependencies of [project], or name the groups in a setting: "
                f"BP_PYTHON_GROUPS={','.join(groups)}"
            ),
        ),
    )
