"""Restores what code of packages changes in the user's files that other tools use.

Wheels are fetched after that code ran, by pip, uv and Git, whose configuration decides where a
wheel comes from. Other packages are built after it, with compilers and programs of the user.
Separate from `staging`, which knows when such code has run.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.managers import tool_settings
from cnb_python.system import regular_file

_OF_GIT = (".gitconfig", ".config/git/config", ".git-credentials", ".config/git/credentials")
# Files that build backends, compilers and package managers of other languages read.
_OF_BUILDS = (
    *(".pydistutils.cfg", ".numpy-site.cfg", "numpy-site.cfg", ".npmrc", ".condarc"),
    *(".cargo/config", ".cargo/config.toml", ".rustup/settings.toml", ".config/meson/native"),
    *(".config/pypoetry/config.toml", ".config/pdm/config.toml", ".config/pip/constraints.txt"),
    *(".profile", ".bashrc", ".bash_profile", ".zshenv"),
)
# Configuration files are far smaller; what is larger is not read.
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UserFiles:
    """The configuration files of one build, as they were before any code of a package ran."""

    contents: Mapping[Path, tuple[int, bytes] | None]
    """Mode and content by path; None: there is no such file."""
    programs: dict[Path, dict[str, State]]
    """The states of the files in each directory of PATH below HOME, by name."""

    def restore(self) -> tuple[str, ...]:
        """Make all files what they were; return the paths that differed. Raises OSError.

        A program that was changed is removed: its content is not kept.
        """
        return tuple(sorted((*self._restore_contents(), *self._remove_programs())))

    def _remove_programs(self) -> Iterator[str]:
        for directory, before in self.programs.items():
            after = _states(directory)
            for name in sorted(before.keys() | after.keys()):
                if before.get(name) != after.get(name):
                    disk.remove(directory / name)
                    yield str(directory / name)
            # Otherwise it would be reported again after the next package.
            self.programs[directory] = _states(directory)

    def _restore_contents(self) -> tuple[str, ...]:
        changed = [path for path, content in self.contents.items() if _read(path) != content]
        for path in changed:
            disk.remove(path)
            if content := self.contents[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                disk.write(path, content[1], stat.S_IMODE(content[0]))
        return tuple(map(str, changed))


def read_user_files(environ: Mapping[str, str], app_dir: Path) -> UserFiles:
    """Return the configuration files for which *environ* makes tools look, outside of the app."""
    contents = {
        path: _read(path) for path in _paths(environ, app_dir) if not path.is_relative_to(app_dir)
    }
    programs = {
        directory: _states(directory)
        for directory in _program_directories(environ)
        if not directory.is_relative_to(app_dir)
    }
    return UserFiles(contents, programs)


def _program_directories(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories of PATH that the user has: those below HOME, also missing ones."""
    home = environ.get("HOME", "")
    for name in environ.get("PATH", "").split(os.pathsep) if Path(home).is_absolute() else ():
        directory = Path(name)
        if directory.is_relative_to(home) and directory != Path(home):
            yield directory


def _states(directory: Path) -> dict[str, State]:
    try:
        with os.scandir(directory) as entries:
            return {
                entry.name: disk.state_of(entry.stat(follow_symlinks=False)) for entry in entries
            }
    except OSError:
        return {}


def _paths(environ: Mapping[str, str], app_dir: Path) -> Iterator[Path]:
    yield from tool_settings.pip_configuration_files(environ)
    yield from tool_settings.uv_configuration_files(environ, app_dir)
    if home := environ.get("HOME", ""):
        yield from (Path(home, name) for name in (".netrc", *_OF_GIT, *_OF_BUILDS))
    if netrc := environ.get("NETRC", ""):
        yield Path(netrc)


def _read(path: Path) -> tuple[int, bytes] | None:
    """Return mode and content of the file at *path*, of a link those of its target."""
    try:
        status = path.stat()
        return status.st_mode, regular_file.read(path, _LARGEST)
    except OSError:
        return None
