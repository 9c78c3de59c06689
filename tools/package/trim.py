"""Leaves out parts of the bundled Python and of packages that the buildpack never uses.

The bundled Python runs the buildpack, and Pipenv, Poetry and PDM if an app needs one (Pipenv
needs xmlrpc, PDM sqlite3). The app has a Python of its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

# Below lib/python3.X: development, teaching, desktop, terminal, servers and old protocols.
STANDARD_LIBRARY = (
    *("config-*", "ensurepip", "include", "lib2to3", "site-packages", "venv"),
    *("__phello__", "_pyrepl", "antigravity.py", "idlelib", "pydoc_data", "test", "this.py"),
    *("tkinter", "turtle.py", "turtledemo", "curses", "dbm", "shelve.py"),
    *("cProfile.py", "doctest.py", "pdb.py", "profile.py", "pstats.py", "pydoc.py", "trace.py"),
    *("unittest", "wsgiref", "ftplib.py", "imaplib.py", "poplib.py", "smtplib.py"),
    *("mailbox.py", "pickletools.py", "rlcompleter.py", "wave.py", "zipapp.py"),
    *("lib-dynload/_test*", "lib-dynload/_ctypes_test*", "lib-dynload/_tkinter*"),
    *("lib-dynload/_dbm*", "lib-dynload/xx*"),
)

# Below site-packages. METADATA and licences of a dist-info are kept.
PACKAGES = (
    *("bin", "**/*.pyi", "**/py.typed", "**/tests", "**/__pycache__"),
    *("*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED"),
    *("*.dist-info/WHEEL", "*.dist-info/entry_points.txt", "*.dist-info/top_level.txt"),
    *("*.dist-info/direct_url.json", "*.dist-info/sboms"),
    # Only pytest imports it.
    "anyio/pytest_plugin.py",
    # cyclonedx-python-lib needs them to validate documents and expressions, which tests do.
    *("cyclonedx/schema/_res", "cyclonedx/validation", "license_expression", "boolean"),
)


def interpreter(source: Path, into: Path) -> None:
    """Copy the parts of the unpacked Python *source* that the buildpack needs to *into*."""
    program = next(path for path in sorted(source.glob("bin/python3.*")) if _is_program(path))
    (into / "bin").mkdir(parents=True)
    shutil.copy2(program, into / "bin/python3")
    library = next(path for path in sorted(source.glob("lib/python3.*")) if path.is_dir())
    unwanted = set(_matches(library, STANDARD_LIBRARY))

    def ignore(folder: str, names: list[str]) -> list[str]:
        return [n for n in names if n == "__pycache__" or Path(folder, n) in unwanted]

    shutil.copytree(library, into / "lib" / library.name, ignore=ignore)


def packages(site_packages: Path) -> None:
    """Remove the parts of packages in *site_packages* that the buildpack does not use."""
    for path in list(_matches(site_packages, PACKAGES)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _is_program(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.endswith("-config")


def _matches(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from root.glob(pattern)
