"""Has uv install the program of a package manager.

Imported when a manager needs its program, not by unchanged builds.
"""

from pathlib import Path

from cnb_python.errors.programs import ToolUnavailable
from cnb_python.managers import build_errors
from cnb_python.managers.base import InstallContext
from cnb_python.managers.index_config import asks_no_index, index_variables
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Run


def install(program: Program, into: Path, python: Path, context: InstallContext, run: Run) -> None:
    """Put *program* and all that it needs into the directory *into*, for *python*.

    Raises ToolUnavailable, DiskFull or Killed.
    """
    outcome = run(_command(program, into, python, context))
    if outcome.code:
        version = program.versions or program.version
        raise build_errors.machine_failure(
            outcome.code, outcome.output, uv.NAME
        ) or ToolUnavailable(program.name, version, uv.last_words(outcome.output))


def _command(program: Program, into: Path, python: Path, context: InstallContext) -> Command:
    file = context.scratch / f"{program.name}.program.txt"
    file.write_text(program.lines, encoding="utf-8")
    # The pinned release is complete and has wheels; uv resolves others, and may have to build.
    exactly = ("--require-hashes", "--no-deps", "--no-build") if program.is_locked else ()
    # An offline package has the pinned releases beside uv (tools/package/tool_wheels.py).
    bundled = context.uv.with_name("programs")
    is_bundled = program.is_locked and bundled.is_dir()
    offline = ("--offline", "--no-index", "--find-links", str(bundled)) if is_bundled else ()
    return Command(
        (
            *(str(context.uv), "pip", "install", "--quiet", "--color", "never", "--system-certs"),
            *("--no-python-downloads", "--python", str(python), "--target", str(into)),
            *("--link-mode", "hardlink", "--index-strategy", "unsafe-best-match"),
            *("--cache-dir", str(context.scratch / "programs"), *exactly, *offline),
            *(("--no-index",) if asks_no_index(context.environ) and not offline else ()),
            *uv.without_limit(context),
            *("--requirements", str(file)),
        ),
        index_variables(context.environ),
        # uv looks for settings here and above: those of the app are not for this.
        context.scratch,
    )
