"""Measures `pack build` to a registry and to a Docker engine: `python3 -m tools.bench`.

Builds with this buildpack, with a plain shell buildpack (`plain_pip/`) and with one that does
nothing (`do_nothing/`), in turn. Writes `build/bench.json` (its shape is `report.Report`) and
prints each target with the figure that was measured. See docs/benchmarks.md.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urljoin

import tomli_w

from tools.bench import contestants, detection, disk, images, index, opening, registry, report
from tools.bench.apps import SAMPLES, Sample, copy
from tools.bench.contestants import FOLDERS, NOTHING, OURS, PLAIN
from tools.bench.figures import summaries
from tools.bench.report import Package, Report
from tools.bench.rounds import CASES, EXPORTS, PATCHED, PYTHON, REGISTRY, Build, Setup, select
from tools.bench.targets import Judge, Verdict
from tools.package import assemble, builder, tree
from tools.platforms import base_images, engine, oci, this_machine
from tools.platforms.engine import Engine
from tools.processes import Unavailable, say
from tools.pythons import mirror

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


def index_address() -> str:
    """Return the address of the index that pip is configured for, or of pip's default index."""
    configured = this_machine.of_this_machine().get("PIP_INDEX_URL")
    if configured:
        return configured
    # Read from pip, so that this project does not name an index of its own.
    from pip._internal.models.index import PyPI  # noqa: PLC0415 - needed only here

    return str(PyPI.simple_url)


def settings(index_url: str, mirror_url: str) -> tuple[tuple[str, str], ...]:
    """Return the variables that each build gets, with every contestant."""
    inherited = this_machine.of_this_machine()
    indexes = {name: value for name, value in inherited.items() if not name.startswith("BP_")}
    # pip caches responses over plain HTTP only from trusted hosts.
    ours = {"PIP_INDEX_URL": index_url, "PIP_TRUSTED_HOST": "127.0.0.1"}
    return tuple({**indexes, **ours, this_machine.MIRROR: f"{mirror_url}/python.toml"}.items())


@contextmanager
def prepare(options: Options, folder: Path) -> Iterator[tuple[Setup, Path]]:
    """Start the servers and make the builders; yield the setup and this buildpack's tree."""
    with ExitStack() as stack:
        running = stack.enter_context(engine.running())
        if running.env:
            # An engine that this process started: remove what a killed run left in it.
            images.sweep(running, PREFIX)
        prefix = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
        stack.callback(images.sweep, running, prefix)
        index_url = stack.enter_context(index.running(index_address(), folder / "index"))
        mirror_url = stack.enter_context(mirror.running((PYTHON, *PATCHED)))
        target = stack.enter_context(registry.running(folder / "registry"))
        product = options.buildpack or builder.buildpack()
        product = with_releases(product, f"{mirror_url}/python.toml", folder / "product")
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
        env, cases = (*settings(index_url, mirror_url), *options.env), select(options.only)
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)
        yield Setup(running, target, run_image, builders, env, prefix, LOGS, cases), product


def with_releases(product: Path, table: str, folder: Path) -> Path:
    """Copy *product* to *folder*, with the releases at the address *table* as its own table.

    As with a released package, a build then downloads only archives, and no table. Returns
    *folder*.
    """
    shutil.copytree(product, folder, symlinks=True)
    rows = tomllib.loads(_fetch(table).decode())
    for row in rows["release"]:
        row["url"] = urljoin(table, row["url"])
    (folder / "runtimes").mkdir(exist_ok=True)
    (folder / "runtimes/python.toml").write_text(tomli_w.dumps(rows))
    return folder


def _push(running: Engine, name: str) -> str:
    """Push the run image to the registry as *name*; return *name*."""
    running.docker("tag", base_images.ensure(running, "run"), name)
    running.docker("push", "--quiet", name)
    return name


def _file_system(running: Engine, folder: Path) -> str:
    """Return the file system of the engine's data; warn where it or that of *folder* is slow."""
    data = Path(running.docker("info", "--format", "{{.DockerRootDir}}").strip())
    kinds = {path: disk.file_system(path) for path in (folder, data)}
    for path, kind in kinds.items():
        if warning := disk.warning(path, kind):
            say(f"Warning: {warning}")
    return kinds[data]


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


def _download_seconds(table: str) -> float:
    """Return the seconds that downloading a Python release from the mirror of *table* takes."""
    address = next(
        urljoin(table, row["url"])
        for row in tomllib.loads(_fetch(table).decode())["release"]
        if row["version"] == PATCHED[1]
    )
    began = time.perf_counter()
    _fetch(address)
    return round(time.perf_counter() - began, 3)


def _fetch(address: str) -> bytes:
    # Without the proxies of the environment, which cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def run(options: Options, folder: Path) -> tuple[Report, list[Verdict]]:
    """Measure what *options* select."""
    with prepare(options, folder) as (setup, product):
        file_system = _file_system(setup.engine, folder)
        detect = detection.measure(product, assemble.ROOT / "fixtures" / options.apps[0])
        download = _download_seconds(dict(setup.env)[this_machine.MIRROR])
        measured = {
            name: _app(options, setup, SAMPLES[name], folder / name) for name in options.apps
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
        file_system=file_system,
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
    with tempfile.TemporaryDirectory(prefix="cnb-python-bench-") as folder:
        # Also read by the engine and its containers.
        Path(folder).chmod(0o755)
        figures, verdicts = run(options, Path(folder))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(asdict(figures), indent=2) + "\n")
    tables = (
        report.builds_table(figures.medians),
        report.opening_table(figures.opening),
        report.targets_table(verdicts),
    )
    say("\n" + "\n\n".join(tables))
    met = sum(verdict.met for verdict in verdicts)
    say(f"\n{met} of {len(verdicts)} targets met. Written to {REPORT.relative_to(assemble.ROOT)}")


if __name__ == "__main__":
    os.umask(0o022)
    # Exit normally on SIGTERM, so that the temporary folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
