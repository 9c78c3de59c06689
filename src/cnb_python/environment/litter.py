"""Keeps the app's directory as it was while packages are built from it.

Backends write where the source is. A build that takes the packages from the previous image does
not run them, so nothing of theirs may be in the image; what the app may need makes every build
run them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cnb_python.cnb import disk
from cnb_python.environment.untouched import State, states

# Of use while a package is built, and to nobody else: metadata is in the environment.
_WASTE = re.compile(r".*\.egg-info|\.eggs|\.pdm-build|__pycache__")
# This one is an ordinary word, too: beside the table of a project it is setuptools' own.
_BUILD = "build"
_OF_SETUPTOOLS = re.compile(r"lib(\..+)?|bdist\..+|temp\..+")
# Which programs that ask for a version write to as well.
_SKIPPED = frozenset({".git"})


@dataclass(slots=True)
class Litter:
    """What building packages leaves in a directory."""

    directory: Path
    written: set[str] = field(default_factory=set)
    """Paths below it of what was written and stays: it may be meant to."""
    _seen: Mapping[str, State] = field(default_factory=dict)

    def look(self) -> None:
        """Note what is there, before something is built."""
        self._seen = states(self.directory, _SKIPPED)

    def clear(self) -> None:
        """Remove what is waste, and note what else is new or other. Raises OSError."""
        before, after = self._seen, states(self.directory, _SKIPPED)
        new = after.keys() - before.keys()
        waste = {path for path in new if _is_waste(path, after)}
        for path in waste:
            disk.remove(self.directory / path)
        below = {path for path in new if any(str(one) in waste for one in _parents(path))}
        stays = after.keys() - waste - below
        self.written |= {path for path in stays if before.get(path) != after[path]}


def _is_waste(path: str, found: Mapping[str, State]) -> bool:
    name = PurePosixPath(path).name
    if name != _BUILD:
        return _WASTE.fullmatch(name) is not None
    inside = (one.removeprefix(f"{path}/") for one in found if one.startswith(f"{path}/"))
    return all(_OF_SETUPTOOLS.fullmatch(one.partition("/")[0]) for one in inside)


def _parents(path: str) -> tuple[PurePosixPath, ...]:
    return tuple(PurePosixPath(path).parents)
