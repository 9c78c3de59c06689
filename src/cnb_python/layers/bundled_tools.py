"""Where the tools are that travel with the buildpack, and what they are. They need no layer."""

from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.errors.bugs import IncompleteBuildpack

PINS = Path(__file__).parents[1] / "data/tools.toml"


def find_pip(buildpack: Path) -> Path:
    """Return the wheel that the packaged buildpack carries, or a checkout's installed package.

    Raises IncompleteBuildpack.
    """
    wheels = sorted((buildpack / "tools").glob("pip-*.whl"))
    installed = sorted((buildpack / ".venv/lib").glob("python3.*/site-packages/pip"))
    for found in (*wheels, *installed):
        return found
    raise IncompleteBuildpack("tools/pip-*.whl", buildpack)


def find_uv(buildpack: Path) -> Path:
    """Return the program that the packaged buildpack carries, or that of a checkout.

    Raises IncompleteBuildpack.
    """
    for found in (buildpack / "tools/uv", buildpack / ".venv/bin/uv"):
        if found.is_file():
            return found
    raise IncompleteBuildpack("tools/uv", buildpack)


def find_defaults(buildpack: Path) -> Path:
    """Return the program of exec.d that the packaged buildpack carries, or that of a checkout.

    Raises IncompleteBuildpack.
    """
    for found in (buildpack / "tools/defaults", buildpack / ".venv/bin/cnb-python-defaults"):
        if found.is_file():
            return found
    raise IncompleteBuildpack("tools/defaults", buildpack)


def versions() -> str:
    """Return what installs, with versions: `pip 26.3, uv 0.13.8`."""
    pins = toml.read(PINS)
    found = {name: toml.table_at(pins, name).get("version") for name in ("pip", "uv")}
    return ", ".join(f"{name} {version}" for name, version in found.items())
