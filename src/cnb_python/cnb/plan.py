"""The build plan: what buildpacks provide to and require from each other.

https://github.com/buildpacks/spec/blob/main/buildpack.md#build-plan-toml
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue, Writable

# The buildpack also requires it itself: a `provides` without `requires` would fail the group.
# https://github.com/buildpacks/spec/blob/main/buildpack.md#phase-1-detection
PYTHON = "python"


def build_plan() -> BuildPlan:
    """Return the plan of this buildpack for an app that passes detection."""
    return BuildPlan(provides=(PYTHON,), requires=(Require(PYTHON),))


class Require(NamedTuple):
    """What a buildpack requires from another, or from itself."""

    name: str
    metadata: Mapping[str, Writable] = MappingProxyType({})


class BuildPlan(NamedTuple):
    """What a buildpack provides and requires."""

    provides: tuple[str, ...] = ()
    requires: tuple[Require, ...] = ()

    def write(self, path: Path) -> None:
        """Write the plan to *path* for the lifecycle."""
        provides = [{"name": name} for name in self.provides]
        requires = [_require(require) for require in self.requires]
        parts: dict[str, Writable] = {"provides": provides, "requires": requires}
        toml.write(path, {key: value for key, value in parts.items() if value})


def _require(require: Require) -> dict[str, Writable]:
    metadata: dict[str, Writable] = {"metadata": require.metadata} if require.metadata else {}
    return {"name": require.name} | metadata


class PlanEntry(NamedTuple):
    """What a buildpack of the group requires from this one; a name may occur several times."""

    name: str
    metadata: Mapping[str, TomlValue] = MappingProxyType({})


def merged(entries: Iterable[PlanEntry], name: str) -> dict[str, tuple[TomlValue, ...]]:
    """Return the values of each metadata key in the entries called *name*, in order."""
    values: dict[str, tuple[TomlValue, ...]] = {}
    for entry in entries:
        if entry.name == name:
            for key, value in entry.metadata.items():
                values[key] = (*values.get(key, ()), value)
    return values
