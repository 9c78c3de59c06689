"""Locks apps as their authors do: with the Poetry, Pipenv and PDM that a build uses."""

import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cnb_python.managers.tool import Program
from tools import cache
from tools.package import carried
from tools.platforms import oci

_WORDS: Mapping[str, tuple[str, ...]] = {
    "poetry": ("lock", "--regenerate", "--no-interaction", "--no-ansi"),
    "pipenv": ("lock", "--quiet"),
    "pdm": ("lock", "--quiet"),
}


def lock(tool: str, app: Path, env: Mapping[str, str], *words: str) -> None:
    """Have *tool* make the lock of *app* anew, with these variables and no others of this machine.

    *words*: in place of its usual command.
    """
    home = home_of(app)
    program = _program(tool)
    variables = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(program),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PDM_PYTHON": sys.executable,
        "PDM_CHECK_UPDATE": "0",
        "WORKON_HOME": str(home / "environments"),
        **env,
    }
    command = (sys.executable, "-m", tool, *(words or _WORDS[tool]))
    ended = subprocess.run(
        command, cwd=app, env=variables, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def home_of(app: Path) -> Path:
    """The home of the author of *app*."""
    home = app.with_name(f"{app.name}-home")
    home.mkdir(exist_ok=True)
    return home


def _program(tool: str) -> Path:
    """The directory of *tool* and all that it needs, fetched the first time."""
    program = Program(tool)
    make = partial(_fetch, program)
    return cache.entry(f"tool-{tool}", cache.digest(program.lines), f"Fetching {tool}", make)


def _fetch(program: Program, into: Path) -> None:
    lines = into.with_suffix(".txt")
    lines.write_text(program.lines)
    uv = carried.base(oci.arch()) / "tools/uv"
    exactly = ("--require-hashes", "--no-deps", "--no-build", "--requirements", str(lines))
    command = (str(uv), "pip", "install", "--quiet", "--python", sys.executable, *exactly)
    subprocess.run((*command, "--target", str(into)), check=True)
    lines.unlink()
