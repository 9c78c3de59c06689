"""Recognizes why pip failed by its output, and runs it again if the output gives no reason.

What is wrong with the app's requirements is here, what indexes lack or refuse in `index_errors`.
Separate from `install`, so that recorded output can be read without a command.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import PathOutsideApp
from cnb_python.errors.network import IndexRefused, UrlNotFound
from cnb_python.errors.packages.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotInFindLinks,
    VersionConflict,
    WrongPython,
)
from cnb_python.errors.packages.install import (
    DamagedPackage,
    HashMismatch,
    HashMissing,
    InstallFailed,
    NotPinned,
)
from cnb_python.errors.packages.requirements import (
    BadConstraint,
    BadPipOption,
    BadRequirement,
    IncludeMissing,
    NotAPackage,
)
from cnb_python.managers import build_errors
from cnb_python.managers.base import InstallContext
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.managers.pip.index_errors import (
    REASON_LINES,
    REFUSALS,
    Unmatched,
    index_failure,
    nothing_found,
    unmatched,
    unsupported_wheel,
)
from cnb_python.managers.uv import commands as uv
from cnb_python.system import regular_file
from cnb_python.system.interface import Command, Outcome, Run

_PIP = "pip"
_LAST_LINES = 5
_PROCESSING = re.compile(r"^Processing (\S+)(?: \((from .+)\))?$", re.MULTILINE)
_NOTHING_THERE = re.compile(
    r"ERROR: Could not install packages due to an OSError: \[Errno 2\] No such file or directory: "
    r"'([^']+)'"
)
_NO_FILE = re.compile(r"Hint: It looks like a path\. File '([^']+)' does not exist")
_NO_EDITABLE = re.compile(r"ERROR: (\S+) is not a valid editable requirement")
_INCLUDES_ITSELF = re.compile(r"ERROR: (\S+) recursively references itself in (\S+)")
_LINE = re.compile(r"\(from (?:line (\d+) of (\S+?)|-r (\S+) \(line (\d+)\))\)")
_INVALID = re.compile(r"ERROR: Invalid requirement: (.+)")
_NOT_A_CONSTRAINT = re.compile(
    r"ERROR: (Constraints cannot .+|.+ (?:not allowed|cannot be used) as constraints?)"
)
_HINT = re.compile(r"Hint: (.+)|error: (no such option.+)")
# Option, what pip expects, and the value, in the order of pip's words.
_NO_NUMBER = re.compile(r"option ([\w-]+): invalid ([\w-]+) value: '([^']*)'")
_NO_CHOICE = re.compile(r"option ([\w-]+): invalid choice: '([^']*)' \(choose from (.+?)\)")
_NO_VALUE = re.compile(
    r"^\s*(\S.*?) is not a valid value for ([\w-]+) option, please specify (.+?)(?: instead)?\.$",
    re.MULTILINE,
)
_NO_SCHEME = re.compile(r'The index url "([^"]*)" seems invalid')
_NO_PROXY = re.compile(r"OSError: Failed to parse: '([^']*)' is not a valid host or port")
_PACKAGE_NEEDS = re.compile(r"Package '([^']+)' requires a different Python: \S+ not in '([^']+)'")
_URL_STATUS = re.compile(r"ERROR: HTTP error (\d{3}) while getting (\S+)")
_NOT_A_PROJECT = re.compile(
    r"ERROR: (\S+) .*does not appear to be a Python project"
    r"|ERROR: Directory '([^']+)' is not installable"
)
_NO_INCLUDE = re.compile(
    r"Could not open (?:requirements|constraint) file: \[Errno \d+\] (.+?): '([^']+)'"
)
_INVALID_WHEEL = re.compile(r"ERROR: (\S+) has an invalid wheel, (.+)")
_NO_WHEEL = re.compile(r"ERROR: Wheel '([^']+)' located at (.+) is invalid")
_NOT_UNPACKED = re.compile(r"^(?:tarfile\.\w*Error|zipfile\.BadZipFile): ", re.MULTILINE)
_UNPACKING = re.compile(r"^ *Processing (\S+)|^ *Collecting ([\w.-]+)", re.MULTILINE)
# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_POINTER = b"version https://git-lfs.github.com/"
_WRONG_WHEEL = re.compile(r"AssertionError: '([^']+)' != '([^']+)' for wheel")

type Finding = Callable[[], Sequence[str]]
"""Returns the option lines of the app's files that choose where pip looks, and among what."""


