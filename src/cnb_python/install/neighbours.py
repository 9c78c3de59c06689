"""The packages beside which another one is built, if its build imports them.

Separate from `staging`, as few builds have any.
"""

from collections.abc import Collection

from cnb_python.cnb import disk
from cnb_python.distributions import dist_info, scan
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.managers.base import Pin, Resolution


def of(resolution: Resolution, pin: Pin) -> list[Pin]:
    """Return the pins that have to be in the environment when *pin* is built.

    Not those that need others in turn: uv builds them at the same time.
    """
    return [
        other
        for other in resolution.pins
        if other.name in pin.needs and not (other.by_itself and other.needs)
    ]


def remove(root: DistributionRoot, name: str, before: Collection[str]) -> None:
    """Remove the paths *before* from *root*, except those that the distribution *name* has."""
    if not before:
        return
    entries = scan.walk(root.path, root.line)
    installed = dist_info.installed_in(root.path, entries, root.site, str(root.final))
    own = {path for each in installed if each.name == name for path in each.recorded.digests}
    for path in before:
        if path in entries and path not in own:
            disk.remove(root.path / path)
