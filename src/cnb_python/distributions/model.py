"""An installed distribution as a value: what it is, which files it has, what they hold."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class File(NamedTuple):
    """One file of an environment, bytecode included."""

    path: str
    """Below the environment, normalised, with slashes: `lib/python3.14/site-packages/six.py`."""
    digest: str
    """SHA-256 of its content in hex; of its target, for a symbolic link."""
    size: int
    is_program: bool = False
    """Its mode is 755 and not 644."""
    target: str = ""
    """Where it leads, for a symbolic link; empty for a file."""


@dataclass(frozen=True)
class Distribution:
    """One distribution, harvested: normalised, compiled, with a RECORD that is true."""

    name: str
    """Normalised (PEP 503): `ruamel-yaml`."""
    version: str
    """Normalised (PEP 440)."""
    origin: str
    """The `origin` of the `Pin` it was installed for."""
    files: tuple[File, ...]
    """In the order of their paths."""
    reaches: tuple[str, ...] = ()
    """Other distributions' directories of the environment that its native libraries look into."""
    from_source: bool = False
    """It was built from source, which takes longer to do again than a download."""
    is_cacheable: bool = True
    """False for what was installed from a directory, which may change without a word.

    It is of use only where it is certain that nothing has changed at all.
    """

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex over every file's path, mode and content."""
        return digest_of(self.files)

    @cached_property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


# Of what lies beside the modules, a wheel's scripts and configuration are small, its data is not.
SMALL_BYTES = 64 * 1024
_BESIDE = ("bin/", "share/", "etc/")


def is_small_part(file: File) -> bool:
    """Whether *file* is kept apart from the rest, for when only links and metadata are renewed.

    The `*.dist-info`, and small files beside the modules, which `venv` may hold copies of.
    """
    if file.path.startswith(_BESIDE):
        return file.size <= SMALL_BYTES
    return ".dist-info/" in file.path


def digest_of(files: Iterable[File]) -> str:
    """Return a SHA-256 in hex over the path, mode and content of *files*, in their order."""
    whole = hashlib.sha256()
    for file in files:
        kind = "l" if file.target else "x" if file.is_program else "f"
        whole.update(f"{kind}\0{file.path}\0{file.digest}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()
