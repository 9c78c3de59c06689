"""Compares linked with merged environments: `python3 -m tools.compat [--sets NAME...]`.

Without options it compares everything and writes `docs/compatibility.md`. The exit code is 1 if
there is a difference that `reasons.toml` does not explain.
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
from tools.compat.images import BuildContext
from tools.package import assemble, builder
from tools.platforms import lifecycle, oci, this_machine
from tools.processes import Unavailable, need_root, run, say
from tools.pythons import mirror

DOCUMENT = assemble.ROOT / "docs/compatibility.md"


def main(arguments: Sequence[str]) -> int:
    """Compare, and write or print the report; return the exit code."""
    options = _parse(arguments)
    need_root("Running images without a container engine")
    with tempfile.TemporaryDirectory(prefix="cnb-python-compat-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        report = _compare(folder, options)
    written = document.text(report)
    if options.all:
        DOCUMENT.write_text(written)
        say(f"Written to {DOCUMENT.relative_to(assemble.ROOT)}")
    else:
        say(written)
    unexplained = [difference for difference in report.differences if not difference.reason]
    for difference in unexplained:
        say(f"{difference.where}\n  linked: {difference.linked}\n  merged: {difference.merged}")
    return 1 if unexplained else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    popular, suites = pins.popular(pins.POPULAR.read_text()), pins.suites()
    parser = argparse.ArgumentParser(prog="tools.compat", description=(__doc__ or "").strip())
    parser.add_argument("--sets", nargs="*", choices=list(popular), help="only these sets")
    parser.add_argument(
        "--suites", nargs="*", choices=[suite.name for suite in suites], help="only these suites"
    )
    parser.add_argument(
        "--first", type=int, help="only the first N of each set, and their dependencies"
    )
    options = parser.parse_args(arguments)
    options.all = options.sets is None and options.suites is None and options.first is None
    if options.suites and pins.SUITES_SET not in (options.sets or ()):
        options.sets = [*(options.sets or ()), pins.SUITES_SET]
    return options


def _compare(folder: Path, options: argparse.Namespace) -> Report:
    tree = builder.buildpack()
    # A copy, since another process may renew the tree meanwhile.
    with cache.locked("dist"):
        run("cp", "-a", "--", tree, folder / "buildpack")
    with mirror.running() as url:
        settings = {**this_machine.of_this_machine(), this_machine.MIRROR: f"{url}/python.toml"}
        context = BuildContext(lifecycle.standard(), folder / "buildpack", settings, folder)
        selection = rounds.Selection(options.sets, options.suites, options.first)
        sets, suites = rounds.all_of(context, selection)
    today = datetime.now(UTC).date().isoformat()
    return Report(today, oci.arch(), sets, suites)


if __name__ == "__main__":
    os.umask(0o022)
    # Exit normally on SIGTERM, so that the temporary folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        sys.exit(str(error))
