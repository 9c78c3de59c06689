"""The buildpacks that are compared, each baked into a builder of its own.

`bin/build` of each is put behind the same stopwatch, which prints how long it took: equal for all,
whatever it is written in.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.package import builder, tree
from tools.platforms.engine import Engine

OURS, PLAIN, NOTHING, STORING = "ours", "plain", "nothing", "storing"
HERE = Path(__file__).parent
# The buildpack `nothing` runs twice: STORING gives it a cache layer as large as our store.
FOLDERS = {PLAIN: HERE / "plain_pip", NOTHING: HERE / "do_nothing", STORING: HERE / "do_nothing"}
MARK = "[bench] bin/build took"
STOPWATCH = f"""\
#!/bin/sh
# Runs the buildpack's own bin/build, and says how long it took.
case $0 in */*) bin=${{0%/*}} ;; *) bin=. ;; esac
begun=$(date +%s%N)
"$bin/build.timed" "$@"
code=$?
echo "{MARK} $(( $(date +%s%N) - begun )) ns"
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A buildpack with its builder."""

    name: str
    builder: str
    env: tuple[tuple[str, str], ...] = ()
    """What only its builds are told."""
    mounts: tuple[str, ...] = ()
    """`/host:/inside:ro` of its first builds."""


def timed(buildpack: Path, folder: Path) -> Path:
    """Copy *buildpack* to the new directory *folder*, behind the stopwatch; return it."""
    shutil.copytree(buildpack, folder, symlinks=True)
    program = folder / "bin/build"
    program.rename(folder / "bin/build.timed")
    program.write_text(STOPWATCH)
    program.chmod(0o755)
    tree.normalise(folder)
    return folder


def make(engine: Engine, name: str, buildpack: Path, prefix: str) -> Contestant:
    """Make the builder of the timed *buildpack*."""
    return Contestant(name, builder.ensure(engine, buildpack, f"{prefix}/builder-{name}"))
