"""Everything that no tool may show: what variables hold, and the files that tools read by them."""

from collections.abc import Iterator, Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path

from cnb_python.managers import pip_settings, uv_settings
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
