"""Says why pip failed, and asks it again where its first answer does not tell."""

from collections.abc import Callable, Sequence

from cnb_python.errors.finding import NoSuchPackage, NoSuchVersion, NotProvided
from cnb_python.errors.install import InstallFailed
from cnb_python.errors.kinds import BuildpackError
from cnb_python.managers import build_failures, git_failures, pip_commands, pip_failures
from cnb_python.managers.manager import Workplace
from cnb_python.managers.pip_failures import Unmatched
from cnb_python.system.outside import Command, Outcome, Run

_PIP = "pip"
_LAST_WORDS = 5

type Finding = Callable[[], Sequence[str]]
"""Gives the lines of the app's files that say where, and among what, to look."""


def explain(
    command: Command, outcome: Outcome, finding: Finding, place: Workplace, run: Run
) -> BuildpackError:
    """Say why *command*, which is pip's, failed."""
    # Paths as the app's author knows them.
    output = outcome.output.replace(f"{place.app_dir}/", "")
    known = (
        build_failures.machine_failure(outcome.code, output, _PIP)
        or git_failures.git_failure(output)
        or _of_build_requirements(output, finding, place, run)
        or build_failures.build_failure(output, place.python)
        or pip_failures.recognise(output, place.python)
        or pip_failures.unsupported(output, place.python, place.processor)
    )
    if known:
        return known
    if wanted := pip_failures.unmatched(output):
        return _ask_again(wanted, output, finding, place, run)
    if trouble := pip_failures.index_trouble(output):
        return trouble
    last_words = tuple(output.strip().splitlines()[-_LAST_WORDS:])
    return InstallFailed(_PIP, command.shown, outcome.code, last_words)


def _of_build_requirements(
    output: str, finding: Finding, place: Workplace, run: Run
) -> BuildpackError | None:
    """Return why what a build requires cannot be had; None where nothing is said of that."""
    package, told = build_failures.build_of(output), build_failures.told_by(output)
    wanted = pip_failures.unmatched(told) if package else None
    if not wanted or "build dependencies" not in output:
        return None
    answer = _ask_again(wanted, told, finding, place, run)
    if isinstance(answer, NoSuchPackage | NoSuchVersion | NotProvided):
        is_offline = isinstance(answer, NotProvided)
        return build_failures.missing_requirement(
            package, wanted.requirement, is_offline=is_offline
        )
    return answer


def _ask_again(
    wanted: Unmatched, output: str, finding: Finding, place: Workplace, run: Run
) -> BuildpackError:
    """Find out why there is nothing: pip tells about refusals and skipped wheels with -vv only."""
    ask = pip_commands.question(wanted.requirement, finding(), place)
    telling: list[str] = output.splitlines()
    run(ask, lambda line: telling.append(line) if pip_failures.TELLING.search(line) else None)
    told = "\n".join(telling)
    return pip_failures.nothing_found(wanted, told, place.python, place.processor)
