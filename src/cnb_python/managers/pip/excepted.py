"""Makes pip take releases of any age of some packages, while it leaves out young ones of others.

pip's limit has no exceptions, but it does not apply to files of this machine. So pip resolves
without the limit and without building anything, and the wheels that it chooses of these packages
are downloaded. The resolution that counts has the limit, and finds them in a directory.

Separate from `install`, which most builds need without this.

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
    """The releases by their names, as the index has them."""

    def added_to(self, context: InstallContext) -> InstallContext:
        """Return *context* for a pip that finds the wheels."""
        if not self.pins:
            return context
        # The variable hides the option of a configuration file.
        own = read_pip_settings(context.environ).options.get("find-links", "")
        links = f"{own} {self.directory.as_uri()}".strip()
        return replace(context, environ={**context.environ, "PIP_FIND_LINKS": links})

    def restored(self, resolution: Resolution) -> Resolution:
        """Return *resolution* with the releases of the index instead of the wheels here."""
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
    """Download the wheels that pip chooses for *files* of the packages that *context* excepts.

    None if there are no such packages, or pip fails: the resolution with the limit then shows
    why. *finding*: the options of the files that choose where pip looks. *read* reads a report.
    """
    apart = replace(
        context,
        environ=context.excepted.environ,
        scratch=context.scratch / "excepted",
        builds=False,
    )
    wheels = ExceptedWheels(apart.wheels)
    if not context.excepted.names:
        return wheels
    apart.scratch.mkdir(exist_ok=True)
    report = apart.scratch / "report.json"
    names = ", ".join(sorted(context.excepted.names))
    resolve = replace(
        pip_commands.resolve(files, apart, report), note=f"any age, for the wheels of {names}"
    )
    if run(resolve).code:
        return wheels
    pins = {
        pin.name: pin
        for pin in read(report).pins
        if pin.name in context.excepted.names and not pin.by_itself
    }
    commands = pip_commands.install_exactly(tuple(pins.values()), finding, apart)
    return wheels._replace(pins=pins) if not any(run(each).code for each in commands) else wheels
