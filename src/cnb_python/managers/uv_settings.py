"""Whether uv has settings of its own, for those who choose it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.managers import fingerprint


def is_configured(environ: Mapping[str, str], app_dir: Path) -> bool:
    """Whether uv has settings of its own: what a file of exact lines means is then for it to say.

    https://docs.astral.sh/uv/concepts/configuration-files/
    """
    return (
        any(name.startswith("UV_") for name in environ)
        or any(file.is_file() for file in configuration_files(environ, app_dir))
        or _has_table(app_dir / "pyproject.toml")
    )


def contents(environ: Mapping[str, str], app_dir: Path) -> Iterator[str]:
    """Yield what tells two states of uv's settings in files apart, nothing secret among it."""
    for file in configuration_files(environ, app_dir):
        yield from fingerprint.files(file.parent, (file.name,))


def configuration_files(environ: Mapping[str, str], app_dir: Path) -> tuple[Path, ...]:
    """Return every uv.toml that may count, the stronger first, whether it exists or not."""
    homes = (environ.get("XDG_CONFIG_HOME"), environ.get("HOME") and f"{environ['HOME']}/.config")
    systems = (environ.get("XDG_CONFIG_DIRS", "").strip() or "/etc/xdg").split(os.pathsep)
    directories = [Path(one, "uv") for one in (*homes, *systems) if one]
    places = (app_dir, *app_dir.parents, *directories, Path("/etc/uv"))
    named = environ.get("UV_CONFIG_FILE")
    return (*((Path(named),) if named else ()), *(place / "uv.toml" for place in places))


def _has_table(file: Path) -> bool:
    """Whether *file* may have a table `tool.uv`; what is no TOML is for uv to complain of."""
    try:
        return b"tool.uv" in file.read_bytes().replace(b" ", b"")
    except OSError:
        return False
