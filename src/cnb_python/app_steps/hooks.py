"""Runs the hooks `bin/pre_compile` and `bin/post_compile`, as Heroku's classic buildpack does.

https://devcenter.heroku.com/articles/python-support#build-hooks
"""

import hashlib
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from cnb_python.app_steps.run import run, variables_in
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.frameworks import HookFailed, HookNotStarted
from cnb_python.errors.inputs import NotAFile
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.provision.request import ProvidedEnvironment
from cnb_python.system import regular_file
from cnb_python.system.interface import Command, System
from cnb_python.system.output import BuildLog

PRE, POST = "bin/pre_compile", "bin/post_compile"
_SHELLS = (Path("/bin/bash"), Path("/bin/sh"))
# Of a script that names its interpreter, and of a Linux program.
_STARTS = (b"#!", b"\x7fELF")
_LINE_BYTES = 256
# The messages of Python, bash and other shells.
_NO_INSTALLER = re.compile(
    r"No module named '?(pip|uv)\b|(?:^|[\s:])(pip|uv)(?:[\d.]*): (?:command )?not found",
    re.MULTILINE,
)


def find(app_dir: Path, name: str) -> Path | None:
    """Return the path of the hook *name*, None if the app does not have it.

    Raises NotAFile for a broken link, which would otherwise skip the hook without a message.
    """
    path = app_dir / name
    if path.is_file():
        return path
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise NotAFile(name, "a link that leads nowhere, or a special file")
    return None


def digests(app_dir: Path) -> Iterator[str]:
    """Yield SHA-256 and name of each hook of the app. Raises OSError and what `find` raises."""
    for name in (PRE, POST):
        if script := find(app_dir, name):
            with script.open("rb") as file:
                yield f"{hashlib.file_digest(file, 'sha256').hexdigest()} {name}"


def run_pre_compile(context: BuildContext, directory: Path, log: BuildLog, system: System) -> None:
    """Run `bin/pre_compile` of *directory* before the app is read and Python is installed.

    Raises HookFailed and HookNotStarted.
    """
    if script := find(directory, PRE):
        with log.step(PRE):
            _make_executable(script, context.app_dir, system)
            _run(
                Command((str(script),), dict(context.environ), directory, PRE),
                context.layers_dir,
                system,
            )


def run_post_compile(
    environment: ProvidedEnvironment, script: Path, defaults: Mapping[str, str], system: System
) -> None:
    """Run `bin/post_compile`, with Python and the packages.

    *defaults* are variables that the platform may override. Raises as `run_pre_compile`.
    """
    request = environment.request
    _make_executable(script, request.context.app_dir, system)
    variables = variables_in(environment, defaults)
    command = Command((str(script),), variables, request.app.directory, POST)
    _run(command, request.context.layers_dir, system)


def _run(command: Command, layers_dir: Path, system: System) -> None:
    """Run the hook *command*, the path of a script, in the shell that it needs."""
    name, first_line = command.shown, _first_line(Path(command.argv[0]))
    program = () if first_line.startswith(_STARTS) else shell()
    try:
        outcome = run(replace(command, argv=(*program, *command.argv)), layers_dir, system)
    except ProgramNotStarted as error:
        interpreter = first_line.removeprefix(b"#!").strip(b" \t\n").decode("utf-8", "replace")
        raise HookNotStarted(name, interpreter, error.reason) from error
    call = _NO_INSTALLER.search(outcome.output)
    installer = next(filter(None, call.groups())) if call else ""
    if outcome.code:
        raise HookFailed(name, outcome.code, installer)
    if installer:
        from cnb_python.errors import frameworks  # noqa: PLC0415 - only for this warning

        message = frameworks.no_installer(name, installer)
        system.output.warning(message.title, message.body)


def _make_executable(script: Path, top: Path, system: System) -> None:
    if script.stat().st_mode & stat.S_IXUSR:
        return
    name = script.relative_to(top)
    system.output.warning(
        f"{name} is not executable",
        (
            "This build made it executable. To store that in Git:",
            f"  git update-index --chmod=+x {name}",
        ),
    )
    script.chmod(0o755)


def _first_line(script: Path) -> bytes:
    with BufferedReader(regular_file.opened(script)) as file:
        return file.readline(_LINE_BYTES)


def shell() -> tuple[str, ...]:
    """Return the shell of the build image, as the start of a command: bash if it has one."""
    return tuple(str(path) for path in _SHELLS if path.is_file())[:1]
