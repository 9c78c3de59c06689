"""Runs programs for the tools, and reports what is missing in one sentence."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

# The last lines of output that an error shows.
SHOWN_LINES = 15


class Unavailable(Exception):
    """Something is missing on this machine; the text is one sentence with the fix."""


def say(text: str) -> None:
    """Print a line of progress at once, also into a pipe."""
    print(text, flush=True)


def run(*argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Return what a program prints on stdout; raise `Unavailable` with its last lines if it fails.

    *env* is added to this process's own environment.
    """
    ended = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    if ended.returncode:
        shown = (ended.stdout + ended.stderr).strip().splitlines()[-SHOWN_LINES:]
        command = " ".join(str(part) for part in argv[:3])
        fail("\n  ".join([f"`{command} ...` failed ({ended.returncode}):", *shown]))
    return ended.stdout


def fail(sentence: str) -> NoReturn:
    """Raise `Unavailable` with a sentence that names what is missing and the fix."""
    raise Unavailable(sentence)


def need_root(what: str) -> None:
    """Raise `Unavailable` unless this process may mount and change owners."""
    if os.geteuid() != 0:
        fail(f"{what} needs root: run the command as root, or start a Docker engine.")
