"""The fingerprint of a manager: one digest over all inputs of its resolution, without secrets.

Imported by unchanged builds: it reads files, but parses no lock file.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import Protocol

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import PathOutsideApp
from cnb_python.managers.base import digest
from cnb_python.system import regular_file
from cnb_python.system.redaction import local_path, without_path_token

PYPROJECT = "pyproject.toml"
# What is not a source of a package, or is made from it.
_LEFT_OUT = re.compile(r"\.git|\.venv|venv|node_modules|__pycache__|.*\.egg-info|.*\.pyc")
_GIT_STATE = (".git/HEAD", ".git/packed-refs", ".git/refs")
# Build backends whose editable installs follow from the names of directories and from
# pyproject.toml.
_PLAIN_BACKENDS = frozenset(
    {
        *("flit_core.buildapi", "hatchling.build", "pdm.backend", "poetry.core.masonry.api"),
        *("setuptools.build_meta", "uv_build"),
    }
)
# What makes them run code of the app, or compile.
_HOOKS = re.compile(
    r"hooks|ext-modules|cmdclass|custom-hook|run-setuptools|backend-path|tool\.poetry\.build"
)
# What may name files outside of the project, and ways to a version from Git.
_DECLARING = (PYPROJECT, "setup.cfg", "setup.py", "hatch.toml", "MANIFEST.in")
_ABOVE = re.compile(r"(?:\.\./)+[\w./-]*[\w-]")
_GIT_VERSION = re.compile(r"scm|vcs|versioneer|versioningit|dunamai|dynamic-versioning|pbr")
_PROJECT_FILES = frozenset({PYPROJECT, "setup.cfg", "MANIFEST.in", "hatch.toml"})
# Metadata quotes them.
_TEXTS = re.compile(r"(readme|licen[cs]e|copying|notice|authors)\b.*", re.IGNORECASE)
# To the last @ of an address: a password may hold anything, though it should not.
_SECRETS = re.compile(r"(?<=://)(?:(?!://)[^\s'\"])*@|(?<=[\w/])\?[^\s'\"]+")
# Variables that say who may download, not what.
_CREDENTIALS = re.compile(r"USER|PASS|TOKEN|SECRET|CREDENTIAL|_KEY\b|CLIENT_CERT", re.IGNORECASE)


class LockReader(Protocol):
    """A manager that reads a lock file for the app's Python and this machine."""

    @property
    def name(self) -> str:
        """What users call it: `poetry`."""
        ...

    @property
    def settings(self) -> Settings:
        """They choose groups and extras of the lock file."""
        ...

    @property
    def processor(self) -> str:
        """As environment markers have it: `x86_64`."""
        ...


def of_lock_reader(reader: LockReader, python: str, *parts: Iterable[str]) -> str:
    """Return the fingerprint of *reader*, for `NeedsResolving.fingerprint`.

    *python* is the release of the app's interpreter, *parts* are the further inputs. None of them
    may be secret.
    """
    chosen = ("groups", *reader.settings.groups, "extras", *reader.settings.extras)
    return digest((reader.name, python, reader.processor, *chosen, *chain.from_iterable(parts)))


def lock(content: bytes) -> Iterator[str]:
    """Yield a digest of a lock file, which its tool writes without logins."""
    yield hashlib.sha256(content).hexdigest()


