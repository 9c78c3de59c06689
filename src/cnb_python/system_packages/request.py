"""What the setting `system-packages` may list: names of packages, with a version if need be."""

import re
from typing import NamedTuple

from cnb_python.errors.libraries import BadSystemPackages

# https://www.debian.org/doc/debian-policy/ch-controlfields.html#source and #version. apt would
# take a minus at the end for "do not install", and other names for patterns.
_ENTRY = re.compile(r"([a-z0-9][a-z0-9+.-]*[a-z0-9+.])(?:=([0-9][A-Za-z0-9.+:~-]*))?", re.ASCII)


class Requested(NamedTuple):
    """One entry of the setting."""

    name: str
    version: str
    """Empty: the newest that apt's sources offer."""

    def __str__(self) -> str:
        return f"{self.name}={self.version}" if self.version else self.name


def counted(count: int) -> str:
    """Return the number of packages in words: `2 system packages`."""
    return f"{count} system package{'' if count == 1 else 's'}"


def parsed(entries: tuple[str, ...], origin: str) -> tuple[Requested, ...]:
    """Return the *entries* of the setting that messages call *origin*, sorted by name.

    Raises BadSystemPackages.
    """
    matches = [(entry, _ENTRY.fullmatch(entry)) for entry in entries]
    if wrong := tuple(entry for entry, match in matches if match is None):
        raise BadSystemPackages(wrong, origin)
    requested = {Requested(match[1], match[2] or "") for _, match in matches if match}
    names = [each.name for each in requested]
    if twice := tuple(str(each) for each in sorted(requested) if names.count(each.name) > 1):
        raise BadSystemPackages(twice, origin)
    return tuple(sorted(requested))
