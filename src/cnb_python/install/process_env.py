"""The environment variables of child processes: those of managers, and the app's own code."""

import os
from collections.abc import Iterator, Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path

from cnb_python.managers import tool_settings
from cnb_python.system import regular_file
from cnb_python.system.certificates import BUNDLES, trusting_the_system
from cnb_python.system.secret_values import as_secrets, secrets_in, secrets_of

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_COMPILER_FLAGS = ("CFLAGS", "CXXFLAGS")
# Debugging information contains the path of the build's temporary directory.
_NO_DEBUGGING = "-g0"
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")
# 1980-01-01T00:00:01Z: archives of the ZIP format cannot store earlier times, and the lifecycle
# gives the same time to every file of the image.
_EPOCH = "315532801"
# Set by the buildpack, or read from pip's output, which must not be silenced.
_RESERVED = frozenset({"VIRTUAL_ENV", "__PYVENV_LAUNCHER__"})
_RESERVED_OF_PIP = frozenset(
    {
        *("PIP_CACHE_DIR", "PIP_LOG", "PIP_LOG_FILE", "PIP_LOCAL_LOG", "PIP_REPORT"),
        *("PIP_QUIET", "PIP_VERBOSE", "PIP_NO_COLOR"),
    }
)
# The app's files that may name indexes, apart from lock files, in which tools write no logins.
_FILES_WITH_URLS = (".txt", ".in", ".toml", ".cfg", "Pipfile")
_REQUIREMENTS = "requirements"
_LISTS = (".txt", ".in")
# They configure another interpreter than the app's.
_OF_OTHER_PYTHON = frozenset({"PYTHONHOME", "__PYVENV_LAUNCHER__"})


def manager_environ(
    environ: Mapping[str, str],
    environment: Path,
    interpreter: Path,
    scratch: Path,
    bundles: tuple[Path, ...] = BUNDLES,
) -> dict[str, str]:
    """Return the variables for the processes of a manager that fills *environment*.

    Settings for indexes, proxies and certificates are passed on. `PYTHON*` variables are not: they
    are for the app, or for another interpreter.
    """
    inherited = {
        name: value
        for name, value in environ.items()
        if not name.startswith("PYTHON") and not _is_reserved(name)
    }
    defaults = {"SOURCE_DATE_EPOCH": _EPOCH, "TMPDIR": str(scratch), **_locale(environ)}
    return {
        **defaults,
        **inherited,
        **trusting_the_system(environ, bundles),
        **_home(environ, scratch),
        **{name: f"{environ.get(name, '')} {_NO_DEBUGGING}".strip() for name in _COMPILER_FLAGS},
        **_environment_variables(environ, environment, interpreter),
        "PYTHONHASHSEED": "0",
        # Not just omitted: a pip.conf may silence pip, and variables take precedence.
        "PIP_QUIET": "0",
        "PIP_VERBOSE": "0",
    }


def app_environ(
    environ: Mapping[str, str],
    environment: Path,
    interpreter: Path,
    app_dir: Path,
    bundles: tuple[Path, ...] = BUNDLES,
) -> dict[str, str]:
    """Return the variables for the app's code: the build's, with the environment on PATH."""
    inherited = {name: value for name, value in environ.items() if name not in _OF_OTHER_PYTHON}
    defaults = {
        "HOME": "/tmp",  # noqa: S108 - the only directory that every user may write to
        # As on Heroku: a manage.py in a subdirectory can import the app's top-level modules.
        "PYTHONPATH": str(app_dir),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        **_locale(environ),
    }
    return {
        **defaults,
        **trusting_the_system(environ, bundles),
        **inherited,
        **_environment_variables(environ, environment, interpreter),
    }


def _environment_variables(
    environ: Mapping[str, str], environment: Path, interpreter: Path
) -> dict[str, str]:
    path = environ.get("PATH") or _DEFAULT_PATH
    return {
        "PATH": f"{environment / 'bin'}:{interpreter.parent}:{path}",
        "VIRTUAL_ENV": str(environment),
        # The buildpack compiles everything itself. Bytecode from here would be checked by time,
        # and every file of the image gets the same time.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _locale(environ: Mapping[str, str]) -> dict[str, str]:
    # Without a locale, Git, compilers and Perl scripts treat file names as ASCII.
    return {} if any(environ.get(name) for name in _LOCALES) else {"LC_ALL": "C.UTF-8"}


def _is_reserved(name: str) -> bool:
    return name in _RESERVED or tool_settings.pip_variable_name(name) in _RESERVED_OF_PIP


def _home(environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    home = environ.get("HOME", "")
    if home and Path(home).is_dir():
        # It has pip.conf and .netrc. If it is read-only, the tools report that.
        return {}
    return {"HOME": str(scratch)}


def secrets(environ: Mapping[str, str], app_dir: Path) -> tuple[str, ...]:
    """Return the secrets in the variables and configuration of child processes, longest first.

    Also in the URLs of the app's own files, where variables such as `${TOKEN}` are replaced.
    """
    values = {*secrets_of(environ), *as_secrets(_of_netrc(environ))}
    files = (
        *tool_settings.pip_configuration_files(environ),
        *tool_settings.uv_configuration_files(environ, app_dir),
        *_ending_with(_FILES_WITH_URLS, app_dir),
        *_ending_with(_LISTS, app_dir / _REQUIREMENTS),
    )
    for file in dict.fromkeys(files):
        values.update(secrets_in(_text(file), environ))
    return tuple(sorted(values, key=lambda secret: (-len(secret), secret)))


def _ending_with(ends: tuple[str, ...], directory: Path) -> list[Path]:
    try:
        names = os.listdir(directory)  # noqa: PTH208 - 100,000 paths are slow
    except OSError:
        return []
    return [directory / name for name in sorted(names) if name.endswith(ends)]


def _of_netrc(environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME", "")
    names = (environ.get("NETRC", ""), f"{home}/.netrc" if home else "")
    for file in filter(None, names):
        try:
            # Reading a pipe would wait forever.
            regular_file.opened(Path(file)).close()
            hosts = netrc(file).hosts
        except OSError, UnicodeDecodeError, NetrcParseError:
            continue  # no tool reads an invalid file
        for _, account, password in hosts.values():
            yield from (password, account)


def _text(file: Path) -> str:
    try:
        return regular_file.read(file).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
