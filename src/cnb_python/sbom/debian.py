"""Debian packages as components, from what the layer of system packages records of them.

Separate from the layer, which an unchanged build reuses without this.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from cnb_python.sbom.model import Component

# As `PlannedPackage` prints it: `libpq5=15.3-0+deb12u1 amd64 <SHA-256>`.
_LINE = re.compile(r"(?P<name>[^=\s]+)=(?P<version>\S+) (?P<arch>\S+) (?P<sha256>[0-9a-f]{64})")


def components(lines: Iterable[str], distribution: str) -> Iterator[Component]:
    """Yield the packages of *lines*: name, version, architecture, SHA-256 of the package's file.

    *distribution*: `debian 12`, the ID and VERSION_ID of os-release(5).
    https://github.com/package-url/purl-spec/blob/main/types-doc/deb-definition.md
    """
    vendor = distribution.partition(" ")[0]
    for line in lines:
        if match := _LINE.fullmatch(line):
            version = quote(match["version"], safe=":~")
            where = f"arch={match['arch']}&distro={quote(distribution.replace(' ', '-'))}"
            purl = f"pkg:deb/{vendor}/{quote(match['name'])}@{version}?{where}"
            yield Component(
                purl, match["name"], match["version"], purl=purl, sha256=match["sha256"]
            )
