"""Takes a stage apart: which distributions are in it, with every file in its one form.

What comes of a distribution is a function of its wheel, its name in the image and the interpreter
alone: not of the tool that installed it, nor of what was installed beside it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.environment import bytecode, claims, content, installed, origin, record, tree
from cnb_python.environment.bytecode import Compiled, Source
from cnb_python.environment.content import Content
from cnb_python.environment.distribution import Distribution, File
from cnb_python.environment.installed import Installed
from cnb_python.environment.libraries import reaches
from cnb_python.environment.normalise import Place, normalise
from cnb_python.environment.origin import Origin
from cnb_python.environment.ownership import Ownership, settle
from cnb_python.environment.tree import Entry
from cnb_python.managers.decision import Pin
from cnb_python.system.outside import System

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """An environment that a manager filled, to be taken apart."""

    root: Path
    """Where it is now."""
    final: Path
    """Where it was filled, and its files will be in the image."""
    line: str
    """The release line of its interpreter, as directories have it: `3.14`, `3.14t`."""

    @property
    def site(self) -> str:
        """The directory of its packages, below the environment."""
        return f"lib/python{self.line}/site-packages"

    @property
    def site_packages(self) -> Path:
        """The directory of its packages."""
        return self.root / self.site

    def metadata_files(self) -> dict[str, Path]:
        """Return the METADATA of each distribution, by its normalised name."""
        return installed.infos(self.site_packages)


@dataclass(frozen=True, slots=True)
class Harvest:
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


def harvest(stage: Stage, pins: Mapping[str, Pin], interpreter: Path, system: System) -> Harvest:
    """Bring what is in *stage* to its one form, compile it and return it.

    *pins* are what was installed, by name. Raises DiskFull, Killed, BytecodeFailed, or OSError.
    """
    found = tree.walk(stage.root, stage.line)
    everything = installed.find(stage.root, found, stage.site, str(stage.final))
    crop = _sorted_out(stage, found, everything, pins)
    for path in crop.ownership.strays:
        disk.remove(stage.root / path)
    compiled = _compile(stage, crop.parts, interpreter, system)
    distributions, doubts = _distributions(stage, crop.parts, pins, system.cpus)
    missing = sorted(set(pins) - {one.name for one in everything})
    owned = {path for paths in crop.ownership.files.values() for path in paths}
    unpinned = sorted(
        {
            one.name
            for one in everything
            if one.name not in pins and owned.isdisjoint({one.info, f"{one.info}/METADATA"})
        }
    )
    return Harvest(
        distributions=distributions,
        conflicts=crop.ownership.conflicts,
        dropped=() if crop.ownership.conflicts else crop.ownership.strays,
        unpinned=tuple(unpinned),
        missing=tuple(missing),
        notes=(*_notes(crop, everything, unpinned), *doubts),
        modules=compiled.modules,
        skipped=compiled.skipped,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One distribution, normalised on disk."""

    installed: Installed
    origin: Origin
    entries: dict[str, Entry]
    rewritten: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Crop:
    parts: tuple[_Part, ...]
    ownership: Ownership


def _sorted_out(
    stage: Stage,
    found: Mapping[str, Entry],
    everything: Sequence[Installed],
    pins: Mapping[str, Pin],
) -> _Crop:
    chosen = _chosen(everything, pins)
    origins = {name: _origin(stage, found, one) for name, one in chosen.items()}
    inside = {name: _below(stage.final, one.directory) for name, one in origins.items()}
    claimed = claims.claims_of(everything, inside, found, stage.root)
    owned = settle(chosen, claimed, found, claims.shared_directories(stage.line))
    apart = frozenset[str]().union(*owned.conflicts)
    parts = [
        _part(stage, found, chosen[name], origins[name], owned.files[name])
        for name in chosen
        if name not in apart
    ]
    return _Crop(tuple(parts), owned)


