"""Resolves and installs with a manager alone, as a build does with workshops in between."""

from collections.abc import Iterable
from dataclasses import replace

from cnb_python.managers.base import InstallContext, Manager, Pin, Resolution
from cnb_python.system.interface import Run


def resolve_and_install(manager: Manager, context: InstallContext, run: Run) -> Resolution:
    """Resolve, build what is no wheel, and fetch the others. Raises the manager's failure."""
    resolution = manager.resolve(context, run)
    install_all(manager, resolution, resolution.pins, context, run)
    return resolution


def install_all(
    manager: Manager,
    resolution: Resolution,
    pins: Iterable[Pin],
    context: InstallContext,
    run: Run,
) -> None:
    """Build those of *pins* that are no wheels, and fetch the others."""
    building = replace(context, builds=True)
    wheels = []
    for pin in pins:
        if pin.by_itself:
            assert not manager.install(resolution, [pin], building, run)
        else:
            wheels.append(pin)
    unbuilt: frozenset[str] = frozenset(pin.name for pin in wheels)
    while wheels and unbuilt:
        unbuilt = manager.install(resolution, wheels, context, run)
        for pin in wheels:
            if pin.name in unbuilt:
                assert not manager.install(resolution, [pin], building, run)
        wheels = [pin for pin in wheels if pin.name not in unbuilt]
