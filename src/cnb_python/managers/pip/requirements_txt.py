"""The requirements files that decide everything themselves: every line names one release.

A whitelist: what is not known to mean the same to pip and to uv is left to pip.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from packaging.version import Version

from cnb_python.app import REQUIREMENTS
from cnb_python.errors.inputs import NotUtf8, UnknownEncoding

_COMMENT = re.compile(r"(^|\s+)#.*$")
VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")


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


def lines_of(text: str) -> Iterator[RequirementLine]:
    """Yield what is left of *text* when lines are joined and comments and blanks are gone."""
    for number, line in _joined(text):
        if bare := _COMMENT.sub("", line).strip():
            yield RequirementLine(number, bare)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Join a line that ends in a backslash with the next; a comment ends the joined line."""
    start, begun = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        is_comment = bool(_COMMENT.match(line))
        if line.endswith("\\") and not is_comment:
            start, begun = start or number, begun + line.strip("\\")
            continue
        yield start or number, begun + (" " + line if is_comment else line)
        start, begun = 0, ""
    if start:
        yield start, begun


# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_MARKS = tuple(mark for mark, _ in _MARKS[1:])
# PEP 263, which pip honours in requirements files too.
_DECLARED_ENCODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")


def check(name: str, content: bytes) -> None:
    """Refuse the file *name* if pip could not decode it, or would take it for one long line.

    Raises NotUtf8 or UnknownEncoding.
    """
    _refuse_unreadable(name, content)
    if b"\0" in content and not is_wide(content):
        raise _not_utf8(name, content, content.index(b"\0"))


def is_wide(content: bytes) -> bool:
    """Whether *content* is UTF-16 or UTF-32, by its mark."""
    return content.startswith(_WIDE_MARKS)


def decode(content: bytes, errors: str = "strict") -> str:
    """Return the text of *content* as pip reads it. Raises LookupError or UnicodeError."""
    mark, encoding = _encoding(content)
    return content.removeprefix(mark).decode(encoding, errors)


