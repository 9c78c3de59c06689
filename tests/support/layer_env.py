"""Reads the environment variables of a layer and applies them, as the lifecycle does.

The order was compared with the lifecycle's source (env/env.go).
https://github.com/buildpacks/spec/blob/main/buildpack.md#environment
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from cnb_python.cnb.layer import BOTH, BUILD, LAUNCH, Action, EnvDelta, Scope, process_scope

BUILD_SCOPES = (BOTH, BUILD)
"""What later buildpacks see, in the order in which it is applied."""
_DELIMITER = ".delim"
_SUFFIXES: dict[str, Action] = {
    "" if action == "set" else f".{action}": action for action in get_args(Action.__value__)
}


def launch_scopes(process: str = "") -> tuple[Scope, ...]:
    """Return what a process of this type sees, in the order in which it is applied."""
    return (BOTH, LAUNCH, process_scope(process)) if process else (BOTH, LAUNCH)


def apply(
    environ: Mapping[str, str], deltas: Iterable[EnvDelta], scopes: Iterable[Scope]
) -> dict[str, str]:
    """Return *environ* changed by the *deltas* of one layer that are in *scopes*."""
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


def read(layer: Path) -> tuple[EnvDelta, ...]:
    """Return the variables in the files of *layer*, in the order in which they are applied."""
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
