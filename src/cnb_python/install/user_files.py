"""Restores what code of packages changes in the configuration of pip, uv and Git.

Wheels are fetched after that code ran, by tools that read these files: they decide where a wheel
comes from. Separate from `staging`, which knows when such code has run.
"""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.managers import tool_settings
from cnb_python.system import regular_file

_OF_GIT = (".gitconfig", ".config/git/config", ".git-credentials", ".config/git/credentials")
# Configuration files are far smaller; what is larger is not read.
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UserFiles:
    """The configuration files of one build, as they were before any code of a package ran."""

    contents: Mapping[Path, tuple[int, bytes] | None]
    """Mode and content by path; None: there is no such file."""

    def restore(self) -> tuple[str, ...]:
        """Make all files what they were; return the paths that differed. Raises OSError."""
        changed = [path for path, content in self.contents.items() if _read(path) != content]
        for path in changed:
            disk.remove(path)
            if content := self.contents[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                disk.write(path, content[1], stat.S_IMODE(content[0]))
        return tuple(str(path) for path in sorted(changed))


def read_user_files(environ: Mapping[str, str], app_dir: Path) -> UserFiles:
    """Return the configuration files for which *environ* makes tools look, outside of the app."""
    return UserFiles(
        {
            path: _read(path)
            for path in _paths(environ, app_dir)
            if not path.is_relative_to(app_dir)
        }
    )


def _paths(environ: Mapping[str, str], app_dir: Path) -> Iterator[Path]:
    yield from tool_settings.pip_configuration_files(environ)
    yield from tool_settings.uv_configuration_files(environ, app_dir)
    if home := environ.get("HOME", ""):
        yield from (Path(home, name) for name in (".netrc", *_OF_GIT))
    if netrc := environ.get("NETRC", ""):
        yield Path(netrc)


def _read(path: Path) -> tuple[int, bytes] | None:
    """Return mode and content of the file at *path*, of a link those of its target."""
    try:
        status = path.stat()
        return status.st_mode, regular_file.read(path, _LARGEST)
    except OSError:
        return None
