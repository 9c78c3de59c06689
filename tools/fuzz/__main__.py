"""Runs readers with mutated files: `make fuzz`, or with --reader and --seconds for some of them.

Prints the smallest file found that a reader fails for, and ends with 1 then.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tools.fuzz.engine import Finding
from tools.fuzz.runs import readers, run

_SECONDS = 600


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
