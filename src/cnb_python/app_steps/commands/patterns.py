"""Patterns of paths: which files of the app are inputs and outputs of a command.

Separate from `outcome`, since the syntax is documented for users.

`*` and `?` stand for characters of one name, `[ab]` for one of them, and `**` for any number of
directories. Names that start with a dot are matched too. A pattern that matches a directory
stands for everything below it. https://docs.python.org/3/library/glob.html#glob.translate
"""

import glob
import re
from collections.abc import Iterable
from functools import cached_property

from cnb_python.app_steps.file_listing import DIRECTORY, SPECIAL, Listing

_WILD = re.compile(r"[*?[]")


class Patterns:
    """Patterns below the directory *prefix*, which is relative to the files that they match."""

    def __init__(self, patterns: Iterable[str], prefix: str = "") -> None:
        top = f"{glob.escape(prefix)}/" if prefix else ""
        self.by_pattern = {
            pattern: re.compile(f"{_regex(f'{top}{pattern}')}|{_regex(f'{top}{pattern}/**')}")
            for pattern in patterns
        }
        self._prefix = prefix

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile("|".join(each.pattern for each in self.by_pattern.values()) or r"(?!)")

    def matches(self, path: str) -> bool:
        """Whether one of the patterns matches *path*, or a directory above it."""
        return self._any.match(path) is not None

    def unmatched(self, files: Listing) -> tuple[str, ...]:
        """Return the patterns that match no file and no link of *files*."""
        paths = [path for path, entry in files.items() if entry not in {DIRECTORY, SPECIAL}]
        return tuple(
            pattern
            for pattern, regex in self.by_pattern.items()
            if not any(map(regex.match, paths))
        )

    def among(self, files: Listing) -> dict[str, str]:
        """Return the entries of *files* that are matched."""
        return {path: entry for path, entry in files.items() if self.matches(path)}

    def above(self) -> frozenset[str]:
        """Return the directories above all matches of a pattern, as far as it names them."""
        directories = set()
        for pattern in self.by_pattern:
            parts = (*filter(None, self._prefix.split("/")), *pattern.split("/"))
            named = 0
            while named < len(parts) - 1 and not _WILD.search(parts[named]):
                named += 1
                directories.add("/".join(parts[:named]))
        return frozenset(directories)


def _regex(pattern: str) -> str:
    return glob.translate(pattern, recursive=True, include_hidden=True, seps="/")
