"""Makes stages: environments that a manager fills, to be taken apart afterwards.

Each is filled under the final path of the environment, which scripts and build settings name, and
then moved aside.
"""

import itertools
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions.dist_info import StagedEnvironment
from cnb_python.install import process_env
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.managers.base import InstallContext
from cnb_python.managers.tool import Program, not_available
from cnb_python.system.interface import Command, Outcome, Run, System
from cnb_python.system.redaction import redact

_CONFIG = """\
home = {home}
include-system-site-packages = false
version = {line}
"""


def make(directory: Path, interpreter: Path, line: str) -> Path:
    """Make the environment of *interpreter* in *directory*; return its `site-packages`.

    *interpreter* is the real program by its final path, *line* its release line (`3.14`).
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
    # 64-bit wheels and tools that know Fedora's layout look here.
    (directory / "lib64").symlink_to("lib")
    return site_packages


def copy_pip(source: Path, into: Path) -> Path:
    """Copy pip from *source*, a wheel or the directory of an installed package, below *into*.

    Returns the directory `pip`. It is a copy that pip's bytecode can be written to: pip starts
    itself once for each package that it builds in isolation, and compiling it takes a second.
    Raises OSError, or BadZipFile for a damaged wheel.
    """
    target = into / "pip"
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.startswith("pip/")]
        wheel.extractall(into, names)
    return target


@dataclass(frozen=True, slots=True)
class StagingArea:
    """Where one build installs packages."""

    request: EnvironmentRequest
    system: System
    litter: AppSnapshot
    """What building leaves in the app's directory."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def stage[Result](
        self, fill: Callable[[InstallContext, Run], Result], *, pip: bool = True
    ) -> tuple[StagedEnvironment, Result]:
        """Have *fill* install in an empty environment; return that, and what *fill* returns.

        *pip*: it may be used. Raises what *fill* raises.
        """
        request = self.request
        disk.remove(request.directory)
        make(request.directory, request.interpreter, request.line)
        self.litter.look()
        result = fill(self.place(pip=pip), self.run)
        self.litter.clear()
        root = request.work / f"stage-{next(self._numbers)}"
        request.directory.rename(root)
        return StagedEnvironment(root, request.directory, request.line), result

    def place(self, *, pip: bool) -> InstallContext:
        """Return where a manager works. pip's own files are laid out the first time they count."""
        request, scratch = self.request, self.request.work / "tmp"
        disk.make_directory(scratch)
        tools = self.request.work / "tools"
        if pip and not (tools / "pip").is_dir():
            copy_pip(request.tool, tools)
        place = InstallContext(
            app_dir=request.app.directory,
            environment=request.directory,
            tool=tools / "pip",
            uv=request.uv,
            cache=request.work / "downloads",
            scratch=scratch,
            environ=process_env.manager_environ(
                request.environ, request.directory, request.interpreter, scratch
            ),
            python=request.python,
            fetch=self.system.fetch,
        )
        return replace(place, bring=partial(self._bring, place))

    def _bring(self, place: InstallContext, wanted: Program) -> tuple[str, ...]:
        """Return the words that start *wanted*, in *place*."""
        tool_cache = self.request.tool_cache
        if tool_cache is None:
            return not_available(wanted)
        from cnb_python.managers.tool_install import install  # noqa: PLC0415 - pip and uv are here already

        return tool_cache.bring(
            wanted, lambda one, into, python: install(one, into, python, place, self.run)
        )

    @property
    def run(self) -> Run:
        """Runs commands; no secret of theirs is in what comes of them."""
        request = self.request
        hidden = process_env.secrets(request.environ, request.app.directory)
        return partial(_run_redacted, self.system, hidden)


def _run_redacted(
    system: System,
    secrets: tuple[str, ...],
    command: Command,
    on_line: Callable[[str], None] | None = None,
) -> Outcome:
    if command.shown:
        system.output.line(f"Running `{command.shown}`")
    tell = on_line or (system.output.detail if command.shown else None)
    shown = None if tell is None else lambda line: tell(redact(line, secrets))
    outcome = system.run(command, shown)
    return replace(outcome, output=redact(outcome.output, secrets))
