"""Settings of this machine that a build needs: indexes, proxies, a mirror of Pythons."""

import os
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from tools.platforms import rootfs
from tools.processes import say

# How this machine reaches an index. No options that name files of this machine.
INDEX_OPTIONS = ("index-url", "extra-index-url", "trusted-host", "default-timeout", "retries")
UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
# pack and engines pass these on by themselves.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
MIRROR = "BP_PYTHON_MIRROR"
TABLE = rootfs.ROOT / "src/cnb_python/data/python.toml"
ANSWER_SECONDS = 4


def platform_env(environ: Mapping[str, str], pip_config: str) -> dict[str, str]:
    """Return the variables of a build on this machine, from *environ* and `pip config list`.

    These are the user's settings `BP_*` and the settings of indexes, also from pip.conf. Settings
    that name a file of this machine are left out, since a build cannot read it.
    """
    kept = {name: value for name, value in environ.items() if name.startswith("BP_")}
    for option in INDEX_OPTIONS:
        name = f"PIP_{option.upper().replace('-', '_')}"
        value = environ.get(name) or _configured(pip_config, option)
        if value:
            kept[name] = value
    kept |= {name: environ[name] for name in UV_VARIABLES if name in environ}
    return {name: value for name, value in kept.items() if not _names_a_file(value)}


def _configured(pip_config: str, option: str) -> str:
    """Return the value of an option in the output of `pip config list`; empty if not set."""
    values = re.findall(rf"^(?:global|install)\.{option}='(.*)'$", pip_config, re.MULTILINE)
    return values[-1].replace("\\n", " ").strip() if values else ""


def _names_a_file(value: str) -> bool:
    return value.startswith(("/", "~", "./", "file:"))


def of_this_machine() -> dict[str, str]:
    """Return `platform_env` of this process's environment and pip's configuration files."""
    command = (sys.executable, "-m", "pip", "config", "list")
    listed = subprocess.run(command, check=False, capture_output=True, text=True)
    return platform_env(os.environ, listed.stdout)


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy settings, in upper and lower case."""
    names = (name for proxy in PROXIES for name in (proxy, proxy.lower()))
    return {name: environ[name] for name in names if environ.get(name)}


def stays_here(env: Mapping[str, str]) -> bool:
    """Return whether a setting names a server on this machine, which needs the host's network."""
    return any(
        urlsplit(word).hostname in {"127.0.0.1", "localhost", "::1"}
        for value in env.values()
        for word in value.split()
        if "://" in word
    )


@contextmanager
def interpreters(env: Mapping[str, str], arch: str = "") -> Iterator[dict[str, str]]:
    """Yield *env*, with a mirror of Python releases while the block runs if one is needed.

    It is needed if the release host cannot be reached and the user has not named a mirror. It has
    the releases for *arch*, or for this machine.
    """
    if MIRROR in env or _releases_answer():
        yield dict(env)
        return
    say("The host of Python releases cannot be reached: serving Pythons from Go modules")
    # Imported here, since it is rarely needed.
    from tools.pythons import mirror  # noqa: PLC0415

    with mirror.running(arch=arch) as url:
        yield {**env, MIRROR: f"{url}/python.toml"}


def _releases_answer() -> bool:
    """Return whether the first release of the table can be downloaded."""
    url = tomllib.loads(TABLE.read_text())["release"][0]["url"]
    try:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - of this project's table
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - as above
            return True
    except urllib.error.HTTPError as error:
        with error:
            return error.code < 400
    except OSError:
        return False
