"""Makes staged environments: empty virtual environments that a manager fills.

A manager fills each at the final path of the environment, which scripts and build settings
contain. Then it is moved aside, and its distributions are collected.
"""

import itertools
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions.dist_info import StagedEnvironment
from cnb_python.install import foreign_files, process_env
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.managers.base import InstallContext
from cnb_python.managers.tool import Program, not_available
from cnb_python.system.interface import Command, Outcome, Run, System
from cnb_python.system.output import ended_processes
from cnb_python.system.redaction import redact

_CONFIG = """\
home = {home}
include-system-site-packages = false
version = {line}
"""


@dataclass(frozen=True, slots=True)
class StagingArea:
    """The directory in which one build installs packages."""

    request: EnvironmentRequest
    system: System
    snapshot: AppSnapshot
    """Finds the files that builds from source leave in the app."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def fill[Result](
        self, install: Callable[[InstallContext, Run], Result], *, pip: bool = True
    ) -> tuple[StagedEnvironment, Result]:
        """Call *install* with an empty environment; return the environment, and the result.

        *pip*: *install* may use pip. Raises what *install* raises.
        """
        request = self.request
        disk.remove(request.environment)
        make_environment(request.environment, request.interpreter, request.line)
        self.snapshot.take()
        result = install(self.context(pip=pip), self.run)
        self.snapshot.clean()
        root = request.staging / f"stage-{next(self._numbers)}"
        request.environment.rename(root)
        return StagedEnvironment(root, request.environment, request.line), result

    def context(self, *, pip: bool) -> InstallContext:
        """Return the context of a manager. Copies pip the first time that it is needed."""
        request, scratch = self.request, self.request.staging / "tmp"
        disk.make_directory(scratch)
        tools = request.staging / "tools"
        if pip and not (tools / "pip").is_dir():
            copy_pip(request.pip, tools)
        context = InstallContext(
            app_dir=request.app.directory,
            environment=request.environment,
            tool=tools / "pip",
            uv=request.uv,
            cache=request.staging / "downloads",
            scratch=scratch,
            environ=process_env.manager_environ(
                request.environ, request.environment, request.interpreter, scratch
            ),
            python=request.python,
            fetch=self.system.fetch,
        )
        return replace(context, start_program=partial(self._start_command, context))

    def _start_command(self, context: InstallContext, program: Program) -> tuple[str, ...]:
        """Return the start of the command line that runs *program*."""
        tool_cache = self.request.tool_cache
        if tool_cache is None:
            return not_available(program)
        # Loads the managers of pip and uv, which a build with a tool has loaded already.
        from cnb_python.managers.tool_install import install  # noqa: PLC0415 - see above

        return tool_cache.start_command(
            program,
            lambda each, into, python: install(each, into, python, context, self.run),
        )

    @property
    def run(self) -> Run:
        """Runs commands and removes secrets from their output.

        As foreign ones: a manager may build a package, or read metadata by running its code.
        """
        request = self.request
        secrets = process_env.secrets(request.environ, request.app.directory)
        return partial(_run_redacted, self.system, secrets, request.environment.parent)


def _run_redacted(
    system: System,
    secrets: tuple[str, ...],
    layers_dir: Path,
    command: Command,
    on_line: Callable[[str], None] | None = None,
    *,
    foreign: bool = True,
) -> Outcome:
    if command.shown:
        note = f" ({command.note})" if command.note else ""
        system.output.line(f"Running `{command.shown}`{note}")
    show = on_line or (system.output.detail if command.shown else None)
    show_redacted = None if show is None else lambda line: show(redact(line, secrets))
    program = command.shown or Path(command.argv[0]).name
    guard = foreign_files.undoing(layers_dir, program, system.output)
    with guard if foreign else nullcontext():
        outcome = system.run(replace(command, foreign=foreign), show_redacted)
    if outcome.ended:
        system.output.line(ended_processes(outcome.ended, program))
    return replace(outcome, output=redact(outcome.output, secrets))


def make_environment(directory: Path, interpreter: Path, line: str) -> Path:
    """Make a virtual environment in *directory*; return its `site-packages`.

    *interpreter*: the program at its final path, *line*: its release line (`3.14`).
    https://peps.python.org/pep-0405/
    """
    bin_directory = directory / "bin"
    site_packages = directory / f"lib/python{line}/site-packages"
    bin_directory.mkdir(parents=True)
    site_packages.mkdir(parents=True)
    (directory / "pyvenv.cfg").write_text(
        _CONFIG.format(home=interpreter.parent, line=line), encoding="utf-8"
    )
    (bin_directory / "python").symlink_to(interpreter)
    for name in ("python3", f"python{line}"):
        (bin_directory / name).symlink_to("python")
    # 64-bit wheels, and tools that expect Fedora's layout, use this path.
    (directory / "lib64").symlink_to("lib")
    return site_packages


def copy_pip(source: Path, into: Path) -> Path:
    """Copy pip from *source*, a wheel or the directory of an installed package, below *into*.

    Returns the directory `pip`. The copy is writable, for pip's bytecode: pip starts itself once
    for each package that it builds in isolation, and compiling it takes a second. Raises OSError,
    or BadZipFile for a damaged wheel.
    """
    target = into / "pip"
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.startswith("pip/")]
        wheel.extractall(into, names)
    return target