def files(directory: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield name and text of the files *names* in *directory*; the text of a missing one is empty.

    Their texts are `without_secrets`.
    """
    for name in names:
        file = directory / name
        try:
            text = regular_file.read(file).decode("utf-8", "surrogateescape")
        except OSError:
            text = ""
        yield from (name, without_secrets(text))


def variables(environ: Mapping[str, str], *prefixes: str) -> Iterator[str]:
    """Yield the variables whose names begin with one of *prefixes*, but no logins."""
    for name in sorted(environ):
        if name.startswith(prefixes) and not _CREDENTIALS.search(name):
            yield f"{name}={without_secrets(environ[name])}"


def without_secrets(text: str) -> str:
    """Return *text* without logins, queries and tokens in the paths of the addresses in it.

    >>> without_secrets("UV_INDEX=https://me:se/cret@example.org/simple?token=1")
    'UV_INDEX=https://example.org/simple'
    """
    return without_path_token(_SECRETS.sub("", text))


def local_sources(lock: Path, pattern: re.Pattern[str], top: Path) -> Iterator[str]:
    """Yield each path that *pattern* finds in *lock*, and the digest of what is there.

    All of them as if they were copied: only the tool of the lock file knows which are editable.
    What is outside of *top* has no digest: `check_sources` refuses it if it is installed.
    """
    try:
        text = regular_file.read(lock).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        text = ""
    for name in sorted(set(pattern.findall(text))):
        try:
            path = source_path(name, lock.name, lock.parent, top)
        except PathOutsideApp:
            yield name
        else:
            yield from (name, project_digest(path, is_editable=False))


def check_sources(written: Iterable[str], lock: Path, top: Path) -> None:
    """Refuse a path in *written*, those of installed packages in *lock*, that leads out of *top*.

    Raises PathOutsideApp.
    """
    for name in written:
        source_path(name, lock.name, lock.parent, top)


def source_path(name: str, lock: str, beside: Path, top: Path) -> Path:
    """Return the resolved path of *name*, as the file *lock* in *beside* has it.

    Raises PathOutsideApp if it leads out of *top*, as in one directory of a repository that is
    built without the others. An absolute path to a project is allowed: it is the build image's.
    """
    depth = len(beside.relative_to(top).parts)
    if "\0" in name:
        raise PathOutsideApp(lock, name)
    for part in () if Path(name).is_absolute() else Path(name).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            raise PathOutsideApp(lock, name)
    path = (beside / name).resolve()
    is_project = any((path / file).exists() for file in (PYPROJECT, "setup.py"))
    # A link may lead anywhere, to all of the build image for instance.
    if not (path.is_relative_to(top.resolve()) or path.is_file() or is_project):
        raise PathOutsideApp(lock, name)
    return path


def path_of(location: str, beside: Path) -> Path | None:
    """Return the path of *location*, which a file in *beside* has; None if it is on the web."""
    if "://" in location and not location.startswith("file:"):
        return None
    return beside / (local_path(location) or location)


def project_digest(directory: Path, *, is_editable: bool) -> str:
    """Return a SHA-256 in hex over everything in *directory* that its installation depends on.

    *is_editable*: the installation points to the code, and has no copy of it.
    """
    hasher = hashlib.sha256()
    is_plain = is_editable and _is_plain(directory)
    for path in _plain_paths(directory) if is_plain else _paths(directory):
        name = path.relative_to(directory).as_posix()
        content = _plain_content(path, directory) if is_plain else _content(path)
        if content is not None:
            hasher.update(f"{name}\0".encode(errors="surrogateescape") + content)
    for text in outside_parts(directory, is_plain=is_plain):
        hasher.update(text.encode(errors="surrogateescape"))
    return hasher.hexdigest()


def outside_parts(directory: Path, *, is_plain: bool) -> Iterator[str]:
    """Yield path and digest of what the project in *directory* names outside of it.

    That is a version file or a README, but no other project. *is_plain*: only its metadata counts,
    no code, and its version does not come from Git.
    """
    for top in _outside(directory, is_plain=is_plain):
        below = sorted(_paths(top)) if top.is_dir() else ()
        for path in (top, *below):
            name = path.relative_to(directory, walk_up=True).as_posix()
            yield from (name, digest_of_file(path))


def digest_of_file(path: Path) -> str:
    """Return a digest of what is at *path*, for packages that an app has as files."""
    return _content(path).hex()


def _outside(directory: Path, *, is_plain: bool) -> Iterator[Path]:
    text = "".join(_text(directory / name) for name in _DECLARING)
    for name in sorted(set(_ABOVE.findall(text))):
        path = directory / name
        is_part = path.is_dir() and not is_plain and not _is_of_another(path, directory)
        if path.is_file() or is_part:
            yield path
    if not is_plain and _GIT_VERSION.search(text) and not (directory / ".git").exists():
        above = (parent for parent in directory.parents if (parent / ".git").exists())
        yield from (parent / name for parent in islice(above, 1) for name in _GIT_STATE)


def _is_of_another(path: Path, directory: Path) -> bool:
    is_project = any((path / name).exists() for name in (PYPROJECT, "setup.py"))
    return is_project or directory.resolve().is_relative_to(path.resolve())


def _text(file: Path) -> str:
    try:
        return regular_file.read(file).decode("utf-8", "replace")
    except OSError:
        return ""


def _is_plain(directory: Path) -> bool:
    """Whether the backend needs only pyproject.toml, the names of modules, and a few texts."""
    try:
        text = regular_file.read(directory / PYPROJECT).decode("utf-8")
        document = toml.parse(text, directory / PYPROJECT)
    except OSError, ValueError, UnreadableToml:
        return False
    project = toml.table_at(document, "project")
    return (
        bool(project)
        and not project.get("dynamic")
        and _backend(document) in _PLAIN_BACKENDS
        and not _HOOKS.search(text)
        and not (directory / "setup.py").exists()
    )


def _backend(document: TomlTable) -> str:
    return str(toml.table_at(document, "build-system").get("build-backend", ""))


def _plain_content(path: Path, directory: Path) -> bytes | None:
    """Return what an editable install of a plain project depends on in *path*; None: nothing.

    Of directories and modules that is the name alone.
    """
    if path.name in _PROJECT_FILES or _TEXTS.fullmatch(path.name):
        return _content(path)
    is_module = _is_module(path.name, is_at_the_top=path.parent in {directory, directory / "src"})
    return b"" if is_module or path.is_dir() else None


def _is_module(name: str, *, is_at_the_top: bool) -> bool:
    return name == "__init__.py" or (is_at_the_top and PurePath(name).suffix == ".py")


def _plain_paths(directory: Path) -> Iterator[Path]:
    """Yield those of `_paths` that count for a plain project: it may have 100,000 data files."""
    yield from _git_state(directory)
    waiting = [directory]
    while waiting:
        parent = waiting.pop()
        is_at_the_top = parent in {directory, directory / "src"}
        try:
            with os.scandir(parent) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError:
            continue
        entries = [entry for entry in entries if not _LEFT_OUT.fullmatch(entry.name)]
        directories = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
        yield from (parent / name for name in directories)
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False) and (
                entry.name in _PROJECT_FILES
                or _TEXTS.fullmatch(entry.name)
                or _is_module(entry.name, is_at_the_top=is_at_the_top)
                or entry.is_symlink()
            ):
                yield parent / entry.name
        waiting += (parent / name for name in reversed(directories))


def _git_state(directory: Path) -> Iterator[Path]:
    for name in _GIT_STATE:
        path = directory / name
        yield from sorted(path.rglob("*")) if path.is_dir() else [path]


def _paths(directory: Path) -> Iterator[Path]:
    """Yield everything below *directory* in a fixed order; Git's state, not its objects."""
    yield from _git_state(directory)
    for parent, directories, names in directory.walk():
        directories[:] = sorted(name for name in directories if not _LEFT_OUT.fullmatch(name))
        yield from (parent / name for name in directories)
        yield from (parent / name for name in sorted(names) if not _LEFT_OUT.fullmatch(name))


def _content(path: Path) -> bytes:
    """Return a digest of the file at *path*; a word for a directory, a link or a missing file."""
    if path.is_symlink():
        return f"link {path.readlink()}".encode(errors="surrogateescape")
    if not path.is_file():
        return b"directory" if path.is_dir() else b"nothing"
    with regular_file.opened(path) as file:
        return hashlib.file_digest(file, "sha256").digest()
