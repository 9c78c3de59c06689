"""What a layer does to the environment, as values: to apply, write and read.

The order is the specification's and was compared with the lifecycle's source (env/env.go).
https://github.com/buildpacks/spec/blob/main/buildpack.md#environment
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NewType, get_args

from cnb_python.cnb import disk
from cnb_python.errors.base import ContractBroken

Scope = NewType("Scope", str)
"""When a delta counts: the directory of the layer that it is written to."""

BOTH = Scope("env")
BUILD = Scope("env.build")
LAUNCH = Scope("env.launch")

BUILD_SCOPES = (BOTH, BUILD)
"""What later buildpacks see, in the order it is applied."""

type Action = Literal["set", "append", "default", "override", "prepend"]
"""`set` is a file without a suffix: it overrides too, but before the others of its directory."""

_SUFFIXES: dict[str, Action] = {
    "" if action == "set" else f".{action}": action for action in get_args(Action.__value__)
}
_DELIMITER = ".delim"
_PATHS = (
    ("bin", BOTH, ("PATH",)),
    ("lib", BOTH, ("LD_LIBRARY_PATH",)),
    ("lib", BUILD, ("LIBRARY_PATH",)),
    ("include", BUILD, ("CPATH",)),
    ("pkgconfig", BUILD, ("PKG_CONFIG_PATH",)),
)


@dataclass(frozen=True, slots=True)
class EnvDelta:
    """One change of one variable."""

    scope: Scope
    name: str
    action: Action
    value: str
    delimiter: str = ""
    """Goes between the old value and an appended or prepended one, where there is an old one."""

    def __post_init__(self) -> None:
        # A file's name is the variable up to the first dot; the kernel forbids `=` and NUL.
        if not self.name or set(self.name) & set("=/.\0"):
            raise ContractBroken("environment", f"a variable cannot be called {self.name!r}")
        if "\0" in self.value + self.delimiter:
            raise ContractBroken("environment", f"{self.name} holds a NUL")
        if self.delimiter and self.action not in {"append", "prepend"}:
            raise ContractBroken("environment", f"{self.action} {self.name} has a delimiter")

    @property
    def file_name(self) -> str:
        """The name of its file, by which the lifecycle orders what it applies."""
        return self.name if self.action == "set" else f"{self.name}.{self.action}"


def process_scope(process: str) -> Scope:
    """Return the scope of one process type alone."""
    return Scope(f"{LAUNCH}/{process}")


def launch_scopes(process: str = "") -> tuple[Scope, ...]:
    """Return what the process of that type sees, in the order it is applied."""
    return (BOTH, LAUNCH, process_scope(process)) if process else (BOTH, LAUNCH)


def apply(
    environ: Mapping[str, str], deltas: Iterable[EnvDelta], scopes: Iterable[Scope]
) -> dict[str, str]:
    """Return *environ* as one layer's *deltas* leave it; those of other *scopes* do not count."""
    after = dict(environ)
    ordered = sorted(deltas, key=lambda delta: delta.file_name)
    for scope in scopes:
        for delta in ordered:
            if delta.scope == scope:
                after[delta.name] = _changed(after.get(delta.name, ""), delta)
    return after


def _changed(old: str, delta: EnvDelta) -> str:
    glue = delta.delimiter if old else ""
    match delta.action:
        case "append":
            return old + glue + delta.value
        case "prepend":
            return delta.value + glue + old
        case "default":
            return old or delta.value
        case "set" | "override":
            return delta.value


def implicit(layer: Path, scopes: Iterable[Scope]) -> tuple[EnvDelta, ...]:
    """Return what the lifecycle derives from the directories of *layer*, before its files.

    `bin` goes on PATH and `lib` on LD_LIBRARY_PATH; at build time also `lib` on LIBRARY_PATH,
    `include` on CPATH and `pkgconfig` on PKG_CONFIG_PATH.
    """
    wanted = set(scopes)
    return tuple(
        EnvDelta(scope, variable, "prepend", str(layer / directory), ":")
        for directory, scope, variables in _PATHS
        if scope in wanted and (layer / directory).exists()
        for variable in variables
    )


def write(layer: Path, deltas: Iterable[EnvDelta]) -> None:
    """Make *deltas* all that *layer* says of the environment; contents get no newline.

    Raises ContractBroken when two of them need the same file with different contents.
    """
    files = _files(deltas)
    for scope in (BOTH, BUILD, LAUNCH):
        disk.remove(layer / scope)
    for name, content in sorted(files.items()):
        if name.endswith(_DELIMITER) and not content:
            continue
        path = layer / name
        for parent in reversed(path.relative_to(layer).parents[:-1]):
            disk.make_directory(layer / parent)
        disk.write(path, content)


def _files(deltas: Iterable[EnvDelta]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for delta in deltas:
        wanted = {f"{delta.scope}/{delta.file_name}": delta.value}
        if delta.action in {"append", "prepend"}:
            # Compared even when empty: both actions of a variable share the file.
            wanted[f"{delta.scope}/{delta.name}{_DELIMITER}"] = delta.delimiter
        for name, text in wanted.items():
            content = text.encode("utf-8", "surrogateescape")
            if files.setdefault(name, content) != content:
                raise ContractBroken("environment", f"two different contents for {name}")
    return files


def read(layer: Path) -> tuple[EnvDelta, ...]:
    """Return what the files of *layer* say, in the order they apply; unknown suffixes say nothing.

    Raises OSError when a file cannot be read.
    """
    processes = sorted(path.name for path in _entries(layer / LAUNCH) if path.is_dir())
    scopes = (BOTH, BUILD, LAUNCH, *(process_scope(process) for process in processes))
    return tuple(delta for scope in scopes for delta in _read_scope(layer / scope, scope))


def _read_scope(directory: Path, scope: Scope) -> Iterable[EnvDelta]:
    texts = {path.name: _text(path) for path in _entries(directory) if path.is_file()}
    for file_name in sorted(texts):
        name, dot, suffix = file_name.partition(".")
        action = _SUFFIXES.get(dot + suffix)
        if not name or not action:
            continue
        glued = action in {"append", "prepend"}
        delimiter = texts.get(name + _DELIMITER, "") if glued else ""
        yield EnvDelta(scope, name, action, texts[file_name], delimiter)


def _entries(directory: Path) -> Iterable[Path]:
    return directory.iterdir() if directory.is_dir() else ()


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")
