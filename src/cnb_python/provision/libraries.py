"""The shared libraries that the image needs of its run image: warnings, and a label.

Separate from `native_libraries`, which finds them: an unchanged build only reads the record.

The record has, by library: its state, the distributions that need it, joined by commas, and the
versions that they need.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.config.settings import IGNORE, LIBRARIES, Settings
from cnb_python.errors.base import Message
from cnb_python.layers.cache_keys import SYSTEM_PACKAGES

LABEL = "io.github.cnb-python.libraries"
"""The image's label: what it needs of the run image, as JSON."""
TABLE = Path(__file__).parents[1] / "data/shared_libraries.toml"

LARGEST_LABEL = 256 << 10
"""In bytes. Labels are in the image's configuration, which every client loads as a whole."""

IN_BUILD_IMAGE, IN_A_LAYER, MISSING, MAY_BE_NEEDED = "+", "~", "-", "?"
_MOST_NAMES = 3
# In every image with Debian's or Ubuntu's base system: the C and C++ libraries, and what dpkg, apt
# and ca-certificates need. Python and wheels need them too (PEP 600).
_BASE = re.compile(
    r"ld-linux[\w-]*\.so\.\d|lib(?:"
    r"(?:c|m)\.so\.6|(?:dl|nsl|pthread|resolv|rt|util|anl|mvec|BrokenLocale|thread_db)\.so\.[012]|"
    r"(?:gcc_s|z|bz2|crypt|acl|attr|uuid|blkid|mount|selinux|udev|zstd|lz4)\.so\.1(?:\.0)?|"
    r"stdc\+\+\.so\.6|lzma\.so\.5|(?:crypto|ssl)\.so\.3|tinfo\.so\.6|systemd\.so\.0|"
    r"pcre2-8\.so\.0|cap\.so\.2"
    r")"
)
# Libraries that apt and PAM are linked with, which are in the base system of some releases. A base
# system may lack one. The layer of system packages then has it, so this pattern is for them alone.
_BASE_OF_SYSTEM_PACKAGES = re.compile(
    r"lib(?:"
    r"(?:apt-p(?:kg|rivate)|semanage|sepol|unistring|nettle|hogweed|ffi)\.so\.[\d.]+|"
    r"(?:gnutls\.so\.30|gmp\.so\.10|gcrypt\.so\.20|db-5\.3\.so|tasn1\.so\.6|tic\.so\.6)|"
    r"(?:audit|smartcols)\.so\.1|(?:com_err|e2p|ext2fs|psx|seccomp|ss)\.so\.2|"
    r"(?:cap-ng|debconfclient|gpg-error|idn2|md|p11-kit|pam|pam_misc|pamc|xxhash)\.so\.0"
    r")"
)


class RecordedLibrary(NamedTuple):
    """What the record has of a library."""

    state: str
    distributions: tuple[str, ...]
    versions: tuple[str, ...]

    def text(self) -> str:
        """Return the value in the record, which `parsed` reads."""
        names = sorted(self.distributions)[:_MOST_NAMES]
        return " ".join((self.state, ",".join(names), *self.versions))


def parsed(text: str) -> RecordedLibrary:
    """Return what *text* records; it may come from a damaged record."""
    state, _, users = text.partition(" ")
    names, *versions = users.split(" ")
    return RecordedLibrary(state, tuple(names.split(",")), tuple(versions))


def is_in_every_image(library: str) -> bool:
    """Whether every image for Python apps has *library*."""
    return _BASE.fullmatch(library) is not None


def _is_expected(library: str, distributions: Sequence[str]) -> bool:
    """Whether a run image for *distributions* has *library* in its base system."""
    return is_in_every_image(library) or (
        list(distributions) == [SYSTEM_PACKAGES]
        and _BASE_OF_SYSTEM_PACKAGES.fullmatch(library) is not None
    )


