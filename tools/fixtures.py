"""Makes the lock files of the sample apps from their pinned inputs: `make fixtures`.

They are not committed, since most formats name the index that they were made with, and that
differs from machine to machine.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools import cache
from tools.package import bundled
from tools.processes import run
from tools.stage0 import ARCHES, ROOT


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, its inputs, and the arguments of uv that make it."""

    fixture: str
    inputs: tuple[str, ...]
    output: str
    arguments: tuple[str, ...]


LOCKS = (
    Lock(
        fixture="pip_hashes",
        inputs=("requirements.in",),
        output="requirements.txt",
        arguments=(
            *("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--python-version", "3.14", "requirements.in", "--output-file", "requirements.txt"),
        ),
    ),
    Lock(
        fixture="uv_fastapi",
        inputs=(
            *("pyproject.toml", "src/greeter/__init__.py"),
            *("libs/phrases/pyproject.toml", "libs/phrases/src/phrases/__init__.py"),
        ),
        output="uv.lock",
        arguments=("lock", "--quiet"),
    ),
    Lock(
        fixture="pylock_flask",
        inputs=("requirements.in",),
        output="pylock.toml",
        arguments=(
            *("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--universal"),
            *("--format", "pylock.toml", "--python-version", "3.12", "requirements.in"),
            *("--output-file", "pylock.toml"),
        ),
    ),
)
# Their lock files name the index even if the Pipfile does not.
PIPFILES = ("pipenv_flask",)
PIPENV = ROOT / "src/cnb_python/data/tools/pipenv.in"


def ensure(lock: Lock) -> None:
    """Write the lock file into its fixture; make it only if its inputs have changed."""
    folder = ROOT / "fixtures" / lock.fixture
    pins = cache.digest(repr(lock), *((folder / name).read_bytes() for name in lock.inputs))
    title = f"Locking fixtures/{lock.fixture}"
    entry = cache.entry(f"lock-{lock.fixture}", pins, title, partial(_make, lock, folder))
    content = (entry / lock.output).read_bytes()
    target = folder / lock.output
    if not target.exists() or target.read_bytes() != content:
        target.write_bytes(content)


def _make(lock: Lock, folder: Path, into: Path) -> None:
    uv = bundled.base(ARCHES[platform.machine()]) / "tools/uv"
    for name in lock.inputs:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / name, into / name)
    python = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run([uv, *lock.arguments], cwd=into, env={**os.environ, **python}, check=True)


def ensure_pipfile(fixture: str) -> None:
    """Write `Pipfile.lock` into *fixture*, made with the Pipenv that a build would use."""
    folder = ROOT / "fixtures" / fixture
    pipfile, pin = (folder / "Pipfile").read_bytes(), PIPENV.read_text().strip()
    make = partial(_lock_pipfile, pipfile, pin)
    pins = cache.digest(pin, pipfile)
    entry = cache.entry(f"lock-{fixture}", pins, f"Locking fixtures/{fixture}", make)
    content = (entry / "Pipfile.lock").read_bytes()
    target = folder / "Pipfile.lock"
    if not target.exists() or target.read_bytes() != content:
        target.write_bytes(content)


def _lock_pipfile(pipfile: bytes, pin: str, into: Path) -> None:
    uv = bundled.base(ARCHES[platform.machine()]) / "tools/uv"
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "Pipfile").write_bytes(pipfile)
        run(
            *(uv, "tool", "run", "--python", sys.executable, "--from", pin),
            *("pipenv", "--python", sys.executable, "lock"),
            # Pipenv needs an environment to resolve in; keep it in this directory.
            env={"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1"},
            cwd=Path(directory),
        )
        shutil.copy(Path(directory) / "Pipfile.lock", into)


def main() -> None:
    """Make every lock file that is not up to date."""
    for lock in LOCKS:
        ensure(lock)
    for fixture in PIPFILES:
        ensure_pipfile(fixture)


if __name__ == "__main__":
    main()
