"""Measures detection, cold builds, images and the package: `python3 -m tools.bench`.

Writes `build/bench.json` and prints a table. The shape of the file is that of `Report`: an object
for each dataclass, its keys the fields. Pairs that are compared were taken in the same container,
in turn; a ratio below 1 means that ours takes less.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools import cache, lifecycle, mirror, oci, package, settings_here, tree
from tools.bench import figures, rounds, sizes
from tools.bench.figures import ColdBuild, Detect, ImageSize
from tools.bench.sizes import Size
from tools.lifecycle import BuildRequest, Platform
from tools.processes import Unavailable, fail, run, say

REPORT = package.ROOT / "build/bench.json"
APPS = ("pip_django", "pip_science")
DETECTED = "pip_django"
PYTHON = "3.14.6"


@dataclass(frozen=True, slots=True)
class Package:
    """The buildpack itself."""

    tree_bytes: int
    """The files of the assembled directory."""
    cnb_bytes: int
    """The file that pack makes of it, which is compressed."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is measured."""

    cpus: int
    arch: str
    detect: Detect
    cold_build: Mapping[str, ColdBuild]
    """By fixture."""
    image: Mapping[str, ImageSize]
    """By fixture."""
    package: Package


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share."""

    platform: Platform
    buildpack: Path
    settings: Mapping[str, str]
    detections: int
    rounds: int
    folder: Path

    def app(self, name: str) -> tuple[Detect, ColdBuild, ImageSize]:
        """Measure the fixture *name*."""
        say(f"Measuring {name}: {self.rounds} cold builds, and as many plain installations")
        app = package.ROOT / "fixtures" / name
        settings = {**self.settings, "BP_PYTHON_VERSION": PYTHON}
        course = rounds.Course(app, self.buildpack, PYTHON, settings, self.detections, self.rounds)
        with rounds.measured(self.platform, course, self.folder / name) as finished:
            taken = finished.measured
            plain = sizes.of_directories(*finished.plain)
        built = figures.image(self._layers(app, settings), plain)
        return figures.detect(taken), figures.cold_build(taken, PYTHON), built

    def _layers(self, app: Path, settings: Mapping[str, str]) -> Mapping[str, Size]:
        work = self.folder / f"{app.name}-image"
        request = BuildRequest(app=app, buildpacks=(self.buildpack,), work=work, env=settings)
        made = lifecycle.create(self.platform, request)
        if made.code != 0:
            fail(f"{app.name} cannot be built ({made.code}):\n{made.output}")
        return sizes.of_image(oci.read(made.image))


def table(report: Report) -> str:
    """Return the *report* as lines to be read; sizes as `bytes (compressed) MB`."""
    detect, package_size = report.detect, f"{report.package.tree_bytes / 1e6:.0f} MB"
    more = f"a bare start of its interpreter; {detect.cpu_median_ms} of the processor"
    rows: list[tuple[str, object, object, str]] = [
        ("bin/detect, ms", detect.median_ms, detect.interpreter_median_ms, more),
    ]
    for name, built in report.cold_build.items():
        image = report.image[name]
        more = f"ratio {built.ratio}; {built.ratio_without_python_step} without fetching Python"
        rows.append((f"{name}, cold build, s", built.ours_median_s, built.plain_median_s, more))
        more = f"ratio {image.ratio}; {image.ratio_compressed} compressed"
        rows.append((f"{name}, image", _mb(image.total), _mb(image.plain), more))
    rows.append(("package", package_size, "", f".cnb {report.package.cnb_bytes / 1e6:.0f} MB"))
    head = f"{'':<26}{'ours':>14}{'plain':>14}"
    lines = [f"{title:<26}{ours!s:>14}{plain!s:>14}  {more}" for title, ours, plain, more in rows]
    return "\n".join([head, *lines])


def _mb(size: Size) -> str:
    return f"{size.bytes / 1e6:.0f} ({size.compressed / 1e6:.0f}) MB"


def _measure(detections: int, number: int, folder: Path) -> Report:
    assembled, packed = _package(folder)
    with mirror.running((PYTHON,)) as url:
        indexes = settings_here.of_this_machine()
        settings = {**indexes, settings_here.MIRROR: f"{url}/python.toml"}
        bench = Bench(lifecycle.standard(), assembled, settings, detections, number, folder)
        taken = {name: bench.app(name) for name in APPS}
    return Report(
        cpus=os.process_cpu_count() or 1,
        arch=oci.arch(),
        detect=taken[DETECTED][0],
        cold_build={name: build for name, (_, build, _) in taken.items()},
        image={name: image for name, (_, _, image) in taken.items()},
        package=Package(tree.size(assembled), packed),
    )


def _package(folder: Path) -> tuple[Path, int]:
    """A copy of the packaged tree, which others may renew meanwhile, and the size of its file."""
    product = package.Product(oci.arch(), package.declared_api(), offline=())
    package.main(["--arch", oci.arch()])
    with cache.locked("dist"):
        run("cp", "-a", "--", product.folder, folder / "buildpack")
        return folder / "buildpack", product.file.stat().st_size


def main(arguments: Sequence[str]) -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="tools.bench", description=(__doc__ or "").strip())
    parser.add_argument("--rounds", type=int, default=3, help="cold builds of each kind and app")
    parser.add_argument("--detections", type=int, default=25)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="cnb-python-bench-") as folder:
        report = _measure(asked.detections, asked.rounds, Path(folder))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(asdict(report), indent=2) + "\n")
    say(f"\n{table(report)}\n\nWritten to {REPORT.relative_to(package.ROOT)}")


if __name__ == "__main__":
    os.umask(0o022)
    # Ended politely, so that the temporary folder goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
