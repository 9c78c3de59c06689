"""What a user may choose, read from `BP_*` variables and checked before anything is written."""

from collections.abc import Mapping
from typing import NamedTuple

from cnb_python.errors import BadSetting

LAYOUT = "BP_PYTHON_LAYOUT"
INSTALLER = "BP_PYTHON_INSTALLER"
BUILD = "BP_PYTHON_BUILD"

LINKED, MERGED = "linked", "merged"
AUTO, PIP, UV = "auto", "pip", "uv"
_LAYOUTS = (LINKED, MERGED)
_INSTALLERS = (AUTO, PIP, UV)
# As Go reads booleans, and with it most platforms' settings.
_BOOLEANS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Settings(NamedTuple):
    """Everything that is chosen and not found."""

    layout: str = LINKED
    """`linked`: shares and links; `merged`: one layer of real files."""
    installer: str = AUTO
    """Who installs a `requirements.txt`: `auto` (uv where it must agree with pip), `pip`, `uv`."""
    build: bool = False
    """Later buildpacks see Python and the packages."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings in *environ*; an empty value is none. Raises BadSetting."""
    return Settings(
        layout=_one_of(environ, LAYOUT, _LAYOUTS),
        installer=_one_of(environ, INSTALLER, _INSTALLERS),
        build=_boolean(environ, BUILD),
    )


def _one_of(environ: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    given = environ.get(name, "").strip().lower()
    if given and given not in values:
        raise BadSetting(name, environ[name], values)
    return given or values[0]


def _boolean(environ: Mapping[str, str], name: str) -> bool:
    given = environ.get(name, "").strip().lower()
    if given and given not in _BOOLEANS:
        raise BadSetting(name, environ[name], tuple(_BOOLEANS))
    return _BOOLEANS.get(given, False)
