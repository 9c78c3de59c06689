"""The build settings: what changes the result of a build from source besides the source.

Only what compilers, build tools and installers are known to read. What else a package reads cannot
be known, and most variables of a build (a commit, a date) must not cause a rebuild. Apart from the
cache keys, its only user: it knows the settings of pip and uv.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.managers import uv_settings
from cnb_python.managers.pip_settings import read_pip_settings
from cnb_python.managers.requirement_lines import read_lines

_VARIABLES = re.compile(
    r"(C|CXX|CPP|LD|F|FC|ARCH|RUST|MAKE)FLAGS|CC|CXX|CPP|LD|LDSHARED|AR|FC|F77|F90"
    r"|CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|PKG_CONFIG_\w+"
    r"|CMAKE_\w+|SKBUILD_\w+|CARGO_(BUILD|PROFILE)_\w+|SETUPTOOLS_\w+"
    r"|UV_(CONFIG_SETTINGS|NO_BUILD_ISOLATION|BUILD_CONSTRAINT)\w*"
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
    }
)


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


def _uv_settings(environ: Mapping[str, str], app_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield the build settings of uv in each of its files."""
    projects = [directory / "pyproject.toml" for directory in (app_dir, *app_dir.parents)]
    for file in (*projects, *uv_settings.configuration_files(environ, app_dir)):
        uv = _uv_table(file)
        for prefix, table in (("", uv), ("pip.", toml.table_at(uv, "pip"))):
            for name in table.keys() & _KEYS:
                value = json.dumps(table[name], sort_keys=True, default=str)
                yield f"{file.name} {prefix}{name}", value


def _uv_table(file: Path) -> TomlTable:
    """Return uv's table in *file*; empty if it has no build settings, or cannot be read."""
    try:
        # Reading a pipe would wait for ever.
        if not file.is_file():
            return {}
        if b"build" not in (content := file.read_bytes()) and b"config-settings" not in content:
            return {}
        document = toml.read(file)
    except OSError, UnreadableToml:
        return {}
    if file.name != "pyproject.toml":
        return document
    return toml.table_at(toml.table_at(document, "tool"), "uv")
