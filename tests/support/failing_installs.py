"""Installs with the real pip or uv, by a build's commands, to see how installs fail."""

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
from cnb_python.managers.base import InstallContext, NeedsResolving, PinsRefused
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.interface import Command, Outcome, Run
from cnb_python.system.process import run
from tests.support import resolving
from tests.support.installing import install_all, resolve_and_install
from tests.support.sdists import archive
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
# Programs that every machine has; a test adds those that its build may use.
PLAIN_PROGRAMS = ("cat", "env", "grep", "ls", "sh", "uname")
# So that no test waits for a server that fails.
IMPATIENT = {
    "PIP_RETRIES": "0",
    "PIP_DEFAULT_TIMEOUT": "2",
    "UV_HTTP_RETRIES": "0",
    "UV_HTTP_TIMEOUT": "2",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of an attempt to install."""

    message: str
    """The error as the user sees it: title, body, steps. Empty if the installation succeeded."""
    output: str
    """The output of the tool."""

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Failing:
    """Runs attempts below one directory."""

    directory: Path
    shared: Path
    """Directory of what all attempts of a session share, such as pip itself."""
    numbers: count[int] = field(default_factory=count)

    def failure(
        self,
        tool: Tool,
        requirements: str,
        *,
        index: str = "",
        files: Files | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Attempt:
        """Return the attempt of *tool* to install *requirements*, which must fail."""
        attempt = self.attempt(tool, requirements, index=index, files=files, env=env)
        assert attempt.message, attempt.output
        return attempt

    def attempt(
        self,
        tool: Tool,
        requirements: str,
        *,
        index: str = "",
        files: Files | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Attempt:
        """Install *requirements* from *index* with *tool*; return the result."""
        work = self.directory / f"{tool}-{next(self.numbers)}"
        app = write_files(work / "app", {"requirements.txt": requirements, **(files or {})})
        context = resolving.install_context(
            app, work / "work", _environ(index, env or {}), self.shared
        )
        recording = _RecordingRun()
        try:
            _install(tool, replace(context, cache=None), recording)
        except BuildpackError as error:
            words = cast("Failure", error).describe()
            message = "\n".join((words.title, "", *words.body, "", *words.fixes, *words.steps))
            return Attempt(message.replace(str(app), "APP"), recording.written)
        finally:
            shutil.rmtree(work)
        return Attempt("", recording.written)

    def programs(self, *names: str) -> str:
        """Return a PATH with only these programs and `PLAIN_PROGRAMS`."""
        directory = self.directory / "-".join(("bin", *names))
        if not directory.exists():
            directory.mkdir()
            for name in (*PLAIN_PROGRAMS, *names):
                (directory / name).symlink_to(str(shutil.which(name)))
        return str(directory)


def source(into: Path, name: str, code: str, files: Mapping[str, str] | None = None) -> Path:
    """Write an sdist into *into*, whose build runs *code* and requires no package."""
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
    """Write an sdist into *into* that has only `setup.py` and build requirements."""
    listed = ", ".join(f'"{requirement}"' for requirement in requires)
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "setup.py": setup,
        **({"pyproject.toml": f"[build-system]\nrequires = [{listed}]\n"} if requires else {}),
    }
    return archive(into, f"{name.replace('-', '_')}-1.0", members)


def meson(into: Path, name: str, dependency: str) -> Path:
    """Write an sdist into *into* that Meson builds, and that needs the C library *dependency*."""
    backend = '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": f'{backend}[project]\nname = "{name}"\nversion = "1.0"\n',
        "meson.build": f"project('x', 'c', version: '1.0')\ndependency('{dependency}')\n",
    }
    return archive(into, f"{name.replace('-', '_')}-1.0", members)


def compiling(code: str, *options: str) -> str:
    """Return code for `source` that compiles the C code *code* with the machine's compiler."""
    command = ["cc", "-shared", "-fPIC", "part.c", "-o", "part.so", *options]
    return f"open('part.c', 'w').write({code!r})\nsubprocess.run({command!r}, check=True)"


def _environ(index: str, env: Mapping[str, str]) -> dict[str, str]:
    indexes = {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index} if index else {}
    inherited = {
        name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ
    }
    return {**inherited, "PIP_CONFIG_FILE": os.devnull, **IMPATIENT, **indexes, **env}


def _install(tool: Tool, context: InstallContext, run_command: Run) -> None:
    app = read_app(context.app_dir)
    manager = Pip(DEFAULTS._replace(installer=tool))
    manager.check(app)
    resolution = manager.resolve_from_files(app, context.python, context.environ)
    if isinstance(resolution, NeedsResolving):
        resolve_and_install(manager, context, run_command)
        return
    try:
        install_all(manager, resolution, resolution.pins, context, run_command)
    except PinsRefused:
        resolve_and_install(manager, context, run_command)


class _RecordingRun:
    """Runs commands and keeps their output."""

    def __init__(self) -> None:
        self.written = ""

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        outcome = run(command, on_line)
        self.written += outcome.output
        return outcome
