"""Writes the spans of a phase to a file, if the platform requests them. Nothing is sent.

Separate from `spans`, which has no effects.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cnb_python.cnb.context import BuildContext, DetectContext
from cnb_python.result.build_result import Observed, ResultStep, error_of
from cnb_python.system.output import StepTimes

if TYPE_CHECKING:
    from cnb_python.result.spans import BuildTime

LOG_PATH, TRACEPARENT = "CNB_OTEL_LOG_PATH", "CNB_OTEL_TRACEPARENT"
# Where libcnb.rs writes, and collectors look:
# https://github.com/heroku/libcnb.rs/blob/main/libcnb/src/tracing.rs
DIRECTORY = Path("/tmp/libcnb-telemetry")  # noqa: S108 - see above
_MODE = 0o644
_NANOSECONDS = 10**9


@contextmanager
def observed(
    build: Observed,
    context: BuildContext,
    failure_of: Callable[[OSError], BaseException | None],
) -> Iterator[None]:
    """Complete the result of *build* when the block ends; write spans if the platform asks for it.

    *failure_of* returns the failure that an OSError means, None for a bug.
    """
    result = build.result
    error: BaseException | None = None
    try:
        yield
        result["outcome"] = "success"
    except BaseException as raised:
        error = (failure_of(raised) or raised) if isinstance(raised, OSError) else raised
        result["error"] = error_of(error)
        result["outcome"] = "failure" if result["error"] else "unfinished"
        raise
    finally:
        if file := destination(context.environ, result["buildpack"], "build"):
            _write(file, build, context)


def _write(file: Path, build: Observed, context: BuildContext) -> None:
    from time import time_ns  # noqa: PLC0415 - few platforms ask for spans

    from cnb_python.result import spans  # noqa: PLC0415 - as above

    result, times = build
    end = times.clock()
    result["steps"] = tuple(_steps(times, end))
    parent = spans.parent_of(context.environ.get(TRACEPARENT, ""), os.urandom)
    time = build_time(times, end, time_ns())
    append(file, spans.line(result, context.buildpack, time, parent, os.urandom))


def write_detection(context: DetectContext, seconds: float, code: int | None) -> None:
    """Write the span of a detection that took *seconds*, if the platform requests it.

    *code*: its exit code; None if it failed.
    """
    if not (file := destination(context.environ, context.buildpack.id, "detect")):
        return
    from time import time_ns  # noqa: PLC0415 - few platforms ask for spans

    from cnb_python.result import spans  # noqa: PLC0415 - as above

    end = time_ns()
    time = spans.BuildTime(end - round(seconds * _NANOSECONDS), end, ())
    parent = spans.parent_of(context.environ.get(TRACEPARENT, ""), os.urandom)
    append(file, spans.line_of_detection(code, context.buildpack, time, parent, os.urandom))


def destination(environ: Mapping[str, str], buildpack: str, phase: str) -> Path | None:
    """Return the file that the platform names, or libcnb's if it names a trace alone."""
    name = "".join("_" if each in "/.-" else each for each in buildpack) + f"-{phase}.jsonl"
    if path := environ.get(LOG_PATH):
        return Path(path, name) if Path(path).is_dir() else Path(path)
    return DIRECTORY / name if environ.get(TRACEPARENT) else None


def build_time(times: StepTimes, end: float, now: int) -> BuildTime:
    """Return when a build ran; *end* and *now* are the same time of the two clocks."""
    from cnb_python.result.spans import BuildTime, StepTime  # noqa: PLC0415 - see `_write`

    def wall(moment: float) -> int:
        return now - round((end - moment) * _NANOSECONDS)

    steps = tuple(
        StepTime(
            name,
            wall(start),
            wall(start + times.seconds.get(name, end - start)),
            name in times.seconds,
        )
        for name, start in times.started.items()
    )
    return BuildTime(wall(times.begin), now, steps)


def append(file: Path, text: str) -> None:
    """Append *text* as a line to *file*, whole or not at all. Errors do not stop the build."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, flags, _MODE)
        try:
            # Not a pipe or a device, which could block, or be a terminal.
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.write(descriptor, f"{text}\n".encode())
        finally:
            os.close(descriptor)
    except OSError:
        return


def _steps(times: StepTimes, end: float) -> Iterator[ResultStep]:
    for name, start in times.started.items():
        seconds = times.seconds.get(name, end - start)
        yield {"name": name, "seconds": round(seconds, 3), "finished": name in times.seconds}
