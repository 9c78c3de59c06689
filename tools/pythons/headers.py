"""Adds C headers to the builds in Go modules, which lack them; compiling packages need them.

All builds of a release line have the same headers except `pyconfig.h`, which is adapted to the
values in `_sysconfigdata` of the build.
"""

import platform
import re
import runpy
import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tools import cache
from tools.processes import Unavailable, run

# Suites of Debian with the release lines that the machine's own suite lacks.
SUITES = ("trixie", "sid")
DEFINE = re.compile(r"^(?:#\s*define|/\*\s*#undef|#\s*undef)\s+(\w+)(?:\s.*)?$")
# Macros that are 0 instead of undefined: autoconf's AC_CHECK_DECLS and AC_CHECK_SIZEOF.
ZERO = ("HAVE_DECL_", "SIZEOF_", "ALIGNOF_")


def add(python: Path, minor: str) -> None:
    """Add `include/python<minor>` to the unpacked interpreter *python*."""
    include = python / f"include/python{minor}"
    shutil.copytree(_source(minor), include)
    data = next(python.glob(f"lib/python{minor}/_sysconfigdata_*.py"))
    config = include / "pyconfig.h"
    config.write_text(fitted(config.read_text(), runpy.run_path(str(data))["build_time_vars"]))


def fitted(config: str, build: Mapping[str, str | int]) -> str:
    """Return *config*, a `pyconfig.h`, with the values of another *build* of the release line."""
    return "".join(f"{_fitted_line(line, build)}\n" for line in config.splitlines())


def _fitted_line(line: str, build: Mapping[str, str | int]) -> str:
    match = DEFINE.match(line)
    if match is None or match[1] not in build:
        return line
    name, value = match[1], build[match[1]]
    if value == 0 and not name.startswith(ZERO):
        return f"/* #undef {name} */"
    return f"#define {name} {value}"


def _source(minor: str) -> Path:
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{minor}.*/include/python{minor}"))
    if pyenv:
        return pyenv[-1]
    title = f"Downloading the C headers of Python {minor} from Debian"
    name = f"headers-{minor}-{platform.machine()}"
    return cache.entry(name, cache.digest(*SUITES), title, partial(_debian, minor)) / "include"


def _debian(minor: str, into: Path) -> None:
    if shutil.which("apt-get") is None:
        lacking = f"The C headers of Python {minor} come from pyenv or Debian's packages."
        raise Unavailable(lacking)
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch)
        _apt(where, "update")
        _apt(where, "download", f"libpython{minor}-dev")
        package = next(where.glob("*.deb"))
        run("dpkg-deb", "-x", package, where / "root")
        include = where / "root/usr/include"
        shutil.copytree(include / f"python{minor}", into / "include")
        # The one in `include/python*` only selects the one of the architecture.
        chosen = next(include.glob(f"{platform.machine()}-*/python{minor}/pyconfig.h"))
        shutil.copy(chosen, into / "include/pyconfig.h")


def _apt(where: Path, *action: str) -> None:
    sources = where / "debian.sources"
    if not sources.exists():
        sources.write_text(_extra_suites())
    for folder in ("lists/partial", "cache/archives/partial"):
        (where / folder).mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": where / "lists",
        "Dir::Cache": where / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    options = [f"-o={name}={value}" for name, value in settings.items()]
    run("apt-get", "-qq", *options, *action, cwd=where)


def _extra_suites() -> str:
    """Return apt sources for SUITES on the mirror that the machine itself uses."""
    form = ("--format", "$(REPO_URI)", "Created-By: Packages")
    addresses = run("apt-get", "indextargets", *form)
    mirror = next(uri for uri in addresses.split() if uri.endswith("/debian/"))
    return (
        f"Types: deb\nURIs: {mirror}\nSuites: {' '.join(SUITES)}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
