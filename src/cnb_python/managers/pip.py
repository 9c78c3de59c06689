"""pip: `requirements.txt`, installed by uv where that cannot make a difference, else by pip."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.errors import BuildpackError, InstallFailed, ProgramNotStarted
from cnb_python.managers import (
    build_failures,
    exact,
    markers,
    pip_commands,
    pip_failures,
    pip_report,
    requirements_encoding,
    uv,
    uv_lock,
)
from cnb_python.managers.decision import Decision, Pin, Undecided
from cnb_python.managers.manager import Workplace
from cnb_python.managers.own_lines import OwnLines, read_own_lines
from cnb_python.project import REQUIREMENTS, Project
from cnb_python.settings import INSTALLER, PIP, UV, read_settings
from cnb_python.system.outside import Command, Outcome, Run

_LAST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Pip:
    """Apps with a `requirements.txt`."""

    name: str = "pip"
    deciding_file: str = REQUIREMENTS
    processor: str = field(default_factory=markers.machine)

    def check(self, project: Project) -> tuple[str, ...]:
        """Refuse a file that pip would misread; warn of one that others do.

        Raises NotAFile, UnreadableFile, NotUtf8 or UnknownEncoding.
        """
        content = project.content(REQUIREMENTS) or b""
        requirements_encoding.check(content)
        if not requirements_encoding.is_wide(content):
            return ()
        return (
            (
                f"{REQUIREMENTS} is saved as UTF-16, as PowerShell's > does. pip reads it, "
                "but many other tools do not. Save it as UTF-8, in PowerShell: "
                f"(Get-Content {REQUIREMENTS}) | Set-Content -Encoding utf8 {REQUIREMENTS}"
            ),
        )

    def pins(
        self, project: Project, python: str, environ: Mapping[str, str]
    ) -> Decision | Undecided:
        """Return what the app's files alone decide for *python*, installed by uv.

        *environ* is what a manager's processes would be given.
        """
        content = project.content(REQUIREMENTS) or b""
        planned = self._plan(content, project.directory, python, environ)
        return planned if isinstance(planned, Undecided) else planned.decision

    def try_install(
        self, decision: Decision, pins: Sequence[Pin], place: Workplace, run: Run
    ) -> str:
        """Have uv install *pins* of what `pins` returned; return why it did not, or nothing.

        Raises DiskFull or Killed: those explain whatever else is said.
        """
        del decision
        planned = self._planned(place)
        if isinstance(planned, Undecided):
            return planned.reason
        try:
            outcome = run(uv.install_exactly(pins, planned.network, place))
        except ProgramNotStarted as error:
            return f"uv does not start here: {error.reason}"
        if outcome.code:
            return uv.refusal(outcome)
        return uv.pips_own_choice(place, planned.network, self.processor)

    def install_all(self, place: Workplace, run: Run) -> Decision:
        """Decide and install in one go. Raises what pip, or uv, says went wrong."""
        if _installer(place) == UV:
            decision = self.decide(place, run)
            if decision.pins:
                self.install(decision, decision.pins, place, run)
            return decision
        return self._pip_decides(pip_commands.install_all, place, run)

    def decide(self, place: Workplace, run: Run) -> Decision:
        """Decide without installing. Raises what pip, or uv, says went wrong."""
        if _installer(place) == UV:
            lock = place.scratch / "pylock.toml"
            _uv(uv.compile_all(REQUIREMENTS, lock, place), run)
            return uv_lock.decision_of(lock, _own_lines(place))
        return self._pip_decides(pip_commands.decide, place, run)

    def install(self, decision: Decision, pins: Sequence[Pin], place: Workplace, run: Run) -> None:
        """Install exactly *pins* of *decision*. Raises what the tool says went wrong."""
        if decision.pure and not isinstance(planned := self._planned(place), Undecided):
            _uv(uv.install_exactly(pins, planned.network, place), run)
        elif decision.by == exact.UV:
            _uv(uv.install_compiled(pins, _own_lines(place).finding, place), run)
        else:
            for command in pip_commands.install_exactly(pins, _own_lines(place).finding, place):
                self._pip(command, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: Workplace, run: Run
    ) -> BuildpackError:
        """Say why pip failed. Asks it again where its first answer does not tell."""
        # Paths as the app's author knows them.
        output = outcome.output.replace(f"{place.app_dir}/", "")
        known = (
            build_failures.machine_failure(outcome.code, output, self.name)
            or build_failures.build_failure(output, place.python)
            or pip_failures.recognise(output, place.python)
        )
        if known:
            return known
        if requirement := pip_failures.unmatched(output):
            return _ask_again(requirement, output, place, run)
        if trouble := pip_failures.index_trouble(output):
            return trouble
        last_words = tuple(output.strip().splitlines()[-_LAST_WORDS:])
        return InstallFailed(self.name, command.shown, outcome.code, last_words)

    def _plan(
        self, content: bytes, app_dir: Path, python: str, environ: Mapping[str, str]
    ) -> exact.Plan | Undecided:
        installer = read_settings(environ).installer
        if installer == PIP:
            return Undecided(f"{INSTALLER} says so")
        if installer == UV:
            if uv.is_configured(environ, app_dir):
                return Undecided("uv has settings of its own")
            # Those of pip do not concern uv.
            environ = {name: environ[name] for name in environ if not name.startswith("PIP_")}
            environ["PIP_CONFIG_FILE"] = os.devnull
        return exact.plan(content, python, self.processor, environ)

    def _planned(self, place: Workplace) -> exact.Plan | Undecided:
        content = (place.app_dir / REQUIREMENTS).read_bytes()
        return self._plan(content, place.app_dir, place.python, place.environ)

    def _pip_decides(
        self, make: Callable[[Workplace, Path], Command], place: Workplace, run: Run
    ) -> Decision:
        report = place.scratch / "report.json"
        self._pip(make(place, report), place, run)
        return pip_report.decision_of(report.read_text(encoding="utf-8"), _own_lines(place))

    def _pip(self, command: Command, place: Workplace, run: Run) -> None:
        outcome = run(command)
        if outcome.code:
            raise self.explain(command, outcome, place, run)


def _uv(command: Command, run: Run) -> None:
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome)


def _installer(place: Workplace) -> str:
    return read_settings(place.environ).installer


def _own_lines(place: Workplace) -> OwnLines:
    return read_own_lines(place.app_dir / REQUIREMENTS, place.app_dir, place.environ)


def _ask_again(requirement: str, output: str, place: Workplace, run: Run) -> BuildpackError:
    """Find out why there is nothing: pip tells about refusals and skipped wheels with -vv only."""
    ask = pip_commands.question(requirement, _own_lines(place).finding, place)
    telling: list[str] = output.splitlines()
    run(ask, lambda line: telling.append(line) if pip_failures.TELLING.search(line) else None)
    return pip_failures.nothing_found(requirement, "\n".join(telling), place.python)
