"""Bindings of type `ca-certificates`, `pip`, `uv` and `netrc`: files, and their variables."""

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
from cnb_python.system import regular_file
from cnb_python.system.certificates import BUNDLES, bundle_with, certificates_in
from cnb_python.system.interface import Output

# Read by OpenSSL and uv, requests (Poetry), curl, Git, Cargo, Node, the tools of AWS.
_BUNDLE_VARIABLES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
    *("CARGO_HTTP_CAINFO", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"),
)
# pip prefers it to the others where it is set, and does not need it otherwise.
_PIP = "PIP_CERT"
# Where both tools look for the configuration of a machine; that of the app wins over it.
# https://pip.pypa.io/en/stable/topics/configuration/#location
# https://docs.astral.sh/uv/concepts/configuration-files/
_DIRECTORIES = "XDG_CONFIG_DIRS"
_USUAL = "/etc/xdg"


def trust_certificates(
    bindings: Sequence[Binding],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
    bundles: tuple[Path, ...] = BUNDLES,
) -> Mapping[str, str]:
    """Return *environ* with a bundle of the certificates in *bindings* and those trusted already.

    Raises BadBinding for a key without a certificate, or with a private key.
    """
    if not bindings:
        return environ
    added = []
    for binding in bindings:
        texts = [text for key in sorted(binding.secrets) for text in _certificates(binding, key)]
        if not texts:
            raise BadBinding(binding.name, binding.type, "ca.pem", "missing key", ("ca.pem",))
        output.line(f"{binding.name}: {_counted(len(texts))}")
        added += texts
    names = _BUNDLE_VARIABLES + ((_PIP,) if environ.get(_PIP) else ())
    chosen = [Path(environ[name]) for name in names if environ.get(name)]
    file = directory / "ca-certificates.pem"
    file.write_text(bundle_with(added, chosen, environ, bundles), encoding="utf-8")
    return {**environ, **dict.fromkeys(names, str(file))}


def _certificates(binding: Binding, key: str) -> tuple[str, ...]:
    if key.startswith("."):
        return ()
    text = binding.secret(key)
    if "PRIVATE KEY-----" in text:
        raise BadBinding(binding.name, binding.type, key, "private key", ())
    certificates = certificates_in(text)
    if not certificates:
        raise BadBinding(binding.name, binding.type, key, "no certificate", ())
    return certificates


def _counted(number: int) -> str:
    return f"{number} CA certificates" if number > 1 else "1 CA certificate"


def link_config_files(
    pip: Sequence[Binding],
    uv: Sequence[Binding],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
) -> Mapping[str, str]:
    """Return *environ* in which pip and uv find the configuration in their bindings.

    *directory* gets links to the files. Raises BadBinding for an invalid file, SeveralBindings for
    two bindings of one type.
    """
    for tool, bindings, key in (("pip", pip, PIP_CONF), ("uv", uv, UV_TOML)):
        if len(bindings) > 1:
            raise SeveralBindings(tool, tuple(binding.name for binding in bindings), key)
        for binding in bindings:
            only_key(binding, key)
            _check(binding, key)
            link = directory / "config" / tool / key
            link.parent.mkdir(parents=True)
            link.symlink_to(binding.secrets[key])
            output.line(f"{binding.name}: {key} for {tool}")
            if variable := _hidden_by(tool, environ):
                output.line(f"{binding.name}: not read by {tool}, since {variable} is set")
    if not (pip or uv):
        return environ
    directories = environ.get(_DIRECTORIES, "").strip() or _USUAL
    return {**environ, _DIRECTORIES: f"{directory / 'config'}:{directories}"}


def _hidden_by(tool: str, environ: Mapping[str, str]) -> str:
    """Return the variable that keeps *tool* from reading these files, empty if none does."""
    if tool == "pip":
        return "PIP_CONFIG_FILE" if environ.get("PIP_CONFIG_FILE") == os.devnull else ""
    return next(filter(environ.get, ("UV_CONFIG_FILE", "UV_NO_CONFIG")), "")


def add_logins(
    bindings: Iterable[Binding],
    indexes: Iterable[Index],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
) -> Mapping[str, str]:
    """Return *environ* with one .netrc: *bindings*, the logins for *indexes*, the user's own.

    Git reads it only in the home directory, so the build gets one of its own, with links to the
    files in the real one. Raises BadBinding.
    """
    parts = []
    for binding in bindings:
        key = only_key(binding, NETRC, DOT_NETRC)
        parts.append(_netrc(binding, key))
        output.line(f"{binding.name}: .netrc for every tool")
    if not parts and not any(index.user and index.address for index in indexes):
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
    """Yield an entry for each host with only one login; pip and uv get the others in URLs.

    The format has neither ports nor paths, and no spaces.
    """
    logins = {
        (index.host, index.user, index.password)
        for index in indexes
        if index.user and index.address
    }
    hosts = Counter(host for host, _, _ in logins)
    for host, user, password in sorted(logins):
        if hosts[host] == 1 and not re.search(r"[\s\"\\#]", user + password):
            yield f"machine {host} login {user} password {password}"


def _mirror(real: Path, home: Path) -> None:
    home.mkdir()
    try:
        names = [path.name for path in real.iterdir()]
    except OSError:
        return  # it does not exist, or cannot be read
    for name in names:
        if name != DOT_NETRC:
            (home / name).symlink_to(real / name)


def _check(binding: Binding, key: str) -> None:
    """Refuse an invalid file without showing its contents. Raises BadBinding."""
    if key == UV_TOML:
        try:
            toml.read(binding.secrets[key])
        except UnreadableToml as error:
            position = re.search(r"\(at (line \d+)", error.reason)
            reason = f"{position[1]} is not valid TOML" if position else "it is not valid TOML"
            raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None
        return
    import configparser  # noqa: PLC0415 - only for bindings of type pip

    try:
        configparser.RawConfigParser().read_string(binding.secret(key))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), [""])[0]
        reason = f"line {line} is not valid in a configuration file" if line else "see pip's docs"
        raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None


def _netrc(binding: Binding, key: str) -> str:
    import netrc  # noqa: PLC0415 - only for bindings of type netrc

    try:
        netrc.netrc(str(binding.secrets[key]))
    except netrc.NetrcParseError as error:
        reason = f"line {error.lineno} is not valid in a .netrc"
        raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not text" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
        raise BadBinding(binding.name, binding.type, key, "unreadable", (reason,)) from None
    return binding.secret(key)


def _text(file: Path) -> str:
    try:
        return regular_file.read(file).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
