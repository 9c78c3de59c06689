"""Has uv fetch the program of a package manager."""

from pathlib import Path

from cnb_python.errors.programs import ProgramUnavailable
from cnb_python.managers import build_errors, index_config
from cnb_python.managers.base import InstallContext
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Run


def install(program: Program, into: Path, python: Path, place: InstallContext, run: Run) -> None:
    """Put *program* and all that it needs into the directory *into*, for *python*.

    Raises ProgramUnavailable, DiskFull or Killed.
    """
    command = _command(program, into, python, place)
    outcome = run(command)
    if outcome.code:
        raise build_errors.machine_failure(
            outcome.code, outcome.output, uv.NAME
        ) or ProgramUnavailable(program.name, _version(program), uv.last_words(outcome.output))


def _command(program: Program, into: Path, python: Path, place: InstallContext) -> Command:
    file = place.scratch / f"{program.name}.program.txt"
    file.write_text(program.lines, encoding="utf-8")
    # Without hashes nobody has said what else it needs: uv decides.
    # Nobody's compiler is needed to have the pinned one; an old release may have no other form.
    exactly = ("--require-hashes", "--no-deps", "--no-build") if program.is_locked else ()
    # An offline package carries what is pinned, beside uv (tools/package/tool_wheels.py).
    carried = place.uv.with_name("programs")
    is_here = program.is_locked and carried.is_dir()
    inside = ("--offline", "--no-index", "--find-links", str(carried)) if is_here else ()
    return Command(
        (
            *(str(place.uv), "pip", "install", "--quiet", "--color", "never", "--system-certs"),
            *("--no-python-downloads", "--python", str(python), "--target", str(into)),
            *("--link-mode", "hardlink", "--index-strategy", "unsafe-best-match"),
            *("--cache-dir", str((place.cache or place.scratch) / "uv"), *exactly, *inside),
            *("--requirements", str(file)),
        ),
        index_config.index_variables(place.environ),
        # uv looks for settings here and above: those of the app are not about this.
        place.scratch,
    )


def _version(program: Program) -> str:
    return program.versions or program.version
