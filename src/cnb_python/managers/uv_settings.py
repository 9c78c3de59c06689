"""Whether uv has settings of its own, for those who choose it."""

from collections.abc import Mapping
from pathlib import Path


def is_configured(environ: Mapping[str, str], app_dir: Path) -> bool:
    """Whether uv has settings of its own: what a file of exact lines means is then for it to say.

    https://docs.astral.sh/uv/concepts/configuration-files/
    """
    homes = (environ.get("XDG_CONFIG_HOME"), environ.get("HOME") and f"{environ['HOME']}/.config")
    directories = [Path(home, "uv") for home in homes if home]
    systems = [Path("/etc/xdg/uv"), Path("/etc/uv")]
    files = [one / "uv.toml" for one in (app_dir, *app_dir.parents, *directories, *systems)]
    return (
        any(name.startswith("UV_") for name in environ)
        or any(file.is_file() for file in files)
        or _has_table(app_dir / "pyproject.toml")
    )


def _has_table(file: Path) -> bool:
    """Whether *file* may have a table `tool.uv`; what is no TOML is for uv to complain of."""
    try:
        return b"tool.uv" in file.read_bytes().replace(b" ", b"")
    except OSError:
        return False