def labels(recorded: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of the image; none if it needs no library.

    A label that would be larger than `LARGEST_LABEL` leaves out libraries that every image has. If
    that is not enough, it leaves out packages, then versions, and last the longest names.
    """
    needed = {
        library: {"packages": each.distributions, "versions": each.versions}
        for library, each in _parsed(recorded)
        if each.state in {IN_BUILD_IMAGE, MISSING}
    }
    text = _json(needed)
    if len(text) > LARGEST_LABEL:
        needed = {name: each for name, each in needed.items() if not is_in_every_image(name)}
        text = _json(needed)
    for key in ("packages", "versions"):
        if len(text) > LARGEST_LABEL:
            needed = {name: {**each, key: ()} for name, each in needed.items()}
            text = _json(needed)
    while len(text) > LARGEST_LABEL:
        # Names of libraries in files of packages may be any text of any length.
        needed = {name: needed[name] for name in sorted(needed, key=len)[: len(needed) // 2]}
        text = _json(needed)
    return {LABEL: text} if needed else {}


def _json(needed: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    return json.dumps(needed, sort_keys=True, separators=(",", ":"))


def warnings(recorded: Mapping[str, str], settings: Settings) -> tuple[Message, ...]:
    """Return warnings about libraries that the run image may not have."""
    if settings.libraries == IGNORE:
        return ()
    entries = _parsed(recorded)
    unusual = [
        (library, each)
        for library, each in entries
        if each.state == IN_BUILD_IMAGE and not _is_expected(library, each.distributions)
    ]
    missing = [(library, each) for library, each in entries if each.state == MISSING]
    optional = [(library, each) for library, each in entries if each.state == MAY_BE_NEEDED]
    groups = (
        (
            missing,
            "Packages need shared libraries that were not found",
            "Importing these packages fails if the run image does not have them:",
        ),
        (
            unusual,
            "The run image needs shared libraries that minimal images do not have",
            "The build image has these libraries. Check that the run image has them too:",
        ),
        (
            optional,
            "Parts of packages need shared libraries that were not found",
            "The packages can be imported, but what uses these libraries fails:",
        ),
    )
    silence = f"If the app works without them, {LIBRARIES}={IGNORE} turns this warning off."
    packages = Packages.read() if unusual or missing or optional else None
    return tuple(
        Message(title, (sentence, *_lines(group, packages), silence))
        for group, title, sentence in groups
        if group and packages
    )


def _parsed(recorded: Mapping[str, str]) -> list[tuple[str, RecordedLibrary]]:
    return [(library, parsed(text)) for library, text in sorted(recorded.items())]


def _lines(group: Iterable[tuple[str, RecordedLibrary]], packages: Packages) -> Iterable[str]:
    for library, each in group:
        names = ", ".join(each.distributions)
        package = packages.phrase(library)
        yield f"  - {library}{f' ({package})' if package else ''} for {names}"


class Packages:
    """The packages of Debian and Ubuntu that hold libraries."""

    def __init__(self, by_library: Mapping[str, tuple[str, str]]) -> None:
        self._by_library = by_library

    @classmethod
    def read(cls, table: Path = TABLE) -> Packages:
        """Read the *table* of the buildpack."""
        by_library = {}
        for row in toml.tables_at(toml.read(table), "library"):
            files = row["files"]
            for library in files if isinstance(files, list) else ():
                by_library[str(library)] = str(row["debian"]), str(row["ubuntu"])
        return cls(by_library)

    def __contains__(self, library: str) -> bool:
        return library in self._by_library

    def names(self, library: str) -> tuple[str, str]:
        """Return the packages of Debian and Ubuntu that hold *library*; empty: unknown."""
        return self._by_library.get(library, ("", ""))

    def phrase(self, library: str) -> str:
        """Return both packages as a phrase; empty if they are not known."""
        return package_phrase(*self.names(library))


def package_phrase(debian: str, ubuntu: str) -> str:
    """Return the packages that hold a library as a phrase.

    >>> package_phrase("libpq5", "libpq5"), package_phrase("a", "b")
    ('package libpq5', 'package a on Debian, b on Ubuntu')
    """
    if debian == ubuntu:
        return f"package {debian}" if debian else ""
    names = [
        f"{name} on {system}" for name, system in ((debian, "Debian"), (ubuntu, "Ubuntu")) if name
    ]
    return f"package {', '.join(names)}"
