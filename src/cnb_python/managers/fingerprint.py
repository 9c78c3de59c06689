"""What the answer of a manager with a lock file depends on, as one digest; nothing secret.

Imported by builds that change nothing: it reads files, and no lock.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Protocol

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import PathOutsideApp
from cnb_python.managers.base import digest

PYPROJECT = "pyproject.toml"
# What is no source of a package, or is made from it.
_LEFT_OUT = re.compile(r"\.git|\.venv|venv|node_modules|__pycache__|.*\.egg-info|.*\.pyc")
# Where they point an installation to follows from the names of directories and the table.
_BACKENDS = frozenset(
    {
        *("flit_core.buildapi", "hatchling.build", "pdm.backend", "poetry.core.masonry.api"),
        *("setuptools.build_meta", "uv_build"),
    }
)
# What makes them run code of the app, or compile.
_HOOKS = re.compile(
    r"hooks|ext-modules|cmdclass|custom-hook|run-setuptools|backend-path|tool\.poetry\.build"
)
_TABLES = frozenset({PYPROJECT, "setup.cfg", "MANIFEST.in", "hatch.toml"})
# Metadata quotes them.
_TOLD = re.compile(r"(readme|licen[cs]e|copying|notice|authors)\b.*", re.IGNORECASE)
_OF_GIT = (".git/HEAD", ".git/packed-refs", ".git/refs")


def named_in(lock: Path, pattern: re.Pattern[str], top: Path) -> Iterator[str]:
    """Yield each path that *pattern* finds in *lock*, and the digest of what it leads to.

    Whatever is there may be copied: which of them are editable is for the lock's tool to say.
    Raises OutsideApp.
    """
    try:
        text = lock.read_text("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        text = ""
    for name in sorted(set(pattern.findall(text))):
        found = place(name, lock.name, lock.parent, top)
        yield from (name, project_digest(found, is_editable=False))


def place(name: str, lock: str, beside: Path, top: Path) -> Path:
    """Return where *name*, as the file *lock* in *beside* has it, lies.

    Raises OutsideApp where it leads out of *top*, as apps in a directory of a repository have it
    that are built without the rest. An absolute path is the build image's; there is a project.
    """
    depth = len(beside.relative_to(top).parts)
    for part in () if Path(name).is_absolute() else Path(name).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            raise PathOutsideApp(lock, name)
    found = (beside / name).resolve()
    is_project = any((found / one).exists() for one in (PYPROJECT, "setup.py"))
    # A link that leads to all of the build image, for instance: nobody installs that.
    if not (found.is_relative_to(top.resolve()) or found.is_file() or is_project):
        raise PathOutsideApp(lock, name)
    return found


def project_digest(directory: Path, *, is_editable: bool) -> str:
    """Return a SHA-256 in hex over what becomes of *directory* when it is installed.

    *is_editable*: the installation points to its code, and has no copy of it.
    """
    found = hashlib.sha256()
    is_plain = is_editable and _is_plain(directory)
    for path in _paths(directory):
        name = path.relative_to(directory).as_posix()
        content = _of_a_plain_project(path, directory) if is_plain else _content(path)
        if content is not None:
            found.update(f"{name}\0".encode(errors="surrogateescape") + content)
    return found.hexdigest()


def _is_plain(directory: Path) -> bool:
    """Whether its table, the names of directories and modules and a few texts are all it needs."""
    try:
        text = (directory / PYPROJECT).read_text("utf-8")
        table = toml.parse(text, directory / PYPROJECT)
    except OSError, ValueError, UnreadableToml:
        return False
    project = toml.table_at(table, "project")
    return (
        bool(project)
        and not project.get("dynamic")
        and _backend(table) in _BACKENDS
        and not _HOOKS.search(text)
        and not (directory / "setup.py").exists()
    )


def _backend(table: TomlTable) -> str:
    return str(toml.table_at(table, "build-system").get("build-backend", ""))


def _of_a_plain_project(path: Path, directory: Path) -> bytes | None:
    """Return what of *path* counts in a plain project; None: nothing does.

    By the names of directories and modules backends find what to point to.
    """
    if path.name in _TABLES or _TOLD.fullmatch(path.name):
        return _content(path)
    is_at_the_top = path.parent in {directory, directory / "src"}
    is_module = path.name == "__init__.py" or (is_at_the_top and path.suffix == ".py")
    return b"" if is_module or path.is_dir() else None


def _paths(directory: Path) -> Iterator[Path]:
    """Yield everything below *directory* in a fixed order; Git's state, not its objects."""
    for one in _OF_GIT:
        path = directory / one
        yield from sorted(path.rglob("*")) if path.is_dir() else [path]
    for parent, directories, names in directory.walk():
        directories[:] = sorted(one for one in directories if not _LEFT_OUT.fullmatch(one))
        yield from (parent / one for one in directories)
        yield from (parent / one for one in sorted(names) if not _LEFT_OUT.fullmatch(one))


def _content(path: Path) -> bytes:
    """Return a digest of what is at *path*; of a directory, a link or nothing, a word."""
    if path.is_symlink():
        return f"link {path.readlink()}".encode(errors="surrogateescape")
    if not path.is_file():
        return b"directory" if path.is_dir() else b"nothing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


# To the last @ of an address: a password may hold anything, though it should not.
_SECRETS = re.compile(r"(?<=://)[^\s'\"]*@|(?<=[\w/])\?[^\s'\"]+")
# They say who may have something, not what it is.
_CREDENTIALS = re.compile(r"USER|PASS|TOKEN|SECRET|CREDENTIAL|_KEY\b|CLIENT_CERT", re.IGNORECASE)


class LockReader(Protocol):
    """A manager that reads a lock for the app's Python and this machine."""

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    @property
    def settings(self) -> Settings:
        """They choose what of the lock counts."""
        ...

    @property
    def processor(self) -> str:
        """As environment markers have it: `x86_64`."""
        ...


def inputs(reader: LockReader, python: str, *parts: Iterable[str]) -> str:
    """Return `Undecided.inputs` of *reader* for *python*, the release of the app's interpreter.

    *parts* are what it depends on besides; nothing in them may be secret.
    """
    chosen = ("groups", *reader.settings.groups, "extras", *reader.settings.extras)
    return digest((reader.name, python, reader.processor, *chosen, *chain.from_iterable(parts)))


def lock(content: bytes) -> Iterator[str]:
    """Yield what tells two states of a lock apart: its tool leaves logins out of it."""
    yield hashlib.sha256(content).hexdigest()


def files(directory: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield what tells two states of the files *names* in *directory* apart."""
    for name in names:
        file = directory / name
        try:
            # Reading a pipe would wait for ever.
            text = file.read_text("utf-8", "surrogateescape") if file.is_file() else ""
        except OSError:
            text = ""
        yield from (name, public(text))


def variables(environ: Mapping[str, str], *prefixes: str) -> Iterator[str]:
    """Yield the public part of the variables whose names begin with one of *prefixes*."""
    for name in sorted(environ):
        if name.startswith(prefixes) and not _CREDENTIALS.search(name):
            yield f"{name}={public(environ[name])}"


def public(text: str) -> str:
    """Return *text* without what addresses in it may hold of secrets.

    >>> public("UV_INDEX=https://me:se/cret@example.org/simple?token=1")
    'UV_INDEX=https://example.org/simple'
    """
    return _SECRETS.sub("", text)
