"""What a build from source listens to besides the source: the same release may become other bytes.

Only what is known to be read by compilers, build tools and installers. Whatever else a package
asks its surroundings for cannot be known, and most variables of a build (a commit, a date) must
not cost anything.
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
    """Return a digest in hex over the settings of builds from source; empty where there are none.

    *environ* is what a manager's processes would be given, *app_dir* where they run. A digest,
    since a flag may hold a path or a token.
    """
    options = read_pip_settings(environ).options
    constraints = f"{options.get('build-constraint', '')} {environ.get('UV_BUILD_CONSTRAINT', '')}"
    found = [
        *((name, environ[name]) for name in environ if _VARIABLES.fullmatch(name)),
        *((name, options[name]) for name in options if name in _OPTIONS),
        *((name, _constraints(app_dir / name, environ)) for name in constraints.split()),
        *_of_uv(environ, app_dir),
    ]
    text = "\n".join(f"{name}\0{value}" for name, value in sorted(found) if value)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16] if text else ""


def _constraints(file: Path, environ: Mapping[str, str]) -> str:
    """Return what *file* and those that it includes say; nothing where it is an address."""
    return "\n".join(line.text for _, line in read_lines(file, environ))


def _of_uv(environ: Mapping[str, str], app_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield uv's own settings, from each file that may hold some."""
    projects = [one / "pyproject.toml" for one in (app_dir, *app_dir.parents)]
    for file in (*projects, *uv_settings.configuration_files(environ, app_dir)):
        table = _settings(file)
        for place, held in (("", table), ("pip.", toml.table_at(table, "pip"))):
            for name in held.keys() & _KEYS:
                value = json.dumps(held[name], sort_keys=True, default=str)
                yield f"{file.name} {place}{name}", value


def _settings(file: Path) -> TomlTable:
    """Return uv's table of *file*; empty where no build is set there, or nobody can read it."""
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
