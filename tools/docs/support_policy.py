"""Writes SECURITY.md: how to report a vulnerability, what is supported, and for how long.

Its lists are those of the code and the data, so that the policy never promises something else.
"""

import re
import tomllib
from collections.abc import Iterator
from itertools import groupby

from cnb_python.cnb.context import SUPPORTED_APIS
from tools.package import assemble

_PINS = assemble.ROOT / "tools/go"
_PYTHONS = assemble.ROOT / "src/cnb_python/data/python.toml"
_LIFECYCLE = re.compile(r"^require github\.com/buildpacks/lifecycle v(\S+)$", re.MULTILINE)

_TEXT = """\
# Security and support

{made}

## Report a vulnerability

Use "Report a vulnerability" on the page "Security" of the repository, so that it stays private
until it is fixed. Please do not open a public issue. Name the version of the buildpack, and what
an attacker needs and gains. You get an answer within 2 working days. [What a malicious package
can do](docs/security.md) says what the buildpack promises; a break of such a promise is a
vulnerability.

## How fast fixes are released

| what | released within |
|---|---|
| a security release of CPython, after python-build-standalone has built it | 1 day |
| a high or critical vulnerability in this buildpack or what it contains | 2 working days |
| another vulnerability in them | 30 days |
| a new base image, Debian or Ubuntu package | not at all: rebase the image, or build it again |

What a package of the buildpack contains is in its SBOM. A release makes no layer of your packages
again ([what an upgrade changes](docs/reproducible-builds.md#what-an-upgrade-changes)), so you can
take each release at once.

## Which releases get fixes

The newest release. Fixes are not added to older ones, since a new minor release changes no
setting that you have. Builds warn of what will be removed for at least three months before a
release removes it, and the [changelog](CHANGELOG.md) lists it.

## Pythons

Each patch release of these lines can be installed. From a line's end of life on, builds warn;
they stop three months later.

| Python | end of life | builds stop |
|---|---|---|
{pythons}

## Platforms

| what | supported |
|---|---|
| Buildpack API | {apis} |
| lifecycle | {lifecycles} |

These lifecycles are tested; others that support one of the Buildpack APIs should work. A
lifecycle is tested as long as releases of `pack`, kpack or Tekton contain it.

## Targets

| architecture | distributions that are tested |
|---|---|
{targets}

Another distribution with glibc 2.17 or newer works if its images have the libraries that packages
need. A distribution is tested until its vendor ends its security updates.
"""


def page(made: str) -> str:
    """Return the page; *made*: the comment that it is generated."""
    return _TEXT.format(
        made=made.format("tools/docs/support_policy.py"),
        pythons="\n".join(_pythons()),
        apis=", ".join(SUPPORTED_APIS),
        lifecycles=", ".join(lifecycles()),
        targets="\n".join(_targets()),
    )


def lifecycles() -> list[str]:
    """Return the releases of the lifecycle that tests use, oldest first."""
    files = _PINS.glob("lifecycle*/go.mod")
    found = {each for file in files for each in _LIFECYCLE.findall(file.read_text())}
    return sorted(found, key=lambda each: tuple(map(int, each.split("."))))


def _pythons() -> Iterator[str]:
    """Yield a row for each line that has releases, newest first."""
    table = tomllib.loads(_PYTHONS.read_text(encoding="utf-8"))
    installable = {row["version"].rpartition(".")[0] for row in table["release"]}
    for line in reversed(table["line"]):
        if line["minor"] in installable:
            yield f"| {line['minor']} | {line['end_of_life']} | {line['removed']} |"


def _targets() -> Iterator[str]:
    rows = tomllib.loads(assemble.descriptor())["targets"]
    pairs = sorted(
        (row["arch"], f"{distro['name'].title()} {distro['version']}")
        for row in rows
        for distro in row.get("distros", ())
    )
    for arch, group in groupby(pairs, key=lambda pair: pair[0]):
        yield f"| {arch} | {', '.join(name for _, name in group)} |"
