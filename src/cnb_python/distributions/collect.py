"""Normalizes the files of installed distributions, and describes these.

The result for a distribution depends only on its wheel, its path in the image and the interpreter:
not on the tool that installed it, nor on the other distributions.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import dist_info, elf, entry_points, native, scan
from cnb_python.distributions.bytecode import Package, SourceFile
from cnb_python.distributions.dist_info import DirectUrl, DistributionRoot, Installed
from cnb_python.distributions.model import Distribution, Material
from cnb_python.distributions.scan import Content, DirectoriesTooDeep, FileEntry, reaches
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.packages.install import DamagedPackage
from cnb_python.managers.base import Pin

# The tool that may remove the distribution again. Tools compare it with `pip` or `uv` before they
# change or advise anything, and an image has no such tool.
INSTALLER = b"cnb-python\n"
_REMOVED = ("REQUESTED", "uv_cache.json", "uv_build.json")
_SCRIPTS = "bin/"
_RESERVED_SCRIPT = re.compile(r"python(3(\.\d+t?)?)?")
# Half of the bytecode of numpy, scipy, pandas and scikit-learn. Only a test runner imports these;
# a module with another name, as astropy/tests/runner.py, may be imported by the package itself.
_TEST_MODULE = re.compile(r"(?:.*/)?tests?/(?:.*/)?test_[^/]*\.py")
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class InstalledPin:
    """What was installed for a pin."""

    pin: Pin
    root: DistributionRoot
    may_be_built: bool
    """It was installed by itself, from source unless its `direct_url.json` names a wheel."""
    materials: tuple[Material, ...] = ()
    """What was downloaded for it, as far as the tool's files show."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """One distribution, whose files on disk are normalized."""

    of: InstalledPin
    installed: Installed
    direct_url: DirectUrl
    entries: Mapping[str, FileEntry]
    """By path, without bytecode."""
    rewritten: frozenset[str]
    """The paths of files that differ from what was installed."""

    @property
    def record(self) -> str:
        """The path of its RECORD, which is written when it is compiled."""
        return f"{self.installed.info}/RECORD"

    @property
    def from_source(self) -> bool:
        """Whether it was built from source."""
        return self.of.may_be_built and self.direct_url.is_built


def normalize(of: InstalledPin) -> Normalized:
    """Normalize the files of one distribution, except RECORD.

    Raises OSError, DamagedPackage, and ContractBroken if the root does not contain the pinned
    distribution.
    """
    root = of.root
    try:
        entries = scan.walk(root.path, root.line)
    except DirectoriesTooDeep as error:
        raise DamagedPackage(of.pin.name, str(error)) from error
    candidates = dist_info.installed_in(root.path, entries, root.site, str(root.final))
    installed = _own(candidates, of.pin)
    direct_url = _direct_url(root, entries, installed)
    remaining = set(entries)
    rewritten = _normalize_metadata(root, installed, direct_url, remaining)
    rewritten |= _normalize_scripts(root, installed, remaining)
    normalized = {path: entries[path] for path in remaining - rewritten}
    normalized |= {path: scan.entry(root.path / path) for path in rewritten}
    return Normalized(of, installed, direct_url, normalized, frozenset(rewritten))


def _own(installed: Iterable[Installed], pin: Pin) -> Installed:
    """Return the one of *installed* that *pin* is for; of several, that of the pinned version."""
    own = sorted(
        (each for each in installed if each.name == pin.name),
        key=lambda each: (each.version != pin.version, each.info),
    )
    if not own:
        raise ContractBroken("environment", f"pinned and not installed: {pin.name}")
    return own[0]


def _direct_url(
    root: DistributionRoot, entries: Mapping[str, FileEntry], installed: Installed
) -> DirectUrl:
    path = f"{installed.info}/direct_url.json"
    if path not in entries or entries[path].target:
        return dist_info.NO_DIRECT_URL
    return dist_info.read_direct_url(dist_info.read_file(root.path / path))


def _below(final: Path, directory: str) -> str:
    """Return *directory* relative to the environment *final*; empty if it is outside."""
    below = directory.removeprefix(f"{final}/")
    return "" if below == directory else below


def _normalize_metadata(
    root: DistributionRoot, installed: Installed, direct_url: DirectUrl, paths: set[str]
) -> set[str]:
    """Rewrite the files of the `*.dist-info`, except RECORD; return the paths written.

    RECORD is written at the end. Takes removed files out of *paths*.
    """
    for name in (*_REMOVED, "direct_url.json"):
        path = f"{installed.info}/{name}"
        if path in paths:
            disk.remove(root.path / path)
            paths.discard(path)
    contents = {f"{installed.info}/INSTALLER": INSTALLER}
    if direct_url.content:
        contents[f"{installed.info}/direct_url.json"] = direct_url.content
    for path, content in contents.items():
        disk.write(root.path / path, content)
    return set(contents)