def _chosen(everything: Iterable[Installed], pins: Mapping[str, Pin]) -> dict[str, Installed]:
    """Return one for each name that was asked for: of several that with the right version."""
    chosen: dict[str, Installed] = {}
    for one in sorted(everything, key=lambda one: (one.name, one.info)):
        if one.name in pins:
            known = chosen.get(one.name)
            if known is None or known.version != pins[one.name].version:
                chosen[one.name] = one
    return chosen


def _origin(stage: Stage, found: Mapping[str, Entry], one: Installed) -> Origin:
    path = f"{one.info}/direct_url.json"
    if path not in found or found[path].target:
        return origin.NOWHERE
    return origin.read((stage.root / path).read_bytes())


def _below(final: Path, directory: str) -> str:
    below = directory.removeprefix(f"{final}/")
    return "" if below == directory else below


def _part(
    stage: Stage,
    found: Mapping[str, Entry],
    one: Installed,
    origin_: Origin,
    paths: Iterable[str],
) -> _Part:
    kept, rewritten = normalise(one, origin_, paths, Place(stage.root, str(stage.final)))
    entries = {path: found[path] for path in kept - rewritten}
    entries |= {path: tree.entry(stage.root / path) for path in rewritten}
    return _Part(one, origin_, entries, frozenset(rewritten))


def _compile(stage: Stage, parts: Iterable[_Part], interpreter: Path, system: System) -> Compiled:
    places = (f"{stage.site}/", f"{tree.CHECKOUTS}/")
    packages = [
        [
            Source(path, entry.size)
            for path, entry in part.entries.items()
            if path.endswith(".py") and path.startswith(places) and not entry.target
        ]
        for part in parts
    ]
    return bytecode.compile_modules(interpreter, stage.root, stage.final, packages, system)


def _distributions(
    stage: Stage, parts: Sequence[_Part], pins: Mapping[str, Pin], cpus: int
) -> tuple[tuple[Distribution, ...], list[str]]:
    made = [part.entries | bytecode.made_of(stage.root, part.entries) for part in parts]
    entries = {path: entry for each in made for path, entry in each.items()}
    read = content.read_all(stage.root, entries.items(), cpus)
    distributions, doubts = [], []
    for part, each in zip(parts, made, strict=True):
        contents = [read[path] for path in sorted(each)]
        doubts += _doubts(part, read)
        distributions.append(_distribution(stage, part, contents, pins[part.installed.name]))
    return tuple(distributions), doubts


def _distribution(
    stage: Stage, part: _Part, contents: Sequence[Content], pin: Pin
) -> Distribution:
    info, files = part.installed.info, [one.file for one in contents]
    if info.endswith(installed.INFO):
        own = f"{info}/RECORD"
        files = [file for file in files if file.path != own]
        written = record.render([*files, File(own, "", 0)], own, stage.site)
        disk.write(stage.root / own, written)
        files = sorted([*files, content.made(own, written)])
    is_elsewhere = bool(part.origin.directory) and not _below(stage.final, part.origin.directory)
    return Distribution(
        name=pin.name,
        version=part.installed.version,
        origin=pin.origin,
        files=tuple(files),
        reaches=reaches((one.file.path, one.run_paths) for one in contents if one.run_paths),
        is_built=part.installed.is_built or part.origin.is_repository,
        keeps=pin.keeps and not is_elsewhere,
    )


def _doubts(part: _Part, read: Mapping[str, Content]) -> list[str]:
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
    doubts = [f"The RECORD of {name} is wrong about {_listed(wrong)}"] if wrong else []
    if said.outside:
        doubts.append(
            f"The RECORD of {name} names files outside the environment: {_listed(said.outside)}"
        )
    return doubts


def _notes(crop: _Crop, everything: Iterable[Installed], unpinned: Iterable[str]) -> list[str]:
    notes = [f"{name} was installed though nothing asked for it" for name in unpinned]
    times = Counter(one.name for one in everything)
    notes += [f"{name} is there twice" for name in sorted(times) if times[name] > 1]
    if crop.ownership.strays:
        notes.append(f"No package names {_listed(crop.ownership.strays)} as its own")
    return notes


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
