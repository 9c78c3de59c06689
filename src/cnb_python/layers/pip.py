"""Where the pip is that travels with the buildpack. It needs no layer."""

from pathlib import Path

from cnb_python.errors import IncompleteBuildpack


def find_pip(buildpack: Path) -> Path:
    """Return the wheel that the packaged buildpack carries, or a checkout's installed package.

    Raises IncompleteBuildpack.
    """
    wheels = sorted((buildpack / "tools").glob("pip-*.whl"))
    installed = sorted((buildpack / ".venv/lib").glob("python3.*/site-packages/pip"))
    for found in (*wheels, *installed):
        return found
    raise IncompleteBuildpack("tools/pip-*.whl", buildpack)
