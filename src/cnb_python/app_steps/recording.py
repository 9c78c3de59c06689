"""Makes a read record from the recording that `read_recorder` wrote in the app's process.

Separate from `read_record`, which every build of a Django app loads.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cnb_python.app_steps.file_trees import DIRECTORY, FileTree, installed_tree, without_version
from cnb_python.app_steps.read_record import ReadRecord, Reads, digest_of_answers
from cnb_python.distributions.model import Distribution
from cnb_python.layers import python
from cnb_python.layout.names import SHARD_PREFIX, TREE, VENV
from cnb_python.system import json_text, regular_file
from cnb_python.system.json_text import InvalidJson

type Recording = Mapping[str, object]
"""What `Recorder.facts` returned."""

NOT_RECORDED = "ends without a record"
# Import packages with extension modules that open no file and read no variable which depends on
# the app, at least not until a connection is made or an image is drawn. Others make a record
# incomplete, since their reads are invisible.
_HARMLESS_NATIVE = frozenset(
    {
        *("PIL", "MySQLdb", "_argon2_cffi_bindings", "_bcrypt", "asyncpg", "bcrypt", "brotli"),
        *("_brotli", "charset_normalizer", "frozenlist", "google", "greenlet", "hiredis"),
        *("markupsafe", "msgpack", "multidict", "numpy", "orjson", "propcache", "psycopg2"),
        *("psycopg_binary", "psycopg_c", "pydantic_core", "regex", "rpds", "simplejson", "ujson"),
        *("wrapt", "yaml", "yarl", "zope", "zstandard", "_yaml", "zopfli"),
    }
)
# Directories and links that every virtual environment has, whatever is installed.
_ALWAYS = re.compile(r"(?:bin(?:/python[\d.t]*)?|lib64|lib(?:/python[^/]+(?:/site-packages)?)?)?")
_GIT = ".git"
_GIT_PARTS = ("HEAD", "packed-refs", "refs")
# They have no contents that a build depends on.
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
_KERNEL = ("/proc/", "/sys/")
_SECRET_NAME = re.compile(r"(?i)key|token|secret|pass|cred|private|dsn|url|auth|cert|sign")
# Shorter values are parts of too many paths.
_SHORTEST_SECRET = 8


class Places(NamedTuple):
    """The directories that a build knows; absolute, without links."""

    app: str
    layers: str
    ignored: frozenset[str]
    """Files, and directories with everything below, that belong to the buildpack itself."""


def places_of(app_dir: Path, layers_dir: Path, ignored: Iterable[Path]) -> Places:
    """Return the directories with all links resolved."""
    return Places(
        str(app_dir.resolve()),
        str(layers_dir.resolve()),
        frozenset(str(path.resolve()) for path in ignored),
    )


def read(path: Path) -> Recording:
    """Return the recording in the file *path*; an incomplete one if the file does not exist."""
    try:
        content = json_text.parse(regular_file.read(path, follow=False))
    except OSError, InvalidJson:
        content = None
    return content if isinstance(content, dict) else {"unknown": NOT_RECORDED}


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables that a record must not contain as a part of a path."""
    return tuple(
        value
        for name, value in environ.items()
        if _SECRET_NAME.search(name)
        and len(value) >= _SHORTEST_SECRET
        and not value.startswith("/")
    )


def record_of(
    recording: Recording,
    places: Places,
    app: FileTree,
    layers: Mapping[str, str],
    distributions: Sequence[Distribution],
    secrets: Collection[str],
) -> ReadRecord:
    """Return the record of a run, which saw the files *app* before it changed any.

    *layers* and *distributions* describe the environment. A path with one of *secrets* makes the
    record incomplete.
    """
    unknown = str(recording.get("unknown", NOT_RECORDED))
    collector = _Collector(places, app, unknown, _texts(recording.get("created")))
    for name in ("contents", "kinds", "listed", "entries", "startup"):
        for path in _texts(recording.get(name)):
            collector.add_path(name, path)
    for name in ("modules", "metadata"):
        for path, names in _mapping(recording.get(name)):
            collector.add_names(name, path, names)
    collector.check(recording, secrets)
    record = collector.record(recording)
    packages = digest_of_answers(record.environment, installed_tree(distributions))
    return record._replace(
        packages=packages,
        layers=dict(layers),
        distributions=_distributions(record.environment, distributions),
        present=tuple(sorted(item.name for item in distributions)),
    )


