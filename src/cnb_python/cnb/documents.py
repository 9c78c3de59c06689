"""The documents that the build phase hands to the lifecycle, as values.

https://github.com/buildpacks/spec/blob/main/buildpack.md#data-format
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.context import PRODUCTION
from cnb_python.cnb.toml import Metadata, Writable, checked
from cnb_python.errors.base import ContractBroken

_APIS_WITHOUT_EXEC_ENV = frozenset({"0.10", "0.11"})
_PROCESS_TYPE = r"[A-Za-z0-9._-]+"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that the image can run, without a shell."""

    type: str
    command: tuple[str, ...]
    """The program and its fixed arguments; found on PATH from the app's directory."""
    args: tuple[str, ...] = ()
    """Arguments that the user's own replace."""
    default: bool = False
    working_dir: str = ""
    """Empty: the app's directory."""
    exec_env: tuple[str, ...] = ()
    """The execution environments it is for; empty: all of them."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label of the image."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Files of the app that get a layer of their own."""

    paths: tuple[str, ...]
    """Patterns relative to the app's directory; `*` does not cross a slash."""


@dataclass(frozen=True, slots=True)
class Launch:
    """All that launch.toml says."""

    processes: tuple[Process, ...] = ()
    labels: tuple[Label, ...] = ()
    slices: tuple[Slice, ...] = ()

    def write(self, layers_dir: Path, api: str) -> None:
        """Write `launch.toml` as Buildpack API *api* has it.

        Before API 0.12 there is one execution environment, production: processes for others are
        left out. Raises ContractBroken where the lifecycle would refuse the file, or later choke.
        """
        eligible = tuple(process for process in self.processes if _eligible(process, api))
        _check_processes(eligible)
        _check_labels(self.labels)
        if not all(part.paths and all(part.paths) for part in self.slices):
            raise ContractBroken("launch.toml", "a slice has no path")
        parts: dict[str, list[dict[str, Writable]]] = {
            "labels": [{"key": label.key, "value": label.value} for label in self.labels],
            "processes": [_process(process, api) for process in eligible],
            "slices": [{"paths": part.paths} for part in self.slices],
        }
        toml.write(layers_dir / "launch.toml", {key: rows for key, rows in parts.items() if rows})


def _eligible(process: Process, api: str) -> bool:
    return (
        not process.exec_env
        or api not in _APIS_WITHOUT_EXEC_ENV
        or not {PRODUCTION, "*"}.isdisjoint(process.exec_env)
    )


def _check_processes(processes: tuple[Process, ...]) -> None:
    types = [process.type for process in processes]
    # The lifecycle notices most of these only when it exports, after everything was built.
    problems = {
        "a process type occurs twice": len(types) != len(set(types)),
        "a process type has forbidden characters": not all(
            re.fullmatch(_PROCESS_TYPE, name) for name in types
        ),
        "two processes are the default": sum(process.default for process in processes) > 1,
        "a process has no command": not all(
            process.command and process.command[0] for process in processes
        ),
    }
    for problem, found in problems.items():
        if found:
            raise ContractBroken("launch.toml", f"{problem}: {types}")


def _check_labels(labels: tuple[Label, ...]) -> None:
    keys = [label.key for label in labels]
    if len(keys) != len(set(keys)) or not all(keys):
        raise ContractBroken("launch.toml", f"a label occurs twice or has no key: {keys}")


def _process(process: Process, api: str) -> dict[str, Writable]:
    optional: dict[str, Writable] = {
        "args": process.args,
        "default": process.default,
        "working-dir": process.working_dir,
        "exec-env": () if api in _APIS_WITHOUT_EXEC_ENV else process.exec_env,
    }
    required: dict[str, Writable] = {"type": process.type, "command": process.command}
    return required | {key: value for key, value in optional.items() if value}


def write_build_toml(layers_dir: Path, unmet: Iterable[str]) -> None:
    """Write `build.toml`: the names of plan entries left to the next buildpack that offers them.

    Each must be in the plan, or the lifecycle ends the build.
    """
    toml.write(layers_dir / "build.toml", {"unmet": [{"name": name} for name in unmet]})


def write_store(layers_dir: Path, metadata: Metadata) -> None:
    """Write `store.toml`: what the next build of this image is told, even without a cache.

    Raises ContractBroken for values that would not come back as they went.
    """
    toml.write(layers_dir / "store.toml", {"metadata": checked(metadata, "store.toml")})
