"""Which distributions have to lie side by side: their files find each other by real paths.

Linked environments are ordinary ones to everything that follows the paths it was given. What
resolves links first and then goes up (native libraries with `$ORIGIN`, loaders that use
`realpath`) finds only what lies in the same share.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cnb_python.environment.distribution import Distribution

_BELOW_SITE_PACKAGES = re.compile(r"lib/python[^/]+/site-packages/.+")
_COMPILED_SUFFIXES = (".so", ".pyc")


def couples(distributions: Sequence[Distribution]) -> tuple[frozenset[str], ...]:
    """Return the names that belong together, each in one set at most, in a fixed order.

    Two do when they have a path in common, when one has files in a regular package of the other,
    or when native libraries of one look for those of the other.
    """
    ordered = sorted(distributions, key=lambda one: one.name)
    found = [*_sharing_paths(ordered), *_inside_packages(ordered), *_reaching(ordered)]
    return _joined(found)


def _sharing_paths(distributions: Sequence[Distribution]) -> Iterator[set[str]]:
    owner: dict[str, str] = {}
    found: set[tuple[str, str]] = set()
    for one in distributions:
        for file in one.files:
            first = owner.setdefault(file.path, one.name)
            if first != one.name:
                found.add((first, one.name))
    yield from (set(pair) for pair in found)


def _inside_packages(distributions: Sequence[Distribution]) -> Iterator[set[str]]:
    packages: dict[str, str] = {}
    for one in distributions:
        for file in one.files:
            if directory := _package(file.path):
                packages.setdefault(directory, one.name)
    for one in distributions:
        inside = {packages[each] for each in _directories(one) if each in packages}
        if inside - {one.name}:
            yield inside | {one.name}


def _package(path: str) -> str:
    """Return the directory that *path* makes a regular package, empty where it does not."""
    directory, _, name = path.rpartition("/")
    is_init = name == "__init__.py" or (
        name.startswith("__init__.")
        and name.endswith(_COMPILED_SUFFIXES)
        and not directory.endswith("/__pycache__")
    )
    # A stray `site-packages/__init__.py` makes no package of everything.
    return directory if is_init and _BELOW_SITE_PACKAGES.fullmatch(directory) else ""


def _directories(distribution: Distribution) -> set[str]:
    """Return every directory that has files of *distribution* somewhere below it."""
    found: set[str] = set()
    for directory in {file.path.rpartition("/")[0] for file in distribution.files}:
        above = directory
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found


def _reaching(distributions: Sequence[Distribution]) -> Iterator[set[str]]:
    wanted = {directory for one in distributions for directory in one.reaches}
    libraries = _libraries(distributions, wanted)
    for one in distributions:
        reached = set[str]().union(*(libraries.get(each, ()) for each in one.reaches))
        if reached - {one.name}:
            yield reached | {one.name}


def _libraries(
    distributions: Sequence[Distribution], wanted: set[str]
) -> Mapping[str, Iterable[str]]:
    """Return who has native libraries in each directory that is *wanted*."""
    found: dict[str, set[str]] = {}
    for one in distributions if wanted else ():
        for file in one.files:
            directory, _, name = file.path.rpartition("/")
            if ".so" in name and directory in wanted:
                found.setdefault(directory, set()).add(one.name)
    return found


def _joined(groups: Iterable[set[str]]) -> tuple[frozenset[str], ...]:
    """Return *groups* with those that overlap made one."""
    found: dict[str, set[str]] = {}
    for group in groups:
        whole = set(group).union(*(found[name] for name in group if name in found))
        found.update(dict.fromkeys(whole, whole))
    return tuple(sorted({frozenset(whole) for whole in found.values()}, key=min))
