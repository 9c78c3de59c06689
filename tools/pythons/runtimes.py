"""Directories of Python releases with a `python.toml`: of a mirror or of an offline package."""

import hashlib
import shutil
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache as cache_results
from pathlib import Path

from tools import cache, stage0
from tools.processes import Unavailable, say
from tools.pythons import interpreters

DATA = stage0.ROOT / "src/cnb_python/data/python.toml"


def newest() -> tuple[str, ...]:
    """Return the newest release of every release line before its end of life."""
    table = tomllib.loads(DATA.read_text())
    today = datetime.now(tz=UTC).date()
    alive = {row["minor"] for row in table["line"] if row["end_of_life"] >= today}
    by_minor: dict[str, tuple[int, ...]] = {}
    for row in table["release"]:
        minor, _, _ = row["version"].rpartition(".")
        number = tuple(int(part) for part in row["version"].split("."))
        if minor in alive and number > by_minor.get(minor, ()):
            by_minor[minor] = number
    return tuple(".".join(map(str, number)) for number in sorted(by_minor.values()))


class HostUnreachable(Unavailable):
    """The release host of the Pythons does not answer."""


def offline(arches: Iterable[str], *, released: bool) -> tuple[str, ...]:
    """Return the Pythons of an offline package: the newest of every release line.

    Unless *released*: if the release host does not answer, a release line has its newest Python
    from a Go module. A line without a Go module is left out. Raises Unavailable.
    """
    if released:
        return newest()
    choices = (_available(version, tuple(arches)) for version in newest())
    return tuple(version for version in choices if version)


def _available(version: str, arches: Iterable[str]) -> str | None:
    try:
        for arch in arches:
            downloaded(version, arch)
    except HostUnreachable:
        return newest_module(version.rpartition(".")[0])
    return version


def newest_module(minor: str) -> str | None:
    """Return the newest Python of the release line *minor* that a Go module contains."""
    versions = [each for each in interpreters.MODULES if each.rpartition(".")[0] == minor]
    return max(versions, key=lambda each: int(each.rpartition(".")[2]), default=None)


def bundle(versions: Sequence[str], arch: str, into: Path, *, released: bool = False) -> None:
    """Fill the new directory *into* with the archives of *versions* for *arch* and a table.

    The name of each is its SHA-256: `cnb_python.python.mirror.bundled_archive` expects that.
    *released*: only of the release host, not from Go modules. Raises Unavailable.
    """
    into.mkdir()
    archives = []
    for version in versions:
        fresh = into / interpreters.file_name(version, arch)
        if released:
            shutil.copy(downloaded(version, arch), fresh)
        else:
            _fetch(version, arch, fresh)
        named = into / f"{_sha256(fresh)}.tar.gz"
        archives.append((version, arch, fresh.rename(named)))
    (into / "python.toml").write_text(table(archives))


@cache_results
def downloaded(version: str, arch: str) -> Path:
    """Return the archive of the release host, from the cache if it is there.

    Raises Unavailable if the table does not have it, and HostUnreachable.
    """
    release = _release(version, arch)
    if release is None:
        missing = f"{DATA.name} has no Python {version} for {arch}."
        raise Unavailable(missing)
    name, title = f"release-{version}-{arch}", f"Downloading Python {version} for {arch}"
    try:
        folder = cache.entry(
            name, release["sha256"][:16], title, lambda into: _download(release, into / "archive")
        )
    except (urllib.error.URLError, TimeoutError) as error:
        raise HostUnreachable(stage0.unreachable(release["url"], error)) from error
    return folder / "archive"


def table(archives: Iterable[tuple[str, str, Path]]) -> str:
    """Return the `python.toml` that lists *archives* (version, architecture, file) beside it."""
    rows = [
        f'[[release]]\nversion = "{version}"\narch = "{arch}"\nurl = "{path.name}"\n'
        f'sha256 = "{_sha256(path)}"\n'
        for version, arch, path in archives
    ]
    return "\n".join(rows)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch(version: str, arch: str, to: Path) -> None:
    if _release(version, arch):
        try:
            source = downloaded(version, arch)
        except HostUnreachable as error:
            say(f"  {str(error).splitlines()[0]} Python {version} comes from a Go module.")
        else:
            shutil.copy(source, to)
            return
    shutil.copy(interpreters.archive(version, arch), to)


def _release(version: str, arch: str) -> dict[str, str] | None:
    rows = tomllib.loads(DATA.read_text())["release"] if DATA.exists() else []
    key = {"version": version, "arch": arch, "flavour": "plain"}
    return next((row for row in rows if {"flavour": "plain", **row}.items() >= key.items()), None)


def _download(release: dict[str, str], to: Path) -> None:
    url, seconds = release["url"], stage0.ANSWER_SECONDS
    with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the table's https
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != release["sha256"]:
        problem = f"{release['url']}: its SHA-256 differs from the one in {DATA.name}"
        raise Unavailable(problem)
    to.write_bytes(content)
