"""Rewrites the releases of `data/python.toml` from the table in `pbs-installer`.

Keeps the release lines and their dates: they come from the schedule of each line (PEP
619, 664, 693, 719, 745, 790; https://devguide.python.org/versions/), and are edited by hand.
`--check` writes nothing and fails if the file is not up to date. CHANGELOG.md gets an entry that
lists the new releases.
"""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w
from pbs_installer._utils import PythonVersion
from pbs_installer._versions import PYTHON_VERSIONS

from tools.release import changelog

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "src/cnb_python/data/python.toml"
CHANGELOG = ROOT / "CHANGELOG.md"
# As Go and CNB_TARGET_ARCH name them, and as python-build-standalone does.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
HEADER = """\
# Every Python that can be installed. `make data` rewrites the releases from the newest
# pbs-installer; lines, dates and the default are edited by hand. A test keeps the form canonical.
#
# end_of_life: builds warn during the year before this day, and more loudly after it.
# removed:     builds with this release line fail from this day on: three months after
#              end_of_life, so that deployments do not fail on the day itself.

"""
FIRST_LINE = (3, 10)
# The hash that pbs-installer lacks, as published by rules_python.
HASHES = {
    "20211017/cpython-3.10.0-x86_64-unknown-linux-gnu-install_only-20211017T1616.tar.gz": (
        "eada875c9b39cc4bf4a055dd8f5188e99c0c90dd5deb05b6c213f49482fe20a6"
    )
}


class UnknownLine(Exception):
    """There are builds of a release line that has no dates yet."""


def render(table: Mapping[str, object]) -> str:
    """Return the canonical text of *table*."""
    lines = table["line"]
    if not isinstance(lines, list):
        raise TypeError(lines)
    head = f"{HEADER}{tomli_w.dumps({'default': table['default']})}"
    # One block per line: tomli-w would fold rows this short into an inline array.
    blocks = [f"[[line]]\n{tomli_w.dumps(line)}" for line in sorted(lines, key=_line_order)]
    return "\n".join([head, *blocks, tomli_w.dumps({"release": table["release"]})])


def releases(lines: set[str]) -> Iterator[dict[str, str]]:
    """Yield a row for each build with a hash, newest first; *lines* are those with dates."""
    for version in sorted(PYTHON_VERSIONS, key=_version_order, reverse=True):
        number = (version.major, version.minor)
        if version.implementation != "cpython" or number < FIRST_LINE:
            continue
        if f"{version.major}.{version.minor}" not in lines:
            lacking = f"Give Python {version.major}.{version.minor} a [[line]] in {TABLE.name}."
            raise UnknownLine(lacking)
        yield from _builds(version)


def _builds(version: PythonVersion) -> Iterator[dict[str, str]]:
    for arch, machine in MACHINES.items():
        # True: the archive without the files for building CPython.
        url, sha256 = PYTHON_VERSIONS[version].get(("linux", machine, True), ("", None))
        sha256 = sha256 or HASHES.get("/".join(url.split("/")[-2:]))
        if sha256:
            yield {
                "version": f"{version.major}.{version.minor}.{version.micro}",
                "arch": arch,
                "flavour": "freethreaded" if version.freethreaded else "plain",
                "url": url,
                "sha256": sha256,
            }


def _version_order(version: PythonVersion) -> tuple[int, int, int, bool]:
    return version.major, version.minor, version.micro, not version.freethreaded


def _line_order(line: Mapping[str, str | date]) -> tuple[int, ...]:
    return tuple(int(number) for number in str(line["minor"]).split("."))


def main() -> None:
    """Rewrite or check the table."""
    old = TABLE.read_text()
    table = tomllib.loads(old)
    table["release"] = list(releases({line["minor"] for line in table["line"]}))
    new = render(table)
    if "--check" in sys.argv[1:]:
        sys.exit(f"{TABLE.name} is not up to date: run make data" if new != old else 0)
    TABLE.write_text(new)
    print(f"{TABLE.name}: {len(table['release'])} builds of {len(table['line'])} lines")
    text = CHANGELOG.read_text(encoding="utf-8")
    added = new_versions(tomllib.loads(old), table)
    CHANGELOG.write_text(changelog.with_pythons(text, added), encoding="utf-8")
    if added:
        print(f"{CHANGELOG.name}: {', '.join(sorted(added))}")


def new_versions(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """Return the releases of Python that only the table *new* has."""
    return {row["version"] for row in new["release"]} - {row["version"] for row in old["release"]}


if __name__ == "__main__":
    try:
        main()
    except UnknownLine as error:
        sys.exit(str(error))
