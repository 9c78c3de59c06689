"""Makes an empty virtual environment, as `python -m venv` does, without running a process."""

from pathlib import Path

_CONFIG = """\
home = {home}
include-system-site-packages = false
version = {line}
"""


def make_environment(directory: Path, interpreter: Path, line: str) -> Path:
    """Make a virtual environment in *directory*; return its `site-packages`.

    *interpreter*: the program at its final path, *line*: its release line (`3.14`).
    https://peps.python.org/pep-0405/
    """
    bin_directory = directory / "bin"
    site_packages = directory / f"lib/python{line}/site-packages"
    bin_directory.mkdir(parents=True)
    site_packages.mkdir(parents=True)
    (directory / "pyvenv.cfg").write_text(
        _CONFIG.format(home=interpreter.parent, line=line), encoding="utf-8"
    )
    (bin_directory / "python").symlink_to(interpreter)
    for name in ("python3", f"python{line}"):
        (bin_directory / name).symlink_to("python")
    # 64-bit wheels, and tools that expect Fedora's layout, use this path.
    (directory / "lib64").symlink_to("lib")
    return site_packages
