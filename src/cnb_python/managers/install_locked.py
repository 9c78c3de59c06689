"""Has uv install what a lock file says, each package from the index that the lock names.

A `pylock.toml` names files, which uv fetches without asking an index. The lines that other tools
export name releases with hashes, which uv has to look for.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.errors.network import IndexRefused, SourceRefused
from cnb_python.managers.base import InstallContext, Pin
from cnb_python.managers.pylock_file import LOCK, packages_of
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Run

_PROXY_STATUS = 407

type Home = Callable[[Pin], tuple[str, ...]]
"""Returns the addresses, with logins, of the indexes that a package may come from.

Empty: those that the user has set up.
"""


class IndexedLock(NamedTuple):
    """A lock that names an index for each package."""

    manager: str
    """As users write it: `Poetry`."""
    home: Home


def install_from_indexes(
    pins: Sequence[Pin],
    lock: IndexedLock,
    context: InstallContext,
    run: Run,
    sources: uv.UvSources,
) -> None:
    """Install exactly *pins*, each from its index in *lock*, and what builds them from *sources*.

    uv passes over an index without a package of that name. Raises the failure that uv reports, and
    SourceRefused.
    """
    by_home: defaultdict[tuple[str, ...], list[Pin]] = defaultdict(list)
    for pin in pins:
        by_home[lock.home(pin)].append(pin)
    for addresses, group in sorted(by_home.items()):
        try:
            install(group, context, run, _preferring(addresses, sources))
        except IndexRefused as refused:
            if addresses and refused.status != _PROXY_STATUS:
                raise SourceRefused(lock.manager, refused.url, refused.status) from refused
            raise


def _preferring(addresses: tuple[str, ...], sources: uv.UvSources) -> uv.UvSources:
    if not addresses:
        return sources
    further = sources.variables.get("UV_INDEX", "")
    indexes = " ".join(filter(None, (*addresses, further)))
    variables = {**sources.variables, "UV_INDEX": indexes}
    return sources._replace(variables=variables, strategy=uv.FIRST_INDEX)


def install(pins: Sequence[Pin], context: InstallContext, run: Run, sources: uv.UvSources) -> None:
    """Install exactly *pins* from *sources*. Raises the failure that uv reports."""
    locks = [pin.line for pin in pins if pin.line.startswith(LOCK)]
    lines = [pin.line for pin in pins if not pin.line.startswith(LOCK)]
    commands = []
    if locks:
        lock = context.scratch / "pylock.decided.toml"
        packages = [package for line in locks for package in packages_of(line, lock)]
        toml.write(lock, {"lock-version": "1.0", "created-by": "cnb-python", "packages": packages})
        commands.append(uv.install_locked(lock, len(packages), context, sources))
    if lines:
        file = context.scratch / "locked.txt"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        commands.append(uv.install_locked(file, len(lines), context, sources))
    for command in commands:
        outcome = run(command)
        if outcome.code:
            raise uv.explain(command, outcome, context)
