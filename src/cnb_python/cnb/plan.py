"""The build plan, which buildpacks make together before any of them builds.

https://github.com/buildpacks/spec/blob/main/buildpack.md#build-plan-toml
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue, Writable
from cnb_python.errors.base import ContractBroken

# Required by ourselves too: a provide that nobody requires would fail the group.
# https://github.com/buildpacks/spec/blob/main/buildpack.md#phase-1-detection
PYTHON = "python"


def build_plan() -> BuildPlan:
    """Return the plan of an app that this buildpack takes part in."""
    return BuildPlan(provides=(PYTHON,), requires=(Require(PYTHON),))


class Require(NamedTuple):
    """What a buildpack needs from another, or from itself."""

    name: str
    metadata: Mapping[str, Writable] = MappingProxyType({})


class BuildPlan(NamedTuple):
    """What a buildpack offers and needs; *alternatives* are tried in turn when this fails."""

    provides: tuple[str, ...] = ()
    requires: tuple[Require, ...] = ()
    alternatives: tuple[BuildPlan, ...] = ()

    def write(self, path: Path) -> None:
        """Write it for the lifecycle.

        Raises ContractBroken when an alternative has alternatives itself.
        """
        nested = [plan for plan in self.alternatives if plan.alternatives]
        if nested:
            raise ContractBroken("plan.toml", f"alternatives of alternatives: {nested}")
        plan = _option(self)
        if self.alternatives:
            plan["or"] = [_option(plan) for plan in self.alternatives]
        toml.write(path, plan)


def _option(plan: BuildPlan) -> dict[str, Writable]:
    provides = [{"name": name} for name in plan.provides]
    requires = [_require(require) for require in plan.requires]
    parts: dict[str, Writable] = {"provides": provides, "requires": requires}
    return {key: value for key, value in parts.items() if value}


def _require(require: Require) -> dict[str, Writable]:
    metadata: dict[str, Writable] = {"metadata": require.metadata} if require.metadata else {}
    return {"name": require.name} | metadata


class PlanEntry(NamedTuple):
    """What some buildpack of the group asks of us; a name may occur several times."""

    name: str
    metadata: Mapping[str, TomlValue] = MappingProxyType({})


def merged(entries: Iterable[PlanEntry], name: str) -> dict[str, tuple[TomlValue, ...]]:
    """Return what all entries called *name* say: every value of each key, in the group's order."""
    said: dict[str, tuple[TomlValue, ...]] = {}
    for entry in entries:
        if entry.name == name:
            for key, value in entry.metadata.items():
                said[key] = (*said.get(key, ()), value)
    return said
