"""Has pip or uv decide and install what a `requirements.txt` asks for; explains what fails."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.managers.base import Workplace
from cnb_python.managers.index_config import Network, way_of_pip
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.managers.pip import config as pip_config
from cnb_python.managers.pip import errors as pip_errors
from cnb_python.managers.pip import pinned, requirements_txt
from cnb_python.managers.pip import report as pip_report
from cnb_python.managers.pip.source_lines import OwnLines, read_own_lines
from cnb_python.managers.resolution import Decision, Pin
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv import pylock_output
from cnb_python.system.addresses import shown
from cnb_python.system.interface import Command, Download, Outcome, Run

type Files = Sequence[str]
"""Requirements files that are read together, relative to the app."""


def try_exactly(
    pins: Sequence[Pin], network: Network, processor: str, place: Workplace, run: Run
) -> str:
    """Have uv install *pins*; return why it did not, or nothing. Raises DiskFull or Killed."""
    try:
        outcome = run(uv.install_exactly(pins, network, place))
    except ProgramNotStarted as error:
        return f"uv does not start here: {error.reason}"
    if outcome.code:
        return uv.refusal(outcome)
    return uv.pips_own_choice(place, network, processor)


def install_exactly(pins: Sequence[Pin], network: Network, place: Workplace, run: Run) -> None:
    """Have uv install *pins* of an exact file. Raises what it says went wrong."""
    _uv(uv.install_exactly(pins, network, place), place, run)


def install_all(files: Files, place: Workplace, run: Run, *, by_uv: bool) -> Decision:
    """Decide and install in one go. Raises what pip, or uv, says went wrong."""
    if not by_uv:
        return _pip_decides(pip_commands.install_all, files, place, run)
    decision = decide(files, place, run, by_uv=True)
    if decision.pins:
        install_decided(files, decision, decision.pins, place, run)
    return decision


def decide(files: Files, place: Workplace, run: Run, *, by_uv: bool) -> Decision:
    """Decide without installing. Raises what pip, or uv, says went wrong."""
    if not by_uv:
        return _pip_decides(pip_commands.decide, files, place, run)
    lock = place.scratch / "pylock.toml"
    _uv(uv.compile_all(files, lock, place), place, run)
    return pylock_output.decision_of(lock, _own_lines(files, place))


def install_decided(
    files: Files, decision: Decision, pins: Sequence[Pin], place: Workplace, run: Run
) -> None:
    """Install exactly *pins* of *decision*. Raises what the tool says went wrong."""
    finding = _own_lines(files, place).finding
    if decision.by == pinned.UV:
        _uv(uv.install_compiled(pins, finding, place), place, run)
        return
    for command in pip_commands.install_exactly(pins, finding, place):
        _pip(files, command, place, run)


def explain(
    files: Files, command: Command, outcome: Outcome, place: Workplace, run: Run
) -> BuildpackError:
    """Say why pip failed. Asks it again where its first answer does not tell."""

    def finding() -> tuple[str, ...]:
        return _own_lines(files, place).finding

    return pip_errors.explain(command, outcome, finding, place, run)


def _pip_decides(
    make: Callable[[Files, Workplace, Path], Command], files: Files, place: Workplace, run: Run
) -> Decision:
    report = place.scratch / "report.json"
    _pip(files, make(files, place, report), place, run)
    own_lines = _own_lines(files, place)
    return pip_report.decision_of(report.read_text(encoding="utf-8"), own_lines)


def _pip(files: Files, command: Command, place: Workplace, run: Run) -> None:
    outcome = run(command)
    if outcome.code:
        raise explain(files, command, outcome, place, run)


def _uv(command: Command, place: Workplace, run: Run) -> None:
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, place)


def _own_lines(files: Files, place: Workplace) -> OwnLines:
    paths = [place.app_dir / name for name in files]
    return read_own_lines(paths, place.app_dir, place.environ, partial(_at_address, place))


def _at_address(place: Workplace, address: str) -> str:
    """Return the file of requirements at *address*, or nothing: pip has read it, and said so."""
    file = place.scratch / "included.txt"
    try:
        if place.fetch:
            options = pip_config.read_pip_settings(place.environ).options
            way = way_of_pip(options, place.environ)
            place.fetch(Download(address, "", shown(address), way), file)
        return requirements_txt.decode(file.read_bytes(), "replace")
    except OSError, LookupError, BuildpackError:
        return ""
    finally:
        file.unlink(missing_ok=True)
