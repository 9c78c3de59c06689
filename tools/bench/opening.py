"""What is measured once for each app, before the rounds: memory, sizes, the time to an answer.

Its builds also let the index in front see every request, so that no round pays for the network.
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
from tools.bench.rounds import PAIR, Course, turns
from tools.processes import run, say


@dataclass(frozen=True, slots=True)
class Opening:
    """The figures, by contestant (`ours`, `plain`)."""

    peak_bytes: Mapping[str, int]
    """The most memory that a cold bin/build held."""
    image_bytes: Mapping[str, int]
    """What the image has beside the run image, unpacked."""
    answer_s: Mapping[str, tuple[float, ...]]
    """From `docker start` to the first 200."""
    cache_bytes: Mapping[str, int]
    """What lies in the volume of the build cache."""


def measure(course: Course, app: App, rounds: int) -> Opening:
    """Build *app* once by each of the pair, and look at what came out."""
    say(f"{app.sample.fixture}: memory, sizes, first answers")
    _fetch_bumped(course, app.sample)
    stem = f"{course.prefix}-{app.sample.fixture}-opening"
    targets = {name: Target(f"{stem}-{name}", f"{stem}-{name}") for name in PAIR}
    peaks = {name: _build(course, app, name, targets[name]) for name in PAIR}
    answers: dict[str, list[float]] = {name: [] for name in PAIR}
    for number in range(1, rounds + 2):
        for name in turns(PAIR, number):
            answers[name].append(images.seconds_to_answer(course.engine, targets[name].image))
    return Opening(
        peak_bytes=peaks,
        image_bytes={name: images.size(course.engine, targets[name].image) for name in PAIR},
        # The first of each reads the image from the disk.
        answer_s={name: tuple(round(taken, 3) for taken in answers[name][1:]) for name in PAIR},
        cache_bytes={
            name: images.volume_size(course.engine, targets[name].volumes[0]) for name in PAIR
        },
    )


def _fetch_bumped(course: Course, sample: Sample) -> None:
    """Have the index in front fetch what none of the builds here asks for."""
    name, _, after = sample.bumped
    with tempfile.TemporaryDirectory() as folder:
        # The machine's own wheels and configuration would answer instead of the index.
        env = {**dict(course.env), "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir")
        run(*pip, "--dest", folder, f"{name}=={after}", env=env)


def _build(course: Course, app: App, name: str, target: Target) -> int:
    contestant = course.contestants[name]
    if name == PLAIN:
        # Bytecode for its standard library, as in an interpreter that has been in use: not counted
        # among its seconds, and the image that is started starts no slower for the lack of it.
        contestant = replace(contestant, env=(*contestant.env, ("BENCH_COMPILE", "1")))
    with memory.watching() as watch:
        packed = pack(course.engine, contestant, app.folder, target, course.env)
    say(f"  {name:<8} bin/build {packed.build:.2f} s, at most {watch.peak / 1e6:.0f} MB of memory")
    return watch.peak


def idle(course: Course, fixture: str, opening: Opening, content: Path) -> dict[str, Contestant]:
    """Return the two that do nothing, fitted with the layers of our image of the app *fixture*."""
    content.mkdir()
    image = f"{course.prefix}-{fixture}-opening-{OURS}"
    images.copy_layers(course.engine, image, "cnb-python_python", content)
    mounts = (f"{content}:/bench-content:ro",)
    cache = ("BENCH_CACHE_BYTES", str(opening.cache_bytes[OURS]))
    bare = replace(course.contestants[NOTHING], mounts=mounts)
    return {NOTHING: bare, STORING: replace(bare, name=STORING, env=(*bare.env, cache))}
