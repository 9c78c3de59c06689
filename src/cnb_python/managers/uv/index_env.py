"""Where uv looks for what somebody else has decided: the indexes that the user has set up."""

import re
from collections.abc import Iterable, Mapping

from cnb_python.managers.index_config import Network, network_of
from cnb_python.managers.pip.config import read_pip_settings
from cnb_python.managers.uv import commands as uv

# uv's own settings that say where to look, and nothing of what to take or where to put it.
_WAYS = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|INSECURE_HOST"
    r"|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|HTTP_\w+|INDEX_\w+_(USERNAME|PASSWORD))"
)
# pip's, which most build environments have. Those that only pip understands do not count.
_OF_PIP = frozenset(
    {
        *("cert", "client-cert", "default-timeout", "index-url", "proxy", "pypi-url", "retries"),
        *("timeout", "trusted-host"),
    }
)


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ*, that of a manager's processes, for a uv that is told what to install.

    uv's own settings of indexes are stronger than pip's. With hashes for everything it does not
    matter which index has a file, so all are asked.
    """
    own = {name: value for name, value in environ.items() if value and _WAYS.fullmatch(name)}
    options = read_pip_settings(environ).options
    chosen = {name: options[name] for name in _OF_PIP.intersection(options)}
    network = network_of(chosen, environ, "")
    known = network if isinstance(network, Network) else Network("", {})
    return {**uv.clean_variables(environ, known), **_besides(options), **own}


def _besides(options: Mapping[str, str]) -> dict[str, str]:
    found = {
        "UV_INDEX": options.get("extra-index-url", ""),
        "UV_FIND_LINKS": ",".join(options.get("find-links", "").split()),
    }
    return {name: " ".join(value.split()) for name, value in found.items() if value}


def found_by(lines: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` for what an export says in *lines* of where to look, logins and all.

    What it says is stronger than what the user has set up, for the index that it says is the usual
    one; it names none where that is the usual one of everybody.
    """
    made = variables(environ)
    for line in lines:
        option, _, value = line.strip().partition(" ")
        if option in {"-i", "--index-url"}:
            made["UV_DEFAULT_INDEX"] = value.strip()
        elif option == "--extra-index-url":
            made["UV_INDEX"] = f"{made.get('UV_INDEX', '')} {value.strip()}".strip()
        elif option == "--find-links":
            made["UV_FIND_LINKS"] = f"{made.get('UV_FIND_LINKS', '')},{value.strip()}".strip(",")
        elif option == "--trusted-host":
            made["UV_INSECURE_HOST"] = f"{made.get('UV_INSECURE_HOST', '')} {value}".strip()
    return made
