"""Prints an explanation as text, with the lines of a build's log where both print the same.

Separate from `explain`, which fills in the explanation.
"""

from collections.abc import Iterable, Iterator

from cnb_python.explain.explanation import (
    ChosenPackages,
    ChosenPython,
    ChosenSystemPackages,
    Explanation,
    ReusedParts,
)
from cnb_python.launch.launch_report import ALSO_FOUND
from cnb_python.launch.procfile import WEB
from cnb_python.system.interface import Output

_SHOWN = 12
_INDENT = "  "


def print_explanation(explanation: Explanation, output: Output) -> None:
    """Print *explanation*: a step for each part, then the warnings.

    The caller prints `Explanation.error`.
    """
    for title, lines in _parts(explanation):
        _print_part(title, tuple(lines), output)
    for note in explanation.warnings:
        output.warning(note.title, (*note.body, *note.fixes))


def _print_part(title: str, lines: tuple[str, ...], output: Output) -> None:
    if lines:
        output.step(title)
    for line in lines:
        output.line(line)


def _parts(explanation: Explanation) -> Iterator[tuple[str, Iterable[str]]]:
    yield "App", _app(explanation)
    yield (
        "Settings",
        (f"{each.name} = {each.value} ({each.origin})" for each in explanation.settings),
    )
    if explanation.python:
        yield "Python", _python(explanation.python)
    if explanation.system_packages:
        yield "System packages", _system_packages(explanation.system_packages)
    if explanation.packages:
        yield "Packages", _packages(explanation.packages)
    if explanation.reuse:
        yield "Reuse", _reuse(explanation.reuse)
    yield (
        "Steps of the app",
        (
            f"{step.name}: {'runs' if step.runs else 'does not run'}, {_lowered(step.reason)}"
            for step in explanation.steps
        ),
    )
    yield "Processes", _processes(explanation)


def _app(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.app}, with {explanation.buildpack}"
    if not explanation.detected:
        yield "This buildpack does not take the app:"
    yield from explanation.detection
    if explanation.removed:
        yield f"Not in the image: {_listed(explanation.removed)}"
    if explanation.removed_is_partial:
        yield "Only the upper directories of this very large app were searched for such files"


def _python(python: ChosenPython) -> Iterator[str]:
    yield f"Python {python.version} ({python.origin})"
    if python.reused:
        yield "The previous image has it"
    yield from python.reasons


def _system_packages(chosen: ChosenSystemPackages) -> Iterator[str]:
    yield f"{_listed(chosen.packages)}, with what they depend on"
    if chosen.reused:
        yield "The previous image has them"


def _packages(packages: ChosenPackages) -> Iterator[str]:
    yield f"{packages.manager} decides, by {_listed(packages.files)}"
    if packages.groups:
        yield f"With {_listed(packages.groups)}"
    match packages.known_from:
        case "files":
            yield f"Exactly these {len(packages.versions)} packages are installed:"
        case "previous build":
            yield f"The same {len(packages.versions)} packages as in the previous build:"
        case "unresolved files":
            yield f"The build has to resolve: {packages.reason}"
            yield f"The files name {len(packages.versions)} packages:"
    pairs = [f"{name} {version}".rstrip() for name, version in packages.versions.items()]
    if pairs:
        yield _INDENT + _listed(tuple(pairs))


def _reuse(reuse: ReusedParts) -> Iterator[str]:
    if not reuse.previous:
        yield "No previous build is known, so nothing is reused"
    elif reuse.environment:
        yield "All layers of the environment are reused as they are"
    else:
        yield "Layers of the environment are made again where their packages change:"
        yield from (f"{_INDENT}{reason}" for reason in reuse.reasons)
    if reuse.previous and reuse.changes:
        yield f"Changed: {reuse.changes}"


def _processes(explanation: Explanation) -> Iterator[str]:
    for process in explanation.processes:
        mark = _INDENT + "(default)" if process.default else ""
        yield f"{process.type}: {process.command}".rstrip() + mark
        if process.origin:
            yield f"{_INDENT}From {process.origin}"
        if process.type == WEB and explanation.also_found:
            names = (f"{each.file} ({each.subject})" for each in explanation.also_found)
            yield _INDENT + ALSO_FOUND.format(", ".join(names))


def _listed(items: tuple[str, ...]) -> str:
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
