"""Builds an app up to a case with the real lifecycle, and records the build of that case."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.bench.apps import App, Sample, copy
from tools.bench.contestants import OURS, timed
from tools.bench.packing import own_times
from tools.bench.rounds import PYTHON, Case, select
from tools.bench.volume import Volume
from tools.package import tree as package_tree
from tools.platforms import lifecycle
from tools.platforms.build_request import BuildRequest, Platform
from tools.platforms.sandbox import Bind
from tools.processes import Unavailable, fail, run, say
from tools.profile import steps, strace
from tools.profile.inside import recorder
from tools.profile.steps import Counts, Step

TIMES, MARKS = "times", "marks"
TRACED = """\
#!/bin/sh
# Runs the buildpack's own bin/build, and writes each system call to a file.
case $0 in */*) bin=${{0%/*}} ;; *) bin=. ;; esac
exec {command} "$bin/build.traced" "$@"
"""


@dataclass(frozen=True, slots=True)
class Profile:
    """One build. Its JSON is `build/profile-<case>.json`."""

    app: str
    case: str
    cpus: int
    load: float
    """The machine's load average of the last minute."""
    file_system: str
    """See `Volume`."""
    warning: str
    wall_s: float
    """`bin/build`, while its steps were recorded."""
    cpu_s: float
    counts: Counts | None
    """Of the whole build; None: nothing was counted."""
    counted_by: str
    """The version of strace; empty: nothing was counted."""
    not_counted_because: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that the builds of a profile share."""

    platform: Platform
    product: Path
    """The assembled buildpack."""
    env: Mapping[str, str]
    place: Volume

    def profile(self, sample: Sample, case: Case) -> Profile:
        """Record the build of *case*, after the cases that have to run before it."""
        app = copy(sample, self.place.folder / "app", PYTHON)
        if not case.fits(app):
            fail(f"{sample.fixture} has no static files, so there is no case {case.name}.")
        state = self.place.folder / "state"
        state.mkdir()
        for each in select((case.name,)):
            if OURS in each.who and each is not case and each.fits(app):
                say(f"Building {each.name}")
                each.edit(app)
                self._build(app, each, state, self.product)
        case.edit(app)
        counts, version, problem = self._count(app, case, state)
        return self._record(app, case, state, (counts, version, problem))

    def _record(
        self,
        app: App,
        case: Case,
        state: Path,
        counting: tuple[Mapping[steps.Path, Counts], str, str],
    ) -> Profile:
        say(f"Building {case.name}, to measure its steps")
        tree = instrumented(self.product, self.place.folder / "timed", TIMES)
        output = self._output(TIMES)
        log = self._build(app, case, state, tree, _output_bind(output))
        wall, cpu = own_times([(0.0, line) for line in log.splitlines()])
        workers = [json.loads(path.read_text()) for path in sorted(output.glob("worker-*.json"))]
        build = json.loads((output / "build.json").read_text())
        own, version, problem = counting
        found = steps.tree(build, workers, wall, cpu)
        return Profile(
            app=app.sample.fixture,
            case=case.name,
            cpus=os.process_cpu_count() or 1,
            load=round(os.getloadavg()[0], 1),
            file_system=self.place.file_system,
            warning=self.place.warning,
            wall_s=round(wall, 3),
            cpu_s=round(cpu, 3),
            counts=strace.total(own) if version else None,
            counted_by=version,
            not_counted_because=problem,
            steps=steps.counted(found, own) if version else found,
        )

    def _count(
        self, app: App, case: Case, state: Path
    ) -> tuple[Mapping[steps.Path, Counts], str, str]:
        """Count in a build from a copy of *state*; return the counts, or why it cannot."""
        folder, output = self.place.folder / "strace", self._output(MARKS)
        spare = self.place.folder / "state of the counted build"
        run("cp", "-a", "--", state, spare)
        try:
            version = strace.kit(folder)
        except Unavailable as error:
            say(f"Building {case.name}, to fill the caches of the index ({error})")
            self._build(app, case, spare, self.product)
            return {}, "", str(error)
        say(f"Building {case.name}, to count its system calls")
        command = " ".join(strace.command(folder, recorder.OUTPUT))
        tree = instrumented(self.product, self.place.folder / "traced", MARKS, command)
        self._build(app, case, spare, tree, _output_bind(output), Bind(folder, strace.KIT))
        try:
            return strace.counts(output), version, ""
        except Unavailable as error:
            return {}, "", str(error)
        finally:
            shutil.rmtree(spare)

    def _output(self, name: str) -> Path:
        folder = self.place.folder / f"output-{name}"
        folder.mkdir()
        # Written to by the user of the build image.
        folder.chmod(0o777)
        return folder

    def _build(self, app: App, case: Case, state: Path, buildpack: Path, *binds: Bind) -> str:
        request = BuildRequest(
            app=app.folder,
            buildpacks=(buildpack,),
            work=state / case.image,
            image=f"app-{case.tag}",
            env=self.env,
            binds=binds,
        )
        result = lifecycle.create(self.platform, request)
        if result.code != 0:
            fail(f"The build failed ({result.code}):\n{result.output[-4000:]}")
        return result.output


def _output_bind(folder: Path) -> Bind:
    return Bind(folder, recorder.OUTPUT, writable=True)


def instrumented(product: Path, folder: Path, mode: str, tracer: str = "") -> Path:
    """Copy the buildpack *product* to the new directory *folder*, with the recorder in it.

    *tracer* is a command that runs `bin/build`, in the build; if it is empty, nothing traces it.
    """
    timed(product, folder)
    programs = folder / "bin"
    (programs / "start.py").rename(programs / "start.plain.py")
    shutil.copy(recorder.__file__, programs / "start.py")
    (programs / "recorder.mode").write_text(mode)
    if tracer:
        program = programs / "build.timed"
        program.rename(programs / "build.traced")
        program.write_text(TRACED.format(command=tracer))
        program.chmod(0o755)
    package_tree.normalise(folder)
    return folder