def _encoding(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark and the encoding; a mark is stronger than a declaration."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return mark, encoding
    declared = (_DECLARED_ENCODING.match(line) for line in content.split(b"\n")[:2])
    return b"", next((found[1].decode("ascii") for found in declared if found), "utf-8")


def _refuse_unreadable(name: str, content: bytes) -> None:
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


def _not_utf8(name: str, content: bytes, offset: int) -> NotUtf8:
    return NotUtf8(name, content.count(b"\n", 0, offset) + 1, content[offset])


# The plainest lines, which are nearly all, are read without `packaging.requirements`: importing it
# takes a tenth of the time of a build that changes nothing.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRAS = rf"\[[ \t]*({_NAME}(?:[ \t]*,[ \t]*{_NAME})*)[ \t]*\]"
_PLAIN = re.compile(rf"({_NAME})[ \t]*(?:{_EXTRAS})?[ \t]*==[ \t]*([A-Za-z0-9.!+_-]+)[ \t]*")
# sha256 alone: an index says that of its files, and pip chooses among them by it.
_HASH = re.compile(r"--hash(?:=|[ \t]+)sha256:([0-9a-fA-F]{64})")
_HASHES = re.compile(rf"{_HASH.pattern}(?:[ \t]+{_HASH.pattern})*")
_INDEX = re.compile(r"(?:--index-url(?:=|[ \t]+)|-i[ \t]*)([^\s'\"\\]+)")
_FOR_EXTRAS = re.compile(r"\b(extras?|dependency_groups)\b")
# PEP 263, by which pip decodes; in the first two lines alone.
_CODING = re.compile(r"#.*?coding[:=]\s*([-\w.]+)")
_UTF8 = frozenset({"utf-8", "utf8"})


class Exact(NamedTuple):
    """A line that names one release."""

    number: int
    """Of the line, from 1."""
    name: str
    """Normalised (PEP 503)."""
    extras: tuple[str, ...]
    """Normalised, in order."""
    version: str
    """Normalised (PEP 440)."""
    marker: str
    """As it is written; empty: the line always counts."""
    hashes: tuple[str, ...]
    """SHA-256 in hex, each once, in order."""
    file: str = REQUIREMENTS

    @property
    def line(self) -> str:
        """The same without its marker, as every tool reads it."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        hashes = "".join(f" --hash=sha256:{digest}" for digest in self.hashes)
        return f"{self.name}{extras}=={self.version}{hashes}"


class ExactFile(NamedTuple):
    """A whole file of them, or several that are read together."""

    lines: tuple[Exact, ...]
    index_url: str
    """The address of the index that is asked for; empty: nothing is said of one."""

    @property
    def has_hashes(self) -> bool:
        """Whether every package has to have one of the hashes of its line."""
        return any(line.hashes for line in self.lines)


class NotExact(NamedTuple):
    """The file leaves something to be decided."""

    reason: str
    """What, as a verb phrase: `asks for a range`."""
    line: int
    """Its number, from 1; 0: the file as a whole."""
    file: str = REQUIREMENTS

    @property
    def sentence(self) -> str:
        """The reason with its subject: `line 3 of requirements.txt asks for a range`."""
        place = f"line {self.line} of " if self.line else ""
        return f"{place}{self.file} {self.reason}"


def parse_all(contents: Mapping[str, bytes]) -> ExactFile | NotExact:
    """Read files together, as `pip install -r one -r another` does; *contents* by their names."""
    lines: list[Exact] = []
    index_url = ""
    for name, content in contents.items():
        read = parse(content)
        if isinstance(read, NotExact):
            return read._replace(file=name)
        if index_url and read.index_url not in {"", index_url}:
            return NotExact("names a second index", 0, name)
        index_url = index_url or read.index_url
        lines += [line._replace(file=name) for line in read.lines]
    return ExactFile(tuple(lines), index_url)


def parse(content: bytes) -> ExactFile | NotExact:
    """Read *content* as pip does, if it is nothing but exact lines and at most one index."""
    text = _text(content)
    if text is None:
        return NotExact("is not plain UTF-8", 0)
    lines = tuple(lines_of(text))
    options = [line for line in lines if line.text.startswith("-")]
    for at, line in enumerate(options):
        if reason := _no_index(line.text) or ("names a second index" if at else ""):
            return NotExact(reason, line.number)
    found = [_exact(line) for line in lines if not line.text.startswith("-")]
    for one in found:
        if isinstance(one, NotExact):
            return one
    exact = tuple(one for one in found if isinstance(one, Exact))
    return ExactFile(exact, "".join(_INDEX.findall(options[0].text)) if options else "")


def _text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    declared = (_CODING.match(line) for line in text.split("\n")[:2])
    names = {found[1].casefold() for found in declared if found}
    return text if names <= _UTF8 and "\0" not in text else None


class _Read(NamedTuple):
    """A requirement, taken apart."""

    name: str
    extras: tuple[str, ...]
    specifiers: tuple[tuple[str, str], ...]
    """Operator and version."""
    marker: str = ""
    url: str = ""


def _exact(line: RequirementLine) -> Exact | NotExact:
    text, options = line.parts
    read = _plain(text) or _any(text)
    if read is None:
        return NotExact("is not of the form name==version", line.number)
    if (
        reason := _no_exact(read)
        or _no_number(read)
        or _no_options(options)
        or _no_text(line.text)
    ):
        return NotExact(reason, line.number)
    return Exact(
        line.number,
        normalised(read.name),
        tuple(sorted({normalised(extra) for extra in read.extras})),
        str(Version(read.specifiers[0][1])),
        read.marker,
        tuple(sorted({digest.lower() for digest in _HASH.findall(options)})),
    )


def normalised(name: str) -> str:
    """Return *name* by PEP 503, as `packaging.utils` does, which takes long to import."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _plain(text: str) -> _Read | None:
    found = _PLAIN.fullmatch(text)
    if not found:
        return None
    if not _is_version(found[3]):
        return None
    extras = tuple(filter(None, re.split(r"[ \t,]+", found[2] or "")))
    return _Read(found[1], extras, (("==", found[3]),))


def _any(text: str) -> _Read | None:
    from packaging.requirements import Requirement  # noqa: PLC0415 - see above

    try:
        read = Requirement(text)
    except ValueError, RecursionError:  # InvalidRequirement is one; brackets in brackets in ...
        return None
    specifiers = tuple((one.operator, one.version) for one in read.specifier)
    marker = str(read.marker) if read.marker else ""
    return _Read(read.name, tuple(read.extras), specifiers, marker, read.url or "")


def _no_exact(read: _Read) -> str:
    """Return why *read* does not name one release, empty where it does."""
    if read.url:
        return "names an address"
    if not read.specifiers:
        return "names no version"
    (operator, version), *more = read.specifiers
    if more or operator not in {"==", "==="}:
        return "asks for a range"
    if operator == "===" or version.endswith(".*"):
        return "compares versions as text or by a pattern"
    if _FOR_EXTRAS.search(read.marker):
        return "has a marker for extras"
    return ""


def _no_number(read: _Read) -> str:
    return "" if _is_version(read.specifiers[0][1]) else "is not of the form name==version"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:  # a number of thousands of digits is none either
        return False
    return True


def _no_options(options: str) -> str:
    return (
        "has an option that is no --hash=sha256:..."
        if options and not _HASHES.fullmatch(options)
        else ""
    )


def _no_text(text: str) -> str:
    return "uses a variable" if VARIABLE.search(text) else ""


def _no_index(text: str) -> str:
    """Return why a line of options names no index that pip and uv take alike."""
    found = _INDEX.fullmatch(text)
    if not found:
        return f"has the option {re.split(r'[\s=]', text)[0]}"
    return _no_text(text) or (
        "" if is_index(found[1]) else "names an index that is not on the web"
    )


def is_index(url: str) -> bool:
    """Whether *url* is the address of an index, and no directory."""
    try:
        address = urlsplit(url)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False
