"""Checks that a checkout is ready for a release: all problems at once."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from tools.processes import run
from tools.release import changelog, previous

_VERSION = re.compile(r"\d+\.\d+\.\d+")


class Checkout(NamedTuple):
    """What a release depends on besides the code: texts of files."""

    descriptor: str
    """buildpack.toml"""
    project: str
    """pyproject.toml"""
    package: str
    """package.toml"""
    changelog: str
    previous: str
    """The version in `tools/release/previous.toml`."""
    changes: str
    """What `git status` prints of changed and new files; empty if there are none."""


def read(root: Path) -> Checkout:
    """Return the checkout in the directory *root*. Raises `Unavailable` without Git."""

    def text(name: str) -> str:
        return (root / name).read_text(encoding="utf-8")

    return Checkout(
        descriptor=text("buildpack.toml"),
        project=text("pyproject.toml"),
        package=text("package.toml"),
        changelog=text("CHANGELOG.md"),
        previous=previous.pins()["version"],
        changes=run("git", "status", "--porcelain", cwd=root),
    )


def problems(version: str, checkout: Checkout) -> list[str]:
    """Return everything that has to change before *version* can be released."""
    if not _VERSION.fullmatch(version):
        return [f"{version} is not a version such as 0.2.0"]
    found = []
    if checkout.changes:
        found.append(f"the checkout has changes:\n{checkout.changes.rstrip()}")
    declared = tomllib.loads(checkout.descriptor)["buildpack"]["version"]
    if declared != version:
        found.append(f'buildpack.toml has version {declared}: write `version = "{version}"`')
    if tomllib.loads(checkout.project)["project"]["version"] != "0":
        found.append('pyproject.toml needs `version = "0"`: buildpack.toml has the version')
    if tomllib.loads(checkout.package)["buildpack"]["uri"] != "dist/buildpack":
        found.append('package.toml needs `uri = "dist/buildpack"`')
    if _numbers(checkout.previous) >= _numbers(version):
        found.append(f"{version} is not newer than {checkout.previous}, the previous release")
    return [*found, *changelog.problems(checkout.changelog, version)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
