"""Locks apps as their authors do: with uv, and with the Poetry, Pipenv and PDM of a build."""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cnb_python.managers.tool import Program
from tools import cache
from tools.package import bundled
from tools.platforms import oci

UV = Path(sys.executable).parent / "uv"
_LOCK_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "poetry": ("lock", "--regenerate", "--no-interaction", "--no-ansi"),
    "pipenv": ("lock", "--quiet"),
    "pdm": ("lock", "--quiet"),
}


def run_uv(app: Path, *arguments: str, index: str) -> None:
    """Run uv with *arguments* in *app*; *index* is its only index."""
    variables = {
        "UV_DEFAULT_INDEX": index,
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_CACHE": "1",
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    subprocess.run(
        [UV, *arguments], cwd=app, env={**own, **variables}, check=True, capture_output=True
    )


def lock(tool: str, app: Path, env: Mapping[str, str], *words: str) -> None:
    """Lock *app* with *tool*, with the variables *env* and no others of this machine.

    *words*: instead of the tool's usual command.
    """
    home = home_of(app)
    variables = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(installed(tool)),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PDM_PYTHON": sys.executable,
        "PDM_CHECK_UPDATE": "0",
        "WORKON_HOME": str(home / "environments"),
        **env,
    }
    command = (sys.executable, "-m", tool, *(words or _LOCK_COMMANDS[tool]))
    outcome = subprocess.run(
        command, cwd=app, env=variables, check=False, capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def home_of(app: Path) -> Path:
    """Return the home directory of the author of *app*."""
    home = app.with_name(f"{app.name}-home")
    home.mkdir(exist_ok=True)
    return home


def installed(tool: str) -> Path:
    """Return the directory of *tool* and its dependencies, installed by the first call."""
    program = Program(tool)
    install = partial(_install, program)
    return cache.entry(f"tool-{tool}", cache.digest(program.lines), f"Fetching {tool}", install)


def _install(program: Program, into: Path) -> None:
    lines = into.with_suffix(".txt")
    lines.write_text(program.lines)
    uv = bundled.base(oci.arch()) / "tools/uv"
    exactly = ("--require-hashes", "--no-deps", "--no-build", "--requirements", str(lines))
    command = (str(uv), "pip", "install", "--quiet", "--python", sys.executable, *exactly)
    subprocess.run((*command, "--target", str(into)), check=True)
    lines.unlink()
