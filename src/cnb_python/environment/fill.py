"""The one door: makes the app's environment and has its package manager fill it."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from cnb_python.cnb import disk
from cnb_python.environment import bytecode, skeleton, tool, variables
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.managers.manager import Workplace
from cnb_python.system.outside import Command, Outcome, Run, System
from cnb_python.system.redaction import redact, secrets_of

_VERSION_CONTROL = (".git", ".hg", ".svn", ".bzr")


def fill(request: EnvironmentRequest, directory: Path, system: System) -> Environment:
    """Make the environment that *request* asks for, compiled and without a package manager.

    *directory* is its final path and does not exist yet: scripts name the interpreter by it.
    Raises what the manager says went wrong, DiskFull, Killed, or OSError.
    """
    line = request.python.rpartition(".")[0]
    site_packages = skeleton.make(directory, request.interpreter, line)
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        _install(request, _workplace(request, directory, Path(scratch)), system)
    _forget_origins(directory / "src")
    compiled = bytecode.compile_all(
        request.interpreter, _modules(directory, site_packages), system
    )
    found = _distributions(site_packages)
    packages, modules = _counted(len(found), "package"), _counted(compiled.modules, "module")
    system.output.line(f"{packages} installed, {modules} compiled")
    return Environment(directory, site_packages, found)


def _workplace(request: EnvironmentRequest, directory: Path, scratch: Path) -> Workplace:
    return Workplace(
        app_dir=request.project.directory,
        environment=directory,
        tool=tool.lay_out_pip(request.tool, scratch),
        cache=request.cache,
        scratch=scratch,
        environ=variables.process_variables(
            request.environ, directory, request.interpreter, scratch
        ),
        python=request.python,
    )


def _install(request: EnvironmentRequest, place: Workplace, system: System) -> None:
    run = partial(_run_redacted, system.run, secrets_of(request.environ))
    for command in request.manager.commands(place):
        system.output.line(f"Running `{command.shown}`")
        outcome = run(command, system.output.detail)
        if outcome.code:
            raise request.manager.explain(command, outcome, place, run)


def _run_redacted(
    run: Run,
    secrets: tuple[str, ...],
    command: Command,
    on_line: Callable[[str], None] | None = None,
) -> Outcome:
    shown = None if on_line is None else lambda line: on_line(redact(line, secrets))
    outcome = run(command, shown)
    return replace(outcome, output=redact(outcome.output, secrets))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _forget_origins(checkouts: Path) -> None:
    """Remove the version control data of `-e git+https://...`: history, and a token in its URL."""
    if checkouts.is_dir():
        for name in _VERSION_CONTROL:
            for found in sorted(checkouts.rglob(name)):
                disk.remove(found)


def _modules(directory: Path, site_packages: Path) -> tuple[Path, ...]:
    # `-e git+https://...` is checked out to `src`.
    checkouts = directory / "src"
    return (site_packages, checkouts) if checkouts.is_dir() else (site_packages,)


def _distributions(site_packages: Path) -> dict[str, str]:
    found = {
        canonicalize_name(one.name): one.version
        for one in distributions(path=[str(site_packages)])
    }
    return dict(sorted(found.items()))
