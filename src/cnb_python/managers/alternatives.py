"""Finds what an app can use in place of a version without a wheel, by questions to uv.

uv answers from the indexes for any Python, in a quarter of a second. It asks for pip too.

Separate from `uv/errors` and `uv/commands`, since it runs commands after a failure alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.finding import Alternative, NoWheel, UnfitVersion, WrongPython
from cnb_python.managers.base import InstallContext
from cnb_python.managers.build_errors import source_version
from cnb_python.managers.markers import release_line
from cnb_python.managers.misleading_names import better_failure
from cnb_python.python.mirror import own_inventory
from cnb_python.system.interface import Command, Run

_NO_BINARY = re.compile(r"(?:UV|PIP)_(?:NO|ONLY)_BINARY\w*|UV_NO_BUILD\w*")
_FORMAT = re.compile(r"--(?:no|only)-binary\b")
_PLATFORMS = re.compile(r"are available for .* on the following platforms?: (.+)")
_QUESTION = "question.in"
# More patch releases than any line has had.
_PATCHES = 40


class Source(NamedTuple):
    """Where uv looks for an answer, and with which settings: as the command that failed."""

    environ: Mapping[str, str]
    directory: Path
    options: tuple[str, ...]
    """Options of uv."""
    finding: tuple[str, ...] = ()
    """Option lines of the app's requirements files that choose where to look."""


class _Question(NamedTuple):
    name: str
    version: str
    context: InstallContext
    source: Source
    run: Run

    def answer(self, operator: str, *options: str) -> tuple[str, str]:
        """Return the version with a wheel that uv chooses, empty if none; and its output."""
        file = self.context.scratch / _QUESTION
        finding = (line for line in self.source.finding if not _FORMAT.search(line))
        lines = (*finding, f"{self.name}{operator}{self.version}")
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        words = ("compile", "--quiet", "--no-header", "--no-annotate", "--no-deps")
        final = ("--prerelease", "if-necessary-or-explicit" if operator == "==" else "disallow")
        argv = (
            *(str(self.context.uv), "pip", *words, *final, "--only-binary", self.name),
            *(*options, *self.source.options, str(file)),
        )
        environ = {k: v for k, v in self.source.environ.items() if not _NO_BINARY.fullmatch(k)}
        outcome = self.run(Command(argv, environ, self.source.directory), lambda _: None)
        version = re.search(rf"^{re.escape(self.name)}==(\S+)", outcome.output, re.MULTILINE)
        return (version[1] if version and not outcome.code else ""), outcome.output


def improve(
    failure: BuildpackError,
    output: str,
    context: InstallContext,
    source: Callable[[], Source],
    run: Run,
) -> BuildpackError:
    """Return *failure* with what the index has in place of the version that does not fit.

    *output* is that of the command that failed.
    """
    failure = better_failure(failure)
    if not isinstance(failure, UnfitVersion):
        return failure
    alternative = Alternative()
    name, version = _release_of(failure, output)
    if version:
        question = _Question(name, version, context, source(), run)
        # uv ignores upper bounds of Requires-Python, and so takes what pip refused.
        is_wheel_unfit = isinstance(failure, WrongPython)
        alternative, platforms = _ask(question, ">" if is_wheel_unfit else ">=")
        if isinstance(failure, NoWheel) and platforms:
            failure.pythons, failure.platforms = (), platforms
    if not alternative.python:
        alternative = alternative._replace(python=_line_named_by(failure))
    alternative = alternative._replace(is_local=failure.alternative.is_local)
    return failure.suggesting(alternative) if any(alternative) else failure


def _ask(question: _Question, operator: str) -> tuple[Alternative, tuple[str, ...]]:
    """Return what the index has, and the platforms of its wheels if none is for this one.

    *operator* compares with the version that failed.
    """
    newer, _ = question.answer(operator, "--resolution", "lowest")
    if newer == question.version:
        return Alternative(is_refused=True), ()
    python, platforms = _other_python(question)
    return Alternative(newer, python), platforms


def _release_of(failure: UnfitVersion, output: str) -> tuple[str, str]:
    """Return name and version of the release that *failure* is about; empty: unknown."""
    if package := getattr(failure, "package", ""):
        return canonicalize_name(package), source_version(package, output)
    try:
        requirement = Requirement(getattr(failure, "requirement", ""))
    except ValueError, RecursionError:
        return "", ""
    pins = [each.version for each in requirement.specifier if each.operator in {"==", "==="}]
    return canonicalize_name(requirement.name), pins[0] if len(pins) == 1 else ""


def _other_python(question: _Question) -> tuple[str, tuple[str, ...]]:
    """Return the newest release line with a wheel, or the platforms of wheels if none fits."""
    own = release_line(question.context.python)
    for line in supported_lines():
        if line == own:
            continue
        version, output = question.answer("==", "--python-version", line)
        if version:
            return line, ()
        if platforms := _PLATFORMS.search(output):
            return "", tuple(re.findall(r"`([^`]+)`", platforms[1]))
    return "", ()


def _line_named_by(failure: UnfitVersion) -> str:
    """Return the newest supported release line among those that *failure* lists; empty: none."""
    if isinstance(failure, NoWheel):
        return next((line for line in supported_lines() if line in failure.pythons), "")
    needs = failure.needs if isinstance(failure, WrongPython) else ()
    return next((line for line in supported_lines() if any(_allows(n, line) for n in needs)), "")


def _allows(need: str, line: str) -> bool:
    try:
        specifier = SpecifierSet(need)
        return any(specifier.contains(f"{line}.{patch}") for patch in range(_PATCHES))
    except ValueError:  # also for thousands of digits
        return False


def supported_lines() -> Sequence[str]:
    """Return the release lines that this buildpack can install, the newest first."""
    numbers = {(each.number.major, each.number.minor) for each in own_inventory().releases}
    return [f"{major}.{minor}" for major, minor in sorted(numbers, reverse=True)]
