"""Variables of the image's processes: those that packages need, and those of layer `defaults`.

Layer `defaults` has the ones that depend on the container or the process type. It is a layer of
its own, so that a change of the Procfile or of its exec.d program leaves the packages' layers
alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from packaging.version import Version

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import LAUNCH, EnvDelta, Layer, LayerTypes, layer_of, process_scope
from cnb_python.launch import gunicorn_config
from cnb_python.launch.launch_plan import CONSOLE, HEALTH
from cnb_python.launch.servers import PORT
from cnb_python.layers import package_directories, sbom_files
from cnb_python.layers.cache_keys import SBOM, LayerKey, Rebuild, decide, part
from cnb_python.layers.safe_path import VARIABLE
from cnb_python.layers.sbom_files import LayerSbom
from cnb_python.managers.tool import find_defaults
from cnb_python.sbom.model import Document, License, document
from cnb_python.system.interface import Output

NAME = "defaults"
# Raise it with every change of what the layer holds besides the program.
_FORMAT = "3"
_PROGRAM = "defaults"
_LICENSE = License("MIT")
# By this name the program runs a process: execd/init.go.
_INIT = "init"
# By these names it runs scripts, with the shell of the run image or without one: execd/shell.go.
_SHELLS = ("bash", "sh")
# By this name it checks the app, at the path in the file: execd/health.go.
_HEALTH = "health"
_HEALTH_PATH = "health_path"
# Variables that the program gives to processes: execd/servers.go.
_VARIABLES = "variables"
# Directories that it finds for packages: execd/package_directories.go.
_DIRECTORIES = "directories"
# Read by the program, in execd/defaults.go.
_LOG = "BPL_PYTHON_LOG"
# The types of processes for which it makes no new directories: execd/package_directories.go.
_TYPE = "BPL_PYTHON_PROCESS"
_BESIDE_THE_APP = (CONSOLE, HEALTH)
_CONCURRENCY = "WEB_CONCURRENCY"
_WEB = "web"
# The options of gunicorn.conf.py that have a default here.
_OPTIONS = ("worker_tmp_dir", "control_socket", "accesslog")
# The first release of gunicorn with a control socket, which it makes in the home directory.
_CONTROL_SOCKET = Version("25.1.0")


def launch_environment(
    app_dir: Path, venv: Path, installed: Mapping[str, str]
) -> tuple[EnvDelta, ...]:
    """Return the variables of the app's processes; the launcher adds the layer's `bin` to `PATH`.

    *installed* maps the normalized names of distributions to versions. Everything that a user may
    want to change is a default, so the user's own value takes precedence.
    """
    deltas = [
        # Lines reach the log when they are written, also from a process that is killed.
        EnvDelta(LAUNCH, "PYTHONUNBUFFERED", "default", "1"),
        EnvDelta(LAUNCH, "VIRTUAL_ENV", "override", str(venv)),
        # Procfiles use $PORT, which a plain `docker run` does not set.
        EnvDelta(LAUNCH, "PORT", "default", PORT),
    ]
    version = installed.get("gunicorn")
    arguments = _gunicorn_arguments(version, app_dir) if version else []
    if arguments:
        # Prepended: if an option is given twice the last one counts, which is the user's.
        value = " ".join(arguments)
        deltas.append(EnvDelta(LAUNCH, "GUNICORN_CMD_ARGS", "prepend", value, " "))
    return tuple(deltas)


def _gunicorn_arguments(version: str, app_dir: Path) -> list[str]:
    """Return options for gunicorn in a container: a writable directory, and logs on stdout.

    Options override gunicorn.conf.py, so those that the app's own configuration sets are left out.
    """
    arguments: list[str] = []
    configuration = gunicorn_config.options_set(app_dir, _OPTIONS)
    if "worker_tmp_dir" not in configuration:
        # For the heartbeat file; on a disk it can also block (gunicorn's FAQ).
        arguments += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108 - a memory file system; gunicorn unlinks its files at once
    if _has_control_socket(version) and "control_socket" not in configuration:
        arguments += ["--no-control-socket"]
    if "accesslog" not in configuration:
        arguments += ["--access-logfile", "-"]
    return arguments


def _has_control_socket(version: str) -> bool:
    try:
        return Version(version) >= _CONTROL_SOCKET
    except ValueError:  # also for thousands of digits
        return False


def find_init(layers_dir: Path) -> Path:
    """Return the path of the program that runs processes which SIGTERM would not end."""
    return layer_of(layers_dir, NAME).path / _INIT


def find_shells(layers_dir: Path) -> Path:
    """Return the directory of the programs that run scripts, `sh` and `bash`."""
    return layer_of(layers_dir, NAME).path


def find_health(layers_dir: Path) -> Path:
    """Return the path of the program that checks the app."""
    return layer_of(layers_dir, NAME).path / _HEALTH


@dataclass(frozen=True, slots=True)
class _Key(LayerKey):
    format: str = part("format of layer defaults")
    program: str = part("digest of its exec.d program")
    single: str = part("list of processes with one worker")
    variables: str = part("list of variables of servers")
    directories: str = part("list of directories that packages write to")
    health: str = part("path of the health check")
    safe: str = part("list of processes with PYTHONSAFEPATH")


class Defaults(NamedTuple):
    """What the exec.d program needs to know about the app."""

    single: frozenset[str] = frozenset()
    """The process types that start one worker unless the user sets WEB_CONCURRENCY."""
    variables: Mapping[str, str] = MappingProxyType({})
    """Variables of servers, with `$PORT` in values."""
    directories: tuple[str, ...] = ()
    """Lines of `package_directories`."""
    health: str = ""
    """The path at which the app answers when it is healthy; empty: no health check."""
    safe: frozenset[str] = frozenset()
    """The process types that start with PYTHONSAFEPATH=1."""


def provide_defaults(defaults: Defaults, context: BuildContext, output: Output) -> int:
    """Make or reuse layer `defaults`; return its size in bytes. Raises IncompleteBuildpack."""
    program = find_defaults(context.buildpack.directory).read_bytes()
    key = _Key(
        _FORMAT,
        hashlib.sha256(program).hexdigest(),
        " ".join(sorted(defaults.single)),
        _lines(defaults.variables, " "),
        ", ".join(line.replace("\t", " ") for line in defaults.directories),
        defaults.health,
        " ".join(sorted(defaults.safe)),
    )
    layer = layer_of(context.layers_dir, NAME)
    sbom = _sbom(context, layer, program)
    metadata = key.metadata() | {SBOM: sbom.digest}
    state = decide(layer.state(), key)
    if isinstance(state, Rebuild):
        for reason in state.reasons:
            output.line(f"Rebuilding layer {NAME}: {reason}")
        contents = layer.begin()
        for name in (_INIT, *_SHELLS):
            (contents / name).symlink_to(f"exec.d/{_PROGRAM}")
        disk.write(contents / _VARIABLES, _lines(defaults.variables, "\n").encode())
        if defaults.directories:
            disk.write(contents / _DIRECTORIES, "\n".join(defaults.directories).encode())
        if defaults.health:
            (contents / _HEALTH).symlink_to(f"exec.d/{_PROGRAM}")
            disk.write(contents / _HEALTH_PATH, defaults.health.encode())
        types = LayerTypes(launch=True)
        layer.finish(types, metadata, _env(defaults), {_PROGRAM: program}, sbom.files)
    else:
        sbom.write(layer.layers_dir, NAME)
        layer.reuse_from_image(metadata)
    return len(program)


def _sbom(context: BuildContext, layer: Layer, program: bytes) -> LayerSbom:
    """Return the SBOM of the layer, which has *program* alone."""

    def make() -> Document:
        from cnb_python.sbom import go_program  # noqa: PLC0415 - unchanged builds write no SBOM

        return document(NAME, [go_program.component("cnb-python-defaults", program, _LICENSE)])

    recorded = (layer.restored() or {}).get(SBOM)
    return sbom_files.restored_or_made(context, NAME, recorded, make)


def _lines(variables: Mapping[str, str], separator: str) -> str:
    return separator.join(f"{name}={value}" for name, value in sorted(variables.items()))


def _env(defaults: Defaults) -> tuple[EnvDelta, ...]:
    # As defaults, so the user's own values take precedence.
    return (
        EnvDelta(process_scope(_WEB), _LOG, "default", "1"),
        *(
            EnvDelta(process_scope(kind), _CONCURRENCY, "default", "1")
            for kind in sorted(defaults.single)
        ),
        *(
            EnvDelta(process_scope(kind), VARIABLE, "default", "1")
            for kind in sorted(defaults.safe)
        ),
        *(
            EnvDelta(process_scope(kind), _TYPE, "override", kind)
            for kind in _BESIDE_THE_APP
            if package_directories.has_new(defaults.directories)
        ),
    )
