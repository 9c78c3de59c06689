"""Makes an empty virtual environment: what PEP 405 asks for, and nothing that varies.

Not `python -m venv`: it writes the patch release and the command that made it to `pyvenv.cfg`, so
that a security release of Python would change every environment, and adds activation scripts.
"""

from pathlib import Path

_CONFIG = """\
home = {home}
include-system-site-packages = false
version = {line}
"""


def make(directory: Path, interpreter: Path, line: str) -> Path:
    """Make the environment of *interpreter* in *directory*; return its `site-packages`.

    *interpreter* is the real program by its final path, *line* its release line (`3.14`).
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
    # 64-bit wheels and tools that know Fedora's layout look here.
    (directory / "lib64").symlink_to("lib")
    return site_packages
