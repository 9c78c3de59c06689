"""Has pip or uv really fail to install, by the commands of a build but without the rest of one."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Literal, cast

from cnb_python.app import read_app
from cnb_python.config.settings import DEFAULTS
from cnb_python.errors.base import BuildpackError, Failure
from cnb_python.managers.base import InstallContext, NeedsResolving
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.interface import Command, Outcome, Run
from cnb_python.system.process import run
from tests.support import deciding
from tests.support.packages import archive
from tests.support.trees import Files, write_files

type Tool = Literal["pip", "uv"]

BACKEND = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
version = "1.0"
"""
# What every machine has; a test adds the programs that its build is to find.
PLAIN_PROGRAMS = ("cat", "env", "grep", "ls", "sh", "uname")
# Nobody waits for servers that are known to fail.
IMPATIENT = {
    "PIP_RETRIES": "0",
    "PIP_DEFAULT_TIMEOUT": "2",
    "UV_HTTP_RETRIES": "0",
    "UV_HTTP_TIMEOUT": "2",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an attempt."""

    message: str
    """Title, then what was found, then the steps, as the user is told; empty: it worked."""
    output: str
    """What the tool wrote."""

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Failing:
    """Where attempts take place."""

    directory: Path
    shared: Path
    """For what all attempts of a session have in common."""
    numbers: count[int] = field(default_factory=count)

    def told(
        self,
        tool: Tool,
        requirements: str,
        *,
        index: str = "",
        files: Files | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Told:
        """Say what a user is told whose *requirements* cannot be installed by *tool*."""
        told = self.tried(tool, requirements, index=index, files=files, env=env)
        assert told.message, told.output
        return told

    def tried(
        self,
        tool: Tool,
        requirements: str,
        *,
        index: str = "",
        files: Files | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Told:
        """Have *tool* install *requirements* from *index*; there is no message if it can."""
        work = self.directory / f"{tool}-{next(self.numbers)}"
        app = write_files(work / "app", {"requirements.txt": requirements, **(files or {})})
        place = deciding.workplace(app, work / "work", _environ(index, env or {}), self.shared)
        noting = _Noting()
        try:
            _install(tool, replace(place, cache=None), noting)
        except BuildpackError as error:
            found = cast("Failure", error).describe()
            message = "\n".join((found.title, "", *found.body, "", *found.steps))
            return Told(message.replace(str(app), "APP"), noting.written)
        finally:
            shutil.rmtree(work)
        return Told("", noting.written)

    def programs(self, *names: str) -> str:
        """Return a PATH where only these programs are, beside the plainest."""
        directory = self.directory / "-".join(("bin", *names))
        if not directory.exists():
            directory.mkdir()
            for name in (*PLAIN_PROGRAMS, *names):
                (directory / name).symlink_to(str(shutil.which(name)))
        return str(directory)


def source(into: Path, name: str, code: str, files: Mapping[str, str] | None = None) -> Path:
    """Write an sdist whose build runs *code*, and needs nothing else, into *into*."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": BACKEND.format(name=name),
        "backend.py": "import os, subprocess, sys\n\n"
        f"def build_wheel(into, config_settings=None, metadata_directory=None):\n{body}",
        **(files or {}),
    }
    return archive(into, f"{name.replace('-', '_')}-1.0", members)


def legacy(into: Path, name: str, setup: str, requires: tuple[str, ...] = ()) -> Path:
    """Write an sdist with a `setup.py` alone, and what its build *requires*, into *into*."""
    listed = ", ".join(f'"{one}"' for one in requires)
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "setup.py": setup,
        **({"pyproject.toml": f"[build-system]\nrequires = [{listed}]\n"} if requires else {}),
    }
    return archive(into, f"{name.replace('-', '_')}-1.0", members)


def meson(into: Path, name: str, dependency: str) -> Path:
    """Write an sdist that Meson builds, with the C library *dependency*, into *into*."""
    backend = '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": f'{backend}[project]\nname = "{name}"\nversion = "1.0"\n',
        "meson.build": f"project('x', 'c', version: '1.0')\ndependency('{dependency}')\n",
    }
    return archive(into, f"{name.replace('-', '_')}-1.0", members)


def compiling(code: str, *options: str) -> str:
    """Return the body of a build that compiles *code* as C with the machine's compiler."""
    command = ["cc", "-shared", "-fPIC", "part.c", "-o", "part.so", *options]
    return f"open('part.c', 'w').write({code!r})\nsubprocess.run({command!r}, check=True)"


def _environ(index: str, env: Mapping[str, str]) -> dict[str, str]:
    indexes = {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index} if index else {}
    known = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
    return {**known, "PIP_CONFIG_FILE": os.devnull, **IMPATIENT, **indexes, **env}


def _install(tool: Tool, place: InstallContext, noting: Run) -> None:
    app = read_app(place.app_dir)
    manager = Pip(DEFAULTS._replace(installer=tool))
    manager.check(app)
    known = manager.resolve_from_files(app, place.python, place.environ)
    if isinstance(known, NeedsResolving):
        manager.resolve_and_install(place, noting)
    else:
        manager.install(known, known.pins, place, noting)


class _Noting:
    """Runs commands, and keeps what they wrote."""

    def __init__(self) -> None:
        self.written = ""

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        outcome = run(command, on_line)
        self.written += outcome.output
        return outcome