@dataclass(slots=True)
class _Collector:
    """Sorts what was read by the place where it lies."""

    places: Places
    app: FileTree
    unknown: str
    created: frozenset[str]
    """Paths that the run itself made."""
    by_place: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    names: dict[str, dict[str, dict[str, set[str]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    def give_up(self, reason: str) -> None:
        """Make the record incomplete, for the first reason."""
        self.unknown = self.unknown or reason

    def add_path(self, name: str, path: str) -> None:
        """Add *path* to the set *name* of its place."""
        located = self._locate(path)
        if located is None:
            return
        where, below = located
        if where == "machine" and path in self.created:
            return  # its name is random
        if name != "kinds":
            self._check_readable(where, below)
        if where == "environment" and name in {"contents", "kinds"}:
            below = without_version(below)
        self.by_place[where][name].add(below)

    def add_names(self, name: str, path: str, names: Iterable[str]) -> None:
        """Add *names*, which were searched in *path*, to the mapping *name* of its place."""
        if located := self._locate(path):
            where, below = located
            self.names[where][name].setdefault(below, set()).update(names)

    def check(self, recording: Recording, secrets: Collection[str]) -> None:
        """Give up if the run did something that a record cannot describe."""
        for path in _texts(recording.get("native")):
            self._check_native(path)
        for path in _texts(recording.get("moved")):
            located = self._locate(path)
            if located and located[0] == "app" and self.app.entry(located[1]) == DIRECTORY:
                self.give_up("renames a directory of the app")
        paths = "\n".join(
            path for sets in self.by_place.values() for each in sets.values() for path in each
        )
        if any(secret in paths for secret in secrets):
            self.give_up("reads a path that contains a secret")

    def record(self, recording: Recording) -> ReadRecord:
        """Return the record, without what depends on the environment."""
        variables = recording.get("variables")
        reads_all = not isinstance(variables, list) or self._has_native_packages(recording)
        return ReadRecord(
            unknown=self.unknown,
            app=self._reads("app"),
            environment=self._reads("environment"),
            machine=self._reads("machine"),
            variables=None if reads_all else tuple(sorted(_texts(variables))),
            distributions=(),
            needs_same_layers=any(map(self._shows_layers, _texts(recording.get("links")))),
        )

    def _reads(self, where: str) -> Reads:
        paths = {name: tuple(sorted(each)) for name, each in self.by_place[where].items()}
        names = {
            name: {path: tuple(sorted(texts)) for path, texts in sorted(each.items())}
            for name, each in self.names[where].items()
        }
        return Reads(**paths, **names)  # type: ignore[arg-type]

    def _locate(self, path: str) -> tuple[str, str] | None:
        """Return the place of *path*, and the path below it; None if it does not count."""
        places = self.places
        ignored = (*places.ignored, f"{places.layers}/{python.NAME}", *_DEVICES)
        if any(_is_below(path, each) for each in ignored):
            return None
        if _is_below(path, places.layers):
            return _in_layer(path, path[len(places.layers) + 1 :])
        if _is_below(path, places.app):
            return "app", path[len(places.app) + 1 :]
        return "machine", path

    def _check_readable(self, where: str, path: str) -> None:
        if where == "machine" and path.startswith(_KERNEL):
            self.give_up(f"reads {path}")
        if where == "app" and _is_below(path, _GIT) and path != _GIT:
            part = path.split("/")[1]
            if part not in _GIT_PARTS:
                self.give_up("reads the Git repository")

    def _check_native(self, path: str) -> None:
        located = self._locate(path)
        if located is None:
            return
        where, below = located
        package = _package(below)
        if where != "environment" or package not in _HARMLESS_NATIVE:
            self.give_up(f"imports {package or below}, which is not written in Python")

    def _has_native_packages(self, recording: Recording) -> bool:
        return any(self._locate(path) for path in _texts(recording.get("native")))

    def _shows_layers(self, path: str) -> bool:
        """Whether the links of the environment at *path*, or in it, depend on the layers."""
        venv = f"{self.places.layers}/{VENV}"
        if path.endswith("/"):
            return _is_below(path.rstrip("/"), venv)
        return _is_below(path, venv) and not _ALWAYS.fullmatch(path[len(venv) + 1 :])


def environment_path(path: str, layers_dir: str) -> str | None:
    """Return *path* below the environment, whichever layer has it; None if it is elsewhere.

    *path* and *layers_dir* are absolute.
    """
    if not path.startswith(f"{layers_dir}/"):
        return None
    located = _in_layer(path, path[len(layers_dir) + 1 :])
    return located[1] if located and located[0] == "environment" else None


def is_harmless(path: str, layers_dir: str) -> bool:
    """Whether the extension module at *path* opens no files without the recorder noticing."""
    if _is_below(path, f"{layers_dir}/{python.NAME}"):
        return True
    below = environment_path(path, layers_dir)
    return below is not None and _package(below) in _HARMLESS_NATIVE


def _package(path: str) -> str:
    return path.partition("/site-packages/")[2].partition("/")[0].partition(".")[0]


def _in_layer(path: str, below: str) -> tuple[str, str] | None:
    """Return the place of *path*, which is *below* in the layers directory."""
    layer, _, inside = below.partition("/")
    if layer == VENV:
        return "environment", inside
    if layer.startswith(SHARD_PREFIX):
        tree, _, inside = inside.partition("/")
        return ("environment", inside) if tree == TREE else None
    return "machine", path


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")


def _texts(value: object) -> frozenset[str]:
    items = value if isinstance(value, list) else ()
    return frozenset(item for item in items if isinstance(item, str))


def _mapping(value: object) -> Iterator[tuple[str, frozenset[str]]]:
    for path, names in (value if isinstance(value, dict) else {}).items():
        yield path, _texts(names)


def _distributions(reads: Reads, distributions: Sequence[Distribution]) -> tuple[str, ...]:
    """Return the names of the distributions with a file at, or below, a path of *reads*."""
    owners: dict[str, set[str]] = defaultdict(set)
    for distribution in distributions:
        for file in distribution.files:
            path = file.path
            while path:
                owners[path].add(distribution.name)
                path = path.rpartition("/")[0]
    paths = {*reads.contents, *reads.kinds, *reads.listed, *reads.entries, *reads.modules}
    touched = (
        owners[path]
        for path in paths
        if path in owners and not _ALWAYS.fullmatch(path) and ".dist-info" not in path
    )
    return tuple(sorted(set().union(*touched)))
