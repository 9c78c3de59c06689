"""What an app's author should know about a Python that does install."""

from dataclasses import dataclass
from datetime import date, timedelta

from cnb_python.python.resolver import ResolvedPython
from cnb_python.python.sources import Requests
from cnb_python.python.specifiers import PythonRange
from cnb_python.python.version_files import RUNTIME, VERSION_FILE

# Announced for long enough to fit any team's planning.
NOTICE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning as `Output.warning` takes it."""

    title: str
    body: tuple[str, ...]


def notices(resolution: ResolvedPython, today: date) -> tuple[Notice, ...]:
    """Return what to warn of: the line's end within a year or behind us, a newer patch."""
    line, origin = resolution.line, resolution.request.origin
    said = []
    if origin.name.endswith(RUNTIME):
        said.append(_deprecated(str(resolution.request), origin.name))
    if line.released > today or resolution.release.number.prerelease:
        said.append(_unreleased(resolution))
    if today > line.end_of_life:
        said.append(_ended(resolution))
    elif today + NOTICE > line.end_of_life:
        said.append(
            Notice(
                f"Python {line.minor} ends on {line.end_of_life}",
                (
                    f"It is asked for by {origin}.",
                    "From then on nobody mends its security holes. Plan the move to a newer line.",
                ),
            )
        )
    if resolution.release.version != resolution.newest:
        said.append(_outdated(resolution))
    return tuple(said)


def _ended(resolution: ResolvedPython) -> Notice:
    line = resolution.line
    return Notice(
        f"Python {line.minor} has ended on {line.end_of_life}",
        (
            f"It is asked for by {resolution.request.origin}.",
            "Its security holes are no longer mended.",
            f"From {line.removed} on, builds that ask for it stop. Move to a newer line now.",
        ),
    )


def disagreements(resolution: ResolvedPython, others: Requests) -> tuple[Notice, ...]:
    """Return a warning for each of *others* that would not have this release."""
    version, asked = resolution.release.version, resolution.request
    return tuple(
        Notice(
            f"{other.origin.name} asks for another Python than this image has",
            (
                f"The image has Python {version}, by {asked.origin} ({asked}).",
                f"{other.origin} says {other}, which does not count beside it.",
                "Whoever goes by that file runs another one. Make the two agree, or delete one.",
            ),
        )
        for other in others
        if not other.admits(version)
    )


def _deprecated(version: str, name: str) -> Notice:
    successor = f"{name.removesuffix(RUNTIME)}{VERSION_FILE}"
    return Notice(
        f"{name} is deprecated",
        (
            f"{VERSION_FILE} takes its place, which other tools and platforms read too.",
            (f"Replace it: echo {version} > {successor} && git rm {name} && git add {successor}"),
        ),
    )


def _unreleased(resolution: ResolvedPython) -> Notice:
    line = resolution.line
    return Notice(
        f"Python {resolution.release.version} is a pre-release",
        (
            f"It is asked for by {resolution.request.origin}.",
            (
                f"Python {line.minor} is released on {line.released}; until then it may change,"
                " and few packages are built for it."
            ),
        ),
    )


def _outdated(resolution: ResolvedPython) -> Notice:
    line, release = resolution.line.minor, resolution.release.version
    origin = resolution.request.origin
    remedy = (
        f"The range {resolution.request} ({origin}) ends before it: widen it."
        if isinstance(resolution.request, PythonRange)
        else f"To always get the newest, ask for {line} in place of {release} ({origin})."
    )
    return Notice(
        f"Python {release} is not the newest {line}",
        (f"{resolution.newest} mends more, security holes included.", remedy),
    )
