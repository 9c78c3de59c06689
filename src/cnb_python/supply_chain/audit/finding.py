"""The result of an audit as values, and as lines in the metadata of layers and images."""

from collections.abc import Iterable
from typing import NamedTuple

MALWARE = "MAL-"
"""What the names of malware records begin with. https://github.com/ossf/malicious-packages"""
AFFECTED, NOT_AFFECTED, FIXED = "affected", "not_affected", "fixed"
_NONE = "-"
_PARTS = 6


class Finding(NamedTuple):
    """A release with a known vulnerability, or one that is malware."""

    name: str
    version: str
    ids: tuple[str, ...]
    """The names of the vulnerability, the best known first."""
    severity: str
    """One of `SEVERITIES`; empty: unknown."""
    fixed: str
    """The lowest release above it without the vulnerability; empty: none is known."""
    status: str
    """`affected`, or what a VEX document of the app says instead: `not_affected`, `fixed`."""
    source: str = ""
    """The VEX document, and its reason: `vex.json: vulnerable_code_not_present`."""

    @property
    def is_malware(self) -> bool:
        """Whether a record calls the release malware."""
        return any(each.startswith(MALWARE) for each in self.ids)

    @property
    def counts(self) -> bool:
        """Whether no VEX document says that it does not matter."""
        return self.status == AFFECTED

    def __str__(self) -> str:
        """Return a line for the log."""
        more = f" ({', '.join(self.ids[1:])})" if self.ids[1:] else ""
        severity = "malware" if self.is_malware else self.severity or "severity unknown"
        fixed = f", fixed in {self.fixed}" if self.fixed else ""
        return f"{self.name} {self.version}: {self.ids[0]}{more}, {severity}{fixed}"


def as_lines(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return *findings* as lines of metadata, which `from_lines` reads."""
    return tuple(
        " ".join(
            (
                *(each.name, each.version, _word(",".join(each.ids)), each.severity or _NONE),
                *(_word(each.fixed) or _NONE, each.status),
                *((each.source,) if each.source else ()),
            )
        )
        for each in findings
    )


def _word(text: str) -> str:
    """Return *text* of a record without blanks: the next field would not be read as what it is."""
    return "".join(text.split())


def from_lines(lines: Iterable[str]) -> tuple[Finding, ...]:
    """Return the findings in *lines*; damaged lines are left out."""
    return tuple(
        _finding(parts) for line in lines if len(parts := line.split(" ", _PARTS)) >= _PARTS
    )


def _finding(parts: list[str]) -> Finding:
    name, version, ids, severity, fixed, status, *source = parts
    return Finding(
        *(name, version, tuple(ids.split(",")), "" if severity == _NONE else severity),
        *("" if fixed == _NONE else fixed, status, *source),
    )
