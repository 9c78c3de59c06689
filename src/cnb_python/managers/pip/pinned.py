"""What an exact requirements file decides, and how uv installs that."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cnb_python.managers.base import NeedsResolving, Pin, Resolution
from cnb_python.managers.index_config import Network, network_of
from cnb_python.managers.pip.config import read_pip_settings
from cnb_python.managers.pip.requirements_txt import Exact, ExactFile, NotExact, parse_all
from cnb_python.system.redaction import shown

UV = "uv"


class PinnedPlan(NamedTuple):
    """A decision, and the way to its packages."""

    decision: Resolution
    network: Network


def plan(
    contents: Mapping[str, bytes], python: str, processor: str, environ: Mapping[str, str]
) -> PinnedPlan | NeedsResolving:
    """Return what files with these *contents* decide for *python*, Undecided where pip has to.

    They are read together, and called by their names. *environ* is what pip would be given: its
    settings may be reason enough.
    """
    file = parse_all(contents)
    if isinstance(file, NotExact):
        return NeedsResolving(file.sentence)
    settings = read_pip_settings(environ)
    if settings.unreadable:
        return NeedsResolving(f"{settings.unreadable} cannot be read")
    network = network_of(settings.options, environ, file.index_url)
    if isinstance(network, NeedsResolving):
        return network
    lines = _applying(file, python, processor)
    if isinstance(lines, NotExact):
        return NeedsResolving(lines.sentence)
    pins = sorted(_pin(line, network.index_url) for line in lines)
    return PinnedPlan(Resolution(tuple(pins), from_files_alone=True, by=UV), network)


def _applying(file: ExactFile, python: str, processor: str) -> list[Exact] | NotExact:
    """Return the lines that count for *python*, each of a distribution of its own."""
    lines = [line for line in file.lines if not line.marker]
    if marked := [line for line in file.lines if line.marker]:
        # What it imports takes a while, and most files have none.
        from cnb_python.managers import markers  # noqa: PLC0415 - packaging.markers takes 40 ms

        for line in marked:
            if markers.asks_the_machine(line.marker):
                return NotExact("has a marker about the machine", line.number, line.file)
        lines += [one for one in marked if markers.applies(one.marker, python, processor)]
    counted = Counter(line.name for line in lines)
    for line in sorted(lines):
        if counted[line.name] > 1:
            return NotExact(f"and another one both name {line.name}", line.number, line.file)
        if file.has_hashes and not line.hashes:
            return NotExact("has no hash, while others have", line.number, line.file)
    return lines


def _pin(line: Exact, index_url: str) -> Pin:
    # The index by its public part alone: a token changes, what it gives access to does not.
    origin = digest((shown(index_url), *line.hashes))
    return Pin(line.name, line.version, origin, line.line, extras=line.extras)


def digest(parts: Iterable[str]) -> str:
    """Return a SHA-256 in hex over *parts*."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()
