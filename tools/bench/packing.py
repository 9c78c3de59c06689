"""One `pack build` with a watch beside it."""

import os
import re
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tools.bench.contestants import MARK, Contestant
from tools.package import builder
from tools.platforms import real_tools
from tools.platforms.engine import Engine
from tools.processes import fail

TIMEOUT = 900
PHASE = re.compile(r"===> ([A-Z]+)")
# `PACK_NO_COLOR` and pipes notwithstanding, the lifecycle may colour its headings.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

type Line = tuple[float, str]
"""A line of output, and how many seconds after the start it came."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a build makes, and the volumes it keeps its caches in."""

    image: str
    cache: str
    """Name of the volumes, but for their endings."""
    publish: str = ""
    """The run image's name in the registry; empty: the image goes to the engine."""

    @property
    def volumes(self) -> tuple[str, ...]:
        """The names of the volumes."""
        return (f"{self.cache}.build", f"{self.cache}.launch")


@dataclass(frozen=True, slots=True)
class Packed:
    """What the watch showed, in seconds."""

    pack: float
    build: float
    """`bin/build` alone."""
    phases: dict[str, float]
    """By the lifecycle's headings, in lower case: `building`, `exporting`, ..."""
    output: str


def pack(
    engine: Engine,
    contestant: Contestant,
    app: Path,
    target: Target,
    env: Iterable[tuple[str, str]],
) -> Packed:
    """Build *app*; raises `Unavailable` with the last of the output when that fails."""
    command = (*_command(engine, contestant, app, target), *_variables(contestant, env))
    began = time.monotonic()
    lines, code = _watched(command, {**os.environ, **builder.pack_env(engine)}, began)
    seconds = time.monotonic() - began
    output = "\n".join(text for _, text in lines)
    if code:
        fail(f"{contestant.name} could not build {app.name} ({code}):\n{output[-4000:]}")
    return Packed(seconds, own_time(lines), phases(lines, seconds), output)


def _command(
    engine: Engine, contestant: Contestant, app: Path, target: Target
) -> tuple[str | Path, ...]:
    kinds = ("build", "launch")
    return (
        *(real_tools.pack(), "build", target.image, "--path", app),
        *builder.pack_flags(engine, contestant.builder),
        *("--network", "host"),
        *(f"--volume={mount}" for mount in contestant.mounts),
        *(
            f"--cache=type={kind};format=volume;name={volume}"
            for kind, volume in zip(kinds, target.volumes, strict=True)
        ),
        *(("--publish", "--run-image", target.publish) if target.publish else ()),
    )


def _variables(contestant: Contestant, env: Iterable[tuple[str, str]]) -> list[str]:
    return [f"--env={name}={value}" for name, value in (*env, *contestant.env)]


def _watched(
    command: Sequence[str | Path], env: dict[str, str], began: float
) -> tuple[list[Line], int]:
    lines: list[Line] = []
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for; for mypy
        try:
            lines.extend(
                (time.monotonic() - began, COLOUR.sub("", line).rstrip("\n"))
                for line in process.stdout
            )
        except BaseException:
            # Asked to end, pack removes its container and its own builder.
            process.terminate()
            raise
    return lines, process.returncode


def own_time(lines: Iterable[Line]) -> float:
    """Return the seconds that the stopwatch printed; raises `Unavailable` if it did not."""
    for _, text in lines:
        _, found, rest = text.partition(MARK)
        if found:
            return int(rest.split()[0]) / 1e9
    return fail("The stopwatch of bin/build is missing in the output.")


def phases(lines: Iterable[Line], seconds: float) -> dict[str, float]:
    """Return how long each phase took, by its heading, of a build that ended after *seconds*.

    `starting` is what comes before the first heading. `creator` prints one per phase (pack's
    default with a trusted builder); a phase's heading comes when it begins.
    """
    headings = [(match[1].lower(), at) for at, text in lines if (match := PHASE.match(text))]
    begun = [("starting", 0.0), *headings, ("end", seconds)]
    return {title: end - start for (title, start), (_, end) in pairwise(begun)}
