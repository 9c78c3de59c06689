"""Runs the fuzz tests of the exec.d program for so many seconds each: a part of `make fuzz`.

In rounds of so many calls: a limit of time ends in "context deadline exceeded" now and then, which
is a race in Go before 1.27 and no fault of what is tested (https://go.dev/issue/75804). Go keeps
inputs that reach new code, so that a round continues where the previous one ended.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tools.package import execd
from tools.platforms import real_tools

_SECONDS = 600
_CALLS = 2000
"""Of a round: some seconds."""
_SHRINKING_CALLS = 100
"""For each input that reaches new code. Go would take a minute for each of 100 kB."""

type Go = Callable[[tuple[str, ...]], tuple[int, str]]
"""Runs `go` with arguments; returns its exit code and what it printed."""


def main(arguments: Sequence[str]) -> int:
    """Run all fuzz tests of Go; return 1 if one of them fails."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.fuzz.go_tests", description=__doc__)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for each test")
    chosen = parser.parse_args(arguments)
    failed = 0
    for name in names((execd.SOURCE / "fuzz_test.go").read_text()):
        output = failure(name, chosen.seconds, _go)
        failed += bool(output)
        print(f"{name}: {output or 'no failure'}", flush=True)
    return int(failed > 0)


def names(source: str) -> Iterator[str]:
    """Yield the names of the fuzz tests in *source*, a file of Go."""
    return (match[1] for match in re.finditer(r"^func (Fuzz\w+)\(", source, re.MULTILINE))


def failure(name: str, seconds: float, go: Go, clock: Callable[[], float] = time.monotonic) -> str:
    """Run the fuzz test *name* for *seconds*, and at least once.

    Return what Go printed about a failure, with the file that it saved the input in; else empty.
    """
    until = clock() + seconds
    limits = (f"-fuzztime={_CALLS}x", f"-fuzzminimizetime={_SHRINKING_CALLS}x")
    while True:
        code, output = go(("test", "-run=^$", f"-fuzz=^{name}$", *limits, "."))
        if code:
            return output
        if clock() >= until:
            return ""


def _go(arguments: tuple[str, ...], source: Path = execd.SOURCE) -> tuple[int, str]:
    outcome = subprocess.run(
        (real_tools.pinned_go(), *arguments),
        cwd=source,
        env={**os.environ, **execd.ENV},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return outcome.returncode, outcome.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
