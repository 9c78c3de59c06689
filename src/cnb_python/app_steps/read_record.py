"""Read records: what a run of collectstatic read, and the answers that it got.

A deterministic program that gets the same answers to everything that it reads does the same. So
its output stays valid as long as the answers are equal, whatever else has changed. A record holds
the questions only, and a digest over the answers about packages. Answers about the app and about
variables may be secret: they go into the static files key alone.

Answers are those before the run. What the run itself writes follows from them.

Separate from `recording`, which makes a record from what the run's recorder wrote.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cnb_python.app_steps.file_trees import (
    FileTree,
    MachineTree,
    Tree,
    installed_tree,
    without_version,
)
from cnb_python.distributions.model import Distribution
from cnb_python.system import json_text

_FORMAT = 2
_PLACES = ("app", "environment", "machine")
_METADATA = (".dist-info", ".egg-info", ".egg")
# Variables that Python and the libraries in it read themselves.
_READ_BY_LIBRARIES = re.compile(
    r"(?i:PYTHON|LC_|LANG|TZ|LD_|MALLOC_|GLIBC_|GCONV_|LOCPATH|NLSPATH|RES_|OPENSSL_|SSL_|SQLITE_"
    r"|HOME\Z|PATH\Z|TMPDIR\Z|\w+_PROXY\Z)"
)
_SEPARATORS = re.compile(r"[-_.]+")


class Reads(NamedTuple):
    """What was read in one place; every path is relative to it, or absolute for the machine."""

    contents: tuple[str, ...] = ()
    """Paths that were opened, existing or not."""
    kinds: tuple[str, ...] = ()
    """Paths of which only the existence or the kind was read."""
    listed: tuple[str, ...] = ()
    """Directories of which the names and kinds of the entries were read."""
    entries: tuple[str, ...] = ()
    """Directories of which also the contents of the entries may have been read."""
    startup: tuple[str, ...] = ()
    """Directories whose `.pth` files Python read when it started."""
    modules: Mapping[str, tuple[str, ...]] = {}
    """Names of modules by the directory in which Python searched them."""
    metadata: Mapping[str, tuple[str, ...]] = {}
    """Names of distributions by the directory in which code searched their metadata.

    An empty name stands for all of them.
    """


class ReadRecord(NamedTuple):
    """What a run read."""

    unknown: str
    """Why the record is incomplete; empty if it is complete."""
    app: Reads
    """Below the app directory."""
    environment: Reads
    """Below the virtual environment, whichever layer has the files."""
    machine: Reads
    """Elsewhere."""
    variables: tuple[str, ...] | None
    """Names of the variables; None for all."""
    distributions: tuple[str, ...]
    """Names of the distributions of which a file besides the metadata was read, sorted."""
    packages: str = ""
    """SHA-256 in hex over the answers about the environment."""
    layers: Mapping[str, str] = {}
    """Digests by name of the environment's layers for which `packages` was computed."""
    needs_same_layers: bool = False
    """The run read how the files are arranged in layers."""
    present: tuple[str, ...] = ()
    """Names of all distributions in the environment, sorted."""

    def relevant(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return those of the variables *environ* that the run may have read."""
        if self.variables is None:
            return dict(environ)
        names = frozenset(self.variables)
        return {
            name: value
            for name, value in environ.items()
            if name in names or _READ_BY_LIBRARIES.match(name)
        }

    def app_answers(self, tree: FileTree) -> str:
        """Return the answers about the app, whose files are *tree*, and about the machine."""
        return "\n".join((*answers(self.app, tree), "", *answers(self.machine, MachineTree())))

    def packages_answer(
        self, layers: Mapping[str, str], distributions: Sequence[Distribution]
    ) -> str:
        """Return `packages` for an environment with *layers*; empty if it is unknown.

        *distributions* is the contents of the environment; empty if no step has needed them yet.
        """
        if layers == self.layers:
            return self.packages
        # Code of a removed package may have hidden what it read, and decided what was written.
        is_smaller = not {item.name for item in distributions}.issuperset(self.present)
        if self.needs_same_layers or not distributions or is_smaller:
            return ""
        return digest_of_answers(self.environment, installed_tree(distributions))

    def dump(self) -> bytes:
        """Return the record as JSON, which `load` reads."""
        content = {
            "format": _FORMAT,
            **self._asdict(),
            **{name: getattr(self, name)._asdict() for name in _PLACES},
        }
        return json.dumps(content, separators=(",", ":"), sort_keys=True).encode("ascii")


def load(content: bytes) -> ReadRecord | None:
    """Return the record in *content*; None if another release of the buildpack wrote it."""
    try:
        document = _table(json_text.parse(content))
        return _record(document) if document.pop("format") == _FORMAT else None
    except ValueError, KeyError, TypeError, AttributeError:
        return None


def _record(document: Mapping[str, object]) -> ReadRecord:
    variables = document["variables"]
    layers = document["layers"]
    return ReadRecord(
        unknown=str(document["unknown"]),
        app=_reads(document["app"]),
        environment=_reads(document["environment"]),
        machine=_reads(document["machine"]),
        variables=None if variables is None else _texts(variables),
        distributions=_texts(document["distributions"]),
        packages=str(document["packages"]),
        layers={str(name): str(value) for name, value in _table(layers).items()},
        needs_same_layers=document["needs_same_layers"] is not False,
        present=_texts(document["present"]),
    )


def _reads(value: object) -> Reads:
    fields = _table(value)
    return Reads(
        contents=_texts(fields["contents"]),
        kinds=_texts(fields["kinds"]),
        listed=_texts(fields["listed"]),
        entries=_texts(fields["entries"]),
        startup=_texts(fields["startup"]),
        modules={path: _texts(names) for path, names in _table(fields["modules"]).items()},
        metadata={path: _texts(names) for path, names in _table(fields["metadata"]).items()},
    )


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(str, value))


def answers(reads: Reads, tree: Tree) -> Iterator[str]:
    """Yield a line for each part of *reads* with the answer that *tree* gives."""
    for path in reads.contents:
        yield f"contents {path!r}: {tree.entry(path)}"
    for path in reads.kinds:
        yield f"kind {path!r}: {tree.kind(path)}"
    for path in reads.listed:
        yield f"listed {path!r}: {_kinds(tree, path, tree.names(path))}"
    for path in reads.entries:
        yield f"entries {path!r}: {_entries(tree, path, tree.names(path))}"
    for path in reads.startup:
        names = [name for name in tree.names(path) if name.endswith(".pth")]
        yield f"startup {path!r}: {_entries(tree, path, names)}"
    for path, modules in reads.modules.items():
        yield f"modules {path!r}: {_modules(tree, path, frozenset(modules))}"
    for path, distributions in reads.metadata.items():
        yield f"metadata {path!r}: {_metadata(tree, path, frozenset(distributions))}"


def digest_of_answers(reads: Reads, tree: Tree) -> str:
    """Return a SHA-256 in hex over the `answers`."""
    text = "\n".join(answers(reads, tree))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _below(directory: str, name: str) -> str:
    return f"{directory.rstrip('/')}/{name}" if directory else name


def _kinds(tree: Tree, directory: str, names: Iterable[str]) -> list[str]:
    return [f"{tree.kind(_below(directory, name))} {name}" for name in sorted(names)]


def _entries(tree: Tree, directory: str, names: Iterable[str]) -> list[str]:
    return [f"{tree.entry(_below(directory, name))} {name}" for name in sorted(names)]


def _modules(tree: Tree, directory: str, modules: frozenset[str]) -> list[str]:
    """Return the entries that may be one of *modules*, as `importlib` searches them."""
    names = [name for name in tree.names(directory) if name.partition(".")[0] in modules]
    lines = _kinds(tree, directory, names)
    for name in sorted(modules.intersection(names)):
        package = _below(directory, name)
        inside = [each for each in tree.names(package) if each.startswith("__init__.")]
        lines += _kinds(tree, package, inside)
    return lines


def _metadata(tree: Tree, directory: str, wanted_names: frozenset[str]) -> list[str]:
    """Return the metadata directories of *wanted_names*, as `importlib.metadata` finds them."""
    normalized = {_normalized(name) for name in wanted_names}
    lines = set()
    for name in tree.names(directory):
        own_name = _normalized(name.rpartition(".")[0].partition("-")[0])
        if name.lower().endswith(_METADATA) and not normalized.isdisjoint({"", own_name}):
            lines.add(f"{tree.kind(_below(directory, name))} {without_version(name)}")
    return sorted(lines)


def _normalized(name: str) -> str:
    return _SEPARATORS.sub("_", name).lower()
