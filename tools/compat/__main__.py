"""Compares linked with merged environments: `python3 -m tools.compat [--sets NAME...]`.

Everything (no options) writes `docs/compatibility.md`. Ends with 1 when anything differs for no
known reason, or when an environment that should be linked is not.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tools import cache
from tools.compat import document, pins, rounds
from tools.compat.document import Report
from tools.compat.images import Workshop
from tools.package import assemble, builder
from tools.platforms import lifecycle, oci, this_machine
from tools.processes import Unavailable, need_root, run, say
from tools.pythons import mirror

DOCUMENT = assemble.ROOT / "docs/compatibility.md"


def main(arguments: Sequence[str]) -> int:
    """Compare, write, print; the exit code."""
    asked = _asked(arguments)
    need_root("Running images without a container engine")
    with tempfile.TemporaryDirectory(prefix="cnb-python-compat-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        report = _compared(folder, asked)
    written = document.text(report)
    if asked.all:
        DOCUMENT.write_text(written)
        say(f"Written to {DOCUMENT.relative_to(assemble.ROOT)}")
    else:
        say(written)
    unexplained = [one for one in report.differences if not one.reason]
    for one in unexplained:
        say(f"{one.where}\n  linked: {one.linked}\n  merged: {one.merged}")
    return 1 if unexplained else 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    popular, suites = pins.popular(pins.POPULAR.read_text()), pins.suites()
    parser = argparse.ArgumentParser(prog="tools.compat", description=(__doc__ or "").strip())
    parser.add_argument("--sets", nargs="*", choices=list(popular), help="only these sets")
    parser.add_argument(
        "--suites", nargs="*", choices=[one.name for one in suites], help="only these suites"
    )
    parser.add_argument(
        "--first", type=int, help="only so many distributions of each set, with what they need"
    )
    asked = parser.parse_args(arguments)
    asked.all = asked.sets is None and asked.suites is None and asked.first is None
    if asked.suites and pins.SUITES_SET not in (asked.sets or ()):
        asked.sets = [*(asked.sets or ()), pins.SUITES_SET]
    return asked


def _compared(folder: Path, asked: argparse.Namespace) -> Report:
    tree = builder.buildpack()
    # A copy: others may renew the tree meanwhile.
    with cache.locked("dist"):
        run("cp", "-a", "--", tree, folder / "buildpack")
    with mirror.running() as url:
        settings = {**this_machine.of_this_machine(), this_machine.MIRROR: f"{url}/python.toml"}
        shop = Workshop(lifecycle.standard(), folder / "buildpack", settings, folder)
        sets, suites = rounds.all_of(shop, rounds.Choice(asked.sets, asked.suites, asked.first))
    today = datetime.now(UTC).date().isoformat()
    return Report(today, oci.arch(), sets, suites)


if __name__ == "__main__":
    os.umask(0o022)
    # Ended politely, so that the temporary folder goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        sys.exit(str(error))
