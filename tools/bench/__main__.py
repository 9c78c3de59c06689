"""Measures builds by pack, to a registry and to a Docker engine: `python3 -m tools.bench`.

Ours, a plain shell buildpack (`plain_pip/`) and one that does nothing (`do_nothing/`), in turn.
Writes `build/bench.json` (the shape is that of `report.Report`) and prints the targets of the
environment engine with what was measured. See docs/benchmarks.md.
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
from tools.bench.apps import SAMPLES, Sample, copied
from tools.bench.contestants import FOLDERS, NOTHING, OURS, PLAIN
from tools.bench.figures import summaries
from tools.bench.report import Package, Report
from tools.bench.rounds import CASES, EXPORTS, PATCHED, PYTHON, REGISTRY, Course, Taken, chosen
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
class Wish:
    """What the command line asks for."""

    rounds: int
    apps: tuple[str, ...]
    exports: tuple[str, ...]
    only: tuple[str, ...]
    buildpack: Path | None
    env: tuple[tuple[str, str], ...]


def asked(arguments: Sequence[str]) -> Wish:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="tools.bench", description=(__doc__ or "").strip())
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of all cases ({ROUNDS})")
    parser.add_argument("--apps", nargs="+", choices=sorted(SAMPLES), default=sorted(SAMPLES))
    parser.add_argument("--exports", nargs="+", choices=EXPORTS, default=EXPORTS)
    parser.add_argument(
        "--only", nargs="+", choices=CASE_NAMES, default=(), help="cases, and those they need"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of pip_django to the registry"
    )
    parser.add_argument(
        "--buildpack", type=Path, help="an assembled tree, instead of what is packaged now"
    )
    parser.add_argument(
        "--env", nargs="+", default=(), metavar="NAME=VALUE", help="what every build is told"
    )
    found = parser.parse_args(arguments)
    if found.rounds < 1:
        parser.error("--rounds: at least 1")
    wish = Wish(
        found.rounds,
        tuple(found.apps),
        tuple(found.exports),
        tuple(found.only),
        found.buildpack and found.buildpack.resolve(),
        tuple(_pair(text, parser) for text in found.env),
    )
    if found.quick:
        return replace(wish, rounds=1, apps=("pip_django",), exports=(REGISTRY,))
    return wish


def _pair(text: str, parser: argparse.ArgumentParser) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        parser.error(f"--env: {text}: expected NAME=VALUE")
    return name, value


def index_address() -> str:
    """Return the simple pages of the index that pip is configured for, or of pip's own default."""
    configured = this_machine.of_this_machine().get("PIP_INDEX_URL")
    if configured:
        return configured
    # Asked of pip: a project that serves everybody's mirrors names no index itself.
    from pip._internal.models.index import PyPI  # noqa: PLC0415 - of use only here

    return str(PyPI.simple_url)


def settings(index_url: str, mirror_url: str) -> tuple[tuple[str, str], ...]:
    """Return what every build is told, whoever builds."""
    known = this_machine.of_this_machine()
    indexes = {name: value for name, value in known.items() if not name.startswith("BP_")}
    # pip keeps answers of plain HTTP only where the host is trusted.
    ours = {"PIP_INDEX_URL": index_url, "PIP_TRUSTED_HOST": "127.0.0.1"}
    return tuple({**indexes, **ours, this_machine.MIRROR: f"{mirror_url}/python.toml"}.items())


@contextmanager
def prepared(wish: Wish, folder: Path) -> Iterator[tuple[Course, Path]]:
    """Start everything; yield what the rounds share, and our buildpack's tree."""
    with ExitStack() as stack:
        found = stack.enter_context(engine.running())
        if found.env:
            # Our own, which nobody else can be using: what a killed run left there goes.
            images.sweep(found, PREFIX)
        prefix = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
        stack.callback(images.sweep, found, prefix)
        index_url = stack.enter_context(index.running(index_address(), folder / "index"))
        mirror_url = stack.enter_context(mirror.running((PYTHON, *PATCHED)))
        target = stack.enter_context(registry.running(folder / "registry"))
        product = wish.buildpack or builder.buildpack()
        product = with_table(product, f"{mirror_url}/python.toml", folder / "product")
        trees = {OURS: product, PLAIN: FOLDERS[PLAIN], NOTHING: FOLDERS[NOTHING]}
        made = {
            name: contestants.make(
                found, name, contestants.timed(source, folder / f"buildpack-{name}"), prefix
            )
            for name, source in trees.items()
        }
        # The table travels with it, as its own does with the released package.
        made[OURS] = replace(made[OURS], env=((this_machine.MIRROR, ""),))
        run_image = _pushed(found, f"{target.address}/{prefix}-run")
        env, cases = (*settings(index_url, mirror_url), *wish.env), chosen(wish.only)
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)
        yield Course(found, target, run_image, made, env, prefix, LOGS, cases), product


