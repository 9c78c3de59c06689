"""Makes the fixtures' lock files from their pinned inputs: `make fixtures`.

They are not committed: most kinds of lock file name the index that they were made with, which is
a matter of the machine.
"""

import platform
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools import cache, carried
from tools.stage0 import ARCHES, ROOT


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, and uv's arguments that make it from the files beside it."""

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
            *("--python-version", "3.14", "requirements.in", "--output-file"),
        ),
    ),
)


def ensure(lock: Lock) -> None:
    """Put the lock file into its fixture, made anew only when its inputs have changed."""
    folder = ROOT / "fixtures" / lock.fixture
    pins = cache.digest(repr(lock), *((folder / name).read_bytes() for name in lock.inputs))
    title = f"Locking fixtures/{lock.fixture}"
    kept = cache.made(f"lock-{lock.fixture}", pins, title, partial(_make, lock, folder))
    content = (kept / lock.output).read_bytes()
    target = folder / lock.output
    if not target.exists() or target.read_bytes() != content:
        target.write_bytes(content)


def _make(lock: Lock, folder: Path, into: Path) -> None:
    uv = carried.base(ARCHES[platform.machine()]) / "tools/uv"
    subprocess.run([uv, *lock.arguments, into / lock.output], cwd=folder, check=True)


def main() -> None:
    """Make every lock file that is not up to date."""
    for lock in LOCKS:
        ensure(lock)


if __name__ == "__main__":
    main()
