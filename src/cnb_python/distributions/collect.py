"""Takes a stage apart: which distributions are in it, with every file in its one form.

What comes of a distribution is a function of its wheel, its name in the image and the interpreter
alone: not of the tool that installed it, nor of what was installed beside it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import bytecode, dist_info, entry_points, scan
from cnb_python.distributions import ownership as distributions_ownership
from cnb_python.distributions.bytecode import Compiled, SourceFile
from cnb_python.distributions.dist_info import INFO, DirectUrl, Installed, StagedEnvironment
from cnb_python.distributions.model import Distribution, File
from cnb_python.distributions.ownership import Ownership, assign_owners
from cnb_python.distributions.scan import Content, FileEntry, reaches
from cnb_python.managers.base import Pin
from cnb_python.system.interface import System

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


def normalize(
    installed: Installed, origin: DirectUrl, paths: Iterable[str], place: Place
) -> tuple[set[str], set[str]]:
    """Bring what *installed* has to its one form; return its *paths* now, and those rewritten.

    Its RECORD is not: it is written when everything else is done.
    """
    kept = set(paths)
    written = _information(installed, origin, place, kept)
    written |= _scripts(installed, place, kept)
    return kept | written, written


def _information(
    installed: Installed, origin: DirectUrl, place: Place, kept: set[str]
) -> set[str]:
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


@dataclass(frozen=True, slots=True)
class CollectedDistribution:
    """One distribution, normalised on disk."""

    installed: Installed
    origin: DirectUrl
    entries: Mapping[str, FileEntry]
    """By path, bytecode not among them."""
    rewritten: frozenset[str]
    """The paths of those that are no more as they were installed."""


@dataclass(frozen=True, slots=True)
class CollectedStage:
    """Everything that is in a stage."""

    everything: tuple[Installed, ...]
    """What describes itself there, wanted or not."""
    parts: tuple[CollectedDistribution, ...]
    """In the order of their names, without those that have to be installed apart."""
    ownership: Ownership


def sorted_out(stage: StagedEnvironment, pins: Mapping[str, Pin]) -> CollectedStage:
    """Say whose each file of *stage* is, and bring what *pins* name to its one form.

    Raises OSError.
    """
    found = scan.walk(stage.root, stage.line)
    everything = dist_info.find(stage.root, found, stage.site, str(stage.final))
    chosen = _chosen(everything, pins)
    origins = {name: _origin(stage, found, one) for name, one in chosen.items()}
    inside = {name: below(stage.final, one.directory) for name, one in origins.items()}
    claimed = distributions_ownership.listed_files(everything, inside, found, stage.root)
    owned = assign_owners(
        chosen, claimed, found, distributions_ownership.shared_directories(stage.line)
    )
    apart = frozenset[str]().union(*owned.conflicts)
    parts = [
        _part(stage, found, chosen[name], origins[name], owned.files[name])
        for name in chosen
        if name not in apart
    ]
    return CollectedStage(tuple(everything), tuple(parts), owned)


def _chosen(everything: Iterable[Installed], pins: Mapping[str, Pin]) -> dict[str, Installed]:
    """Return one for each name that was asked for: of several that with the right version."""
    chosen: dict[str, Installed] = {}
    for one in sorted(everything, key=lambda one: (one.name, one.info)):
        if one.name in pins:
            known = chosen.get(one.name)
            if known is None or known.version != pins[one.name].version:
                chosen[one.name] = one
    return chosen


def _origin(stage: StagedEnvironment, found: Mapping[str, FileEntry], one: Installed) -> DirectUrl:
    path = f"{one.info}/direct_url.json"
    if path not in found or found[path].target:
        return dist_info.NOWHERE
    return dist_info.read_direct_url((stage.root / path).read_bytes())


def below(final: Path, directory: str) -> str:
    """Return *directory* below the environment *final*, empty where it is elsewhere."""
    below = directory.removeprefix(f"{final}/")
    return "" if below == directory else below


def _part(
    stage: StagedEnvironment,
    found: Mapping[str, FileEntry],
    one: Installed,
    origin_: DirectUrl,
    paths: Iterable[str],
) -> CollectedDistribution:
    kept, rewritten = normalize(one, origin_, paths, Place(stage.root, str(stage.final)))
    entries = {path: found[path] for path in kept - rewritten}
    entries |= {path: scan.entry(stage.root / path) for path in rewritten}
    return CollectedDistribution(one, origin_, entries, frozenset(rewritten))


_MOST_NAMED = 5


def notes(crop: CollectedStage, unpinned: Iterable[str]) -> list[str]:
    """Return what is to be said of what surprises in *crop*."""
    said = [f"{name} was installed though nothing asked for it" for name in unpinned]
    times = Counter(one.name for one in crop.everything)
    said += [f"{name} is there twice" for name in sorted(times) if times[name] > 1]
    if crop.ownership.unowned:
        said.append(f"No package names {listed(crop.ownership.unowned)} as its own")
    return said


def doubts(part: CollectedDistribution, read: Mapping[str, Content]) -> list[str]:
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


@dataclass(frozen=True, slots=True)
class Collection:
    """What was in a stage."""

    distributions: tuple[Distribution, ...]
    """In the order of their names, without those of *conflicts*."""
    conflicts: tuple[frozenset[str], ...]
    """Names that cannot be told apart here: to be installed again, each in a stage of its own."""
    dropped: tuple[str, ...]
    """Files that nobody owns, removed."""
    unpinned: tuple[str, ...]
    """Names of distributions that nobody asked for, and that are nobody's files."""
    missing: tuple[str, ...]
    """Names that were asked for and are not there."""
    notes: tuple[str, ...]
    """What is odd, in words for the log."""
    modules: int
    skipped: int
    """Modules that do not compile."""


