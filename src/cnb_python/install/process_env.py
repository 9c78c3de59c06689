"""The environment variables of a manager's processes: the user's, minus what breaks them."""

from collections.abc import Iterator, Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path

from cnb_python.managers import pip_settings, uv_settings
from cnb_python.system.certificates import BUNDLES, trusting_the_system
from cnb_python.system.redaction import as_secrets, secrets_in, secrets_of


def secrets(environ: Mapping[str, str], app_dir: Path) -> tuple[str, ...]:
    """Return the secrets that a manager's processes are given, the longest first."""
    found = {*secrets_of(environ), *as_secrets(_of_netrc(environ))}
    files = (
        *pip_settings.configuration_files(environ),
        *uv_settings.configuration_files(environ, app_dir),
    )
    for file in files:
        found.update(secrets_in(_text(file)))
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


def _of_netrc(environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME", "")
    names = (environ.get("NETRC", ""), f"{home}/.netrc" if home else "")
    for file in filter(None, names):
        try:
            hosts = netrc(file).hosts
        except OSError, UnicodeDecodeError, NetrcParseError:
            continue  # no tool reads what is no .netrc
        for _, account, password in hosts.values():
            yield from (password, account)


def _text(file: Path) -> str:
    try:
        # Reading a pipe would wait for ever.
        is_text = file.is_file()
        return file.read_text(encoding="utf-8", errors="surrogateescape") if is_text else ""
    except OSError:
        return ""


_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_COMPILERS = ("CFLAGS", "CXXFLAGS")
# Debugging information holds the path of the temporary directory of the build.
_NO_DEBUGGING = "-g0"
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")
# 1980-01-01T00:00:01Z: archives of the ZIP format cannot hold earlier times, and the lifecycle
# gives the same time to every file of the image.
_EPOCH = "315532801"
# Where these point is ours to say, and so is how much pip tells: its explanations are read.
_OURS = frozenset({"VIRTUAL_ENV", "__PYVENV_LAUNCHER__"})
_OURS_OF_PIP = frozenset(
    {
        *("PIP_CACHE_DIR", "PIP_LOG", "PIP_LOG_FILE", "PIP_LOCAL_LOG", "PIP_REPORT"),
        *("PIP_QUIET", "PIP_VERBOSE", "PIP_NO_COLOR"),
    }
)


def manager_environ(
    environ: Mapping[str, str],
    environment: Path,
    interpreter: Path,
    scratch: Path,
    bundles: tuple[Path, ...] = BUNDLES,
) -> dict[str, str]:
    """Return the variables for processes that fill *environment*.

    Settings for indexes, proxies and certificates pass. No `PYTHON*` variable does: they are meant
    for the app or for another interpreter.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("PYTHON") and not _is_ours(name)
    }
    path = f"{environment / 'bin'}:{interpreter.parent}:{environ.get('PATH') or _DEFAULT_PATH}"
    defaults = {"SOURCE_DATE_EPOCH": _EPOCH, "TMPDIR": str(scratch)}
    if not any(environ.get(name) for name in _LOCALES):
        # Without it Git, compilers and Perl scripts of a build take file names for ASCII.
        defaults["LC_ALL"] = "C.UTF-8"
    return {
        **defaults,
        **kept,
        **trusting_the_system(environ, bundles),
        **_home(environ, scratch),
        **{name: f"{environ.get(name, '')} {_NO_DEBUGGING}".strip() for name in _COMPILERS},
        "PATH": path,
        "VIRTUAL_ENV": str(environment),
        # Bytecode is made once, at the end, in another way; sets are ordered alike in each build.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        # Said, not only left out: a pip.conf may ask for silence too, and variables are stronger.
        "PIP_QUIET": "0",
        "PIP_VERBOSE": "0",
    }


def _is_ours(name: str) -> bool:
    # pip ignores case behind its prefix, and takes - for _.
    upper = name.upper().replace("-", "_")
    return name in _OURS or (name.startswith("PIP_") and upper in _OURS_OF_PIP)


def _home(environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    home = environ.get("HOME", "")
    if home and Path(home).is_dir():
        # pip.conf and .netrc live there; whether it can be written to is for the tools to say.
        return {}
    return {"HOME": str(scratch)}
