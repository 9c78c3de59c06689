"""The buildpacks that are compared, each in a builder of its own.

The same script wraps each `bin/build` and prints how long it took.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.package import builder, tree
from tools.platforms.engine import Engine

OURS, PLAIN, NOTHING, STORING = "ours", "plain", "nothing", "storing"
HERE = Path(__file__).parent
# STORING is the buildpack of NOTHING with a cache layer as large as this buildpack's store.
FOLDERS = {PLAIN: HERE / "plain_pip", NOTHING: HERE / "do_nothing", STORING: HERE / "do_nothing"}
MARK = "[bench] bin/build took"
STOPWATCH = f"""\
#!/bin/sh
# Runs the buildpack's own bin/build, and prints how long it took. Two lines of `times` follow: the
# CPU time of this shell, and that of the processes that it waited for.
case $0 in */*) bin=${{0%/*}} ;; *) bin=. ;; esac
begun=$(date +%s%N)
"$bin/build.timed" "$@"
code=$?
echo "{MARK} $(( $(date +%s%N) - begun )) ns"
times
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A buildpack with its builder."""

    name: str
    builder: str
    env: tuple[tuple[str, str], ...] = ()
    """Variables of only its builds."""
    mounts: tuple[str, ...] = ()
    """Volumes of its builds: `/host:/inside:ro`."""


def timed(buildpack: Path, folder: Path) -> Path:
    """Copy *buildpack* to the new directory *folder*, with a wrapped `bin/build`; return that."""
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
