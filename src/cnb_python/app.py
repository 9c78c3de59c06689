"""Reads the app directory once: its names, and the contents of the files that decide the build.

Standard library only: detection imports it for every app, and looks only at names.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cnb_python.errors.base import AppError
from cnb_python.errors.config import NoSuchProject
from cnb_python.errors.inputs import FileTooLarge, NotAFile, NotUtf8, UnreadableFile
from cnb_python.system import regular_file
from cnb_python.system.regular_file import TooLargeToRead

REQUIREMENTS = "requirements.txt"

# Files of package managers. The buildpack takes part if the app has one of them: the build phase
# then explains what is missing.
LOCK_FILES = ("poetry.lock", "uv.lock", "Pipfile.lock", "Pipfile", "pdm.lock", "pylock.toml")
PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.in", "environment.yml")
OTHER_SIGNS = (
    *(".python-version", "runtime.txt", "__pycache__", ".venv", "venv", "__init__.py"),
    *("pdm.toml", "poetry.toml", "uv.toml", "hatch.toml", "tox.ini", "pytest.ini", "mypy.ini"),
    *("environment.yaml", "pip.conf", "MANIFEST.in", "requirements.lock"),
)
# Whole kinds of files: any module at the top, notebooks, the named lock files of PEP 751.
_PYTHON_FILE = re.compile(r".+\.(py|pyw|ipynb)|pylock\.[^.]+\.toml", re.IGNORECASE)
_NAMED_LOCK = re.compile(r"pylock\.[^.]+\.toml")
_VARIANT = re.compile(r"(requirements)|requirements[-_.](?!te?xt\b)[-\w.]+\.txt", re.IGNORECASE)

# What apps of other languages have at the top.
_OTHER_LANGUAGES = frozenset(
    {"package.json", "go.mod", "Gemfile", "pom.xml", "build.gradle", "build.gradle.kts"}
    | {"Cargo.toml", "composer.json", "mix.exs", "build.sbt", "deno.json", "Package.swift"}
)
# Names of Python programs that are probably the app, beside files of another language too.
_PROGRAMS = frozenset(
    {"main.py", "app.py", "manage.py", "wsgi.py", "asgi.py", "server.py", "run.py", "bot.py"}
)
_STEM = "requirements"
# The files that decide the build. Other files are read by the step that needs them.
_READ = (
    *(REQUIREMENTS, *LOCK_FILES, "pyproject.toml", "Procfile"),
    *(".python-version", "runtime.txt", ".tool-versions", "mise.toml", ".mise.toml"),
    "nltk.txt",
)
# A directory with one of these files seems to hold an app of its own.
_APP_FILES = (REQUIREMENTS, "requirements.lock", *LOCK_FILES, "pyproject.toml", "setup.py")
_SKIPPED_DIRECTORIES = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
# Enough for a hint, and few enough for a repository of any size.
_MOST_ENTRIES = 200
_MOST_DIRECTORIES = 10
# Of the nine different letters in `requirements`.
_LETTERS_IN_COMMON = 6


class App(NamedTuple):
    """The app's directory as it was when the phase began."""

    directory: Path
    files: frozenset[str]
    """Names at the top that are regular files or links to one."""
    directories: frozenset[str]
    """Names at the top that are directories or links to one."""
    special: frozenset[str]
    """All other names at the top: broken and circular links, sockets, pipes."""
    contents: Mapping[str, bytes]
    """The contents of the files that decide the build, by name."""
    unreadable: Mapping[str, OSError]
    """Why a file that decides the build could not be read, by name."""
    inside: str = ""
    """The path of *directory* in the repository, such as `services/api`; empty at its top."""
    above: tuple[App, ...] = ()
    """The directories above *directory*, from the nearest to the top of the repository; empty if
    the app is at the top."""

    @property
    def top(self) -> Path:
        """The top of the repository: files outside of it cannot be read."""
        return self.above[-1].directory if self.above else self.directory

    @property
    def names(self) -> frozenset[str]:
        """Every name at the top of the app."""
        return self.files | self.directories | self.special

    def content(self, name: str) -> bytes | None:
        """Return the bytes of the file *name*, one of those that decide the build.

        None if there is no such file. Raises `NotAFile` for a directory, a broken link or a pipe,
        `FileTooLarge` and `UnreadableFile`.
        """
        if name in self.directories:
            raise NotAFile(self.shown(name), "a directory")
        if name in self.special:
            raise NotAFile(self.shown(name), "a link that leads nowhere, or a special file")
        if name in self.unreadable:
            raise _refusal(self.shown(name), self.unreadable[name])
        return self.contents.get(name)

    def bytes_of(self, path: str) -> bytes | None:
        """Return the bytes of the file at *path*, relative to the app's directory.

        None if there is no such file in the repository. Raises what `content` raises.
        """
        if path in _READ:
            return self.content(path)
        file = self.directory / path
        if not file.exists() or not file.resolve().is_relative_to(self.top.resolve()):
            return None
        if not file.is_file():
            raise NotAFile(self.shown(path), "a directory" if file.is_dir() else "a special file")
        try:
            return regular_file.read(file)
        except OSError as error:
            raise _refusal(self.shown(path), error) from error

    def text(self, name: str) -> str | None:
        """Return the text of the file *name* without a byte order mark; None if it is missing.

        Raises `NotUtf8` besides what `bytes_of` raises.
        """
        content = self.bytes_of(name)
        if content is None:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotUtf8(self.shown(name), *_line_and_byte(content, error.start)) from None

    def shown(self, name: str) -> str:
        """Return the path of the file *name* from the top of the repository, for messages."""
        return f"{self.inside}/{name}" if self.inside else name

    def misspelt_requirements(self) -> tuple[str, ...]:
        """Return the names that were probably meant to be `requirements.txt`."""
        return tuple(sorted(name for name in self.names if is_misspelt(name)))

    def requirements_variants(self) -> tuple[str, ...]:
        """Return the names of other requirements: `requirements-dev.txt`, `requirements/`."""
        return tuple(sorted(name for name in self.names if _VARIANT.fullmatch(name)))


