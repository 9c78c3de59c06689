"""Packages that need a step after they are installed, and whether what it makes is missing.

The table is `data/known_steps.toml`, which explains its columns. Nothing runs here: the app names
the step in `[tool.cnb-python.commands]`, or runs it in a script.

Separate from `steps`, which prints the warnings.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cnb_python.app_steps import hooks
from cnb_python.app_steps.commands.patterns import Patterns
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.config.build_commands import BuildCommand
from cnb_python.errors.base import Message
from cnb_python.launch.code.source_files import SourceFiles, read_source_files
from cnb_python.system import regular_file

TABLE = Path(__file__).parents[1] / "data/known_steps.toml"
PAGE = "docs/how-to/build-commands.md"
PACKAGES = frozenset(
    {
        "babel",
        "crawl4ai",
        "django",
        "django-compressor",
        "django-sass-processor",
        "django-tailwind",
    }
    | {"django-tailwind-cli", "grpcio-tools", "nltk", "patchright", "playwright", "prisma"}
    | {"pyppeteer", "pytailwindcss", "spacy", "stanza", "textblob"}
)
"""Those of the table, which is read only if one of them is installed."""
_SKIPPED = frozenset({".git", "node_modules", "site-packages", "__pycache__", ".venv", "venv"})
# What is beyond them is not found.
_MOST_FILES = 20_000
_MAX_BYTES = 256 * 1024

type Filled = Callable[[object], str]
"""Returns a text of a row with the values of the app."""


@dataclass(frozen=True)
class AppFiles:
    """What the steps of one app are found by."""

    directory: Path
    commands: Sequence[BuildCommand]

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files, relative to it and sorted."""
        return tuple(sorted(_walk(self.directory)))

    @cached_property
    def path_set(self) -> frozenset[str]:
        """The same, to look one up."""
        return frozenset(self.paths)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its files, without directories."""
        return frozenset(map(posixpath.basename, self.paths))

    @cached_property
    def sources(self) -> SourceFiles:
        """Its Python files."""
        return read_source_files(self.directory)

    @cached_property
    def run_texts(self) -> str:
        """The commands and scripts of the app that the build runs, as one text."""
        scripts = (self.text(name) for name in (hooks.PRE, hooks.POST))
        return "\n".join((*(command.run for command in self.commands), *scripts))

    def text(self, path: str) -> str:
        """Return the text of the file *path*; empty if it cannot be read or is too large."""
        try:
            content = regular_file.read(self.directory / path, _MAX_BYTES)
        except OSError:
            return ""
        return content.decode("utf-8", "replace")

    def matching(self, pattern: str, text: str = "", skip: Sequence[str] = ()) -> Iterator[str]:
        """Yield the paths that *pattern* matches, of files that contain the expression *text*.

        *skip*: patterns of paths that are left out.
        """
        patterns, skipped = Patterns([pattern]), Patterns(skip)
        for path in self.paths:
            if not patterns.matches(path) or skipped.matches(path):
                continue
            if not text or re.search(text, self.text(path)):
                yield path


def warnings(files: AppFiles, distributions: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a warning for each step of the table whose result is missing.

    *distributions*: the versions of the installed packages by normalized names.
    """
    if PACKAGES.isdisjoint(distributions):
        return ()
    rows = toml.tables_at(toml.read(TABLE), "step")
    messages = (
        _warning(row, files, distributions)
        for row in rows
        if row["package"] in distributions and row.get("without") not in distributions
    )
    return tuple(message for message in messages if message)


def _warning(row: TomlTable, files: AppFiles, distributions: Mapping[str, str]) -> Message | None:
    values = _use(row, files)
    if values is None or _is_done(row, files, distributions, values):
        return None

    def filled(text: object) -> str:
        # Not format(): shells and TOML have braces too.
        return re.sub(r"\{(name|path|root)\}", lambda key: values[key[1]], str(text))

    package = str(row["package"])
    return Message(
        title=filled(row["missing"]),
        body=(
            f"{package} {distributions[package]} is installed, and {values['where']} needs it.",
            *(_command(row, filled) if "run" in row else ()),
            *map(filled, _texts(row, "advice")),
            *((f"More: {PAGE}",) if "run" in row else ()),
        ),
    )


def _command(row: TomlTable, filled: Filled) -> Iterator[str]:
    yield "To run the step in each build that needs it, add to pyproject.toml:"
    yield f"  [tool.cnb-python.commands.{row['name']}]"
    yield f"  run = {_quoted(filled(row['run']))}"
    for key in ("inputs", "outputs"):
        yield f"  {key} = [{', '.join(_quoted(filled(text)) for text in _texts(row, key))}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _use(row: TomlTable, files: AppFiles) -> dict[str, str] | None:
    """Return what shows that the app needs the step; None if nothing does.

    `where` is the file, `name`, `path` and `root` are for the texts of the row.
    """
    values = {"name": "", "path": "", "root": "", "where": ""}
    if "files" in row:
        text, skip = str(row.get("text", "")), _texts(row, "skip")
        candidates = [*files.matching(str(row["files"]), text, skip)]
        paths = [path for path in candidates if not _has_beside(row, files, path)]
        if not paths or (row.get("once") and len(paths) < len(candidates)):
            return None
        root = posixpath.dirname(posixpath.dirname(posixpath.dirname(paths[0])))
        values |= {"path": paths[0], "root": root or ".", "where": paths[0]}
    if patterns := _texts(row, "uses"):
        use = _matching_source(patterns, files)
        if use is None:
            return None
        values |= use
    return values


def _matching_source(patterns: Sequence[str], files: AppFiles) -> dict[str, str] | None:
    expressions = [re.compile(pattern.encode()) for pattern in patterns]
    for file in files.sources.mentioning(expressions[0]):
        matches = [expression.search(file.content) for expression in expressions]
        if all(matches):
            groups = [match.groupdict() for match in matches if match]
            name = next((group["name"] for group in groups if group.get("name")), b"")
            return {"where": file.shown, "name": name.decode("utf-8", "replace")}
    return None


def _has_beside(row: TomlTable, files: AppFiles, path: str) -> bool:
    """Whether the step has made the file for *path*."""
    if "beside" not in row:
        return False
    directory, name = posixpath.split(path)
    stem = name.rpartition(".")[0]
    module = stem.rpartition(".")[2].replace("-", "_")
    result = str(row["beside"]).replace("{stem}", stem).replace("{module}", module)
    if row.get("anywhere"):
        return result in files.names
    return posixpath.join(directory, result) in files.path_set


def _is_done(
    row: TomlTable,
    files: AppFiles,
    distributions: Mapping[str, str],
    values: Mapping[str, str],
) -> bool:
    if "done_by" in row and re.search(str(row["done_by"]), files.run_texts):
        return True
    unless = "|".join(_texts(row, "unless"))
    if unless and any(files.sources.mentioning(re.compile(unless.encode()))):
        return True
    if "installed" in row:
        name = str(row["installed"]).replace("{name}", values["name"]).replace("_", "-")
        return name in distributions
    made_text = str(row.get("made_text", ""))
    return any(any(files.matching(pattern, made_text)) for pattern in _texts(row, "made"))


def _texts(row: TomlTable, key: str) -> tuple[str, ...]:
    value = row.get(key)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _walk(directory: Path) -> Iterator[str]:
    count = 0
    for parent, names, file_names in directory.walk():
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        below = parent.relative_to(directory).as_posix()
        for name in file_names:
            count += 1
            if count > _MOST_FILES:
                return
            yield name if below == "." else f"{below}/{name}"