def explain(
    command: Command, outcome: Outcome, finding: Finding, context: InstallContext, run: Run
) -> BuildpackError:
    """Return the failure of *command*; InstallFailed with pip's words if it is not recognized.

    Runs pip again with more output if it found nothing for a requirement.
    """
    # Paths as the app's author knows them.
    output = outcome.output.replace(f"{context.app_dir}/", "")
    failure = (
        build_errors.machine_failure(outcome.code, output, _PIP)
        or build_errors.git_failure(output)
        or _missing_build_requirement(output, finding, context, run)
        or build_errors.build_failure(output, context.python)
        or pointer_of_git_lfs(outcome.output)
        or not_an_archive(outcome.output, context.app_dir)
        or recognize(output, context.python)
        or unsupported_wheel(output, context.python, context.processor)
    )
    if not failure and (requirement := unmatched(output)):
        failure = _explain_unmatched(requirement, output, finding, context, run)
    if failure:
        return uv.alternative_for_pip(failure, output, finding, context, run)
    if failure := index_failure(output):
        return failure
    last_lines = tuple(output.strip().splitlines()[-_LAST_LINES:])
    return InstallFailed(_PIP, command.shown, outcome.code, last_lines)


def pointer_of_git_lfs(output: str) -> DamagedPackage | None:
    """Return which wheel of the app is a pointer of Git LFS; None if that is not the failure.

    pip's own words are the same for every file that is no wheel, so the file is read.
    """
    match = _NO_WHEEL.search(output)
    try:
        if match:
            with regular_file.opened(Path(match[2])) as file:
                if file.read(len(_POINTER)) == _POINTER:
                    return DamagedPackage(match[1], "it is a pointer of Git LFS")
    except OSError:
        return None  # a wheel of an index, whose copy pip has removed
    return None


def not_an_archive(output: str, app_dir: Path) -> DamagedPackage | None:
    """Return which sdist pip cannot unpack; None if that is not the failure."""
    # The function of pip in the traceback, which ends the output.
    head, function, _ = output.rpartition("in unpack_file\n")
    matches = list(_UNPACKING.finditer(head))
    if not function or not matches or not _NOT_UNPACKED.search(output, len(head)):
        return None
    path, name = matches[-1].groups()
    problem = build_errors.not_an_archive(app_dir / (path or ""))
    return DamagedPackage(Path(path).name if path else name, problem)


def _missing_build_requirement(
    output: str, finding: Finding, context: InstallContext, run: Run
) -> BuildpackError | None:
    """Return why a build requirement cannot be had; None if that is not the failure."""
    package, build_output = build_errors.build_of(output), build_errors.build_output(output)
    requirement = unmatched(build_output) if package else None
    if not requirement or "build dependencies" not in output:
        return None
    failure = _explain_unmatched(requirement, build_output, finding, context, run)
    if isinstance(failure, NoSuchPackage | NoSuchVersion | NotInFindLinks):
        is_offline = isinstance(failure, NotInFindLinks)
        return build_errors.missing_requirement(
            package, requirement.requirement, is_offline=is_offline
        )
    return failure


def _explain_unmatched(
    requirement: Unmatched, output: str, finding: Finding, context: InstallContext, run: Run
) -> BuildpackError:
    """Return why pip found nothing: only with -vv it reports refusals and skipped wheels."""
    command = pip_commands.verbose_resolve(requirement.requirement, finding(), context)
    reason_lines: list[str] = output.splitlines()
    run(command, lambda line: reason_lines.append(line) if REASON_LINES.search(line) else None)
    return nothing_found(requirement, "\n".join(reason_lines), context.python, context.processor)


def recognize(output: str, python: str) -> BuildpackError | None:
    """Return why pip failed for an app on *python*; None if its ordinary output has no reason."""
    for recognizer in _RECOGNIZERS:
        if failure := recognizer(output):
            return failure
    if match := _PACKAGE_NEEDS.search(output):
        return WrongPython(match[1], (match[2],), python)
    return None


def _hash_mismatch(output: str) -> BuildpackError | None:
    _, mark, after = output.partition("DO NOT MATCH THE HASHES")
    if not mark or not (name := re.search(r"^ {4}(\S+)", after, re.MULTILINE)):
        return None
    expected = re.findall(r"(?:Expected|or) +(\w+ [0-9a-f]{32,})", after)
    downloaded = re.search(r"Got +([0-9a-f]{32,})", after)
    return HashMismatch(name[1], tuple(expected), downloaded[1] if downloaded else "")


def _hash_missing(output: str) -> BuildpackError | None:
    _, mark, after = output.partition("Hashes are required in --require-hashes mode")
    lines = re.findall(r"^ {4}(\S.* --hash=\S+)", after, re.MULTILINE)
    return HashMissing(tuple(lines)) if mark else None


