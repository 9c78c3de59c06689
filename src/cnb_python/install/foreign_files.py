"""Undoes what foreign code does to the entries of the layers directory.

The lifecycle takes every `.toml` file there for a layer, and every SBOM for one of the image:
https://github.com/buildpacks/spec/blob/main/buildpack.md#build. Only the entries of the directory
itself are compared here. What the layers contain has digests, or is compared by `snapshot`.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State, state_of
from cnb_python.errors.packages.foreign_code import LayersDirectoryReplaced, foreign_files
from cnb_python.python.origin import visible
from cnb_python.system import regular_file
from cnb_python.system.interface import Output

# Documents are far smaller; what is larger was not written by this buildpack.
_LARGEST_DOCUMENT = 8 * 1024 * 1024


class LayersEntry(NamedTuple):
    """An entry of the layers directory, before foreign code runs."""

    state: State
    content: bytes | None
    """Of a file; None for anything else."""


class LayersEntries(NamedTuple):
    """The layers directory, and all its entries by name."""

    directory: State
    by_name: Mapping[str, LayersEntry]


class Undone(NamedTuple):
    """The names of the entries that foreign code changed, in order."""

    removed: tuple[str, ...]
    restored: tuple[str, ...]


def entries(layers_dir: Path) -> LayersEntries:
    """Return what is in *layers_dir*, with the contents of its documents. Raises OSError."""
    by_name = {}
    with os.scandir(layers_dir) as found_entries:
        for each in found_entries:
            state = state_of(each.stat(follow_symlinks=False))
            is_document = stat.S_ISREG(state.mode) and state.size <= _LARGEST_DOCUMENT
            by_name[each.name] = LayersEntry(
                state, regular_file.read(Path(each), follow=False) if is_document else None
            )
    return LayersEntries(state_of(layers_dir.lstat()), by_name)


def remove_foreign(layers_dir: Path, before: LayersEntries) -> Undone:
    """Make the entries of *layers_dir* those of *before*; return what was different.

    A directory that was replaced is empty afterwards. Drafts of this buildpack's own code, which
    the lifecycle ignores, stay. Raises OSError, and LayersDirectoryReplaced.
    """
    if not _has_same_directory(layers_dir, before.directory):
        raise LayersDirectoryReplaced(str(layers_dir))
    with os.scandir(layers_dir) as present_entries:
        present = {each.name: each.stat(follow_symlinks=False) for each in present_entries}
    removed = []
    for name, status in present.items():
        entry = before.by_name.get(name)
        if entry is None and not _is_draft(name, status):
            disk.remove(layers_dir / name)
            removed.append(name)
    restored = [
        name
        for name, entry in before.by_name.items()
        if not _is_same(entry, present.get(name)) and _restore(layers_dir / name, entry)
    ]
    return Undone(tuple(sorted(removed)), tuple(sorted(restored)))


@contextmanager
def undoing(layers_dir: Path, program: str, output: Output) -> Iterator[None]:
    """Remove and restore what the foreign code of the block changes, with one warning.

    *program* is what ran it, in the warning. Raises as `remove_foreign`.
    """
    before = entries(layers_dir)
    try:
        yield
    finally:
        undone = remove_foreign(layers_dir, before)
        if undone.removed or undone.restored:
            message = foreign_files(
                program,
                tuple(map(visible, undone.removed)),
                tuple(map(visible, undone.restored)),
            )
            output.warning(message.title, message.body)


def _has_same_directory(path: Path, state: State) -> bool:
    """Whether *path* is the directory of *state*; its mode, if it was changed, is restored."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(status.st_mode) or status.st_ino != state.inode:
        return False
    if status.st_mode != state.mode:
        path.chmod(stat.S_IMODE(state.mode))
    return True


def _is_draft(name: str, status: os.stat_result) -> bool:
    is_name = name.startswith(".") and name.endswith(".partial")
    return is_name and stat.S_ISREG(status.st_mode)


def _is_same(entry: LayersEntry, status: os.stat_result | None) -> bool:
    return status is not None and state_of(status) == entry.state


def _restore(path: Path, entry: LayersEntry) -> bool:
    """Make *path* what *entry* describes, as far as it was read; return whether it differed."""
    if _has_same_content(path, entry):
        return False  # only its time changed
    mode = entry.state.mode
    if not stat.S_ISDIR(mode):
        disk.remove(path)
        if entry.content is not None:
            disk.write(path, entry.content, stat.S_IMODE(mode))
    elif not _has_same_directory(path, entry.state):
        disk.remove(path)
        path.mkdir()
        path.chmod(stat.S_IMODE(mode))
    return True


def _has_same_content(path: Path, entry: LayersEntry) -> bool:
    try:
        state = state_of(path.lstat())
    except FileNotFoundError:
        return False
    is_similar = (state.mode, state.size) == (entry.state.mode, entry.state.size)
    return (
        is_similar
        and stat.S_ISREG(state.mode)
        and regular_file.read(path, follow=False) == entry.content
    )
