"""`bin/pre_compile` and `bin/post_compile`: the app's own steps, as on Heroku's classic builds.

https://devcenter.heroku.com/articles/python-support#build-hooks
"""

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from cnb_python.app_steps.run import run, variables_in
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.frameworks import HookFailed, HookNotStarted
from cnb_python.errors.inputs import NotAFile
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.provision.environment import ProvidedEnvironment
from cnb_python.system.interface import Command, System
from cnb_python.system.steps import BuildLog

PRE, POST = "bin/pre_compile", "bin/post_compile"
_SHELLS = (Path("/bin/bash"), Path("/bin/sh"))
# A script, or a program of this system.
_STARTS = (b"#!", b"\x7fELF")
_LINE_BYTES = 256
# As Python, bash and other shells say it.
_NO_INSTALLER = re.compile(
    r"No module named '?(pip|uv)\b|(?:^|[\s:])(pip|uv)(?:[\d.]*): (?:command )?not found",
    re.MULTILINE,
)


def find(app_dir: Path, name: str) -> Path | None:
    """Return the script *name* of the app, None where it has none.

    Raises NotAFile for a link that leads nowhere: nobody would notice that nothing ran.
    """
    path = app_dir / name
    if path.is_file():
        return path
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise NotAFile(name, "a link that leads nowhere, or a special file")
    return None


def run_before(context: BuildContext, directory: Path, journal: BuildLog, system: System) -> None:
    """Run `bin/pre_compile` of *directory*, before it is read; Python is not there yet.

    Raises HookFailed and HookNotStarted.
    """
    if script := find(directory, PRE):
        with journal.step(PRE):
            _make_executable(script, context.app_dir, system)
            _run(PRE, script, directory, dict(context.environ), system)


def run_after(
    environment: ProvidedEnvironment, script: Path, more: Mapping[str, str], system: System
) -> None:
    """Run `bin/post_compile`, with Python and the packages.

    *more* are variables that yield to the platform's. Raises as `run_before`.
    """
    request = environment.request
    _make_executable(script, request.context.app_dir, system)
    _run(POST, script, request.app.directory, variables_in(environment, more), system)


def _run(name: str, script: Path, app_dir: Path, env: Mapping[str, str], system: System) -> None:
    start = _first_line(script)
    shell = () if start.startswith(_STARTS) else _shell()
    try:
        outcome = run(Command((*shell, str(script)), env, app_dir, name), system)
    except ProgramNotStarted as error:
        program = start.removeprefix(b"#!").strip(b" \t\n").decode("utf-8", "replace")
        raise HookNotStarted(name, program, error.reason) from error
    called = _NO_INSTALLER.search(outcome.output)
    installer = next(filter(None, called.groups())) if called else ""
    if outcome.code:
        raise HookFailed(name, outcome.code, installer)
    if installer:
        from cnb_python.errors import frameworks  # noqa: PLC0415 - for who needs it

        message = frameworks.no_installer(name, installer)
        system.output.warning(message.title, message.body)


def _make_executable(script: Path, top: Path, system: System) -> None:
    if script.stat().st_mode & stat.S_IXUSR:
        return
    name = script.relative_to(top)
    system.output.warning(
        f"{name} is not executable",
        (
            "It has been made executable for this build. Have Git remember that it is:",
            f"  git update-index --chmod=+x {name}",
        ),
    )
    script.chmod(0o755)


def _first_line(script: Path) -> bytes:
    with script.open("rb") as file:
        return file.readline(_LINE_BYTES)


def _shell() -> tuple[str, ...]:
    """Return what reads a script that does not say by what it is read."""
    return tuple(str(path) for path in _SHELLS if path.is_file())[:1]
