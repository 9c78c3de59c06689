"""Reads requirements files as pip does: encodings, lines, includes, and what a line is made of.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
Builds that change nothing import it, so it does without `packaging`, which takes long to import.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from cnb_python.errors.inputs import NotAFile, NotUtf8, TooManyIncludes, UnknownEncoding
from cnb_python.system import regular_file
from cnb_python.system.redaction import local_path

VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
# A hash that pip and uv compare with the files of an index, which lists SHA-256 alone.
SHA256 = re.compile(r"--hash(?:=|[ \t]+)sha256:([0-9a-fA-F]{64})")
_HASH = re.compile(r"--hash(?:=|\s+)(\w+:[0-9a-fA-F]+)")
_MARKER = re.compile(r"\s;|;\s")
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_SHORT = {
    "-c": "constraint",
    "-e": "editable",
    "-f": "find-links",
    "-i": "index-url",
    "-r": "requirement",
}
_OPTION = re.compile(r"(?:--([a-z][a-z-]*)(?:=|\s+|$)|(-[cefir])\s*)(.*)", re.DOTALL)
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_MARKS = tuple(mark for mark, _ in _MARKS[1:])
# PEP 263, which pip honors in the first two lines of requirements files too.
_DECLARED_ENCODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")

# pip has a stack for each, and reads a file again wherever it is included.
_DEEPEST = 100
_MOST_READ = 10_000

type Source = Path | str
"""A file, or the address of one on the web."""
type Remote = Callable[[str], str]
"""Returns the text at an address; empty if it cannot be fetched."""


def nothing_remote(_: str) -> str:
    """Stand in for `Remote` where nothing is fetched."""
    return ""


class RequirementLine(NamedTuple):
    """What pip reads as one line, without its comment."""

    number: int
    """Of the first of the lines that were joined, from 1."""
    text: str

    @property
    def parts(self) -> tuple[str, str]:
        """The requirement and the options behind it; either may be empty.

        pip looks for the options behind single spaces alone: a tab is part of the requirement.
        """
        words = self.text.split(" ")
        first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        return " ".join(words[:first]), " ".join(words[first:])

    @property
    def editable(self) -> str:
        """The path or address behind `-e`; empty if the line is not an editable."""
        name, value = option_of(self.text)
        return value if name == "editable" else ""

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hashes as they are written, such as `sha256:1f...`; an editable has none."""
        return tuple(_HASH.findall(self.parts[1])) if not self.editable else ()


def lines_of(text: str) -> Iterator[RequirementLine]:
    """Yield the lines of *text*: joined at backslashes, without comments and blank lines."""
    for number, line in _joined(text):
        if bare := _without_comment(line).strip():
            yield RequirementLine(number, bare)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Join a line that ends in a backslash with the next; a comment ends the joined line."""
    start, begun = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            start = start or number
            begun.append(line.strip("\\"))
            continue
        yield start or number, "".join((*begun, " " if is_comment else "", line))
        start, begun = 0, []
    if start:
        yield start, "".join(begun)


def _without_comment(line: str) -> str:
    """Return *line* up to a # at its start or behind a blank."""
    at = line.find("#")
    while at > 0 and not line[at - 1].isspace():
        at = line.find("#", at + 1)
    return line if at < 0 else line[:at]


def read_lines(
    file: Source, environ: Mapping[str, str], remote: Remote = nothing_remote
) -> Iterator[tuple[Source, RequirementLine]]:
    """Yield each line of *file* and of the files it includes, with the file that the line is in.

    Each file is read once, where it is included first. A file that cannot be read has no lines.
    Raises NotAFile for a pipe, a socket or a device, which might have no end.
    """
    for _, source, line in _walk(file, environ, remote):
        if not _is_include(line):
            yield source, line


def check_includes(file: Path, environ: Mapping[str, str]) -> None:
    """Refuse files that include each other so deeply, or so often, that pip would not end.

    pip reads a file again wherever it is included. Raises TooManyIncludes, and what `read_lines`
    raises.
    """
    includes: dict[Source, list[Source]] = {file: []}
    for depth, source, line in _walk(file, environ, nothing_remote):
        if depth > _DEEPEST:
            raise TooManyIncludes(file.name, f"{_DEEPEST} files that include each other in a row")
        if (included := _included(line, source, environ)) is not None:
            includes.setdefault(source, []).append(included)
    if _counted(file, includes) > _MOST_READ:
        raise TooManyIncludes(file.name, f"files that are read {_MOST_READ:,} times in all")


def _counted(file: Source, includes: Mapping[Source, list[Source]]) -> int:
    """Return how often pip reads a file, at most `_MOST_READ` and one."""
    counted, waiting = 0, [(file, frozenset([file]))]
    while waiting and counted <= _MOST_READ:
        source, above = waiting.pop()
        counted += 1
        waiting += [
            (each, above | {each}) for each in includes.get(source, ()) if each not in above
        ]
    return counted


def _is_include(line: RequirementLine) -> bool:
    option, value = option_of(line.text)
    return bool(value) and option in {"requirement", "constraint"}


