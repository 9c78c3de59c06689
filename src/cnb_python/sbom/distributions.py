"""Installed distributions as components: from METADATA, file names and embedded SBOMs.

Separate from `provision/sboms.py`, which reads their files.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from email.message import Message
from email.parser import HeaderParser
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.distributions.model import Distribution
from cnb_python.managers import markers
from cnb_python.managers.markers import UnusableMarker
from cnb_python.sbom import embedded, purl
from cnb_python.sbom.identity import inside
from cnb_python.sbom.licenses import license_of
from cnb_python.sbom.model import Component, Property
from cnb_python.system.redaction import parts_of, shown

PREFIX = "cnb-python:"
SBOMS = ".dist-info/sboms/"
"""Where a wheel has SBOMs of what is copied into it: https://peps.python.org/pep-0770/"""
_METADATA = ".dist-info/METADATA"
# auditwheel copies libraries there, and adds a part of their digest to their names:
# `numpy.libs/libgfortran-040039e1.so.5.0.0`. Names that other tools give may not be text.
_COPIED_LIBRARY = re.compile(
    r"[!-.0-~]+\.libs/(?P<file>(?P<name>lib[!-~]+?)-[0-9a-f]{8}(?P<end>\.[!-~]+))"
)
_HOMEPAGE = re.compile(r"https?://[^\s<>\"{}|\\^`\[\]]+")
_HOME_LABELS = ("homepage", "home-page", "home")
_LONGEST_SUMMARY = 512
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Described(NamedTuple):
    """An installed distribution, with what its own files state about it."""

    distribution: Distribution
    metadata: bytes
    """Its METADATA; empty if it cannot be read."""
    sboms: Mapping[str, bytes]
    """The SBOMs in its wheel, by their file names."""


class MarkerValues(NamedTuple):
    """What environment markers depend on."""

    python: str
    """The release: `3.14.6`."""
    processor: str
    """As markers have it: `x86_64`."""


class _Needs(NamedTuple):
    """A requirement of a distribution."""

    name: str
    extras: frozenset[str]


def components(
    described: Iterable[Described],
    interpreter: MarkerValues,
    declared: Container[str] = frozenset(),
) -> dict[str, Component]:
    """Return a component for each distribution, by name; all of them are in one environment.

    *declared*: the names of those that the app's project names.
    `depends_on` names distributions of the whole environment.
    """
    installed = {each.distribution.name: each for each in described}
    fields = {
        # Its encoding: https://packaging.python.org/en/latest/specifications/core-metadata/
        name: HeaderParser().parsestr(each.metadata.decode("utf-8", "replace"))
        for name, each in installed.items()
    }
    needs = _resolved(
        {name: _texts(each, "Requires-Dist") for name, each in fields.items()}, interpreter
    )
    refs = {name: purl.pypi(name, each.distribution.version) for name, each in installed.items()}
    required_by: dict[str, list[str]] = {name: [] for name in installed}
    for name in sorted(needs):
        for needed in needs[name]:
            required_by[needed].append(name)
    return {
        name: _related(
            _component(installed[name], fields[name], refs[name]),
            sorted(refs[needed] for needed in needs[name]),
            required_by[name],
            is_direct=name in declared or not required_by[name],
        )
        for name in installed
    }


def _component(described: Described, fields: Message, ref: str) -> Component:
    distribution = described.distribution
    libraries = embedded.components(described.sboms, ref)
    copied = _copied_libraries(distribution, ref) if not libraries else ()
    return Component(
        ref=ref,
        name=distribution.name,
        version=distribution.version,
        purl=ref,
        license=license_of(
            _text(fields, "License-Expression"),
            _text(fields, "License"),
            _texts(fields, "Classifier"),
        ),
        description=_one_line(_text(fields, "Summary")),
        homepage=_homepage(fields),
        contains=(*libraries, *copied),
        sha256=_sha256(distribution),
        properties=(
            *_origin(distribution),
            *(
                (f"{PREFIX}unreadable-sbom", _one_line(name))
                for name, content in sorted(described.sboms.items())
                if not embedded.is_read(content)
            ),
        ),
    )


def _sha256(distribution: Distribution) -> str:
    """Return the SHA-256 of its wheel, or of the sdist that it was built from; empty: unknown."""
    digests = {each.digest for each in distribution.materials if not each.builds}
    kind, _, digest = digests.pop().partition(":") if len(digests) == 1 else ("", "", "")
    return digest if kind == "sha256" else ""