def with_table(product: Path, table: str, folder: Path) -> Path:
    """Copy *product* to *folder*, with what *table* lists as its own table; return it.

    So it is to a build what the released package is: only archives are fetched, no table is.
    """
    shutil.copytree(product, folder, symlinks=True)
    rows = tomllib.loads(_fetched(table).decode())
    for row in rows["release"]:
        row["url"] = urljoin(table, row["url"])
    (folder / "runtimes").mkdir(exist_ok=True)
    (folder / "runtimes/python.toml").write_text(tomli_w.dumps(rows))
    return folder


def _pushed(found: Engine, name: str) -> str:
    """Push the run image to the registry as *name*."""
    found.docker("tag", base_images.ensure(found, "run"), name)
    found.docker("push", "--quiet", name)
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
    wish: Wish, course: Course, sample: Sample, folder: Path
) -> tuple[opening.Opening, list[Taken]]:
    folder.mkdir()
    first = opening.measure(course, copied(sample, folder / "opening", PYTHON), wish.rounds)
    idle = opening.idle(course, sample.fixture, first, folder / "content")
    fitted = replace(course, contestants={**course.contestants, **idle})
    taken: list[Taken] = []
    for number in range(1, wish.rounds + 1):
        for export in wish.exports:
            app = copied(sample, folder / f"{export}-{number}", PYTHON)
            taken += fitted.round(app, export, number)
    images.sweep(course.engine, f"{course.prefix}-{sample.fixture}")
    shutil.rmtree(folder)
    return first, taken


def _download_seconds(table: str) -> float:
    """Return how long fetching the archive of a patch release takes, by the mirror's *table*."""
    address = next(
        urljoin(table, row["url"])
        for row in tomllib.loads(_fetched(table).decode())["release"]
        if row["version"] == PATCHED[1]
    )
    began = time.perf_counter()
    _fetched(address)
    return round(time.perf_counter() - began, 3)


def _fetched(address: str) -> bytes:
    # A proxy of the environment is for the outside, not for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def run(wish: Wish, folder: Path) -> tuple[Report, list[Verdict]]:
    """Measure everything that is wished for."""
    with prepared(wish, folder) as (course, product):
        file_system = _file_system(course.engine, folder)
        detect = detection.measure(product, assemble.ROOT / "fixtures" / wish.apps[0])
        download = _download_seconds(dict(course.env)[this_machine.MIRROR])
        measured = {name: _app(wish, course, SAMPLES[name], folder / name) for name in wish.apps}
    builds = [one for _, taken in measured.values() for one in taken]
    verdicts = [
        verdict
        for name, (first, taken) in measured.items()
        for verdict in Judge(name, taken, first, download).verdicts()
    ]
    found = Report(
        cpus=os.process_cpu_count() or 1,
        arch=oci.arch(),
        rounds=wish.rounds,
        file_system=file_system,
        detect=detect,
        package=Package(tree.size(product), tree.digest(product)),
        opening={name: first for name, (first, _) in measured.items()},
        download_s=download,
        targets=[{**asdict(verdict), "met": verdict.met} for verdict in verdicts],
        medians=summaries(builds),
        builds=builds,
    )
    return found, verdicts


def main(arguments: Sequence[str]) -> None:
    """Measure, write, print."""
    wish = asked(arguments)
    with tempfile.TemporaryDirectory(prefix="cnb-python-bench-") as folder:
        # The engine and what runs inside read it too.
        Path(folder).chmod(0o755)
        found, verdicts = run(wish, Path(folder))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(asdict(found), indent=2) + "\n")
    tables = (
        report.builds_table(found.medians),
        report.opening_table(found.opening),
        report.targets_table(verdicts),
    )
    say("\n" + "\n\n".join(tables))
    met = sum(verdict.met for verdict in verdicts)
    say(f"\n{met} of {len(verdicts)} targets met. Written to {REPORT.relative_to(assemble.ROOT)}")


if __name__ == "__main__":
    os.umask(0o022)
    # Ended politely, so that the temporary folder goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
