"""Translates pip's settings for indexes, proxies and certificates to uv's variables.

pip's settings are variables (`PIP_INDEX_URL`), files (`pip.conf`) and lines of requirements files.
Every module that runs uv for an app gets the variables for it here.
https://docs.astral.sh/uv/reference/environment/
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from cnb_python.errors.choosing import UnreadablePipConfig
from cnb_python.errors.locks import UnreplacedVariable
from cnb_python.managers.base import NeedsResolving, PackageIndexes, Pin
from cnb_python.managers.requirement_lines import option_of
from cnb_python.managers.tool_settings import (
    NO_INDEXES,
    pip_variable_name,
    read_pip_settings,
    uv_indexes,
)

PUBLIC_INDEX = "https://pypi.org/simple/"
"""The index that pip and uv ask by default."""
_INDEX_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# uv's settings of its default index, and of further places with packages.
_UV_DEFAULTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_UV_FURTHER = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
# uv's settings of where to look, but not of what to take or where to put it.
_UV_NETWORK = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|INSECURE_HOST"
    r"|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|HTTP_\w+|INDEX_\w+_(USERNAME|PASSWORD))"
)
# Variables for the user's own use of uv, pip and conda; those that count are translated.
_FOREIGN = ("UV_", "PIP_", "CONDA_")
# pip's network options, each with the same meaning for uv.
_PIP_NETWORK = frozenset(
    {
        *("cert", "client-cert", "default-timeout", "index-url", "proxy", "pypi-url", "retries"),
        *("timeout", "trusted-host"),
    }
)
_PIP_ADDRESSES = frozenset({"index-url", "pypi-url", "extra-index-url", "find-links"})
_VARIABLE = re.compile(r"\$\{(\w+)\}")
# The logins of indexes that the files of an app name.
_LOGINS = re.compile(r"(?:UV_INDEX_\w+|POETRY_HTTP_BASIC_\w+|PDM_PYPI)_(?:USERNAME|PASSWORD)")
_PIP_SOURCES = frozenset({"extra-index-url", "find-links", "no-index"})
# As pip reads a switch in a variable or a file.
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
# pip's options without effect on what is installed: bytecode and caches are the buildpack's own.
_WITHOUT_EFFECT = frozenset(
    {
        *("break-system-packages", "cache-dir", "compile", "debug", "disable-pip-version-check"),
        *("exists-action", "log", "log-file", "local-log", "no-cache-dir", "no-color"),
        *("no-compile", "no-input", "no-python-version-warning", "no-warn-conflicts"),
        *("no-warn-script-location", "progress-bar", "quiet", "report", "require-virtualenv"),
        *("require-venv", "root-user-action", "verbose"),
    }
)
_NUMBERS = {"timeout": float, "default-timeout": float, "retries": int}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# What pip's HTTP library reads where pip itself has no setting.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Network(NamedTuple):
    """How uv reaches the single index that pip would ask."""

    index_url: str
    """Empty: PyPI."""
    variables: Mapping[str, str]
    """For uv. An empty value: the variable must not reach it."""


NO_NETWORK = Network("", MappingProxyType({}))


def with_pip_indexes(
    environ: Mapping[str, str], app_dir: Path | None = None, lines: Iterable[str] = ()
) -> dict[str, str]:
    """Return *environ* with pip's settings of indexes as uv's, for a uv that resolves.

    uv's own settings win: its default index replaces that of pip, and its further indexes
    replace those of pip. *app_dir*: where uv reads its configuration files; None: it reads none.
    *lines*: options of requirements files, which are stronger than pip's settings too. Raises
    UnreadablePipConfig.
    """
    check_uv_addresses(environ, app_dir)
    options, own = pip_options(environ), _own_indexes(environ, app_dir)
    is_in_file = any(option_of(line)[0] == "index-url" for line in lines)
    translated = {}
    if (index := _index_of(options)) and not (own.default or is_in_file):
        translated["UV_DEFAULT_INDEX"] = index
    if not own.further:
        translated |= dict(_further_sources(options))
    if "UV_INDEX" in translated:
        # pip takes the best release of all indexes.
        translated["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    # Certificates and proxies are for the indexes that they were set up with.
    is_pips = not (own.default or own.further)
    network = _ways_to_indexes(options, environ) if is_pips else dict(_trusted_hosts(options))
    of_uv = {name: value for name, value in environ.items() if name.startswith("UV_") and value}
    variables = {**environ, **translated, **network, **of_uv}
    return {name: value for name, value in variables.items() if value}


def index_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environ* for a uv that installs exact releases.

    uv's own settings of indexes are stronger than pip's. With hashes for everything it does not
    matter which index has a file, so all of them are asked. Raises UnreadablePipConfig.
    """
    own = {name: value for name, value in environ.items() if value and _UV_NETWORK.fullmatch(name)}
    check_uv_addresses(own, None)
    options = pip_options(environ)
    index = "" if any(map(own.get, _UV_DEFAULTS)) else _index_of(options)
    network = Network(index, _ways_to_indexes(options, environ))
    return {**clean_variables(environ, network), **dict(_further_sources(options)), **own}