def _not_pinned(output: str) -> BuildpackError | None:
    _, mark, after = output.partition("must have their versions pinned with ==")
    names = re.findall(r"^ {4}(\S+)", after, re.MULTILINE)
    return NotPinned(tuple(names)) if mark else None


def _conflict(output: str) -> BuildpackError | None:
    _, mark, after = output.partition("The conflict is caused by:")
    causes = re.findall(r"^ {4}(\S.*)", after.partition("\n\n")[0], re.MULTILINE)
    return VersionConflict(tuple(causes)) if mark else None


def _missing_path(output: str) -> BuildpackError | None:
    """Recognize paths where nothing is: outside of the app, or those of another machine.

    `pip freeze` in a conda environment writes the paths of the machine that built a package.
    """
    source = _LINE.search(output)
    line, file = (source[1] or source[4], source[2] or source[3]) if source else ("", "")
    if match := _NO_FILE.search(output):
        # pip itself reports a missing path inside the app.
        return _outside_app(match[1], file)
    if match := _NO_EDITABLE.search(output):
        problem = "there is no project at that path"
        return _outside_app(match[1], file) or BadRequirement(f"-e {match[1]}", "", problem)
    if missing := _NOTHING_THERE.search(output):
        last = [match[1] for match in _PROCESSING.finditer(output, 0, missing.start())][-1:]
        if failure := _outside_app("".join(last), file):
            return failure
        if last == [missing[1]]:
            where = f"line {line} of {file}" if line else ""
            return BadRequirement(missing[1], where, "there is nothing at that path")
    if match := _INCLUDES_ITSELF.search(output):
        return BadRequirement(f"-r {match[1]}", match[2], "the file includes itself")
    return None


def _outside_app(path: str, file: str) -> BuildpackError | None:
    return PathOutsideApp(file or "requirements.txt", path) if path.startswith("../") else None


def _bad_option(output: str) -> BuildpackError | None:
    """Recognize a variable `PIP_*`, or an entry of pip.conf, with a value that it cannot have."""
    if match := _NO_NUMBER.search(output):
        expected = "an integer" if match[2] == "integer" else "a number"
        return BadPipOption(match[1], match[3], expected)
    if match := _NO_CHOICE.search(output):
        return BadPipOption(match[1], match[2], f"one of {match[3]}")
    if match := _NO_VALUE.search(output):
        return BadPipOption(match[2], match[1], match[3])
    if match := _NO_SCHEME.search(output):
        return BadPipOption("index-url", match[1], "an address, which begins with https://")
    if match := _NO_PROXY.search(output):
        return BadPipOption("proxy", match[1], "an address such as http://proxy.example.com:3128")
    return None


def _bad_line(output: str) -> BuildpackError | None:
    match = _INVALID.search(output)
    if not match:
        return None
    text, _, problem = (
        match[1].partition("': ") if match[1].startswith("'") else (match[1], "", "")
    )
    line = re.search(r"\(from (line \d+ of \S+?)\)", output)
    hint = _HINT.search(output)
    problems = [problem, *(group for group in (hint.groups() if hint else ()) if group)]
    return BadRequirement(
        text.strip("'"), line[1] if line else "", ". ".join(filter(None, problems))
    )


def _bad_constraint(output: str) -> BuildpackError | None:
    match = _NOT_A_CONSTRAINT.search(output)
    return BadConstraint(match[1]) if match else None


def _include_missing(output: str) -> BuildpackError | None:
    match = _NO_INCLUDE.search(output)
    return IncludeMissing(match[2], match[1]) if match else None


def _not_a_package(output: str) -> BuildpackError | None:
    match = _NOT_A_PROJECT.search(output)
    return NotAPackage((match[1] or match[2]).removeprefix("file://")) if match else None


def _url_status(output: str) -> BuildpackError | None:
    match = _URL_STATUS.search(output)
    if not match:
        return None
    status, url = int(match[1]), match[2]
    return IndexRefused(url, status) if status in REFUSALS else UrlNotFound(url, status)


def _damaged(output: str) -> BuildpackError | None:
    if match := _INVALID_WHEEL.search(output):
        return DamagedPackage(match[1], match[2])
    if match := _NO_WHEEL.search(output):
        return DamagedPackage(match[1], "it is no wheel")
    match = _WRONG_WHEEL.search(output)
    return DamagedPackage(match[1], f"it is a file of {match[2]}") if match else None


_RECOGNIZERS: tuple[Callable[[str], BuildpackError | None], ...] = (
    _hash_mismatch,
    _hash_missing,
    _not_pinned,
    _conflict,
    _missing_path,
    _bad_option,
    _bad_line,
    _bad_constraint,
    _include_missing,
    _not_a_package,
    _url_status,
    _damaged,
)
