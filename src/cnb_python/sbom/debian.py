"""Debian packages as components, from what the layer of system packages records of them.

Separate from the layer, which an unchanged build reuses without this.
"""

import re
from collections.abc import Iterable, Iterator

from cnb_python.sbom import purl
from cnb_python.sbom.model import Component

# As `PlannedPackage` prints it: `libpq5=15.3-0+deb12u1 amd64 <SHA-256>`.
_LINE = re.compile(r"(?P<name>[^=\s]+)=(?P<version>\S+) (?P<arch>\S+) (?P<sha256>[0-9a-f]{64})")


def components(lines: Iterable[str], distribution: str) -> Iterator[Component]:
    """Yield the packages of *lines*: name, version, architecture, SHA-256 of the package's file.

    *distribution*: `debian 12`, the ID and VERSION_ID of os-release(5).
    """
    for line in lines:
        if match := _LINE.fullmatch(line):
            name, version = match["name"], match["version"]
            ref = purl.deb(name, version, match["arch"], distribution)
            yield Component(ref, name, version, purl=ref, sha256=match["sha256"])
