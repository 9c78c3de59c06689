"""Runs readers with mutated files: `make fuzz`, or with --reader and --seconds for some of them.

Prints the smallest file found that a reader fails for, and ends with 1 then.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tools.fuzz import app_readers, package_readers
from tools.fuzz.engine import Finding, Reader, fuzz

_SECONDS = 600
_MEMORY = 2 << 30


def readers() -> tuple[Reader, ...]:
    """Return all readers."""
    return (*app_readers.readers(), *package_readers.readers())


def run(name: str, seed: int, seconds: float) -> Finding | None:
    """Return the first finding of the reader *name* within *seconds*."""
    # A reader that would need more raises MemoryError, which is a finding.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    reader = next(each for each in readers() if each.name == name)
    with tempfile.TemporaryDirectory(prefix="cnb-python-fuzz-") as scratch:
        return fuzz(reader, seed, Path(scratch), until=time.monotonic() + seconds)


def main(arguments: Sequence[str]) -> int:
    """Run the readers that *arguments* name; return 1 if one of them fails for a file."""
    names = [reader.name for reader in readers()]
    parser = argparse.ArgumentParser(prog="python3 -m tools.fuzz", description=__doc__)
    parser.add_argument(
        "--reader", action="append", choices=names, help="one of them; all if none"
    )
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for each reader")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the mutations")
    parser.add_argument("--jobs", type=int, default=2, help="readers at once")
    chosen = parser.parse_args(arguments)
    failed = 0
    with ProcessPoolExecutor(chosen.jobs, max_tasks_per_child=1) as pool:
        tasks = {
            name: pool.submit(run, name, chosen.seed, chosen.seconds)
            for name in chosen.reader or names
        }
        for name, task in tasks.items():
            finding = task.result()
            failed += finding is not None
            print(f"{name}: {_shown(finding)}", flush=True)
    print(f"{failed} of {len(tasks)} readers failed (--seed {chosen.seed})")
    return int(failed > 0)


def _shown(finding: Finding | None) -> str:
    if finding is None:
        return "no failure"
    size = len(finding.content)
    shown = (
        repr(finding.content) if size < 2000 else f"{finding.content[:2000]!r}... ({size} bytes)"
    )
    return f"{finding.error}\n  for {shown}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