def collect(
    stage: StagedEnvironment, pins: Mapping[str, Pin], interpreter: Path, system: System
) -> Collection:
    """Bring what is in *stage* to its one form, compile it and return it.

    *pins* are what was installed, by name. Raises DiskFull, Killed, BytecodeFailed, or OSError.
    """
    crop = sorted_out(stage, pins)
    for path in crop.ownership.unowned:
        disk.remove(stage.root / path)
    compiled = _compile(stage, crop.parts, interpreter, system)
    distributions, doubts = _distributions(stage, crop.parts, pins, system.cpus)
    unpinned = _unpinned(crop, pins)
    return Collection(
        distributions=distributions,
        conflicts=crop.ownership.conflicts,
        dropped=() if crop.ownership.conflicts else crop.ownership.unowned,
        unpinned=unpinned,
        missing=tuple(sorted(set(pins) - {one.name for one in crop.everything})),
        notes=(*notes(crop, unpinned), *doubts),
        modules=compiled.modules,
        skipped=compiled.skipped,
    )


def _unpinned(crop: CollectedStage, pins: Mapping[str, Pin]) -> tuple[str, ...]:
    owned = {path for paths in crop.ownership.files.values() for path in paths}
    found = {
        one.name
        for one in crop.everything
        if one.name not in pins and owned.isdisjoint({one.info, f"{one.info}/METADATA"})
    }
    return tuple(sorted(found))


def _compile(
    stage: StagedEnvironment,
    parts: Iterable[CollectedDistribution],
    interpreter: Path,
    system: System,
) -> Compiled:
    places = (f"{stage.site}/", f"{scan.CHECKOUTS}/")
    packages = [
        [
            SourceFile(path, entry.size)
            for path, entry in part.entries.items()
            if path.endswith(".py") and path.startswith(places) and not entry.target
        ]
        for part in parts
    ]
    return bytecode.compile_modules(interpreter, stage.root, stage.final, packages, system)


def _distributions(
    stage: StagedEnvironment,
    parts: Sequence[CollectedDistribution],
    pins: Mapping[str, Pin],
    cpus: int,
) -> tuple[tuple[Distribution, ...], list[str]]:
    made = [{**part.entries} | bytecode.made_of(stage.root, part.entries) for part in parts]
    entries = {path: entry for each in made for path, entry in each.items()}
    read = scan.read_all(stage.root, entries.items(), cpus)
    distributions, warnings = [], []
    for part, each in zip(parts, made, strict=True):
        contents = [read[path] for path in sorted(each)]
        warnings += doubts(part, read)
        distributions.append(_distribution(stage, part, contents, pins[part.installed.name]))
    return tuple(distributions), warnings


def _distribution(
    stage: StagedEnvironment, part: CollectedDistribution, contents: Sequence[Content], pin: Pin
) -> Distribution:
    info, files = part.installed.info, [one.file for one in contents]
    if info.endswith(dist_info.INFO):
        own = f"{info}/RECORD"
        files = [file for file in files if file.path != own]
        written = dist_info.render_record([*files, File(own, "", 0)], own, stage.site)
        disk.write(stage.root / own, written)
        files = sorted([*files, scan.made(own, written)])
    is_elsewhere = bool(part.origin.directory) and not below(stage.final, part.origin.directory)
    return Distribution(
        name=pin.name,
        version=part.installed.version,
        origin=pin.origin,
        files=tuple(files),
        reaches=reaches((one.file.path, one.run_paths) for one in contents if one.run_paths),
        from_source=part.installed.from_source or part.origin.is_repository,
        is_cacheable=pin.is_cacheable and not is_elsewhere,
    )