def _origin(distribution: Distribution) -> Iterator[Property]:
    """Yield the file that it was installed from, and the host of the index that has it.

    No address: it may have a port or a path of one machine, and equal files give equal SBOMs.
    """
    for material in distribution.materials:
        if material.builds:
            continue
        yield f"{PREFIX}file", material.name
        if host := parts_of(material.address).hostname:
            yield f"{PREFIX}index", host
        if material.digest and not material.digest.startswith("sha256:"):
            yield f"{PREFIX}commit", material.digest.partition(":")[2]


def _related(
    component: Component,
    depends_on: Iterable[str],
    required_by: Sequence[str],
    *,
    is_direct: bool,
) -> Component:
    kind = "direct" if is_direct else "transitive"
    relations = ((f"{PREFIX}required-by", name) for name in required_by)
    properties = (*component.properties, (f"{PREFIX}requirement", kind), *relations)
    return component._replace(depends_on=tuple(depends_on), properties=properties)


def _resolved(
    requirements: Mapping[str, Sequence[str]], interpreter: MarkerValues
) -> dict[str, set[str]]:
    """Return the names of the installed distributions that each one requires, also for extras.

    An extra counts if an installed distribution requires it.
    """
    parsed = {name: list(_parsed(lines, requirements)) for name, lines in requirements.items()}
    extras: dict[str, set[str]] = {name: {""} for name in requirements}
    waiting = set(requirements)
    needs: dict[str, set[str]] = {name: set() for name in requirements}
    while waiting:
        name = waiting.pop()
        for needed in _applying(parsed[name], extras[name], interpreter):
            if needed.name != name:
                needs[name].add(needed.name)
            if not needed.extras <= extras[needed.name]:
                extras[needed.name] |= needed.extras
                waiting.add(needed.name)
    return needs


def _applying(
    requirements: Iterable[Requirement], extras: Iterable[str], interpreter: MarkerValues
) -> Iterator[_Needs]:
    for requirement in requirements:
        marker = requirement.marker
        try:
            applies = marker is None or any(
                markers.applies(marker, interpreter.python, interpreter.processor, extra)
                for extra in extras
            )
        except UnusableMarker:
            continue
        if applies:
            names = frozenset(map(canonicalize_name, requirement.extras))
            yield _Needs(canonicalize_name(requirement.name), names)


def _parsed(lines: Iterable[str], installed: Container[str]) -> Iterator[Requirement]:
    """Yield those requirements of *lines* that name one of the *installed* distributions."""
    for line in lines:
        name = _NAME.match(line)
        # Parsing takes long, and most lines are about extras that are not installed.
        if name is None or canonicalize_name(name[1]) not in installed:
            continue
        try:
            requirement = Requirement(line)
        except ValueError, RecursionError:
            continue
        yield requirement


def _copied_libraries(distribution: Distribution, ref: str) -> Iterator[Component]:
    """Yield the libraries that auditwheel copied into the wheel, by their file names.

    Their versions are unknown: that at the end of the name is the version of the interface.
    """
    for file in distribution.files:
        path = "/".join(file.path.split("/")[-2:])
        match = _COPIED_LIBRARY.fullmatch(path)
        if match and not file.target:
            yield Component(
                ref=inside(ref, match["file"]),
                name=match["name"],
                sha256=file.digest,
                properties=(
                    (f"{PREFIX}file", path),
                    (f"{PREFIX}soname", match["name"] + match["end"]),
                ),
            )


def _homepage(fields: Message) -> str:
    urls = [_text(fields, "Home-page")]
    for line in _texts(fields, "Project-URL"):
        label, _, url = line.partition(",")
        if label.strip().lower() in _HOME_LABELS:
            urls.append(url)
    fitting = (url.strip() for url in urls if _HOMEPAGE.fullmatch(url.strip()))
    # Some are not addresses: their host has a character that means a slash.
    return next((shown(url) for url in fitting if parts_of(url).netloc), "")


def _text(fields: Message, name: str) -> str:
    value = fields.get(name)
    return str(value) if value is not None else ""


def _texts(fields: Message, name: str) -> list[str]:
    return [str(value) for value in fields.get_all(name, [])]


def _one_line(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return "" if line == "UNKNOWN" else line[:_LONGEST_SUMMARY]
