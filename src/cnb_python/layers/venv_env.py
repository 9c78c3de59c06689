"""The environment that the app's processes start with, as deltas for layer `venv`."""

from collections.abc import Mapping
from pathlib import Path

from packaging.version import InvalidVersion, Version

from cnb_python.cnb.env import LAUNCH, EnvDelta
from cnb_python.launch.servers import PORT

_CONFIGURATION = "gunicorn.conf.py"
_READ_BYTES = 1024 * 1024
# The first release with a control socket, which it makes in the home directory.
_CONTROL_SOCKET = Version("25.1.0")


def launch_environment(
    app_dir: Path, venv: Path, installed: Mapping[str, str]
) -> tuple[EnvDelta, ...]:
    """Return the variables of the app's processes; `PATH` comes from the layer's `bin`.

    *installed* maps normalised names of distributions to their versions. Whatever a user may
    want otherwise gives way to the user's own value.
    """
    deltas = [
        # Lines reach the log when they are written, also from a process that is killed.
        EnvDelta(LAUNCH, "PYTHONUNBUFFERED", "default", "1"),
        EnvDelta(LAUNCH, "VIRTUAL_ENV", "override", str(venv)),
        # Procfiles say $PORT; a plain `docker run` does not.
        EnvDelta(LAUNCH, "PORT", "default", PORT),
    ]
    version = installed.get("gunicorn")
    arguments = _gunicorn_arguments(version, _configuration(app_dir)) if version else []
    if arguments:
        # In front: of options given twice the last one counts, so the user's do.
        value = " ".join(arguments)
        deltas.append(EnvDelta(LAUNCH, "GUNICORN_CMD_ARGS", "prepend", value, " "))
    return tuple(deltas)


def _gunicorn_arguments(version: str, configuration: str) -> list[str]:
    """Return what gunicorn needs in a container: nothing but /dev/shm can be written, logs go out.

    These options are stronger than gunicorn.conf.py, so what it sets is left out.
    """
    arguments: list[str] = []
    if "worker_tmp_dir" not in configuration:
        # The heartbeat file's; on a disk it can also block (gunicorn's FAQ).
        arguments += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108 - a memory file system, the files are unlinked at once
    if _has_control_socket(version) and "control_socket" not in configuration:
        arguments += ["--no-control-socket"]
    if "accesslog" not in configuration:
        arguments += ["--access-logfile", "-"]
    return arguments


def _has_control_socket(version: str) -> bool:
    try:
        return Version(version) >= _CONTROL_SOCKET
    except InvalidVersion:
        return False


def _configuration(app_dir: Path) -> str:
    path = app_dir / _CONFIGURATION
    try:
        # Reading a pipe would wait for ever, a device might never end.
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
