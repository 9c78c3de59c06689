"""Whether the files that a package manager goes by allow the Python that was chosen."""

from datetime import date

from cnb_python.app import Project
from cnb_python.cnb.context import Target
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.python import PythonOutsideRange
from cnb_python.python.lock_metadata import (
    PDM_LOCK,
    PIPFILE,
    PIPFILE_LOCK,
    PYLOCK,
    PYPROJECT,
    by_pipenv,
    ranges,
)
from cnb_python.python.origin import Origin
from cnb_python.python.releases import Inventory
from cnb_python.python.resolver import Resolution, resolve
from cnb_python.python.sources import Requests

# What they install is built by Poetry, if the app is Poetry's.
_POETRYS = ("poetry.lock", PYPROJECT)
# Who installs by these files does so whatever `pyproject.toml` says of Python.
_CARELESS = ("requirements.txt", "setup.py")
_POETRYS_FIELD = "python"


def bounds(project: Project, deciding_file: str) -> Requests:
    """Return what the manager that goes by *deciding_file* insists on.

    uv, Poetry and PDM refuse another Python than `pyproject.toml` names, Pipenv (`--deploy`)
    another than its lock file. What cannot be read is left for the manager to complain of.
    """
    if deciding_file in _CARELESS:
        return ()
    try:
        if deciding_file in {PIPFILE, PIPFILE_LOCK}:
            said = by_pipenv(project)
            return (said,) if said else ()
        return tuple(one for one in ranges(project) if _counts(one.origin, deciding_file))
    except BuildpackError:
        return ()


def _counts(origin: Origin, deciding_file: str) -> bool:
    if origin.field == _POETRYS_FIELD:
        return deciding_file in _POETRYS
    if origin.name.endswith(PDM_LOCK):
        return deciding_file == PDM_LOCK
    return deciding_file == PYLOCK or "pylock." not in origin.name


def check_bounds(
    resolution: Resolution, insisted: Requests, inventory: Inventory, target: Target, today: date
) -> None:
    """Refuse a Python with which nothing can be installed. Raises PythonOutsideRange."""
    version, asked = resolution.release.version, resolution.request
    offender = next((one for one in insisted if not one.admits(version)), None)
    if offender is None:
        return
    raise PythonOutsideRange(
        version,
        str(asked),
        str(asked.origin),
        str(offender),
        str(offender.origin),
        _fit(insisted, inventory, target, today),
    )


def _fit(insisted: Requests, inventory: Inventory, target: Target, today: date) -> str:
    """Return the line that all of *insisted* would have, empty where there is none."""
    try:
        return resolve(insisted, inventory, target, today).line.minor
    except BuildpackError:
        return ""
