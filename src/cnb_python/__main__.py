"""Runs a phase: takes argv and the environment, returns an exit code, prints errors.

The only module that reads the environment of the process.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from cnb_python.errors.base import BuildpackBug, Failure
from cnb_python.system.output import Console

if TYPE_CHECKING:
    from cnb_python.cnb.context import BuildContext, DetectContext
    from cnb_python.system.interface import (
        Command,
        Download,
        Fetch,
        Helper,
        Outcome,
        Receive,
        System,
    )

# The spec gives 0 and 100 other meanings:
# https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
EXPECTED = 1
BUG = 70  # EX_SOFTWARE of sysexits.h
TERMINATED = 128 + signal.SIGTERM

# Also in `result.telemetry`, which detection loads only if one of these variables is set.
_SPANS = ("CNB_OTEL_LOG_PATH", "CNB_OTEL_TRACEPARENT")

BUG_TITLE = "This is a bug in the Python buildpack, not in your app. Please report what follows"


def main(phase: str, argv: Sequence[str], directory: Path) -> int:
    """Run *phase* of the buildpack in *directory*; return its exit code."""
    console = _console(sys.stdout, os.environ)
    console.mask_with(_first_mask(console, os.environ))
    # The modes of everything we write are part of the image's digest.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(phase, argv, directory, console)
    except BuildpackBug:
        return _print_bug(console)
    except Failure as error:
        _print_failure(error, console)
        return EXPECTED
    except OSError as error:
        if failure := _failure_of(error):
            _print_failure(failure, console)
            return EXPECTED
        return _print_bug(console)
    except Exception:  # noqa: BLE001 - what nothing else caught is a bug of the buildpack
        return _print_bug(console)


def _console(stream: TextIO, environ: Mapping[str, str]) -> Console:
    """Return the output of a phase: with colours on a terminal, or as the variables ask.

    https://no-color.org and https://force-color.org
    """
    is_terminal = stream.isatty() and environ.get("TERM") != "dumb"
    colour = not environ.get("NO_COLOR") and (is_terminal or bool(environ.get("FORCE_COLOR")))
    if not is_terminal:
        return Console(stream, colour=colour)
    from cnb_python.system.status_line import StatusLine

    return Console(stream, colour=colour, status=StatusLine(stream))


def _first_mask(console: Console, environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return what replaces the secrets in *environ*; not loaded unless something is printed."""

    def mask(text: str) -> str:
        from functools import partial

        from cnb_python.system.redaction import redact
        from cnb_python.system.secret_values import secrets_of

        replace = partial(redact, secrets=secrets_of(environ))
        console.mask_with(replace)
        return replace(text)

    return mask


def _mask_all(console: Console, context: BuildContext) -> None:
    """Replace the secrets of *context* in all that *console* prints from now on."""
    from functools import partial

    from cnb_python.install import process_env
    from cnb_python.system.redaction import redact

    secrets = {*process_env.secrets(context.environ, context.app_dir)}
    if context.platform.bindings:
        from cnb_python.bindings.hidden_values import binding_secrets

        secrets.update(binding_secrets(context.platform.bindings))
    console.mask_with(partial(redact, secrets=tuple(secrets)))


def _print_bug(console: Console) -> int:
    import traceback

    console.bug(BUG_TITLE, traceback.format_exc())
    return BUG


def _failure_of(error: OSError) -> Failure | None:
    """Return the failure of the machine that *error* means; None if it means a bug."""
    import errno

    from cnb_python.errors.machine import DiskFull, PathInaccessible

    path = str(error.filename or "a file")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"writing {path}")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EIO}:
        return PathInaccessible(path, error.strerror or type(error).__name__)
    return None


def _terminate(_number: int, _frame: FrameType | None) -> None:
    # An exception, so that `finally` clauses end the children of this process too.
    sys.exit(TERMINATED)


def _print_failure(failure: Failure, console: Console) -> None:
    console.error(failure.describe(), failure.link())


def _run(phase: str, argv: Sequence[str], directory: Path, console: Console) -> int:
    # Each phase is imported only when it runs, so that detect stays light.
    match phase:
        case "detect":
            from cnb_python.cnb.context import detect_context
            from cnb_python.detect import detect

            inputs = detect_context(argv, os.environ, Path.cwd(), directory)
            with _detection_observed(inputs) as ended:
                return ended(detect(inputs, console.line))
        case "build":
            from time import monotonic

            from cnb_python.bindings.apply import apply_bindings
            from cnb_python.build import build
            from cnb_python.cnb.context import build_context
            from cnb_python.result.build_result import Observed, begun
            from cnb_python.result.telemetry import observed
            from cnb_python.system.output import StepTimes

            own = build_context(argv, os.environ, Path.cwd(), directory)
            watched = Observed(begun(own.buildpack), StepTimes(monotonic))
            with observed(watched, own, _failure_of):
                _mask_all(console, own)
                # Bindings decide how the network is reached, so they come first.
                with apply_bindings(own, console) as context:
                    _mask_all(console, context)
                    build(context, _system(context.environ, console), watched)
            return 0
        case "explain":
            from cnb_python.explain.command import CommandProcess, run_explain

            process = CommandProcess(os.environ, Path.cwd(), console, _mask_all, _system)
            return run_explain(argv, directory, process)
        case _:
            raise ValueError(phase)


@contextmanager
def _detection_observed(context: DetectContext) -> Iterator[Callable[[int], int]]:
    """Write a span when the block ends, if the platform requests it.

    Yields a function that records the exit code of the detection, and returns it.
    """
    from time import monotonic

    begin, codes = monotonic(), list[int]()

    def ended(code: int) -> int:
        codes.append(code)
        return code

    try:
        yield ended
    finally:
        # Few platforms request spans, and detection runs for every app.
        if any(context.environ.get(name) for name in _SPANS):
            from cnb_python.result import telemetry

            code = codes[0] if codes else None
            telemetry.write_detection(context, monotonic() - begin, code)


def _system(environ: Mapping[str, str], console: Console) -> System:
    from datetime import UTC, datetime

    from cnb_python.system.interface import System
    from cnb_python.system.verified_file import Fetcher

    now = datetime.now(UTC)
    return System(
        run=_run_program,
        fetch=Fetcher(_receiver(environ, console)),
        open_fetch=lambda: _fetch_keeping_connections(environ, console),
        output=console,
        today=now.date(),
        now=now,
        cpus=os.process_cpu_count() or 1,
        start_helper=_start_helper,
    )


def _run_program(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    # Most builds run nothing.
    from cnb_python.system.process import run

    return run(command, on_line)


def _start_helper(module: str) -> Helper:
    from cnb_python.system.process import HelperProcess

    return HelperProcess(module)


@contextmanager
def _fetch_keeping_connections(environ: Mapping[str, str], console: Console) -> Iterator[Fetch]:
    from cnb_python.system.download import Client
    from cnb_python.system.verified_file import Fetcher

    with Client(environ, console.line).keeping_connections() as client:
        yield Fetcher(client.receive)


def _receiver(environ: Mapping[str, str], console: Console) -> Receive:
    def receive(download: Download, store: Callable[[Iterable[bytes]], str]) -> str:
        if download.is_small:
            from cnb_python.system.small_download import receive_small

            if (received := receive_small(download, store, environ)) is not None:
                return received
        # httpx takes 0.1 s to import, and most builds fetch nothing large.
        from cnb_python.system.download import Client

        return Client(environ, console.line).receive(download, store)

    return receive
