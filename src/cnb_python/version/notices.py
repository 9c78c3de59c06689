"""What an app's author should know about a Python that does install."""

from dataclasses import dataclass
from datetime import date, timedelta

from cnb_python.version.resolve import Resolution

# Announced for long enough to fit any team's planning.
NOTICE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning as `Output.warning` takes it."""

    title: str
    body: tuple[str, ...]


def notices(resolution: Resolution, today: date) -> tuple[Notice, ...]:
    """Return what to warn of: the line's end within a year or behind us, a newer patch."""
    line, origin = resolution.line, resolution.request.origin
    said = []
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


def _ended(resolution: Resolution) -> Notice:
    line = resolution.line
    return Notice(
        f"Python {line.minor} has ended on {line.end_of_life}",
        (
            f"It is asked for by {resolution.request.origin}.",
            "Its security holes are no longer mended.",
            f"From {line.removed} on, builds that ask for it stop. Move to a newer line now.",
        ),
    )


def _outdated(resolution: Resolution) -> Notice:
    line, release = resolution.line.minor, resolution.release.version
    return Notice(
        f"Python {release} is not the newest {line}",
        (
            f"{resolution.newest} mends more, security holes included.",
            (
                f"To always get the newest, ask for {line} in place of {release} "
                f"({resolution.request.origin})."
            ),
        ),
    )
