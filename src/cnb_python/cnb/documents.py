"""`launch.toml` and `store.toml`, which the build phase writes for the lifecycle.

https://github.com/buildpacks/spec/blob/main/buildpack.md#data-format
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cnb_python.cnb import toml
from cnb_python.cnb.context import PRODUCTION
from cnb_python.cnb.toml import Metadata, Writable, checked
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.inputs import UnreadableToml

_APIS_WITHOUT_EXEC_ENV = frozenset({"0.10", "0.11"})
_PROCESS_TYPE = r"[A-Za-z0-9._-]+"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the image; it runs without a shell."""

    type: str
    command: tuple[str, ...]
    """The program, which is searched on PATH, and its fixed arguments."""
    args: tuple[str, ...] = ()
    """Arguments that the user can replace."""
    default: bool = False
    working_dir: str = ""
    """Empty: the app's directory."""
    exec_env: tuple[str, ...] = ()
    """The execution environments that have this process; empty: all of them."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The content of `launch.toml`."""

    processes: tuple[Process, ...] = ()
    labels: Mapping[str, str] = MappingProxyType({})
    """Value by name of each label of the image."""

    def write(self, layers_dir: Path, api: str) -> None:
        """Write `launch.toml` for Buildpack API *api*.

        Before API 0.12 there is only the execution environment production: processes for others
        are left out. Raises ContractBroken if the lifecycle would refuse the file.
        """
        eligible = tuple(process for process in self.processes if _eligible(process, api))
        _check_processes(eligible)
        rows = [_process(process, api) for process in eligible]
        labels = [{"key": key, "value": value} for key, value in self.labels.items()]
        tables: dict[str, Writable] = {"labels": labels, "processes": rows}
        toml.write(layers_dir / "launch.toml", {key: each for key, each in tables.items() if each})


def _eligible(process: Process, api: str) -> bool:
    return (
        not process.exec_env
        or api not in _APIS_WITHOUT_EXEC_ENV
        or not {PRODUCTION, "*"}.isdisjoint(process.exec_env)
    )


def _check_processes(processes: tuple[Process, ...]) -> None:
    types = [process.type for process in processes]
    # The lifecycle reports most of these only when it exports, at the end of the build.
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
    for problem, is_broken in problems.items():
        if is_broken:
            raise ContractBroken("launch.toml", f"{problem}: {types}")


def _process(process: Process, api: str) -> dict[str, Writable]:
    optional: dict[str, Writable] = {
        "args": process.args,
        "default": process.default,
        "working-dir": process.working_dir,
        "exec-env": () if api in _APIS_WITHOUT_EXEC_ENV else process.exec_env,
    }
    required: dict[str, Writable] = {"type": process.type, "command": process.command}
    return required | {key: value for key, value in optional.items() if value}


def earlier_process_types(layers_dir: Path) -> frozenset[str]:
    """Return the types of the processes that earlier buildpacks of this build have written.

    *layers_dir* is that of this buildpack, beside theirs. A process of the last buildpack replaces
    one of the same type: https://github.com/buildpacks/spec/blob/main/buildpack.md#launchtoml-toml
    """
    files = (path for path in layers_dir.parent.glob("*/launch.toml") if path.parent != layers_dir)
    return frozenset(kind for file in files for kind in _types_in(file))


def _types_in(file: Path) -> Iterator[str]:
    try:
        processes = toml.tables_at(toml.read(file), "processes")
    except OSError, UnreadableToml:
        return  # the lifecycle reports it
    for process in processes:
        yield str(process.get("type"))


def write_store(layers_dir: Path, metadata: Metadata) -> None:
    """Write *metadata* to `store.toml`, which the next build of this image gets back.

    Raises ContractBroken for values that would not come back unchanged.
    """
    toml.write(layers_dir / "store.toml", {"metadata": checked(metadata, "store.toml")})
