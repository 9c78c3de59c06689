"""Small apps of every manager, locked, resolved and installed with the real tools."""

import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnb_python.app import read_app
from cnb_python.managers import tool
from cnb_python.managers.base import InstallContext, Manager, Resolution
from cnb_python.managers.tool import Program
from cnb_python.system.process import run
from tests.support import lock_files, resolving
from tests.support.index import Index
from tests.support.installing import install_all
from tests.support.trees import Files, write_files

type Lock = Callable[[Path, Index, Mapping[str, str]], None]
"""Locks the app in a directory from an index, with variables for clients."""


def nothing(app: Path, index: Index, variables: Mapping[str, str]) -> None:
    """Lock nothing."""
    del app, index, variables


def locked_by(command: str, *names: str) -> Lock:
    """Return what locks an app with *command*; *names*: variables whose value is the index."""

    def lock(app: Path, index: Index, variables: Mapping[str, str]) -> None:
        lock_files.lock(command, app, {**variables, **dict.fromkeys(names, index.url)})

    return lock


def locked_by_uv(*words: str) -> Lock:
    """Return what locks an app with uv and *words*."""

    def lock(app: Path, index: Index, variables: Mapping[str, str]) -> None:
        del variables
        lock_files.run_uv(app, *words, index=index.url)

    return lock


@dataclass(frozen=True)
class Case:
    """An app, and the settings of its build."""

    name: str
    manager: Manager
    files: Files
    """`{}` in a text is the URL of the index."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables of the build, also with `{}`, and `{packages}` for the index's directory."""
    lock: Lock = nothing

    def __str__(self) -> str:
        return self.name


def prepare(
    case: Case, index: Index, directory: Path, variables: Mapping[str, str]
) -> InstallContext:
    """Write and lock the app of *case* in *directory*, and return the context of its build.

    No configuration of this machine counts. *variables*: how clients connect.
    """
    app = directory / "app"
    write_files(
        app, {name: str(text).replace("{}", index.url) for name, text in case.files.items()}
    )
    case.lock(app, index, variables)
    path = {name: value for name, value in resolving.settings().items() if name == "PATH"}
    environ = {**path, **variables, "PIP_CONFIG_FILE": "/dev/null"} | {
        name: value.replace("{}", index.url).replace("{packages}", str(index.packages))
        for name, value in case.settings.items()
    }
    if environ["PIP_CONFIG_FILE"] == "pip.conf":
        environ["PIP_CONFIG_FILE"] = str(app / "pip.conf")
    work = directory / "work"
    work.mkdir()
    context = resolving.install_context(app, work, environ, directory.parent)

    def start_program(program: Program) -> tuple[str, ...]:
        return tool.start(Path(sys.executable), lock_files.installed(program.name), program)

    return replace(context, start_program=start_program)


def decide_and_install(case: Case, context: InstallContext) -> Resolution:
    """Install what the files of the app alone, or else the manager, resolve to."""
    resolution = case.manager.resolve_from_files(
        read_app(context.app_dir), context.python, context.environ
    )
    if not isinstance(resolution, Resolution):
        resolution = case.manager.resolve(context, run)
    install_all(case.manager, resolution, resolution.pins, context, run)
    return resolution


def modules(context: InstallContext, *names: str) -> set[str]:
    """Return the text of each of the modules *names* that was installed or fetched."""
    files = (
        path
        for directory in (context.environment, context.uv_cache / "archive-v0")
        for name in names
        for path in directory.rglob(f"{name}.py")
    )
    texts = {path.read_text() for path in files}
    for path in context.wheels.glob("*.whl"):
        with zipfile.ZipFile(path) as packed:
            members = (name for name in packed.namelist() if name.removesuffix(".py") in names)
            texts.update(packed.read(name).decode() for name in members)
    return texts
