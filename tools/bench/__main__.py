"""Measures `pack build` to a registry and to a Docker engine: `python3 -m tools.bench`.

Builds with this buildpack, with a plain shell buildpack (`plain_pip/`) and with one that does
nothing (`do_nothing/`), in turn. Writes `build/bench.json` (its shape is `report.Report`) and
prints each target with the figure that was measured. See docs/benchmarks.md.
"""

import argparse
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tools import cache
from tools.bench import contestants, detection, downloads, images, opening, registry, report
from tools.bench.apps import SAMPLES, Sample, copy
from tools.bench.contestants import FOLDERS, NOTHING, OURS, PLAIN
from tools.bench.figures import summaries
from tools.bench.report import Package, Report
from tools.bench.rounds import CASES, EXPORTS, PATCHED, PYTHON, REGISTRY, Build, Setup, select
from tools.bench.targets import Judge, Verdict
from tools.bench.volume import Volume, ending_by_signals, volume
from tools.package import assemble, builder, tree
from tools.platforms import base_images, engine, oci, this_machine
from tools.platforms.engine import Engine
from tools.processes import Unavailable, say

REPORT = assemble.ROOT / "build/bench.json"
LOGS = assemble.ROOT / "build/bench"
PREFIX = "cnb-python-bench"
ROUNDS = 3
CASE_NAMES = tuple(case.name for case in CASES)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line."""

    rounds: int
    apps: tuple[str, ...]
    exports: tuple[str, ...]
    only: tuple[str, ...]
    buildpack: Path | None
    env: tuple[tuple[str, str], ...]


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="tools.bench", description=(__doc__ or "").strip())
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of all cases ({ROUNDS})")
    parser.add_argument("--apps", nargs="+", choices=sorted(SAMPLES), default=sorted(SAMPLES))
    parser.add_argument("--exports", nargs="+", choices=EXPORTS, default=EXPORTS)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=CASE_NAMES,
        default=(),
        help="these cases and their prerequisites",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of pip_django to the registry"
    )
    parser.add_argument(
        "--buildpack", type=Path, help="an assembled tree, in place of this checkout's"
    )
    parser.add_argument(
        "--env", nargs="+", default=(), metavar="NAME=VALUE", help="variables of every build"
    )
    namespace = parser.parse_args(arguments)
    if namespace.rounds < 1:
        parser.error("--rounds: at least 1")
    options = Options(
        namespace.rounds,
        tuple(namespace.apps),
        tuple(namespace.exports),
        tuple(namespace.only),
        namespace.buildpack and namespace.buildpack.resolve(),
        tuple(_pair(text, parser) for text in namespace.env),
    )
    if namespace.quick:
        return replace(options, rounds=1, apps=("pip_django",), exports=(REGISTRY,))
    return options


def _pair(text: str, parser: argparse.ArgumentParser) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        parser.error(f"--env: {text}: expected NAME=VALUE")
    return name, value


@contextmanager
def prepare(options: Options, place: Volume) -> Iterator[tuple[Setup, Path]]:
    """Start the servers and make the builders; yield the setup and this buildpack's tree."""
    folder = place.folder
    with ExitStack() as stack:
        running = stack.enter_context(engine.running(place.engine_data))
        if running.env:
            # An engine that this process started: remove what a killed run left in it.
            images.sweep(running, PREFIX)
        prefix = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
        stack.callback(images.sweep, running, prefix)
        servers = stack.enter_context(downloads.running((PYTHON, *PATCHED), folder / "index"))
        target = stack.enter_context(registry.running(folder / "registry"))
        product = options.buildpack or builder.buildpack()
        product = downloads.with_releases(product, servers.table, folder / "product")
        trees = {OURS: product, PLAIN: FOLDERS[PLAIN], NOTHING: FOLDERS[NOTHING]}
        builders = {
            name: contestants.make(
                running, name, contestants.timed(source, folder / f"buildpack-{name}"), prefix
            )
            for name, source in trees.items()
        }
        # The package holds the table of Python releases itself, as a released package does.
        builders[OURS] = replace(builders[OURS], env=((this_machine.MIRROR, ""),))
        run_image = _push(running, f"{target.address}/{prefix}-run")
        env, cases = (*servers.settings(), *options.env), select(options.only)
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)
        yield Setup(running, target, run_image, builders, env, prefix, LOGS, cases), product


def _push(running: Engine, name: str) -> str:
    """Push the run image to the registry as *name*; return *name*."""
    running.docker("tag", base_images.ensure(running, "run"), name)
    running.docker("push", "--quiet", name)
    return name


def engine_data() -> Path:
    """Return where the engine that builds would use keeps its data."""
    running = engine.answering()
    if running is None:
        return cache.directory()
    return Path(running.docker("info", "--format", "{{.DockerRootDir}}").strip())


def _app(
    options: Options, setup: Setup, sample: Sample, folder: Path
) -> tuple[opening.Opening, list[Build]]:
    folder.mkdir()
    first = opening.measure(setup, copy(sample, folder / "opening", PYTHON), options.rounds)
    idle = opening.idle(setup, sample.fixture, first, folder / "content")
    fitted = replace(setup, contestants={**setup.contestants, **idle})
    builds: list[Build] = []
    for number in range(1, options.rounds + 1):
        for export in options.exports:
            app = copy(sample, folder / f"{export}-{number}", PYTHON)
            builds += fitted.round(app, export, number)
    images.sweep(setup.engine, f"{setup.prefix}-{sample.fixture}")
    shutil.rmtree(folder)
    return first, builds


def run(options: Options, place: Volume) -> tuple[Report, list[Verdict]]:
    """Measure what *options* select."""
    with prepare(options, place) as (setup, product):
        detect = detection.measure(product, assemble.ROOT / "fixtures" / options.apps[0])
        download = downloads.seconds(dict(setup.env)[this_machine.MIRROR], PATCHED[1])
        measured = {
            name: _app(options, setup, SAMPLES[name], place.folder / name) for name in options.apps
        }
    builds = [build for _, app_builds in measured.values() for build in app_builds]
    verdicts = [
        verdict
        for name, (first, app_builds) in measured.items()
        for verdict in Judge(name, app_builds, first, download).verdicts()
    ]
    figures = Report(
        cpus=os.process_cpu_count() or 1,
        arch=oci.arch(),
        rounds=options.rounds,
        file_system=place.file_system,
        moved_because=place.reason if place.moved else "",
        warning=place.warning,
        detect=detect,
        package=Package(tree.size(product), tree.digest(product)),
        opening={name: first for name, (first, _) in measured.items()},
        download_s=download,
        targets=[{**asdict(verdict), "met": verdict.met} for verdict in verdicts],
        medians=summaries(builds),
        builds=builds,
    )
    return figures, verdicts


def main(arguments: Sequence[str]) -> None:
    """Measure, write the report and print the figures."""
    options = parse(arguments)
    with ending_by_signals(), volume(engine_data()) as place:
        figures, verdicts = run(options, place)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(asdict(figures), indent=2) + "\n")
    tables = (
        report.builds_table(figures.medians),
        report.opening_table(figures.opening),
        report.targets_table(verdicts),
    )
    say("\n" + "\n\n".join(tables))
    met = sum(verdict.met for verdict in verdicts)
    if figures.warning:
        say(f"\nWarning: {figures.warning}")
    say(f"\n{met} of {len(verdicts)} targets met. Written to {REPORT.relative_to(assemble.ROOT)}")


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
