"""Verifies that pinned distributions are complete and compatible with each other.

If the pins satisfy every `Requires-Dist` and `Requires-Python`, a resolver has no choice: any tool
that resolves the same pins must give the same result. Separate from `installer`, since it
only reads metadata.
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from cnb_python.managers import markers
from cnb_python.managers.base import Pin
from cnb_python.managers.markers import UnusableMarker

_NOT_UNDERSTOOD = "says what cannot be understood: {}"

type Metadata = Callable[[str], bytes | str]
"""Returns the METADATA of a distribution by its normalized name."""


class Complete(NamedTuple):
    """The pins include every dependency."""

    depends_on_patch: bool
    """Whether another patch release of Python could need other pins."""


class Incomplete(NamedTuple):
    """A dependency is missing or contradicts a pin, or metadata is invalid."""

    reason: str
    """For the log and the build record, so that its wording is a part of the record."""


class _Dependency(NamedTuple):
    """The relevant metadata of a distribution."""

    version: Version
    python: SpecifierSet
    requires: tuple[Requirement, ...]


class _Flaw(Exception):
    """Ends the check; never leaves this module."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__()
        self.reason = f"{name} {problem}"


def verify_pins(
    pins: Sequence[Pin], metadata: Metadata, python: str, processor: str | None = None
) -> Complete | Incomplete:
    """Check the METADATA of *pins*, with extras, and markers evaluated for *python*.

    *python*: the release of the app's interpreter. *processor*: as in markers, by default that of
    this machine. Raises what *metadata* raises.
    """
    check = _Check(python, processor or os.uname().machine)
    try:
        pinned = {pin.name: _read(pin, metadata) for pin in pins}
        results = [
            check.requires_python(name, dependency.python) for name, dependency in pinned.items()
        ]
        results += check.requirements(pinned, {pin.name: frozenset(pin.extras) for pin in pins})
    except _Flaw as flaw:
        return Incomplete(flaw.reason)
    return Complete(any(results))


class UnknownExtra(NamedTuple):
    """An extra that a line asks for, and its release does not have."""

    name: str
    version: str
    extra: str
    provided: tuple[str, ...]
    """The extras that it has, in order."""


def unknown_extras(pins: Sequence[Pin], metadata: Metadata) -> Iterator[UnknownExtra]:
    """Yield the extras of *pins* that their METADATA does not list, of which pip warns.

    https://packaging.python.org/en/latest/specifications/core-metadata/#provides-extra-multiple-use
    """
    for pin in pins:
        if not pin.extras:
            continue
        listed = _message(metadata(pin.name)).get_all("Provides-Extra", [])
        provided = sorted({canonicalize_name(str(extra)) for extra in listed})
        for extra in sorted(set(map(canonicalize_name, pin.extras)) - set(provided)):
            yield UnknownExtra(pin.name, pin.version, extra, tuple(provided))


class _Check(NamedTuple):
    python: str
    processor: str

    def requires_python(self, name: str, specifier: SpecifierSet) -> bool:
        """Return whether the result depends on the patch release. Raises _Flaw if unsatisfied."""

        def contains(python: str) -> bool:
            return specifier.contains(python, prereleases=True)

        try:
            if not contains(self.python):
                raise _Flaw(name, f"requires Python {specifier}")
            return markers.range_depends_on_patch(str(specifier), contains, self.python)
        except ValueError as error:  # a number of thousands of digits
            raise _Flaw(name, _NOT_UNDERSTOOD.format(error)) from None

    def requirements(
        self, pinned: Mapping[str, _Dependency], extras: Mapping[str, frozenset[str]]
    ) -> list[bool]:
        """Check every requirement, including those of extras that other pins require.

        Returns whether each marker depends on the patch release. Raises _Flaw.
        """
        todo = [(name, extra) for name in pinned for extra in ("", *sorted(extras[name]))]
        seen = set(todo)
        results: list[bool] = []
        while todo:
            name, extra = todo.pop()
            for required in pinned[name].requires:
                results.append(self._depends_on_patch(name, required, extra))
                if not self._applies(name, required, extra):
                    continue
                other = _satisfied_by(name, required, pinned)
                new = {(other, canonicalize_name(each)) for each in required.extras} - seen
                seen |= new
                todo += sorted(new)
        return results

    def _applies(self, name: str, required: Requirement, extra: str) -> bool:
        marker = required.marker
        try:
            return marker is None or markers.applies(marker, self.python, self.processor, extra)
        except UnusableMarker as error:
            raise _Flaw(name, f"has a marker that cannot be evaluated: {error}") from None

    def _depends_on_patch(self, name: str, required: Requirement, extra: str) -> bool:
        if required.marker is None:
            return False
        if markers.depends_on_machine(required.marker):
            raise _Flaw(name, f"requires {required.name} on certain machines")
        try:
            return markers.marker_depends_on_patch(
                required.marker, self.python, self.processor, extra
            )
        except UnusableMarker as error:
            raise _Flaw(name, f"has a marker that cannot be evaluated: {error}") from None


def _satisfied_by(name: str, required: Requirement, pinned: Mapping[str, _Dependency]) -> str:
    """Return the name of the pin that satisfies the requirement of *name*. Raises _Flaw."""
    other = canonicalize_name(required.name)
    if required.url:
        raise _Flaw(name, f"requires {other} from an address")
    if other not in pinned:
        raise _Flaw(name, f"requires {other}, which no line names")
    # A pinned pre-release is allowed.
    try:
        is_satisfied = required.specifier.contains(pinned[other].version, prereleases=True)
    except ValueError as error:
        raise _Flaw(name, _NOT_UNDERSTOOD.format(error)) from None
    if not is_satisfied:
        raise _Flaw(name, f"requires {other}{required.specifier}, not {pinned[other].version}")
    return other


def _read(pin: Pin, metadata: Metadata) -> _Dependency:
    message = _message(metadata(pin.name))
    try:
        version = Version(_field(message, "Version"))
        requires = tuple(_requires(message))
        specifier = SpecifierSet(_field(message, "Requires-Python"))
    # ValueError: InvalidRequirement, InvalidSpecifier, InvalidVersion, thousands of digits.
    except (ValueError, RecursionError) as error:
        raise _Flaw(pin.name, _NOT_UNDERSTOOD.format(error)) from None
    if canonicalize_name(_field(message, "Name")) != pin.name or version != Version(pin.version):
        raise _Flaw(pin.line.split()[0], f"calls itself {_field(message, 'Name')} {version}")
    return _Dependency(version, specifier, requires)


def _message(content: bytes | str) -> Message:
    if isinstance(content, bytes):
        return BytesHeaderParser().parsebytes(content)
    return HeaderParser().parsestr(content)


def _requires(message: Message) -> Iterator[Requirement]:
    for line in message.get_all("Requires-Dist", []):
        yield Requirement(str(line).replace("\n", " "))


def _field(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()
