"""The README.md of a release: its Pythons, and whether it may be published."""

from collections.abc import Iterable, Mapping
from typing import Any

# The end of the reference that `tools.release.sbom` gives to the Pythons of an offline package.
_FOR_APPS = "?for=apps"
RESTRICTED = (
    "Not for publication: some Pythons in these packages come from Go modules, not from the "
    "release host of python-build-standalone."
)


def pythons(sbom: Mapping[str, Any]) -> list[str]:
    """Return the Pythons for apps that the CycloneDX document *sbom* of a package lists."""
    rows = (row for row in sbom["components"] if str(row.get("bom-ref")).endswith(_FOR_APPS))
    return [row["version"] for row in rows]


def text(version: str, bundled: Iterable[str], expected: Iterable[str], *, released: bool) -> str:
    """Return the README of release *version*.

    *bundled*: the Pythons of the offline packages; *expected*: those of a complete release.
    *released*: all Pythons come from the release host.
    """
    contents = sorted(bundled, key=_numbers)
    lines = [f"# Release {version}", ""]
    if not released:
        complete = "`make release` without `GO_MODULES=1` makes complete packages."
        lines += [f"{RESTRICTED} {complete}", ""]
    if not contents:
        return "\n".join([*lines, "There are no offline packages."]) + "\n"
    lines.append(f"The offline packages contain Python {', '.join(contents)}.")
    lines += [_missing(each, contents) for each in expected if each not in contents]
    return "\n".join(lines) + "\n"


def _missing(version: str, bundled: Iterable[str]) -> str:
    line = version.rpartition(".")[0]
    instead = [each for each in bundled if each.rpartition(".")[0] == line]
    return f"Python {version} is missing" + (
        f": {instead[0]} takes its place." if instead else f", and so is its release line {line}."
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
