"""What an installation of a directory of the app depends on: of its files, only what counts.

Most commits change code, which an editable installation only points to; where it is certain that
nothing else counts, such a commit must not cost a build of the package.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.inputs import OutsideApp, UnreadableToml

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
        yield from (name, digest(found, is_editable=False))


def place(name: str, lock: str, beside: Path, top: Path) -> Path:
    """Return where *name*, as the file *lock* in *beside* has it, lies.

    Raises OutsideApp where it leads out of *top*, as apps in a directory of a repository have it
    that are built without the rest. An absolute path is the build image's; there is a project.
    """
    depth = len(beside.relative_to(top).parts)
    for part in () if Path(name).is_absolute() else Path(name).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            raise OutsideApp(lock, name)
    found = (beside / name).resolve()
    is_project = any((found / one).exists() for one in (PYPROJECT, "setup.py"))
    # A link that leads to all of the build image, for instance: nobody installs that.
    if not (found.is_relative_to(top.resolve()) or found.is_file() or is_project):
        raise OutsideApp(lock, name)
    return found


def digest(directory: Path, *, is_editable: bool) -> str:
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
