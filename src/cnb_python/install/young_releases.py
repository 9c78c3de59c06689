"""Makes pip and uv leave out releases that the build must not install.

They leave them out when they resolve, and when they download build requirements.

Separate from `staging`, since it does not depend on environments.
"""

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.config.settings import PIP, UV
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.finding import (
    NoSuchPackage,
    NoSuchVersion,
    OnlySource,
    UnfitVersion,
    VersionConflict,
)
from cnb_python.errors.supply_chain.cooldown import NothingOldEnough
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.upload_limit import LimitedVariables, UploadLimit
from cnb_python.managers.base import Excepted, InstallContext, Pin, Resolution
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
    """What stopped the resolution with the limit; raised if all of `resolution` is old enough."""


@dataclass(frozen=True, slots=True)
class YoungReleases:
    """Makes managers leave out young releases during one build."""

    request: EnvironmentRequest
    output: Output
    _logged: set[str] = field(default_factory=set)

    def resolve(self, context: InstallContext, run: Run) -> LimitedResolution:
        """Resolve with the manager and the limit.

        If this fails, or an index does not give the age of releases, the manager resolves again
        with releases of any age and without builds, so that the error can name the young ones.
        Raises NothingOldEnough, and what the manager raises.
        """
        manager, limit = self.request.manager, self.request.resolving
        if not limit:
            return LimitedResolution(manager.resolve(context, run))
        variables = self._variables(limit, context.environ)
        limited = replace(_with_excepted(context, limit), environ=variables.environ)
        try:
            return LimitedResolution(manager.resolve(limited, run))
        except BuildpackError as error:
            failure: BuildpackError = error
            if isinstance(error, _NOT_FOUND):
                failure = NothingOldEnough(error.describe().title, variables.latest)
            try:
                return self._resolve_again(context, run, limit, failure)
            except BuildpackError:
                self.output.line(_left_out(variables.latest))
                raise failure from error if failure is not error else None

    def _resolve_again(
        self, context: InstallContext, run: Run, limit: UploadLimit, failure: BuildpackError
    ) -> LimitedResolution:
        """Resolve with the manager and releases of any age, after *failure*.

        The resolution is only for a message, unless pip had to except packages: pip cannot except
        those that have no wheel, or whose index has no upload times.
        """
        manager, again = self.request.manager, "Resolving again with releases of any age"
        if limit.excepted and self.request.installer != UV:
            names = ", ".join(sorted(limit.excepted))
            self.output.line(f"{again}, since pip could not except {names} alone")
            return LimitedResolution(manager.resolve(context, run))
        self.output.line(again)
        unlimited = replace(context, environ={**context.environ, **_NO_BUILDS})
        return LimitedResolution(manager.resolve(unlimited, run), failure)

    def while_building(
        self, resolution: Resolution, pin: Pin, context: InstallContext, run: Run
    ) -> tuple[InstallContext, Run]:
        """Return *context* and *run* for a build of *pin*, which downloads build requirements."""
        limit = self.request.building
        if limit and resolution.by == PIP and pin.name in limit.excepted:
            # pip would leave out the package itself.
            self.output.line(
                f"Building {pin.name} with build requirements of any age, since pip cannot except "
                f"{pin.name} alone"
            )
            return context, run
        return self.while_installing(context, run, limit)

    def while_installing(
        self, context: InstallContext, run: Run, limit: UploadLimit | None
    ) -> tuple[InstallContext, Run]:
        """Return *context* and *run* for commands that download code that no resolution contains.

        The log gets a line about *limit* if a command fails.
        """
        if not limit:
            return context, run

        def limited(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
            variables = self._variables(limit, command.env)
            outcome = run(replace(command, env=variables.environ), on_line)
            if outcome.code:
                self.output.line(_left_out(variables.latest))
            return outcome

        return _with_excepted(context, limit), limited

    def _variables(self, limit: UploadLimit, environ: Mapping[str, str]) -> LimitedVariables:
        """Return *environ* with *limit*; log once which limit applies if the user has set one."""
        variables = limit.applied(environ, self.request.app.directory)
        for note in variables.notes:
            if note not in self._logged:
                self._logged.add(note)
                self.output.line(note)
        return variables


def _with_excepted(context: InstallContext, limit: UploadLimit) -> InstallContext:
    unlimited = {**context.environ, **_NO_BUILDS}
    return replace(context, excepted=Excepted(limit.excepted, unlimited))


def _left_out(latest: str) -> str:
    return f"Releases since {latest} were left out (cooldown)"