def read_app(app_dir: Path, inside: str = "") -> App:
    """Read the app in the directory *inside* of *app_dir*.

    Files that cannot be read raise when they are used. Raises NoSuchProject.
    """
    if not inside:
        return _read(app_dir)
    directory = app_dir / inside
    # A link may lead out of the app, to files that are not in the image.
    if not directory.is_dir() or not directory.resolve().is_relative_to(app_dir.resolve()):
        raise NoSuchProject(inside, directories_with_python(app_dir))
    paths = ["/".join(inside.split("/")[:depth]) for depth in range(inside.count("/") + 1)]
    above = tuple(_read(app_dir / path)._replace(inside=path) for path in reversed(paths))
    return _read(directory)._replace(inside=inside, above=above)


def directories_with_python(app_dir: Path) -> tuple[str, ...]:
    """Return the paths of directories, at most two below *app_dir*, that seem to hold an app."""
    first = _subdirectories(app_dir, "")
    second = [path for parent in first for path in _subdirectories(app_dir, f"{parent}/")]
    apps = (path for path in sorted((*first, *second)) if _has_app(app_dir / path))
    return tuple(islice(apps, _MOST_DIRECTORIES))


def _subdirectories(app_dir: Path, inside: str) -> list[str]:
    try:
        entries = sorted((app_dir / inside).iterdir())
    except OSError:
        return []
    return [
        f"{inside}{entry.name}"
        for entry in entries[:_MOST_ENTRIES]
        if not entry.name.startswith(".")
        and entry.name not in _SKIPPED_DIRECTORIES
        and entry.is_dir()
        and not entry.is_symlink()
    ]


def _has_app(directory: Path) -> bool:
    return any((directory / name).is_file() for name in _APP_FILES)


