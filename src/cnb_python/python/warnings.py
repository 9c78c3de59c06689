"""Warnings about the Python that is installed."""

from datetime import date, timedelta

from cnb_python.errors.base import Message
from cnb_python.python.resolver import ResolvedPython
from cnb_python.python.sources import Requests
from cnb_python.python.specifiers import PythonRange
from cnb_python.python.version_files import RUNTIME, VERSION_FILE

# Long enough for any team to plan the move.
NOTICE = timedelta(days=365)


def release_warnings(resolution: ResolvedPython, today: date) -> tuple[Message, ...]:
    """Return the warnings about the release: its end of life, a newer patch, a deprecated file."""
    line, origin = resolution.line, resolution.request.origin
    messages = []
    if origin.name.endswith(RUNTIME):
        messages.append(_deprecated(str(resolution.request), origin.name))
    if line.released > today or resolution.release.number.prerelease:
        messages.append(_prerelease(resolution))
    if today > line.end_of_life:
        messages.append(_after_end_of_life(resolution))
    elif today + NOTICE > line.end_of_life:
        messages.append(_before_end_of_life(resolution))
    if resolution.release.version != resolution.newest:
        messages.append(_outdated(resolution))
    return tuple(messages)


def contradictions(resolution: ResolvedPython, unused: Requests) -> tuple[Message, ...]:
    """Return a warning for each of the *unused* requests that does not admit this release."""
    version, used = resolution.release.version, resolution.request
    return tuple(
        Message(
            f"{request.origin.name} asks for another Python than this image has",
            (
                f"The image has Python {version}, since {used.origin} asks for {used}.",
                f"{request.origin} asks for {request} and is not used.",
                "Tools that read that file use another Python. Make the two agree, or delete one.",
            ),
        )
        for request in unused
        if not request.admits(version)
    )


def _deprecated(version: str, name: str) -> Message:
    successor = f"{name.removesuffix(RUNTIME)}{VERSION_FILE}"
    return Message(
        f"{name} is deprecated",
        (
            f"Use {VERSION_FILE}, which other tools and platforms read too.",
            f"To replace it: echo {version} > {successor} && git rm {name} && git add {successor}",
        ),
    )


def _prerelease(resolution: ResolvedPython) -> Message:
    line = resolution.line
    return Message(
        f"Python {resolution.release.version} is a pre-release",
        (
            f"Requested by {resolution.request.origin}.",
            (
                f"Python {line.minor} is released on {line.released}. Until then it may change, "
                "and few packages have wheels for it."
            ),
        ),
    )


def _after_end_of_life(resolution: ResolvedPython) -> Message:
    line = resolution.line
    return Message(
        f"Python {line.minor} reached its end of life on {line.end_of_life}",
        (
            f"Requested by {resolution.request.origin}.",
            "It gets no security fixes any more.",
            f"Builds that ask for it stop from {line.removed} on. Move to a newer Python now.",
        ),
    )


def _before_end_of_life(resolution: ResolvedPython) -> Message:
    line = resolution.line
    return Message(
        f"Python {line.minor} reaches its end of life on {line.end_of_life}",
        (
            f"Requested by {resolution.request.origin}.",
            "It gets no security fixes after that day. Plan the move to a newer Python.",
        ),
    )


def _outdated(resolution: ResolvedPython) -> Message:
    line, release = resolution.line.minor, resolution.release.version
    request, origin = resolution.request, resolution.request.origin
    fix = (
        f"The range {request} ({origin}) excludes newer releases: widen it."
        if isinstance(request, PythonRange)
        else f"To always get the newest release, ask for {line} instead of {release} ({origin})."
    )
    return Message(
        f"Python {release} is not the newest {line}",
        (f"{resolution.newest} fixes more bugs and security holes.", fix),
    )
