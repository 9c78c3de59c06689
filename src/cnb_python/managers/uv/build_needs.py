"""Which packages are built with others of the environment, by the settings of uv.

A build without isolation imports what the environment has, and an extra build dependency may have
to match its version there. https://docs.astral.sh/uv/concepts/projects/config/#build-isolation
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.managers.base import Pin, Resolution, digest
from cnb_python.managers.tool_settings import uv_build_tables

_VARIABLE = "UV_NO_BUILD_ISOLATION"
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})


class BuildNeeds(NamedTuple):
    """What uv's settings say about builds; names are normalized (PEP 503)."""

    is_isolated: bool
    """Packages are built in environments of their own, with exceptions."""
    not_isolated: frozenset[str]
    """The exceptions."""
    matching: Mapping[str, frozenset[str]]
    """By package, the others whose version in its build is that of the environment."""

    def of(self, name: str, installed: frozenset[str]) -> frozenset[str]:
        """Return those of *installed* that the build of *name* needs, if it is built."""
        if not self.is_isolated or name in self.not_isolated:
            return installed
        return self.matching.get(name, frozenset()) & installed


def with_needs(resolution: Resolution, environ: Mapping[str, str], app_dir: Path) -> Resolution:
    """Return *resolution*, which uv installs with its own settings, with what builds need.

    A pin's origin then depends on the pins that its build needs.
    """
    needs = _read(environ, app_dir)
    if needs.is_isolated and not needs.not_isolated and not needs.matching:
        return resolution
    names = frozenset(pin.name for pin in resolution.pins)
    needing = {pin.name: needs.of(pin.name, names - {pin.name}) for pin in resolution.pins}
    pins = {pin.name: pin for pin in resolution.pins}
    return resolution._replace(
        pins=tuple(
            _with_needs(pin, [pins[name] for name in sorted(needing[pin.name])])
            for pin in resolution.pins
        )
    )


def _with_needs(pin: Pin, needed: list[Pin]) -> Pin:
    if not needed:
        return pin
    pin = pin._replace(needs=tuple(each.name for each in needed))
    if not pin.by_itself:
        return pin  # its wheel depends on nothing
    described = (f"{each.name} {each.version} {each.origin}" for each in needed)
    return pin._replace(
        origin=digest((pin.origin, *described)),
        is_cacheable=pin.is_cacheable and all(each.is_cacheable for each in needed),
    )


def _read(environ: Mapping[str, str], app_dir: Path) -> BuildNeeds:
    value = environ.get(_VARIABLE, "").lower()
    is_isolated = value not in _TRUE
    not_isolated = {*environ.get(f"{_VARIABLE}_PACKAGE", "").replace(",", " ").split()}
    matching: dict[str, frozenset[str]] = {}
    for table in uv_build_tables(environ, app_dir):
        # The variable wins.
        is_isolated &= bool(value) or table.get("no-build-isolation") is not True
        not_isolated.update(_texts(table.get("no-build-isolation-package")))
        for name, required in toml.table_at(table, "extra-build-dependencies").items():
            names = matching.get(_normalized(name), frozenset())
            matching[_normalized(name)] = names.union(_matching(required))
    return BuildNeeds(is_isolated, frozenset(map(_normalized, not_isolated)), matching)


def _normalized(name: str) -> str:
    return str(canonicalize_name(name))


def _texts(value: object) -> Iterator[str]:
    yield from (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _matching(required: object) -> Iterator[str]:
    """Yield the names of the requirements that have to match the environment."""
    tables: Iterable[object] = required if isinstance(required, list) else ()
    for table in tables:
        if isinstance(table, dict) and table.get("match-runtime") is True:
            try:
                yield _normalized(Requirement(str(table.get("requirement"))).name)
            except ValueError, RecursionError:
                continue  # uv reports it
