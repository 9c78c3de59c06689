"""The shared libraries of a root file system: of the build image, or of a run image.

Separate from `native`, which reads what packages need.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cnb_python.distributions import elf

_CONFIGURATION = "etc/ld.so.conf"
_DEFAULT = ("lib", "usr/lib", "lib64", "usr/lib64", "usr/local/lib")
_TRIPLETS = ("x86_64-linux-gnu", "aarch64-linux-gnu")
_MOST_FILES = 100
_LONGEST_PATTERN = 255
_STARS = re.compile(r"\*\*+")
_MOST_LINKS = 20


class SystemLibraries:
    """The libraries that the dynamic linker finds in the file system below *root*."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._directories: tuple[str, ...] | None = None

    def find(self, library: str) -> Path | None:
        """Return the file of the library with this name, None if there is no such file."""
        if self._directories is None:
            self._directories = tuple(dict.fromkeys(self._searched()))
        paths = (self._resolved(f"{directory}/{library}") for directory in self._directories)
        return next((path for path in paths if path and path.is_file()), None)

    def versions(self, library: str) -> frozenset[str]:
        """Return the versions that *library* defines, none if it is not found."""
        path = self.find(library)
        try:
            return elf.defined_versions(path) if path else frozenset()
        except OSError:
            return frozenset()

    def _searched(self) -> Iterator[str]:
        yield from self._configured(_CONFIGURATION, set())
        for directory in _DEFAULT:
            yield directory
            yield from (f"{directory}/{triplet}" for triplet in _TRIPLETS)

    def _configured(self, name: str, seen: set[str]) -> Iterator[str]:
        """Yield the directories that `ld.so.conf`, or a file that it includes, lists."""
        if name in seen or len(seen) >= _MOST_FILES:
            return
        seen.add(name)
        try:
            lines = (self.root / name).read_text("utf-8", "replace").splitlines()
        except OSError:
            return
        for line in lines:
            text = line.partition("#")[0].strip()
            if text.startswith("include "):
                for path in self._included(text.removeprefix("include ").strip()):
                    yield from self._configured(str(path.relative_to(self.root)), seen)
            elif text.startswith("/"):
                yield text.lstrip("/")

    def _included(self, pattern: str) -> list[Path]:
        """Return the files that *pattern* names; none if it is longer than any path."""
        pattern = posixpath.join("/etc", pattern).lstrip("/")
        if not pattern or len(pattern) > _LONGEST_PATTERN:
            return []
        # As in C, ** is *.
        return sorted(self.root.glob(_STARS.sub("*", pattern)))

    def _resolved(self, path: str) -> Path | None:
        """Return the path that *path* leads to, where absolute links start at the root.

        None if there is no such file.
        """
        if self.root == Path("/"):
            return self.root / path
        waiting, done = path.split("/")[::-1], list[str]()
        links = 0
        while waiting:
            part = waiting.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                done = done[:-1]
                continue
            entry = self.root.joinpath(*done, part)
            if entry.is_symlink():
                links += 1
                if links > _MOST_LINKS:
                    return None
                target = str(entry.readlink())
                done = [] if target.startswith("/") else done
                waiting += target.split("/")[::-1]
            else:
                done.append(part)
        return self.root.joinpath(*done)


def in_directories(library: str, directories: Iterable[str]) -> bool:
    """Whether one of *directories*, absolute paths, has *library*."""
    return any(
        directory.startswith("/") and Path(directory, library).is_file()
        for directory in directories
    )
