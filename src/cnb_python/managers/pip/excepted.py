"""Makes pip accept releases of any age of some packages, and leave out young releases of others.

pip's limit has no exceptions, but does not apply to local files. So pip first resolves without the
limit and without building anything, and the build downloads the wheels that pip chooses for these
packages. Then pip resolves with the limit, and finds the wheels in a directory.

Separate from `install`, since most builds except no packages.

https://pip.pypa.io/en/stable/user_guide/#filtering-by-upload-time
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.managers.tool_settings import read_pip_settings
from cnb_python.system.interface import Run


class ExceptedWheels(NamedTuple):
    """Wheels that pip may install at any age."""

    directory: Path
    pins: Mapping[str, Pin] = {}
    """The pins of these wheels in the index, by name."""

    def added_to(self, context: InstallContext) -> InstallContext:
        """Return *context* for a pip that finds the wheels."""
        if not self.pins:
            return context
        # The variable overrides the option of a configuration file.
        own = read_pip_settings(context.environ).options.get("find-links", "")
        links = f"{own} {self.directory.as_uri()}".strip()
        return replace(context, environ={**context.environ, "PIP_FIND_LINKS": links})

    def restored(self, resolution: Resolution) -> Resolution:
        """Return *resolution* with the pins of the index in place of the local wheels."""
        local = f"{self.directory.as_uri()}/"
        pins = (
            self.pins[pin.name]._replace(extras=pin.extras)
            if pin.name in self.pins and pin.address.startswith(local)
            else pin
            for pin in resolution.pins
        )
        return resolution._replace(pins=tuple(pins))


def download(
    files: Sequence[str],
    finding: Sequence[str],
    context: InstallContext,
    run: Run,
    read: Callable[[Path], Resolution],
) -> ExceptedWheels:
    """Download the wheels that pip chooses for *files*, of the packages that *context* excepts.

    No wheels if there are no such packages, or if pip fails: the resolution with the limit then
    shows the reason. *finding*: the options of *files* that set where pip looks for packages.
    *read* reads a report of pip.
    """
    unlimited = replace(
        context,
        environ=context.excepted.environ,
        scratch=context.scratch / "excepted",
        builds=False,
    )
    wheels = ExceptedWheels(unlimited.wheels)
    if not context.excepted.names:
        return wheels
    unlimited.scratch.mkdir(exist_ok=True)
    report = unlimited.scratch / "report.json"
    names = ", ".join(sorted(context.excepted.names))
    resolve = replace(
        pip_commands.resolve(files, unlimited, report),
        note=f"releases of any age, to choose wheels of {names}",
    )
    if run(resolve).code:
        return wheels
    pins = {
        pin.name: pin
        for pin in read(report).pins
        if pin.name in context.excepted.names and not pin.by_itself
    }
    commands = pip_commands.install_exactly(tuple(pins.values()), finding, unlimited)
    return wheels._replace(pins=pins) if not any(run(each).code for each in commands) else wheels
