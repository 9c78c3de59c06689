"""Lays out a manager's own files outside the environment, so that they never reach the image."""

import shutil
import zipfile
from pathlib import Path


def lay_out_pip(source: Path, into: Path) -> Path:
    """Copy pip from *source*, a wheel or the directory of an installed package, below *into*.

    Returns the directory `pip`. It is a copy that pip's bytecode can be written to: pip starts
    itself once for each package that it builds in isolation, and compiling it takes a second.
    Raises OSError, or BadZipFile for a damaged wheel.
    """
    target = into / "pip"
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.startswith("pip/")]
        wheel.extractall(into, names)
    return target
