"""The edge: argv and environ in, files and an exit code out.

The only module that reads the environment, and the one that turns errors into words.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from cnb_python.errors.base import BuildpackBug, Failure
from cnb_python.system.output import Console

if TYPE_CHECKING:
    from cnb_python.system.fetch import Receive
    from cnb_python.system.interface import Command, Download, Outcome, System

# Neither 0 nor 100, which the spec has taken:
# https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
EXPECTED = 1
BUG = 70  # EX_SOFTWARE of sysexits.h
TERMINATED = 128 + signal.SIGTERM

BUG_TITLE = "This is a bug in the Python buildpack, not in your app. Please report what follows"


def main(phase: str, argv: Sequence[str], directory: Path) -> int:
    """Run *phase* of the buildpack in *directory*; return its exit code."""
    console = Console(sys.stdout)
    # The modes of everything we write are part of the image's digest.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(phase, argv, directory, console)
    except BuildpackBug:
        return _confess(console)
    except Failure as error:
        _explain(error, console)
        return EXPECTED
    except OSError as error:
        if outside := _not_ours(error):
            _explain(outside, console)
            return EXPECTED
        return _confess(console)
    except Exception:  # noqa: BLE001 - the last line of defence: shown whole, as ours
        return _confess(console)


def _confess(console: Console) -> int:
    import traceback

    from cnb_python.system.redaction import redact

    console.bug(BUG_TITLE, redact(traceback.format_exc()))
    return BUG


def _not_ours(error: OSError) -> Failure | None:
    """Return what a machine's refusal is to be called, None where we are to blame."""
    import errno

    from cnb_python.errors.machine import DiskFull, PathInaccessible

    place = str(error.filename or "a file")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"writing {place}")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EIO}:
        return PathInaccessible(place, error.strerror or type(error).__name__)
    return None


def _terminate(_number: int, _frame: FrameType | None) -> None:
    # An exception, so that `finally` clauses end the children of this process too.
    sys.exit(TERMINATED)


def _explain(error: Failure, console: Console) -> None:

    message = error.describe()
    console.error(message.title, message.body, message.steps)


def _run(phase: str, argv: Sequence[str], directory: Path, console: Console) -> int:
    # Each phase is imported only when it runs, so that detect stays light.
    match phase:
        case "detect":
            from cnb_python.cnb.context import detect_context
            from cnb_python.detect import detect

            return detect(detect_context(argv, os.environ, Path.cwd(), directory), console.line)
        case "build":
            from cnb_python.bindings.apply import granted
            from cnb_python.build import build
            from cnb_python.cnb.context import build_context

            told = build_context(argv, os.environ, Path.cwd(), directory)
            # Its bindings say how the network is reached, so they come before everything else.
            with granted(told, console) as context:
                build(context, _system(context.environ, console))
            return 0
        case _:
            raise ValueError(phase)


def _system(environ: Mapping[str, str], console: Console) -> System:
    from datetime import UTC, datetime

    from cnb_python.system.fetch import Fetcher
    from cnb_python.system.interface import System

    return System(
        run=_run_program,
        fetch=Fetcher(_receiver(environ, console)),
        output=console,
        today=datetime.now(UTC).date(),
        cpus=os.process_cpu_count() or 1,
    )


def _run_program(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    # Most builds run nothing.
    from cnb_python.system.process import run

    return run(command, on_line)


def _receiver(environ: Mapping[str, str], console: Console) -> Receive:
    def receive(download: Download, store: Callable[[Iterable[bytes]], str]) -> str:
        # httpx takes 200 ms to import, and most builds fetch nothing.
        from cnb_python.system.http import Client

        return Client(environ, console.line).receive(download, store)

    return receive
