"""Changes a file a little, or hostilely: the same seed gives the same changes."""

from collections.abc import Sequence
from random import Random

LARGEST = 200_000
"""Bytes of a mutated file: enough to show that a reader's time grows with the square."""
_PIECES = (
    *(b"\0", b"\n", b"\r\n", b"\r", b"\t", b" ", b"\\\n", b"\xff", b"\xed\xa0\x80", b"\x1b[31m"),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        "\u2028\u200b\u0661".encode(),
        b"::error::",
        b"\\ud800",
    ),
    *(
        b'"',
        b"'",
        b"=",
        b"==",
        b"~=",
        b"===",
        b";",
        b"#",
        b",",
        b".",
        b":",
        b"@",
        b"*",
        b"[[",
        b"-",
    ),
    *(b"-1", b"0", b"1e999", b"NaN", b"9" * 5000, b"1.0.dev0", b"0x7f", b"true", b"null", b"{}"),
    *(
        b"../" * 20,
        b"/",
        b"//",
        b"/dev/zero",
        b"/proc/self/fd/0",
        b"${HOME}",
        b"file:///",
        b"http://[",
    ),
    *(b"<<<<<<< a\n", b">>>>>>> b\n", b"\xf0\x9f\x90\x8d", b"%00", b"%", b"a" * 300),
)
# Repeated, they nest, or make readers try again at each place.
_REPEATED = (
    *(b"[", b"(", b"{", b'{"a":', b"[[", b"((", b"{a=", b"<", b" ", b"\t", b"\n", b"\\\n", b"a"),
    *(
        b"a.",
        b"a=",
        b"1",
        b"-",
        b"- ",
        b"_",
        b"/",
        b"a/",
        b"../",
        b'"',
        b"'",
        b"#",
        b" #",
        b";",
        b"; ",
    ),
    *(
        b"=",
        b"==",
        b",",
        b", ",
        b":",
        b"://",
        b"@",
        b"a@",
        b"$",
        b"${",
        b"$(",
        b"`",
        b"|",
        b"&&",
        b"not ",
    ),
    *(
        b"or ",
        b"\\",
        b"*",
        b"not(",
        b"-r x\n",
        b"a\\\n",
        b"[a]\n",
        b"[[a]]\n",
        b"a=1\n",
        b"a: b\n",
    ),
    *(b"elif 1:\n  x\n", b"if 1:\n ", b"x(", b"-" * 7, b"\xc3", b"\0", b".*", b"||", b"a b "),
)
_BRACKETS = (
    *((b"[", b"]"), (b"(", b")"), (b"{", b"}"), (b'{"a":', b"}"), (b"{a=", b"}"), (b"<", b">")),
    *((b"if 1:\n ", b""), (b"not ", b""), (b"(1 or ", b")"), (b"a/", b""), (b"x(", b")")),
)
_COUNTS = (2, 20, 150, 1200, 5000, 50_000)


def mutated(
    content: bytes, others: Sequence[bytes], random: Random, largest: int = LARGEST
) -> bytes:
    """Return *content* with one to four changes, of which some take pieces of *others*.

    At most *largest* bytes; with more than LARGEST, the last change makes it that large.
    """
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        content = random.choice(_MUTATIONS)(content, others, random)[:largest]
    if largest > LARGEST:
        content = random.choice(_ENLARGEMENTS)(content, largest, random)[:largest]
    return content


def _nested(content: bytes, largest: int, random: Random) -> bytes:
    """Put *content*, or a part of it, into as many brackets as there is room for."""
    opening, closing = random.choice(_BRACKETS)
    start, end = _span(content, random)
    count = max(1, (largest - len(content)) // (len(opening) + len(closing)))
    inner = opening * count + content[start:end] + closing * count
    return content[:start] + inner + content[end:]


def _doubled(content: bytes, largest: int, _: Random) -> bytes:
    return content * (largest // max(1, len(content)))


def _numbered(content: bytes, largest: int, random: Random) -> bytes:
    """Repeat a paragraph or a line; one of its words has another number in each copy."""
    parts = content.split(random.choice((b"\n\n", b"\n", b"\n")))
    part = random.choice(parts)
    words = _words(part) or [b""]
    word = random.choice(words)
    count = min(50_000, largest // (len(part) + 8))
    copies = (part.replace(word, b"%s%d" % (word, number), 1) for number in range(count))
    return content + b"\n" + b"\n".join(copies)


def _repeated(content: bytes, largest: int, random: Random) -> bytes:
    piece = random.choice(_REPEATED)
    at = random.randint(0, len(content))
    count = max(1, (largest - len(content)) // len(piece))
    return content[:at] + piece * count + content[at:]


def _insert(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + random.choice(_PIECES) + content[at:]


def _replace(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + random.choice(_PIECES) + content[end:]


def _delete(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + content[end:]


def _flip(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    if not content:
        return content
    at = random.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << random.randrange(8))]) + content[at + 1 :]


def _cut(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return content[: random.randint(0, len(content))]


def _repeat(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    """Insert something many times: a known piece, or a part of the content itself."""
    start, end = _span(content, random)
    piece = random.choice((random.choice(_REPEATED), random.choice(_REPEATED), content[start:end]))
    count = min(random.choice(_COUNTS), LARGEST // max(1, len(piece)))
    at = random.randint(0, len(content))
    return content[:at] + piece * count + content[at:]


def _splice(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(others)
    start, end = _span(other, random)
    at = random.randint(0, len(content))
    return content[:at] + other[start:end] + content[at:]


def _move_lines(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def _change_word(content: bytes, _: Sequence[bytes], random: Random) -> bytes:
    """Replace a word wherever it occurs, so that names that belong together stay together."""
    words = _words(content)
    if not words:
        return content
    word, piece = random.choice(words), random.choice((*_PIECES, *words))
    # As often as there is room for: all of `a` in 200,000 of them would need a gigabyte.
    return content.replace(word, piece, 1 + LARGEST // max(1, len(piece)))


def _words(content: bytes) -> list[bytes]:
    return content.replace(b'"', b" ").replace(b"=", b" ").split()


def _span(content: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(content))
    return start, min(len(content), start + random.choice((1, 2, 5, 20, 200)))


_MUTATIONS = (
    *(_insert, _insert, _replace, _replace, _delete, _flip, _cut, _repeat, _repeat, _splice),
    *(_move_lines, _change_word),
)
_ENLARGEMENTS = (_nested, _doubled, _numbered, _numbered, _repeated, _repeated)
