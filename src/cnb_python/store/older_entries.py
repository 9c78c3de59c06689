"""Completes entries of the store that a release without `Distribution.libpython` made.

Its `library_needs` are completed with it.

Separate from `store`, as only the first build after an upgrade needs it.
"""

import sys
import tempfile
from collections.abc import Callable
from copy import replace
from pathlib import Path

from cnb_python.distributions import elf, native
from cnb_python.distributions.elf import NOT_ELF
from cnb_python.distributions.model import is_small_part
from cnb_python.errors.machine import DamagedStore
from cnb_python.store.manifest import StoreEntry

type _Unpack = Callable[[StoreEntry, Path], object]

_NOT_RECORDED = "the previous release of this buildpack did not record if it needs libpython"


def scanned(entry: StoreEntry, unpack: _Unpack, unpack_small: _Unpack) -> StoreEntry:
    """Return *entry* with `libpython`, after reading its files.

    *unpack* and *unpack_small* write all files, or the small parts, below a directory. Raises what
    they raise, and DamagedStore if the store does not have the files.
    """
    files = [
        file
        for file in entry.distribution.files
        if not file.target and elf.may_be_elf(file.path, is_program=file.is_program)
    ]
    if not files:
        distribution = replace(entry.distribution, library_needs=())
        return entry._replace(distribution=distribution, has_libpython=True)
    are_small = all(map(is_small_part, files))
    if not (are_small or entry.archive):
        raise DamagedStore(_NOT_RECORDED)
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        (unpack_small if are_small else unpack)(entry, Path(scratch))
        dynamics = {file.path: elf.read(Path(scratch, file.path)) for file in files}
    # The buildpack's own interpreter, as the app's is for the same machine.
    machine = elf.read(Path(sys.executable)).machine
    every = ((file.path, dynamics.get(file.path, NOT_ELF)) for file in entry.distribution.files)
    distribution = replace(
        entry.distribution,
        libpython=elf.libpython_names(dynamics.values()),
        library_needs=native.needs_of(every, machine),
    )
    return entry._replace(distribution=distribution, has_libpython=True)
