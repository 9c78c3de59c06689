"""The numbers of a release of Python. Pure, and quicker to import than `packaging`."""

import re
from typing import NamedTuple

FORM = r"([0-9]+)\.([0-9]+)\.([0-9]+)((?:a|b|rc)[0-9]+)?"
_FORM = re.compile(FORM)
_PRERELEASE = re.compile(r"([a-z]+)([0-9]+)")


class Number(NamedTuple):
    """`3.14.6` or `3.15.0rc1`, taken apart."""

    major: int
    minor: int
    patch: int
    prerelease: str
    """`rc1`; empty for final releases."""

    @classmethod
    def of(cls, version: str) -> Number:
        """Return the numbers of *version*. Raises ValueError for anything of another form."""
        found = _FORM.fullmatch(version)
        if not found:
            raise ValueError(version)
        major, minor, patch, prerelease = found.groups()
        return cls(int(major), int(minor), int(patch), prerelease or "")

    @property
    def order(self) -> tuple[int, int, int, int, str, int]:
        """Sorts as releases follow each other; what leads up to a release comes before it."""
        found = _PRERELEASE.fullmatch(self.prerelease)
        # a < b < rc, also as text.
        phase, number = (found[1], int(found[2])) if found else ("", 0)
        return self.major, self.minor, self.patch, int(not found), phase, number
