"""uv's settings in files, and whether it has any.

https://docs.astral.sh/uv/concepts/configuration-files/
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.managers import fingerprint


def is_configured(environ: Mapping[str, str], app_dir: Path) -> bool:
    """Whether uv has settings: they may change what a fully pinned file means to it."""
    return (
        any(name.startswith("UV_") for name in environ)
        or any(file.is_file() for file in configuration_files(environ, app_dir))
        or _has_table(app_dir / "pyproject.toml")
    )


def fingerprint_parts(environ: Mapping[str, str], app_dir: Path) -> Iterator[str]:
    """Yield the settings in files of their own, for a fingerprint: without secrets."""
    for file in configuration_files(environ, app_dir):
        yield from fingerprint.files(file.parent, (file.name,))


def configuration_files(environ: Mapping[str, str], app_dir: Path) -> tuple[Path, ...]:
    """Return every uv.toml that may count, the stronger first, whether it exists or not."""
    homes = (environ.get("XDG_CONFIG_HOME"), environ.get("HOME") and f"{environ['HOME']}/.config")
    systems = (environ.get("XDG_CONFIG_DIRS", "").strip() or "/etc/xdg").split(os.pathsep)
    configs = [Path(directory, "uv") for directory in (*homes, *systems) if directory]
    directories = (app_dir, *app_dir.parents, *configs, Path("/etc/uv"))
    chosen = environ.get("UV_CONFIG_FILE")
    files = (directory / "uv.toml" for directory in directories)
    return (*((Path(chosen),) if chosen else ()), *files)


def _has_table(file: Path) -> bool:
    """Whether *file* may have a table `tool.uv`; uv reports what is not TOML."""
    try:
        return b"tool.uv" in file.read_bytes().replace(b" ", b"")
    except OSError:
        return False
