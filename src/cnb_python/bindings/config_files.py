"""Bindings of type `pip`, `uv` and `netrc`: files that tools look for, put where they look."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cnb_python.bindings.indexes import Index
from cnb_python.bindings.schema import DOT_NETRC, NETRC, PIP_CONF, UV_TOML, only_key
from cnb_python.cnb import toml
from cnb_python.cnb.bindings import Binding
from cnb_python.errors.config import BadBinding, SeveralBindings
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.system.certificates import BUNDLES, bundle_with, certificates_in
from cnb_python.system.interface import Output

# Who reads what: OpenSSL and uv, requests (Poetry), curl, Git, Cargo, Node, the tools of AWS.
_VARIABLES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
    *("CARGO_HTTP_CAINFO", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"),
)
# Stronger than the others where it is set, and pip does without it where it is not.
_PIP = "PIP_CERT"


def trusting_bindings(
    bindings: Sequence[Binding],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
    bundles: tuple[Path, ...] = BUNDLES,
) -> Mapping[str, str]:
    """Return *environ* that trusts *bindings* besides the system or what its variables name.

    Raises BadBinding for what holds no certificate, or a private key.
    """
    if not bindings:
        return environ
    added = []
    for binding in bindings:
        found = [text for key in sorted(binding.secrets) for text in _certificates(binding, key)]
        if not found:
            raise BadBinding(binding.name, binding.type, "ca.pem", "missing key", ("ca.pem",))
        output.line(f"{binding.name}: {_counted(len(found))}")
        added += found
    names = _VARIABLES + ((_PIP,) if environ.get(_PIP) else ())
    others = [Path(environ[name]) for name in names if environ.get(name)]
    file = directory / "ca-certificates.pem"
    file.write_text(bundle_with(added, others, environ, bundles), encoding="utf-8")
    return {**environ, **dict.fromkeys(names, str(file))}


def _certificates(binding: Binding, key: str) -> tuple[str, ...]:
    if key.startswith("."):
        return ()
    text = binding.secret(key)
    if "PRIVATE KEY-----" in text:
        raise BadBinding(binding.name, binding.type, key, "private key", ())
    found = certificates_in(text)
    if not found:
        raise BadBinding(binding.name, binding.type, key, "no certificate", ())
    return found


def _counted(number: int) -> str:
    return (
        f"{number} certificates of authorities"
        if number > 1
        else "the certificate of an authority"
    )


# Where both tools look for what counts on a whole machine; the app's own settings are stronger.
# https://pip.pypa.io/en/stable/topics/configuration/#location
# https://docs.astral.sh/uv/concepts/configuration-files/
_DIRECTORIES = "XDG_CONFIG_DIRS"
_USUAL = "/etc/xdg"


def configured(
    pip: Sequence[Binding],
    uv: Sequence[Binding],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
) -> Mapping[str, str]:
    """Return *environ* in which pip and uv find the files of their bindings below *directory*.

    Links: nothing is copied. Raises BadBinding for what is no such file, SeveralBindings where one
    would hide the other.
    """
    for tool, bindings, key in (("pip", pip, PIP_CONF), ("uv", uv, UV_TOML)):
        if len(bindings) > 1:
            raise SeveralBindings(tool, tuple(one.name for one in bindings), key)
        for binding in bindings:
            only_key(binding, key)
            _check(binding, key)
            link = directory / "config" / tool / key
            link.parent.mkdir(parents=True)
            link.symlink_to(binding.secrets[key])
            output.line(f"{binding.name}: {key} for {tool}")
            if variable := _hidden_by(tool, environ):
                output.line(f"{binding.name}: {variable} keeps {tool} from reading it")
    if not (pip or uv):
        return environ
    others = environ.get(_DIRECTORIES, "").strip() or _USUAL
    return {**environ, _DIRECTORIES: f"{directory / 'config'}:{others}"}


def _hidden_by(tool: str, environ: Mapping[str, str]) -> str:
    """Return the variable that keeps *tool* from the files of the machine, if there is one."""
    if tool == "pip":
        return "PIP_CONFIG_FILE" if environ.get("PIP_CONFIG_FILE") == os.devnull else ""
    return next((one for one in ("UV_CONFIG_FILE", "UV_NO_CONFIG") if environ.get(one)), "")


def with_logins(
    bindings: Iterable[Binding],
    indexes: Iterable[Index],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
) -> Mapping[str, str]:
    """Return *environ* with a .netrc of *bindings*, of the logins of *indexes* and of the user's.

    Git reads it in the home directory alone, so there is one: everything else in it is a link to
    what the real one has. Raises BadBinding.
    """
    parts = []
    for binding in bindings:
        key = only_key(binding, NETRC, DOT_NETRC)
        parts.append(_netrc(binding, key))
        output.line(f"{binding.name}: .netrc for every tool")
    if not parts and not any(one.user and one.address for one in indexes):
        return environ
    real = Path(environ.get("HOME") or "/nonexistent")
    parts += [*_entries(indexes), _text(Path(environ.get("NETRC") or real / ".netrc"))]
    home = directory / "home"
    _mirror(real, home)
    file = home / ".netrc"
    file.touch(mode=0o600)
    file.write_text("\n".join(parts), encoding="utf-8", errors="surrogateescape")
    return {**environ, "HOME": str(home), "NETRC": str(file)}


def _entries(indexes: Iterable[Index]) -> Iterable[str]:
    """Yield an entry for each host with one login: pip and uv get others with their address.

    A file of this kind knows neither ports nor paths, and no spaces.
    """
    logins = {(one.host, one.user, one.password) for one in indexes if one.user and one.address}
    hosts = Counter(host for host, _, _ in logins)
    for host, user, password in sorted(logins):
        if hosts[host] == 1 and not re.search(r"[\s\"\\#]", user + password):
            yield f"machine {host} login {user} password {password}"


def _mirror(real: Path, home: Path) -> None:
    home.mkdir()
    try:
        names = [path.name for path in real.iterdir()]
    except OSError:
        return  # there is none, or it is not for us
    for name in names:
        if name != DOT_NETRC:
            (home / name).symlink_to(real / name)


def _check(binding: Binding, key: str) -> None:
    """Refuse what the tool would refuse, in words that show nothing of it."""
    if key == UV_TOML:
        try:
            toml.read(binding.secrets[key])
        except UnreadableToml as error:
            place = re.search(r"\(at (line \d+)", error.reason)
            reason = f"{place[1]} of it is not TOML" if place else "it is not TOML"
            raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None
        return
    import configparser  # noqa: PLC0415 - only for bindings of pip's

    try:
        configparser.RawConfigParser().read_string(binding.secret(key))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), [""])[0]
        reason = f"line {line} of it is none of a configuration file" if line else "see pip's docs"
        raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None


def _netrc(binding: Binding, key: str) -> str:
    import netrc  # noqa: PLC0415 - only for bindings of a .netrc

    try:
        netrc.netrc(str(binding.secrets[key]))
    except netrc.NetrcParseError as error:
        reason = f"line {error.lineno} of it is none of a .netrc"
        raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not text" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
        raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None
    return binding.secret(key)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
