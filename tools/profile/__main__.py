"""Prints the steps of one build of the benchmark: `python3 -m tools.profile --case cold`.

Runs the real `bin/build` under the real lifecycle, without a container engine, and writes
`build/profile-<case>.json` (its shape is `measuring.Profile`). See docs/benchmarks.md.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.bench import downloads
from tools.bench.apps import SAMPLES
from tools.bench.contestants import OURS
from tools.bench.rounds import CASES, PATCHED, PYTHON, Case
from tools.bench.volume import Volume, ending_by_signals, volume
from tools.package import assemble, builder
from tools.platforms import lifecycle, this_machine
from tools.processes import Unavailable, need_root, say
from tools.profile.measuring import Profile, Workshop
from tools.profile.table import table

DJANGO = "pip_django"


def slug(name: str) -> str:
    """Return the name of a case for the command line and for files.

    >>> slug("cold, a range")
    'cold-a-range'
    """
    return name.replace(",", "").replace(" ", "-")


NAMES = {slug(case.name): case for case in CASES if OURS in case.who}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line."""

    case: Case
    app: str
    buildpack: Path | None


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="tools.profile", description=(__doc__ or "").strip())
    parser.add_argument("--case", choices=NAMES, default="cold")
    parser.add_argument("--app", choices=sorted(SAMPLES), default=DJANGO)
    parser.add_argument(
        "--buildpack", type=Path, help="an assembled tree, in place of this checkout's"
    )
    namespace = parser.parse_args(arguments)
    buildpack = namespace.buildpack and namespace.buildpack.resolve()
    return Options(NAMES[namespace.case], namespace.app, buildpack)


def measure(options: Options, place: Volume) -> Profile:
    """Profile the case of *options*."""
    product = options.buildpack or builder.buildpack()
    platform = lifecycle.standard()
    with downloads.running((PYTHON, *PATCHED), place.folder / "index") as servers:
        product = downloads.with_releases(product, servers.table, place.folder / "product")
        # The package holds the table of Python releases itself, as a released package does.
        env = {**dict(servers.settings()), this_machine.MIRROR: ""}
        workshop = Workshop(platform, product, env, place)
        return workshop.profile(SAMPLES[options.app], options.case)


def main(arguments: Sequence[str]) -> None:
    """Measure, write the profile and print it."""
    options = parse(arguments)
    need_root("Running the lifecycle without a container engine")
    with ending_by_signals(), volume() as place:
        profile = measure(options, place)
    path = assemble.ROOT / f"build/profile-{slug(options.case.name)}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(profile), indent=2) + "\n")
    say(f"\n{table(profile)}\n\nWritten to {path.relative_to(assemble.ROOT)}")


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
