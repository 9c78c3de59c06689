"""Hashes and archives the files of a distribution, once its bytecode is complete.

Each file is read once. `serve` is the program of a helper, so this module is apart from
`collecting`, which uses much more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from cnb_python.cnb import disk
from cnb_python.distributions import scan
from cnb_python.distributions.elf import NOT_ELF, Dynamic
from cnb_python.distributions.model import Distribution, File
from cnb_python.distributions.record import render_record
from cnb_python.distributions.scan import Content, FileEntry
from cnb_python.store.store import Store
from cnb_python.system import workers
from cnb_python.system.workers import Task

# What is kept between hashing and archiving a distribution; other files are read again.
_KEPT_BYTES = 16 * 1024 * 1024


class Unfinished(NamedTuple):
    """A distribution that is normalized and compiled."""

    name: str
    root: Path
    """The directory with its files."""
    site: str
    """The path of `site-packages` below the environment."""
    record: str
    """The path of its RECORD, which is written again."""
    entries: Mapping[str, FileEntry]
    """Its files by path, without bytecode."""
    store: Path | None
    """The directory of the store; None: it is not archived."""
    largest_archived: int | None
    """Bytes above which only its small parts are archived; None: all its files are."""

    @property
    def size(self) -> int:
        """Bytes of its files, without bytecode."""
        return sum(entry.size for entry in self.entries.values())


class Archives(NamedTuple):
    """What the store got of a distribution."""

    archive: str = ""
    """SHA-256 in hex of the archive with all its files; empty without such an archive."""
    info: str = ""
    """That of the archive with its small parts."""


class Finished(NamedTuple):
    """The files of a distribution, as they will be in the image."""

    contents: Sequence[Content]
    """In the order of their paths, with RECORD."""
    archives: Archives


def finish(job: Unfinished, kept_bytes: int = _KEPT_BYTES) -> Finished:
    """Hash the files of a distribution, write its RECORD and archive it.

    *kept_bytes*: how much of it may be in memory; what is more is read again.

    Raises DiskFull, OSError, or ContractBroken if a file changes meanwhile.
    """
    compiled = scan.bytecode_of(job.root, job.entries)
    entries = {**job.entries, **compiled}
    entries.pop(job.record, None)
    kept = _Kept(kept_bytes)
    contents = [kept.read(job.root, path, entries[path]) for path in sorted(entries)]
    files = [content.file for content in contents]
    text = render_record([*files, File(job.record, "", 0)], job.record, job.site)
    disk.write(job.root / job.record, text)
    kept.contents[job.record] = text
    contents = sorted([*contents, Content(scan.file_of(job.record, text), NOT_ELF)])
    return Finished(contents, _archives(job, contents, kept.contents))


@dataclass(slots=True)
class _Kept:
    """The contents of files that are read once, as long as they are not too large in total."""

    room: int
    """In bytes."""
    contents: dict[str, bytes] = field(default_factory=dict)

    def read(self, root: Path, path: str, entry: FileEntry) -> Content:
        """Read the file *entry*, at *path* below *root*, and keep its content if there is room."""
        content, text = scan.read(root, path, entry)
        if text is not None and len(text) <= self.room:
            self.contents[path] = text
            self.room -= len(text)
        return content


def _archives(job: Unfinished, contents: Sequence[Content], kept: Mapping[str, bytes]) -> Archives:
    if job.store is None:
        return Archives()
    files = tuple(content.file for content in contents)
    # The store needs only the name and the files.
    distribution = Distribution(job.name, "", "", files)
    whole = job.largest_archived is None or distribution.size <= job.largest_archived
    entry = Store(job.store).put(distribution, job.root, whole=whole, contents=kept)
    return Archives(entry.archive, entry.info)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Finish what each line of *requests* describes; answer each with a line."""
    workers.serve(requests, answers, lambda request: answer_of(finish(job_of(request))))


type _Request = tuple[str, str, str, str, dict[str, tuple[int, bool, str]], str | None, int | None]
type _Dynamic = tuple[list[str], list[str], list[tuple[str, str]], int]
type _Answer = tuple[list[tuple[str, str, int, bool, str]], dict[str, _Dynamic], list[str]]


def request_of(job: Unfinished) -> object:
    """Return *job* as JSON."""
    store = None if job.store is None else str(job.store)
    return (job.name, str(job.root), *job[2:5], store, job.largest_archived)


def job_of(request: object) -> Unfinished:
    """Return the job that `request_of` returned *request* for."""
    name, root, site, record, entries, store, largest = cast("_Request", request)
    return Unfinished(
        name,
        Path(root),
        site,
        record,
        {path: FileEntry(*entry) for path, entry in entries.items()},
        None if store is None else Path(store),
        largest,
    )


def answer_of(finished: Finished) -> object:
    """Return *finished* as JSON. Few files are native: the others have no dynamic section."""
    dynamics = {
        content.file.path: content.dynamic
        for content in finished.contents
        if content.dynamic != NOT_ELF
    }
    return [content.file for content in finished.contents], dynamics, finished.archives


def result_of(answer: object) -> Finished:
    """Return what `answer_of` returned *answer* for."""
    files, dynamics, archives = cast("_Answer", answer)
    dynamic = {path: _dynamic_of(each) for path, each in dynamics.items()}
    contents = [Content(File(*file), dynamic.get(file[0], NOT_ELF)) for file in files]
    return Finished(contents, Archives(*archives))


TASK = Task(__name__, finish, request_of, result_of)


def _dynamic_of(answer: _Dynamic) -> Dynamic:
    run_paths, libraries, versions, machine = answer
    pairs = tuple((library, version) for library, version in versions)
    return Dynamic(tuple(run_paths), tuple(libraries), pairs, machine)
