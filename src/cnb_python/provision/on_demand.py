"""Files of the environment that are written to disk only when code reads them.

An app step that ran before has a record of what it read. When it has to run again, only these
files are written; the others follow when `OnDemand` is asked for them, which whatever runs the
step has to do before each read.

Separate from `rebuild`, as app steps use it too.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cnb_python.distributions.model import Distribution, File, directories_of, is_small_part

if TYPE_CHECKING:
    from cnb_python.layers.venv_and_shards import Layers

_SITE_PACKAGES = "/site-packages"
_CACHE = "__pycache__"
_INIT = "__init__"
# Python runs these when it starts, before any read can be noticed.
_STARTUP = frozenset({"sitecustomize", "usercustomize"})
# Its line imports its own module, which is then needed as a whole.
_WITH_KNOWN_STARTUP = frozenset({"setuptools"})

type Bring = Callable[[str, Collection[str]], None]
"""Writes files of a distribution (its name, their paths) to disk.

Raises DamagedStore, DiskFull or OSError.
"""
type _Key = tuple[str, str]


class ReadBefore(NamedTuple):
    """What a step read in its previous run; paths are below the environment."""

    keys: Collection[_Key]
    """The `key_of` every file that it read or searched."""
    directories: Collection[str]
    """Directories that have to exist."""
    listed: Collection[str]
    """Directories whose entries were read."""


@dataclass(slots=True)
class OnDemand:
    """What is not on disk yet. Until `begin`, everything will be."""

    read_before: ReadBefore | None = None
    """None if any file may be needed at once."""
    absent: dict[str, frozenset[str]] = field(default_factory=dict)
    """The paths that are not on disk, by distribution."""
    requested: list[str] = field(default_factory=list)
    """The names of the distributions that were asked for."""
    _bring: Bring | None = None
    _distributions: Mapping[str, Distribution] = field(default_factory=dict)
    _present: set[str] = field(default_factory=set)
    """Directories that exist."""
    _by_directory: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The names of distributions with absent files at any depth below a directory."""
    _by_key: dict[_Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    _listed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Names by a directory that does not have all its entries."""

    def choose(self, layers: Layers, usable: Collection[str]) -> None:
        """Choose what is not written at first, of the temporary ones among *layers*.

        Only of distributions in *usable*, whose archives are intact.
        """
        self.absent = {}
        if self.read_before is None or _run_at_startup(layers.distributions.values()):
            return
        self._distributions = layers.distributions
        whole = _needed_whole(layers.distributions, self.read_before.keys)
        for shard in layers.shards:
            for name in shard.distributions if shard.name in layers.same else ():
                if name in usable and name not in whole:
                    owned = {path for path, each in shard.files.items() if each.owner == name}
                    paths = owned & _absent(layers.distributions[name], self.read_before)
                    if paths:
                        self.absent[name] = frozenset(paths)
        self._index()

    def begin(self, bring: Bring) -> None:
        """Set the function that writes files, after everything else was written."""
        self._bring = bring

    def need_path(self, path: str) -> bool:
        """Write what belongs at *path*, which does not exist; return whether there was anything.

        Paths are below the environment, for all methods.
        """
        names = {
            name
            for name in self._by_key.get(key_of(path), ())
            if path in self.absent.get(name, ())
        }
        for directory in (path, path.rpartition("/")[0]):
            if directory not in self._present:
                names |= self._by_directory.get(directory, set())
        return self._need(names)

    def need_listing(self, path: str) -> bool:
        """Write every entry of the directory *path*; return whether there was anything."""
        return self._need(self._listed.get(path, set()))

    def need_module(self, directory: str, name: str) -> bool:
        """Write the module *name* of *directory*; return whether there was anything."""
        path = f"{directory}/{name}" if directory else name
        names = self._by_key.get((directory, name), set())
        names = names | self._by_key.get((path, _INIT), set())
        if path not in self._present:
            names |= self._by_directory.get(path, set())
        return self._need(names)

    def need_everything(self) -> bool:
        """Write everything; return whether there was anything."""
        return self._need(self.absent)

    def _need(self, names: Iterable[str]) -> bool:
        needed = sorted(self._with_libraries(set(names)) & self.absent.keys())
        for name in needed:
            if self._bring is not None:
                self._bring(name, self.absent[name])
            self._present |= directories_of(self.absent.pop(name))
            self.requested.append(name)
        return bool(needed)

    def _with_libraries(self, names: set[str]) -> set[str]:
        """Return *names*, and those whose native libraries they load."""
        waiting = [name for name in names if name in self.absent]
        while waiting:
            for directory in self._distributions[waiting.pop()].reaches:
                for name in self._by_directory.get(directory, set()) - names:
                    names.add(name)
                    waiting.append(name)
        return names

    def _index(self) -> None:
        for name, distribution in self._distributions.items():
            absent = self.absent.get(name, frozenset())
            self._present |= directories_of(
                file.path for file in distribution.files if file.path not in absent
            )
        for name, paths in self.absent.items():
            for path in paths:
                self._by_key[key_of(path)].add(name)
                self._listed[path.rpartition("/")[0]].add(name)
            for directory in directories_of(paths):
                self._by_directory[directory].add(name)
                if directory not in self._present:
                    self._listed[directory.rpartition("/")[0]].add(name)


def key_of(path: str) -> _Key:
    """Return the directory of *path* and its name up to the first dot; bytecode is its module's.

    Files with one key are written together: which of them a module is loaded from depends on which
    exist.
    """
    directory, _, name = path.rpartition("/")
    parent, _, last = directory.rpartition("/")
    return parent if last == _CACHE else directory, name.partition(".")[0]


def _absent(distribution: Distribution, reads: ReadBefore) -> set[str]:
    """Return the paths of *distribution* that are not written."""
    files = [file.path for file in distribution.files if not is_small_part(file)]
    is_read = any(key_of(path) in reads.keys for path in files)
    if is_read and any(map(_is_native, distribution.files)):
        return set()
    present = {
        path
        for path in files
        if key_of(path) in reads.keys or path.rpartition("/")[0] in reads.listed
    }
    existing = directories_of(present)
    for directory in sorted(directories_of(files) - existing):
        if directory in reads.directories or directory.rpartition("/")[0] in reads.listed:
            # Any file makes it exist.
            present.add(files[bisect_left(files, f"{directory}/")])
    keys = {key_of(path) for path in present}
    return {path for path in files if key_of(path) not in keys}


def _needed_whole(
    distributions: Mapping[str, Distribution], keys: Collection[_Key]
) -> frozenset[str]:
    """Return the names of distributions whose native libraries are loaded by those read."""
    reached: set[str] = set()
    for distribution in distributions.values():
        if distribution.reaches and any(key_of(file.path) in keys for file in distribution.files):
            reached.update(distribution.reaches)
    return (
        frozenset(
            name
            for name, distribution in distributions.items()
            if reached
            and any(file.path.rpartition("/")[0] in reached for file in distribution.files)
        )
        | _WITH_KNOWN_STARTUP
    )


def _is_native(file: File) -> bool:
    # A native library may read any file beside it.
    return ".so" in file.path.rpartition("/")[2]


def _run_at_startup(distributions: Iterable[Distribution]) -> bool:
    return any(
        _is_startup_file(file)
        for distribution in distributions
        if distribution.name not in _WITH_KNOWN_STARTUP
        for file in distribution.files
    )


def _is_startup_file(file: File) -> bool:
    directory, name = key_of(file.path)
    if not directory.endswith(_SITE_PACKAGES):
        return False
    return name in _STARTUP or file.path.endswith(".pth")
