"""The bytecode of the standard library that the buildpack's package contains, for some releases.

Compiling it takes 1.5 to 3 s, a fifth of a first build. A file fits one archive of Python in one
layers directory: bytecode contains the paths of its sources. If no file fits, the build compiles
the same bytes.

Separate from `python_install`, since `tools.package` names the files by it.
"""

import hashlib
from pathlib import Path

from cnb_python.distributions import compiler
from cnb_python.python import standalone_build

FOLDER = "bytecode"
"""In the buildpack's directory."""
TOP = "bytecode"
"""The top directory of the archives; paths below it are relative to the layer."""
_SUFFIX = ".tar.zst"


def file_name(sha256: str, home: Path, content: bytes) -> str:
    """Return the name of the file with *content* for the archive with *sha256* in layer *home*."""
    return f"{_key(sha256, home)}-{hashlib.sha256(content).hexdigest()}{_SUFFIX}"


def find(buildpack: Path, sha256: str, home: Path) -> Path | None:
    """Return the file for the archive with *sha256* in layer *home*.

    None if there is no such file, or if it is damaged.
    """
    paths = sorted((buildpack / FOLDER).glob(f"{_key(sha256, home)}-*{_SUFFIX}"))
    return next((path for path in paths if _is_intact(path, sha256, home)), None)


def _is_intact(path: Path, sha256: str, home: Path) -> bool:
    return path.name == file_name(sha256, home, path.read_bytes())


def _key(sha256: str, home: Path) -> str:
    """Return a digest of everything that the bytecode depends on."""
    program = hashlib.sha256(Path(compiler.__file__).read_bytes()).hexdigest()
    parts = (sha256, str(home), standalone_build.FORMAT, program)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