def asks_no_index(environ: Mapping[str, str], app_dir: Path | None = None) -> bool:
    """Whether pip is configured to ask no index, and uv has no default index of its own.

    uv has an option for that, and no variable. *app_dir*: as for `with_pip_indexes`. Raises
    UnreadablePipConfig.
    """
    is_set = pip_options(environ).get("no-index", "").lower() in _TRUE
    return is_set and not _own_indexes(environ, app_dir).default


def check_replaced(setting: str, address: str) -> None:
    """Refuse an *address* of *setting* with a variable in it: the tools do not replace it there.

    The index would refuse the build, or another one would be asked in its place. Raises
    UnreplacedVariable.
    """
    if names := tuple(dict.fromkeys(_VARIABLE.findall(address))):
        raise UnreplacedVariable(setting, names)


def check_pip_addresses(options: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Refuse variables in the addresses of pip's *options*. Raises UnreplacedVariable."""
    names = {pip_variable_name(name) for name in environ}
    for option in _PIP_ADDRESSES.intersection(options):
        variable = f"PIP_{option.upper().replace('-', '_')}"
        check_replaced(variable if variable in names else "pip.conf", options[option])


def check_uv_addresses(environ: Mapping[str, str], app_dir: Path | None) -> None:
    """Refuse variables in the addresses of uv's own settings. Raises UnreplacedVariable."""
    logins = sorted(filter(_LOGINS.fullmatch, environ))
    for name in (*_UV_DEFAULTS, *_UV_FURTHER, *logins):
        check_replaced(name, environ.get(name, ""))
    in_files = uv_indexes(environ, app_dir) if app_dir else NO_INDEXES
    for address in (in_files.default, *in_files.further):
        check_replaced("uv's configuration", address)


def pip_options(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return pip's settings for another tool, by the name of the option.

    Raises UnreadablePipConfig: without the file the tool would ask the public index. Raises
    UnreplacedVariable.
    """
    settings = read_pip_settings(environ)
    if settings.unreadable:
        raise UnreadablePipConfig(settings.unreadable)
    check_pip_addresses(settings.options, environ)
    return settings.options


def for_indexes(options: Mapping[str, str]) -> dict[str, str]:
    """Return those of pip's *options* that say where packages are, and how to reach it."""
    return {name: value for name, value in options.items() if name in _PIP_NETWORK | _PIP_SOURCES}


def exported_index_variables(lines: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return `index_variables` with the indexes that *lines* of an export name, logins included.

    The default index of an export is stronger than that of the user; an export names none if it is
    PyPI.
    """
    return in_lines(lines, index_variables(environ))


def in_lines(lines: Iterable[str], usual: Mapping[str, str]) -> dict[str, str]:
    """Return the *usual* variables of uv with the indexes that *lines* name."""
    variables = dict(usual)
    for line in lines:
        match option_of(line):
            case "index-url", address:
                variables["UV_DEFAULT_INDEX"] = address
            case "extra-index-url", address:
                variables["UV_INDEX"] = f"{variables.get('UV_INDEX', '')} {address}".strip()
            case "find-links", page:
                links = f"{variables.get('UV_FIND_LINKS', '')},{page}".strip(",")
                variables["UV_FIND_LINKS"] = links
            case "trusted-host", host:
                hosts = f"{variables.get('UV_INSECURE_HOST', '')} {host}".strip()
                variables["UV_INSECURE_HOST"] = hosts
            case _:
                pass
    return variables


def indexes_of_uv(
    environ: Mapping[str, str], app_dir: Path, lines: Iterable[str] = ()
) -> dict[str, str]:
    """Return `with_pip_indexes`, with the indexes of uv's configuration files and of *lines*.

    Raises UnreadablePipConfig.
    """
    variables = with_pip_indexes(environ, app_dir, lines)
    in_files = uv_indexes(environ, app_dir)
    if in_files.default and not names_index(variables):
        variables["UV_DEFAULT_INDEX"] = in_files.default
    if in_files.further and not any(map(variables.get, _UV_FURTHER)):
        variables["UV_INDEX"] = " ".join(in_files.further)
    return in_lines(lines, variables)


def package_indexes(
    variables: Mapping[str, str], own: Callable[[Pin], tuple[str, ...]] | None = None
) -> PackageIndexes:
    """Return the indexes in uv's *variables*; *own* returns those that a lock names for a pin."""
    usual = (*_further(variables), _default(variables))
    # A directory has no upload times.
    addresses = tuple(address for address in usual if is_index(address))

    def of(pin: Pin) -> tuple[tuple[str, ...], ...]:
        named = own(pin) if own else ()
        usual_only = tuple(address for address in addresses if address not in named)
        return tuple(filter(None, (named, usual_only)))

    return PackageIndexes(of, variables)


def _default(variables: Mapping[str, str]) -> str:
    named = next(filter(None, map(variables.get, _UV_DEFAULTS)), "")
    return _with_login(named, variables) or PUBLIC_INDEX


def _further(variables: Mapping[str, str]) -> Iterator[str]:
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        for written in variables.get(name, "").split():
            yield _with_login(written, variables)


def _with_login(written: str, variables: Mapping[str, str]) -> str:
    """Return the address in *written*, `name=https://...`, with the login for that name.

    https://docs.astral.sh/uv/concepts/indexes/#providing-credentials-directly
    """
    name, mark, address = written.partition("=")
    if not mark or not _INDEX_NAME.fullmatch(name):
        return written
    prefix = f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
    user, password = (variables.get(f"{prefix}_{key}", "") for key in ("USERNAME", "PASSWORD"))
    if not (user or password) or "@" in urlsplit(address).netloc:
        return address
    return address.replace("://", f"://{quote(user, safe='')}:{quote(password, safe='')}@", 1)


def names_index(variables: Mapping[str, str]) -> bool:
    """Whether uv's *variables* name an index in place of the public one."""
    return any(map(variables.get, _UV_DEFAULTS))


def network_of(
    options: Mapping[str, str], environ: Mapping[str, str], index_url: str
) -> Network | NeedsResolving:
    """Return how uv reaches what pip would reach with *options* and *environ*.

    *index_url* is that of the app's requirements file, which is stronger than *options*.
    NeedsResolving where uv cannot do the same. Raises UnreplacedVariable.
    """
    untranslated = sorted(options.keys() - _WITHOUT_EFFECT - _PIP_NETWORK)
    if untranslated:
        return NeedsResolving(f"pip is configured with {' and '.join(untranslated)}")
    check_pip_addresses(options, environ)
    index = index_url or _index_of(options)
    trusted = tuple(options.get("trusted-host", "").split())
    if index and not (is_index(index) and _is_allowed(index, trusted)):
        return NeedsResolving("only pip can use the index")
    try:
        variables = dict(_network_variables(options, environ))
    except ValueError, OverflowError:
        return NeedsResolving("pip is configured with a value that is not a number")
    certificates = variables.get("SSL_CERT_FILE") or variables.get("SSL_CERT_DIR")
    if certificates and not Path(certificates).exists():
        return NeedsResolving(
            f"pip looks for certificates at {certificates}, which does not exist"
        )
    return Network(index, variables)


def network_variables(options: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables with which another HTTP client reaches servers as pip does.

    *options* are pip's. Those that are no number where they have to be are left out: pip reports
    that. An empty value: the variable must not reach it.
    """
    usable = {
        name: value
        for name, value in options.items()
        if name not in _NUMBERS or _is_number(value, _NUMBERS[name])
    }
    return dict(_network_variables(usable, environ))


def _ways_to_indexes(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return `network_variables` without certificates that do not exist."""
    variables = network_variables(options, environ)
    file = variables.get("SSL_CERT_FILE") or variables.get("SSL_CERT_DIR")
    is_missing = file and not Path(file).exists()
    certificates = {"SSL_CERT_FILE", "SSL_CERT_DIR"} if is_missing else ()
    return {name: value for name, value in variables.items() if name not in certificates}


def clean_variables(environ: Mapping[str, str], network: Network) -> dict[str, str]:
    """Return *environ* for uv: nothing that uv reads by itself, everything that pip reads."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    # By a variable: every process of the machine can see arguments.
    index = {"UV_DEFAULT_INDEX": network.index_url} if network.index_url else {}
    variables = kept | index | dict(network.variables)
    return {name: value for name, value in variables.items() if value}


def is_index(url: str) -> bool:
    """Whether *url* is the address of an index on the web, not of a directory."""
    try:
        address = urlsplit(url)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False


def _is_number(text: str, kind: Callable[[str], float]) -> bool:
    try:
        ceil(kind(text))
    except ValueError, OverflowError:
        return False
    return True


class _OwnIndexes(NamedTuple):
    """Which settings of indexes uv has itself."""

    default: bool
    further: bool


def _own_indexes(environ: Mapping[str, str], app_dir: Path | None) -> _OwnIndexes:
    in_files = uv_indexes(environ, app_dir) if app_dir else NO_INDEXES
    return _OwnIndexes(
        bool(in_files.default) or any(map(environ.get, _UV_DEFAULTS)),
        bool(in_files.further) or any(map(environ.get, _UV_FURTHER)),
    )


def _index_of(options: Mapping[str, str]) -> str:
    return options.get("index-url", "") or options.get("pypi-url", "")


def _further_sources(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if indexes := options.get("extra-index-url", "").split():
        yield "UV_INDEX", " ".join(indexes)
    if links := options.get("find-links", "").split():
        yield "UV_FIND_LINKS", ",".join(links)


def _trusted_hosts(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if hosts := options.get("trusted-host"):
        yield "UV_INSECURE_HOST", " ".join(hosts.split())


def _network_variables(
    options: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield uv's variables. Raises ValueError or OverflowError for what is not a number."""
    bundle = options.get("cert") or next(filter(None, map(environ.get, _BUNDLES)), "")
    if bundle:
        is_directory = Path(bundle).is_dir()
        yield "SSL_CERT_DIR" if is_directory else "SSL_CERT_FILE", bundle
        yield "SSL_CERT_FILE" if is_directory else "SSL_CERT_DIR", ""
    # Both take one file with certificate and key. Without pip's option uv shows none either.
    client = options.get("client-cert", "")
    if client or environ.get("SSL_CLIENT_CERT"):
        yield "SSL_CLIENT_CERT", client
    if proxy := options.get("proxy"):
        # pip then ignores the environment, even its exceptions.
        for name in _PROXIES:
            yield from ((name, ""), (name.lower(), ""))
        yield from (("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy))
    if timeout := options.get("timeout") or options.get("default-timeout"):
        yield "UV_HTTP_TIMEOUT", str(max(1, ceil(float(timeout))))
    if retries := options.get("retries"):
        yield "UV_HTTP_RETRIES", str(max(0, int(retries)))
    yield from _trusted_hosts(options)


def _is_allowed(index: str, trusted: tuple[str, ...]) -> bool:
    """Whether pip asks *index*: without encryption only a trusted or local host."""
    address = urlsplit(index)
    host = address.hostname or ""
    return (
        address.scheme == "https"
        or host == "localhost"
        or _is_loopback(host)
        or bool({host, address.netloc.rpartition("@")[2]} & set(trusted))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
