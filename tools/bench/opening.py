"""Figures that are measured once for each app, before the rounds: memory, sizes, start time.

These builds also fill the proxy of the index, so that no round waits for the network.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tools.bench import images, memory
from tools.bench.apps import App, Sample
from tools.bench.contestants import NOTHING, OURS, PLAIN, STORING, Contestant
from tools.bench.packing import Target, pack
from tools.bench.rounds import PAIR, Setup, turns
from tools.processes import run, say


@dataclass(frozen=True, slots=True)
class Opening:
    """The figures, by contestant (`ours`, `plain`)."""

    peak_bytes: Mapping[str, int]
    """Peak memory of a cold `bin/build`."""
    image_bytes: Mapping[str, int]
    """Size of the image without the run image, unpacked."""
    answer_s: Mapping[str, tuple[float, ...]]
    """Seconds from `docker start` to the first response with status 200."""
    cache_bytes: Mapping[str, int]
    """Size of the volume of the build cache."""


def measure(setup: Setup, app: App, rounds: int) -> Opening:
    """Build *app* once with each of `PAIR`, and measure the images."""
    say(f"{app.sample.fixture}: memory, sizes, first answers")
    _fetch_bumped(setup, app.sample)
    stem = f"{setup.prefix}-{app.sample.fixture}-opening"
    targets = {name: Target(f"{stem}-{name}", f"{stem}-{name}") for name in PAIR}
    peaks = {name: _build(setup, app, name, targets[name]) for name in PAIR}
    answers: dict[str, list[float]] = {name: [] for name in PAIR}
    for number in range(1, rounds + 2):
        for name in turns(PAIR, number):
            answers[name].append(images.seconds_to_answer(setup.engine, targets[name].image))
    return Opening(
        peak_bytes=peaks,
        image_bytes={name: images.size(setup.engine, targets[name].image) for name in PAIR},
        # Without the first start of each, which reads the image from the disk.
        answer_s={
            name: tuple(round(seconds, 3) for seconds in answers[name][1:]) for name in PAIR
        },
        cache_bytes={
            name: images.volume_size(setup.engine, targets[name].volumes[0]) for name in PAIR
        },
    )


def _fetch_bumped(setup: Setup, sample: Sample) -> None:
    """Fill the proxy of the index with the new versions, which no build here downloads."""
    with tempfile.TemporaryDirectory() as folder:
        # Without local wheels and pip's configuration, which would replace the index.
        env = {**dict(setup.env), "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir")
        pins = (f"{bump.name}=={bump.after}" for bump in sample.bumps)
        run(*pip, "--dest", folder, *pins, env=env)


def _build(setup: Setup, app: App, name: str, target: Target) -> int:
    contestant = setup.contestants[name]
    if name == PLAIN:
        # Bytecode of the standard library, so that the start of its image is not slowed down by
        # missing bytecode. The time for it is not counted.
        contestant = replace(contestant, env=(*contestant.env, ("BENCH_COMPILE", "1")))
    with memory.watching() as watch:
        packed = pack(setup.engine, contestant, app.folder, target, setup.env)
    say(f"  {name:<8} bin/build {packed.build:.2f} s, at most {watch.peak / 1e6:.0f} MB of memory")
    return watch.peak


def idle(setup: Setup, fixture: str, opening: Opening, content: Path) -> dict[str, Contestant]:
    """Return the two buildpacks that do nothing, with the layers of this buildpack's image."""
    content.mkdir()
    image = f"{setup.prefix}-{fixture}-opening-{OURS}"
    images.copy_layers(setup.engine, image, "cnb-python_python", content)
    mounts = (f"{content}:/bench-content:ro",)
    cache = ("BENCH_CACHE_BYTES", str(opening.cache_bytes[OURS]))
    bare = replace(setup.contestants[NOTHING], mounts=mounts)
    return {NOTHING: bare, STORING: replace(bare, name=STORING, env=(*bare.env, cache))}
