"""Which packages the settings of a manager have built from source, although they have wheels.

https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-no-binary
https://docs.astral.sh/uv/reference/settings/#no-binary-package
https://python-poetry.org/docs/configuration/#installerno-binary
https://pdm-project.org/latest/usage/config/ (`PDM_NO_BINARY`)
"""

import re
from collections.abc import Mapping
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.packages.finding import OnlyWheels
from cnb_python.managers.base import Pin, Resolution, digest
from cnb_python.managers.pylock_file import LOCK, packages_of
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.managers.tool_settings import read_pip_settings

_ALL, _NONE = ":all:", ":none:"
_TRUE = frozenset({"1", "true", "yes", "on"})

type Names = frozenset[str]
"""Normalized; `:all:` stands for every package."""


def of_uv(environ: Mapping[str, str]) -> Names:
    """Return the names in uv's variables, which `uv pip` does not read."""
    if environ.get("UV_NO_BINARY", "").lower() in _TRUE:
        return frozenset({_ALL})
    return _names(environ.get("UV_NO_BINARY_PACKAGE", ""))


def of_pip(environ: Mapping[str, str]) -> Names:
    """Return the names in pip's variables and files."""
    return _names(read_pip_settings(environ).options.get("no-binary", ""))


def of_poetry(environ: Mapping[str, str], app_dir: Path) -> Names:
    """Return the names in Poetry's variable, else in `poetry.toml`. Raises UnreadableToml."""
    variable, file = environ.get("POETRY_INSTALLER_NO_BINARY"), app_dir / "poetry.toml"
    if variable is not None or not file.is_file():
        return _names(variable or "")
    return _names(toml.table_at(toml.read(file), "installer").get("no-binary", ""))


def of_pdm(environ: Mapping[str, str], pyproject: TomlTable) -> Names:
    """Return the names in PDM's variable, else in *pyproject*."""
    if variable := environ.get("PDM_NO_BINARY"):
        return _names(variable)
    pdm = toml.table_at(toml.table_at(pyproject, "tool"), "pdm")
    return _names(toml.table_at(pdm, "resolution").get("no-binary", ""))


def apply(names: Names, resolution: Resolution) -> Resolution:
    """Return *resolution* with the pins of *names* changed so that they are built from source.

    Raises OnlyWheels for one without a source distribution in its lock.
    """
    pins = (_from_source(pin) if _is_named(pin, names) else pin for pin in resolution.pins)
    return resolution._replace(pins=tuple(pins))


def _names(value: TomlValue) -> Names:
    """Return the names in *value*: a list, or text with commas or spaces between them."""
    if isinstance(value, bool):
        return frozenset({_ALL} if value else ())
    words = value if isinstance(value, list) else re.split(r"[\s,]+", str(value))
    names: set[str] = set()
    for word in filter(None, map(str, words)):
        if word == _NONE or word.lower() == "false":
            names.clear()
        else:
            names.add(_ALL if word.lower() in {_ALL, "true"} else normalized_name(word))
    return frozenset(names)


def _is_named(pin: Pin, names: Names) -> bool:
    # Without a wheel, or from elsewhere than an index, it is built anyway.
    return not pin.by_itself and (pin.name in names or _ALL in names)


def _from_source(pin: Pin) -> Pin:
    origin = digest((pin.origin, "from source"))
    return pin._replace(line=_line_from_source(pin), origin=origin, by_itself=True)


def _line_from_source(pin: Pin) -> str:
    if not pin.line.startswith(LOCK):
        return f"--no-binary {pin.name}\n{pin.line}"
    packages = packages_of(pin.line, Path("pylock.toml"))
    if not all("sdist" in package for package in packages):
        raise OnlyWheels(pin.name)
    sources = [{key: package[key] for key in package if key != "wheels"} for package in packages]
    return LOCK + toml.rendered({"packages": sources})
