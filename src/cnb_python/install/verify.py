"""Proves that pinned distributions are complete and agree with each other.

Where every `Requires-Dist` and `Requires-Python` is satisfied by the pins themselves, there is
nothing left to choose, and any tool that resolves the same pins must take them or be wrong.
https://packaging.python.org/en/latest/specifications/core-metadata/
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cnb_python.managers import markers
from cnb_python.managers.base import Pin

type Metadata = Callable[[str], bytes | str]
"""Looks up a distribution's METADATA by its normalised name."""


class Complete(NamedTuple):
    """The pins are all there is to know."""

    depends_on_patch: bool
    """Another patch release of Python may need others."""


class Incomplete(NamedTuple):
    """Something is missing, contradicts another, or cannot be understood."""

    reason: str
    """In a sentence, for the log."""


class _Dependency(NamedTuple):
    """One distribution, read."""

    version: Version
    python: SpecifierSet
    requires: tuple[Requirement, ...]


class _Flaw(Exception):
    """Ends the walk; never leaves this module."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__()
        self.reason = f"{name} {problem}"


def verify_pins(
    pins: Sequence[Pin], metadata: Metadata, python: str, processor: str | None = None
) -> Complete | Incomplete:
    """Walk the METADATA of *pins*, with extras and markers as *python* sees them.

    *python* is the release of the app's interpreter, *processor* the machine's, by default ours.
    Raises what *metadata* raises.
    """
    walk = _Walk(python, processor or os.uname().machine)
    try:
        found = {pin.name: _read(pin, metadata) for pin in pins}
        depends_on_patch = [walk.serves_python(name, one.python) for name, one in found.items()]
        depends_on_patch += walk.requirements(
            found, {pin.name: frozenset(pin.extras) for pin in pins}
        )
    except _Flaw as flaw:
        return Incomplete(flaw.reason)
    return Complete(any(depends_on_patch))


class _Walk(NamedTuple):
    python: str
    processor: str

    def serves_python(self, name: str, specifier: SpecifierSet) -> bool:
        """Whether another patch release is answered differently. Raises _Flaw for this one."""

        def contains(python: str) -> bool:
            return specifier.contains(python, prereleases=True)

        if not contains(self.python):
            raise _Flaw(name, f"requires Python {specifier}")
        return markers.range_depends_on_patch(str(specifier), contains, self.python)

    def requirements(
        self, found: Mapping[str, _Dependency], extras: Mapping[str, frozenset[str]]
    ) -> list[bool]:
        """Check every requirement, also those of extras that others ask for.

        Returns of each marker that was met whether it depends on the patch release.
        """
        todo = [(name, extra) for name in found for extra in ("", *sorted(extras[name]))]
        seen = set(todo)
        depends_on_patch: list[bool] = []
        while todo:
            name, extra = todo.pop()
            for required in found[name].requires:
                depends_on_patch.append(self._is_sensitive(name, required, extra))
                if not self._applies(required, extra):
                    continue
                other = _check(name, required, found)
                new = {(other, canonicalize_name(one)) for one in required.extras} - seen
                seen |= new
                todo += sorted(new)
        return depends_on_patch

    def _applies(self, required: Requirement, extra: str) -> bool:
        marker = required.marker
        return marker is None or markers.applies(marker, self.python, self.processor, extra)

    def _is_sensitive(self, name: str, required: Requirement, extra: str) -> bool:
        if required.marker is None:
            return False
        if markers.depends_on_machine(required.marker):
            raise _Flaw(name, f"requires {required.name} on certain machines")
        return markers.marker_depends_on_patch(required.marker, self.python, self.processor, extra)


def _check(name: str, required: Requirement, found: Mapping[str, _Dependency]) -> str:
    """Return the name of what answers what *name* requires."""
    other = canonicalize_name(required.name)
    if required.url:
        raise _Flaw(name, f"requires {other} from an address")
    if other not in found:
        raise _Flaw(name, f"requires {other}, which no line names")
    # Pre-releases too: the pin of one is the permission.
    if not required.specifier.contains(found[other].version, prereleases=True):
        raise _Flaw(name, f"requires {other}{required.specifier}, not {found[other].version}")
    return other


def _read(pin: Pin, metadata: Metadata) -> _Dependency:
    content = metadata(pin.name)
    # Of one kind to the parser whatever it is read from.
    message: Message = (
        BytesHeaderParser().parsebytes(content)
        if isinstance(content, bytes)
        else HeaderParser().parsestr(content)
    )
    try:
        version = Version(_field(message, "Version"))
        requires = tuple(_requires(message))
        specifier = SpecifierSet(_field(message, "Requires-Python"))
    except (InvalidRequirement, InvalidSpecifier, InvalidVersion) as error:
        raise _Flaw(pin.name, f"says what cannot be understood: {error}") from None
    if canonicalize_name(_field(message, "Name")) != pin.name or version != Version(pin.version):
        raise _Flaw(pin.line.split()[0], f"calls itself {_field(message, 'Name')} {version}")
    return _Dependency(version, specifier, requires)


def _requires(message: Message) -> Iterator[Requirement]:
    for line in message.get_all("Requires-Dist", []):
        yield Requirement(str(line).replace("\n", " "))


def _field(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()
