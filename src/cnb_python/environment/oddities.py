"""What is odd about a stage, in words for the log: none of it stops a build."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cnb_python.environment.content import Content
from cnb_python.environment.crop import Crop, Part

_MOST_NAMED = 5


def notes(crop: Crop, unpinned: Iterable[str]) -> list[str]:
    """Return what is to be said of what surprises in *crop*."""
    said = [f"{name} was installed though nothing asked for it" for name in unpinned]
    times = Counter(one.name for one in crop.everything)
    said += [f"{name} is there twice" for name in sorted(times) if times[name] > 1]
    if crop.ownership.strays:
        said.append(f"No package names {listed(crop.ownership.strays)} as its own")
    return said


def doubts(part: Part, read: Mapping[str, Content]) -> list[str]:
    """Return what is to be said of a RECORD that is wrong: of a file's content, or its place."""
    said, name = part.installed.claims, part.installed.name
    wrong = [
        path
        for path, digest in said.digests.items()
        if digest
        and path in part.entries
        and path not in part.rewritten
        and path != f"{part.installed.info}/RECORD"
        and read[path].file.digest != digest
    ]
    doubts = [f"The RECORD of {name} is wrong about {listed(wrong)}"] if wrong else []
    if said.outside:
        doubts.append(
            f"The RECORD of {name} names files outside the environment: {listed(said.outside)}"
        )
    return doubts


def listed(paths: Sequence[str]) -> str:
    """Return some of *paths* in a line, and how many there are besides."""
    more = len(paths) - _MOST_NAMED
    # Strangers chose them: nothing of it may command a terminal.
    named = [path if path.isprintable() else ascii(path) for path in paths[:_MOST_NAMED]]
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
