"""Takes a stage apart: which distributions are in it, with every file in its one form.

What comes of a distribution is a function of its wheel, its name in the image and the interpreter
alone: not of the tool that installed it, nor of what was installed beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.environment import bytecode, content, installed, oddities, record, tree
from cnb_python.environment.bytecode import Compiled, Source
from cnb_python.environment.content import Content
from cnb_python.environment.crop import Crop, Part, below, sorted_out
from cnb_python.environment.distribution import Distribution, File
from cnb_python.environment.libraries import reaches
from cnb_python.environment.stage import Stage
from cnb_python.managers.decision import Pin
from cnb_python.system.outside import System


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
    crop = sorted_out(stage, pins)
    for path in crop.ownership.strays:
        disk.remove(stage.root / path)
    compiled = _compile(stage, crop.parts, interpreter, system)
    distributions, doubts = _distributions(stage, crop.parts, pins, system.cpus)
    unpinned = _unpinned(crop, pins)
    return Harvest(
        distributions=distributions,
        conflicts=crop.ownership.conflicts,
        dropped=() if crop.ownership.conflicts else crop.ownership.strays,
        unpinned=unpinned,
        missing=tuple(sorted(set(pins) - {one.name for one in crop.everything})),
        notes=(*oddities.notes(crop, unpinned), *doubts),
        modules=compiled.modules,
        skipped=compiled.skipped,
    )


def _unpinned(crop: Crop, pins: Mapping[str, Pin]) -> tuple[str, ...]:
    owned = {path for paths in crop.ownership.files.values() for path in paths}
    found = {
        one.name
        for one in crop.everything
        if one.name not in pins and owned.isdisjoint({one.info, f"{one.info}/METADATA"})
    }
    return tuple(sorted(found))


def _compile(stage: Stage, parts: Iterable[Part], interpreter: Path, system: System) -> Compiled:
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
    stage: Stage, parts: Sequence[Part], pins: Mapping[str, Pin], cpus: int
) -> tuple[tuple[Distribution, ...], list[str]]:
    made = [{**part.entries} | bytecode.made_of(stage.root, part.entries) for part in parts]
    entries = {path: entry for each in made for path, entry in each.items()}
    read = content.read_all(stage.root, entries.items(), cpus)
    distributions, doubts = [], []
    for part, each in zip(parts, made, strict=True):
        contents = [read[path] for path in sorted(each)]
        doubts += oddities.doubts(part, read)
        distributions.append(_distribution(stage, part, contents, pins[part.installed.name]))
    return tuple(distributions), doubts


def _distribution(stage: Stage, part: Part, contents: Sequence[Content], pin: Pin) -> Distribution:
    info, files = part.installed.info, [one.file for one in contents]
    if info.endswith(installed.INFO):
        own = f"{info}/RECORD"
        files = [file for file in files if file.path != own]
        written = record.render([*files, File(own, "", 0)], own, stage.site)
        disk.write(stage.root / own, written)
        files = sorted([*files, content.made(own, written)])
    is_elsewhere = bool(part.origin.directory) and not below(stage.final, part.origin.directory)
    return Distribution(
        name=pin.name,
        version=part.installed.version,
        origin=pin.origin,
        files=tuple(files),
        reaches=reaches((one.file.path, one.run_paths) for one in contents if one.run_paths),
        is_built=part.installed.is_built or part.origin.is_repository,
        keeps=pin.keeps and not is_elsewhere,
    )