def _normalize_scripts(root: DistributionRoot, installed: Installed, paths: set[str]) -> set[str]:
    """Write the scripts of entry points, and the first lines of others; return their paths."""
    written = set[str]()
    if _SCRIPTS.rstrip("/") in paths:
        return written  # a file or a link, which may lead anywhere
    python = f"{root.final}/bin/python"
    for name, entry_point in installed.scripts.items():
        if not _RESERVED_SCRIPT.fullmatch(name):
            path = f"{_SCRIPTS}{name}"
            (root.path / path).parent.mkdir(exist_ok=True)
            script = entry_points.script(entry_point, python)
            disk.write(root.path / path, script, disk.PROGRAM_MODE)
            written.add(path)
    for path in sorted(paths - written):
        if path.startswith(_SCRIPTS) and not (root.path / path).is_symlink():
            if content := _with_interpreter(root, path):
                disk.write(root.path / path, content)
            # pip keeps the mode of a script that is not Python as in its wheel, uv does not.
            (root.path / path).chmod(disk.PROGRAM_MODE)
            written.add(path)
    return written


def _with_interpreter(root: DistributionRoot, path: str) -> bytes | None:
    file = root.path / path
    with file.open("rb") as stream:
        if stream.read(2) != b"#!":
            return None
    return entry_points.with_interpreter(file.read_bytes(), str(root.path), str(root.final))


def modules_of(normalized: Normalized) -> Package:
    """Return the modules to compile: all but those of test suites."""
    root = normalized.of.root
    directories = (f"{root.site}/", f"{scan.CHECKOUTS}/")
    modules = [
        SourceFile(path, entry.size)
        for path, entry in normalized.entries.items()
        if path.endswith(".py") and path.startswith(directories) and not entry.target
    ]
    compiled = [module for module in modules if not _TEST_MODULE.fullmatch(module.path)]
    return Package(root.path, root.final, compiled)


def described(
    normalized: Normalized, contents: Sequence[Content], machine: int = 0
) -> Distribution:
    """Return the distribution with these *contents*, in the order of their paths.

    *machine*: the `Dynamic.machine` of the interpreter, 0 if it is unknown.
    """
    root, pin = normalized.of.root, normalized.of.pin
    directory = normalized.direct_url.directory
    return Distribution(
        name=pin.name,
        version=normalized.installed.version,
        origin=pin.origin,
        files=tuple(content.file for content in contents),
        reaches=reaches(
            (content.file.path, content.dynamic.run_paths)
            for content in contents
            if content.dynamic.run_paths
        ),
        libpython=elf.libpython_names(content.dynamic for content in contents),
        library_needs=native.needs_of(
            ((content.file.path, content.dynamic) for content in contents), machine
        ),
        from_source=normalized.from_source,
        is_cacheable=pin.is_cacheable and (not directory or bool(_below(root.final, directory))),
        materials=_materials(normalized),
    )


def _materials(normalized: Normalized) -> tuple[Material, ...]:
    """Return what was downloaded for the distribution, sorted: a commit in place of its file."""
    materials = normalized.of.materials
    if commit := dist_info.commit_of(normalized.direct_url):
        materials = (commit, *(each for each in materials if each.builds))
    return tuple(sorted(materials))


def record_messages(normalized: Normalized, contents: Iterable[Content]) -> list[str]:
    """Return log lines about wrong hashes and paths in the RECORD that was installed."""
    recorded, name = normalized.installed.recorded, normalized.installed.name
    wrong = [
        content.file.path
        for content in contents
        if (digest := recorded.digests.get(content.file.path))
        and content.file.path not in {normalized.record, *normalized.rewritten}
        and content.file.digest != digest
    ]
    messages = [f"The RECORD of {name} has wrong hashes: {listed(wrong)}"] if wrong else []
    if recorded.outside:
        messages.append(
            f"The RECORD of {name} lists files outside the environment: {listed(recorded.outside)}"
        )
    return messages


def listed(paths: Sequence[str]) -> str:
    """Return the first of *paths* as one line, and the number of the others."""
    more = len(paths) - _MOST_LISTED
    # Paths of packages must not send control sequences to a terminal.
    printable = [path if path.isprintable() else ascii(path) for path in paths[:_MOST_LISTED]]
    return ", ".join(printable) + (f" and {more} more" if more > 0 else "")