def _read(app_dir: Path) -> App:
    with os.scandir(app_dir) as listed:
        kinds = {entry.name: _kind(entry) for entry in listed}
    names = frozenset(kinds)
    files = frozenset(name for name in names if kinds[name] == "file")
    directories = frozenset(name for name in names if kinds[name] == "directory")
    contents: dict[str, bytes] = {}
    unreadable: dict[str, OSError] = {}
    for name in files:
        if name not in _READ and not _NAMED_LOCK.fullmatch(name):
            continue
        try:
            contents[name] = regular_file.read(app_dir / name)
        except OSError as error:
            unreadable[name] = error
    special = names - files - directories
    return App(app_dir, files, directories, special, contents, unreadable)


def _kind(entry: os.DirEntry[str]) -> str:
    """Return the kind of *entry*, or of what it links to: `file`, `directory` or empty.

    Paths would be slow, since an app may have 100,000 entries at its top.
    """
    try:
        return "file" if entry.is_file() else "directory" if entry.is_dir() else ""
    except OSError:
        return ""


def _refusal(shown: str, error: OSError) -> AppError:
    if isinstance(error, TooLargeToRead):
        return FileTooLarge(shown, error.limit >> 20)
    return UnreadableFile(shown, error.strerror or type(error).__name__)


def python_signs(app_dir: Path) -> tuple[str, ...]:
    """Return the names in *app_dir* that make it look like a Python app.

    Some of these apps cannot be built: the build phase explains what is missing, which the
    platform's "no buildpack groups passed detection" does not.
    """
    return tuple(sorted(name for name in _names(app_dir) if _is_sign(name)))


def is_stray_script(app_dir: Path) -> bool:
    """Whether *app_dir* is an app of another language, with Python scripts beside it."""
    names = _names(app_dir)
    if names.isdisjoint(_OTHER_LANGUAGES):
        return False
    signs = [name for name in names if _is_sign(name)]
    return all(
        _PYTHON_FILE.fullmatch(name)
        and name not in {*_PROGRAMS, *PROJECT_FILES}
        and not name.startswith("pylock.")
        for name in signs
    )


def is_misspelt(name: str) -> bool:
    """Whether *name* was probably meant to be `requirements.txt`.

    >>> [is_misspelt(name) for name in ("requirments.txt", "requirements.txt", "requirements.yml")]
    [True, False, False]
    """
    stem, _, suffix = name.casefold().strip(" '\"").partition(".")
    # An app may have thousands of files at its top, and the comparison below is slow.
    if len(set(stem) & set(_STEM)) < _LETTERS_IN_COMMON:
        return False
    return (
        name != REQUIREMENTS
        and not _VARIANT.fullmatch(name)
        and max(_alike(stem, _STEM), _alike(sorted(stem), sorted(_STEM))) >= 0.85
        and (not suffix or "txt" in suffix or _alike(suffix, "txt") > 0.6)
    )


def unread_locks(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of *names* that are files of package managers, in a fixed order."""
    present = frozenset(names)
    return tuple(name for name in LOCK_FILES if name in present)


def _is_sign(name: str) -> bool:
    return (
        name == REQUIREMENTS
        or name in LOCK_FILES
        or name in PROJECT_FILES
        or name in OTHER_SIGNS
        or bool(_PYTHON_FILE.fullmatch(name) or _VARIANT.fullmatch(name))
        or is_misspelt(name)
    )


def _names(app_dir: Path) -> frozenset[str]:
    return frozenset(os.listdir(app_dir))  # noqa: PTH208 - 100,000 paths are slow


def _alike(name: Sequence[str], expected: Sequence[str]) -> float:
    from difflib import SequenceMatcher  # noqa: PLC0415 - for misspelt names

    return SequenceMatcher(None, name, expected).ratio()


def _line_and_byte(content: bytes, offset: int) -> tuple[int, int]:
    """Return the line (from 1) and the value of the byte at *offset*."""
    return content.count(b"\n", 0, offset) + 1, content[offset]
