"""How pip decodes a requirements file, looked at first: pip's words for a failure are a riddle."""

import codecs
import re

from cnb_python.errors.inputs import NotUtf8, UnknownEncoding

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
_CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")


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
    declared = (_CODING.match(line) for line in content.split(b"\n")[:2])
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