def _walk(
    file: Source, environ: Mapping[str, str], remote: Remote
) -> Iterator[tuple[int, Source, RequirementLine]]:
    """Yield each line with its file, and how many files in a row led there; each file once."""
    seen = {file}
    open_files = [(file, _lines(file, remote))]
    while open_files:
        source, lines = open_files[-1]
        for line in lines:
            yield len(open_files), source, line
            included = _included(line, source, environ)
            if included is not None and included not in seen:
                seen.add(included)
                open_files.append((included, _lines(included, remote)))
                break
        else:
            open_files.pop()


def _lines(file: Source, remote: Remote) -> Iterator[RequirementLine]:
    return lines_of(_text(file) if isinstance(file, Path) else remote(file))


def _included(
    line: RequirementLine, including: Source, environ: Mapping[str, str]
) -> Source | None:
    """Return the file that *line* of the file *including* includes, as pip does.

    None: it includes none, or what cannot be the name of one.
    """
    if not _is_include(line):
        return None
    name = expanded(option_of(line.text)[1], environ)
    try:
        if urlsplit(name).scheme in {"http", "https"}:
            return name
        if not isinstance(including, Path):
            return urljoin(including, name)
        return (local_path(name) or including.parent / name).resolve()
    except ValueError:  # a part of an IPv6 address, a NUL in a path
        return None


def _text(file: Path) -> str:
    if file.exists() and not file.is_file() and not file.is_dir():
        # Any reader, pip too, might wait forever.
        raise NotAFile(file.name, "a pipe, a socket or a device")
    try:
        return decode(regular_file.read(file), "replace")
    except OSError, LookupError:
        return ""


def option_of(text: str) -> tuple[str, str]:
    """Return the long name and the value of the option that a line begins with.

    Both are empty if it begins with none.

    >>> option_of("-i https://index.example.org/simple")
    ('index-url', 'https://index.example.org/simple')
    >>> option_of("--find-links=./wheels"), option_of("--no-index"), option_of("six==1.17.0")
    (('find-links', './wheels'), ('no-index', ''), ('', ''))
    """
    option = _OPTION.fullmatch(text.strip())
    if option is None:
        return "", ""
    return option[1] or _SHORT[option[2]], option[3].strip()


def index_url(text: str) -> str:
    """Return the URL in a line that names an index; empty if it does not."""
    option, value = option_of(text)
    return value if option in {"index-url", "extra-index-url"} else ""


def split_marker(requirement: str) -> tuple[str, str]:
    """Return *requirement* without its marker, and the marker; empty without one.

    A semicolon begins a marker only beside a space: addresses may hold others.

    >>> split_marker("six==1.17.0; python_version < '3.13'")
    ('six==1.17.0', "python_version < '3.13'")
    """
    marker = _MARKER.search(requirement)
    if marker is None:
        return requirement.strip(), ""
    return requirement[: marker.start()].strip(), requirement[marker.end() :].strip()


def egg_name(address: str) -> str:
    """Return the name behind `#egg=` in *address*; empty without it."""
    egg = _EGG.search(address)
    return egg[1] if egg else ""


def expanded(text: str, environ: Mapping[str, str]) -> str:
    """Return *text* with variables such as `${TOKEN}` replaced, as far as *environ* has them."""
    return VARIABLE.sub(lambda name: environ.get(name[0][2:-1], "") or name[0], text)


def normalized_name(name: str) -> str:
    """Return *name* by PEP 503, as `packaging.utils` does, which takes long to import."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_encoding(name: str, content: bytes) -> None:
    """Refuse the file *name* if pip could not decode it, or would take it for one long line.

    Raises NotUtf8 or UnknownEncoding.
    """
    try:
        decode(content)
    except LookupError:
        raise UnknownEncoding(name, _encoding(content)[1]) from None
    except UnicodeError as error:
        # In wide text no single byte is to blame; the mark shows what the file is.
        wide = is_wide(content)
        start = error.start if isinstance(error, UnicodeDecodeError) and not wide else 0
        offset = start + len(b"" if wide else _encoding(content)[0])
        raise _not_utf8(name, content, offset) from None
    if b"\0" in content and not is_wide(content):
        raise _not_utf8(name, content, content.index(b"\0"))


def is_wide(content: bytes) -> bool:
    """Whether *content* is UTF-16 or UTF-32, by its byte order mark."""
    return content.startswith(_WIDE_MARKS)


def decode(content: bytes, errors: str = "strict") -> str:
    """Return the text of *content* as pip reads it. Raises LookupError or UnicodeError."""
    mark, encoding = _encoding(content)
    return content.removeprefix(mark).decode(encoding, errors)


def declared_encodings(content: bytes) -> tuple[str, ...]:
    """Return the encodings that the first two lines of *content* declare (PEP 263)."""
    lines = content.removeprefix(codecs.BOM_UTF8).split(b"\n")[:2]
    return tuple(
        match[1].decode("ascii") for match in map(_DECLARED_ENCODING.match, lines) if match
    )


def _encoding(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark and the encoding; a mark is stronger than a declaration."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return mark, encoding
    return b"", next(iter(declared_encodings(content)), "utf-8")


def _not_utf8(name: str, content: bytes, offset: int) -> NotUtf8:
    return NotUtf8(name, content.count(b"\n", 0, offset) + 1, content[offset])
