"""Makes pip and uv leave out releases that the build must not install.

They leave them out when they resolve, and when they download build requirements.

Separate from `staging`, since it does not depend on environments.
"""

from collections.abc import Callable, Mapping
from copy import replace
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.finding import (
    NoSuchPackage,
    NoSuchVersion,
    OnlySource,
    UnfitVersion,
    VersionConflict,
)
from cnb_python.errors.supply_chain.cooldown import NothingOldEnough
from cnb_python.managers.base import InstallContext, Manager, Resolution
from cnb_python.system.interface import Command, Outcome, Output, Run

# Failures that can have left-out releases as their cause. Other failures have another cause.
_NOT_FOUND = (NoSuchPackage, NoSuchVersion, OnlySource, UnfitVersion, VersionConflict)
# Packages of an index are not built, and no build requirements downloaded: no young code runs.
# https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-no-build-isolation (0: not isolated)
_NO_BUILDS: Mapping[str, str] = MappingProxyType(
    {
        "PIP_ONLY_BINARY": ":all:",
        "PIP_NO_BUILD_ISOLATION": "0",
        "UV_NO_BUILD": "1",
        "UV_NO_BUILD_ISOLATION": "1",
    }
)


class LimitedResolution(NamedTuple):
    """A resolution, which may be for a message alone."""

    resolution: Resolution
    failure: BuildpackError | None = None
    """What stopped the resolution with limits. To be raised if all of this one is old enough."""


def resolve(
    manager: Manager,
    context: InstallContext,
    run: Run,
    limits: Mapping[str, str],
    output: Output,
) -> LimitedResolution:
    """Resolve with *manager* and *limits*, variables by which pip and uv leave out releases.

    If that fails, or an index does not give the age of releases, it resolves again with releases
    of any age and without builds, so that the error can name the young ones. Raises
    NothingOldEnough, and what the manager raises.
    """
    if not limits:
        return LimitedResolution(manager.resolve(context, run))
    limited = replace(context, environ={**limits, **context.environ})
    try:
        return LimitedResolution(manager.resolve(limited, run))
    except BuildpackError as error:
        output.line("Resolving again, with releases of any age")
        failure: BuildpackError = error
        if isinstance(error, _NOT_FOUND):
            failure = NothingOldEnough(error.describe().title, _latest(limits))
        unlimited = replace(context, environ={**context.environ, **_NO_BUILDS})
        try:
            return LimitedResolution(manager.resolve(unlimited, run), failure)
        except BuildpackError:
            output.line(_left_out(limits))
            raise failure from error if failure is not error else None


def leaving_out(limits: Mapping[str, str], run: Run, output: Output) -> Run:
    """Return *run* with *limits*, for commands that download code that no resolution contains.

    *limits*: as in `resolve`; if empty, *run* is returned as it is. *output* gets a line about the
    limits if a command fails.
    """

    def limited(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        outcome = run(replace(command, env={**limits, **command.env}), on_line)
        if outcome.code:
            output.line(_left_out(limits))
        return outcome

    return limited if limits else run


def _left_out(limits: Mapping[str, str]) -> str:
    return f"Releases since {_latest(limits)} were left out (cooldown)"


def _latest(limits: Mapping[str, str]) -> str:
    return next(iter(limits.values()))
