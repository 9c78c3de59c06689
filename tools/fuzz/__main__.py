"""Runs readers with mutated files: `make fuzz`, or with --reader and --seconds for some of them.

Prints the smallest file found that a reader fails for, and ends with 1 then. The file is saved
below `build/fuzz`; with --file the reader reads it again.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path

from tools.fuzz.engine import Finding
from tools.fuzz.mutations import LARGEST
from tools.fuzz.runs import limit_memory, readers, run, run_again

_SECONDS = 600
_SHOWN = 300
_DIRECTORY = Path("build/fuzz")


def main(arguments: Sequence[str]) -> int:
    """Run the readers that *arguments* name; return 1 if one of them fails for a file."""
    chosen = _parser().parse_args(arguments)
    if chosen.file:
        return _again(chosen.reader or [], chosen.file)
    names = chosen.reader or [reader.name for reader in readers()]
    print(f"--seed {chosen.seed} --largest {chosen.largest}", flush=True)
    failed = 0
    with ProcessPoolExecutor(chosen.jobs, initializer=limit_memory, max_tasks_per_child=1) as pool:
        tasks = {
            name: pool.submit(run, name, chosen.seed, chosen.seconds, chosen.largest)
            for name in names
        }
        for name, task in tasks.items():
            finding = task.result()
            failed += finding is not None
            report = report_of(finding, chosen.directory) if finding else "no failure"
            print(f"{name}: {report}", flush=True)
    print(f"{failed} of {len(tasks)} readers failed (--seed {chosen.seed})")
    return int(failed > 0)


def report_of(finding: Finding, directory: Path) -> str:
    """Save the file of *finding* below *directory*; return what to print about it."""
    digest = sha256(finding.content).hexdigest()[:12]
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{finding.reader.replace('/', '-').replace(' ', '-')}-{digest}.bin"
    file.write_bytes(finding.content)
    command = f"PYTHONPATH=src python3 -m tools.fuzz --reader '{finding.reader}' --file {file}"
    return f"{finding.error}\n  for {shown(finding.content)}\n  again: {command}"


def shown(content: bytes) -> str:
    """Return *content* as Python writes it; of a long one the beginning and the end."""
    if len(content) <= _SHOWN:
        return repr(content)
    return f"{content[:200]!r} ... {content[-100:]!r} ({len(content):,} bytes)"


def _parser() -> argparse.ArgumentParser:
    names = [reader.name for reader in readers()]
    parser = argparse.ArgumentParser(prog="python3 -m tools.fuzz", description=__doc__)
    parser.add_argument(
        "--reader", action="append", choices=names, help="one of them; all if none"
    )
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for each reader")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the mutations")
    parser.add_argument("--jobs", type=int, default=2, help="readers at once")
    parser.add_argument(
        "--largest", type=int, default=LARGEST, help="bytes of a file; with more, all are large"
    )
    parser.add_argument("--file", type=Path, help="read only this file, with one --reader")
    parser.add_argument(
        "--directory", type=Path, default=_DIRECTORY, help="where the files of findings are saved"
    )
    return parser


def _again(names: Sequence[str], file: Path) -> int:
    if len(names) != 1:
        print("--file needs one --reader", file=sys.stderr)
        return 2
    with ProcessPoolExecutor(1, initializer=limit_memory) as pool:
        error = pool.submit(run_again, names[0], file).result()
    print(f"{names[0]}: {error or 'no failure'}")
    return int(bool(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
