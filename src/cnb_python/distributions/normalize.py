"""Brings an installed distribution to one form, whichever tool installed it, when and where."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import entry_points
from cnb_python.distributions.direct_url import Origin
from cnb_python.distributions.dist_info import INFO, Installed

# Says who may remove the distribution again: nobody in an image, and tools that look for `pip` or
# `uv` before they touch or advise anything should not take it for their own.
INSTALLER = b"cnb-python\n"
_DROPPED = ("REQUESTED", "uv_cache.json", "uv_build.json")
_SCRIPTS = "bin/"
# Those that pip makes with the version of Python it runs in, and uv does not.
_OF_PIP = re.compile(r"pip[\d.]+|easy_install-[\d.]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are, and where they will be."""

    root: Path
    final: str


def normalise(
    installed: Installed, origin: Origin, paths: Iterable[str], place: Place
) -> tuple[set[str], set[str]]:
    """Bring what *installed* has to its one form; return its *paths* now, and those rewritten.

    Its RECORD is not: it is written when everything else is done.
    """
    kept = set(paths)
    written = _information(installed, origin, place, kept)
    written |= _scripts(installed, place, kept)
    return kept | written, written


def _information(installed: Installed, origin: Origin, place: Place, kept: set[str]) -> set[str]:
    if not installed.info.endswith(INFO):
        return set()  # an egg of old
    direct_url, installer = (
        f"{installed.info}/{name}" for name in ("direct_url.json", "INSTALLER")
    )
    for name in (*_DROPPED, "direct_url.json"):
        path = f"{installed.info}/{name}"
        if path in kept:
            disk.remove(place.root / path)
            kept.discard(path)
    wanted = {installer: INSTALLER}
    if origin.content:
        wanted[direct_url] = origin.content
    for path, content in wanted.items():
        disk.write(place.root / path, content)
    return set(wanted)


def _scripts(installed: Installed, place: Place, kept: set[str]) -> set[str]:
    written = set()
    python = f"{place.final}/bin/python"
    for name, entry in installed.scripts.items():
        path = f"{_SCRIPTS}{name}"
        if path in kept or (_OF_PIP.fullmatch(name) and not (place.root / path).exists()):
            disk.write(place.root / path, entry_points.script(entry, python), disk.PROGRAM_MODE)
            written.add(path)
    for path in sorted(kept - written):
        if path.startswith(_SCRIPTS) and not (place.root / path).is_symlink():
            if content := _restarted(path, place):
                disk.write(place.root / path, content)
            # pip leaves one without that starts no Python as its wheel has it, uv does not.
            (place.root / path).chmod(disk.PROGRAM_MODE)
            written.add(path)
    return written


def _restarted(path: str, place: Place) -> bytes | None:
    file = place.root / path
    with file.open("rb") as stream:
        if stream.read(2) != b"#!":
            return None
    return entry_points.started_by(file.read_bytes(), str(place.root), place.final)
