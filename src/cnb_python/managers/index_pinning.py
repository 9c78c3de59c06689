"""Installs what a lock binds to an index from there: another index may have the same name.

The hashes of a lock let nothing else in. But uv takes a release from the first index that has it,
and stops where that is another file: whoever puts the name of a company's package on the public
index could so keep the company from building.
https://docs.astral.sh/uv/concepts/indexes/#searching-across-multiple-indexes
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cnb_python.errors.network import IndexRefused, SourceRefused
from cnb_python.managers import install_locked
from cnb_python.managers.base import Workplace
from cnb_python.managers.resolution import Pin
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Run

_OF_A_PROXY = 407

type Home = Callable[[Pin], tuple[str, ...]]
"""Returns the addresses, logins and all, of the indexes that a package may come from.

None: those that the user has set up.
"""


class Lock(NamedTuple):
    """Who says where packages come from."""

    manager: str
    """As users write it: `Poetry`."""
    home: Home


def install(
    pins: Sequence[Pin], lock: Lock, place: Workplace, run: Run, sources: uv.Sources
) -> None:
    """Install exactly *pins*, each from where *lock* has it; what builds them as *sources* says.

    An index without a package of that name is passed over. Raises what uv says went wrong,
    and SourceRefused.
    """
    by_home: defaultdict[tuple[str, ...], list[Pin]] = defaultdict(list)
    for pin in pins:
        by_home[lock.home(pin)].append(pin)
    for addresses, group in sorted(by_home.items()):
        try:
            install_locked.install(group, place, run, _preferring(addresses, sources))
        except IndexRefused as refused:
            if addresses and refused.status != _OF_A_PROXY:
                raise SourceRefused(lock.manager, refused.url, refused.status) from refused
            raise


def _preferring(addresses: tuple[str, ...], sources: uv.Sources) -> uv.Sources:
    if not addresses:
        return sources
    others = sources.variables.get("UV_INDEX", "")
    indexes = " ".join(filter(None, (*addresses, others)))
    variables = {**sources.variables, "UV_INDEX": indexes}
    return sources._replace(variables=variables, strategy=uv.FIRST_INDEX)
