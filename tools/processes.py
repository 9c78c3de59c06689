"""Runs the maintainer's programs, and says in one sentence what could not be had."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

# Enough to see what went wrong, short enough to be read.
SHOWN_LINES = 15


class Unavailable(Exception):
    """Something this machine lacks; its text is one sentence that says what to do."""


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
    """Raise `Unavailable` with a sentence that says what is missing and what to do."""
    raise Unavailable(sentence)


def need_root(what: str) -> None:
    """Raise `Unavailable` unless this process may mount and change owners."""
    if os.geteuid() != 0:
        fail(f"{what} needs root: run the command as root, or start a Docker engine.")
