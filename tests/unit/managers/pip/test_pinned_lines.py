"""Which requirements files are fully pinned, and why others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.managers.pip.pinned import PinnedFile, PinnedLine, Unpinned, parse_file

DIGEST, OTHER = "ab" * 32, "cd" * 32


def exact(text: str) -> tuple[PinnedLine, ...]:
    read = parse_file(text.encode())
    assert isinstance(read, PinnedFile), read
    return read.lines


def refused(text: str | bytes) -> str:
    read = parse_file(text if isinstance(text, bytes) else text.encode())
    assert isinstance(read, Unpinned), read
    return read.sentence


def test_line_is_normalized() -> None:
    (line,) = exact("Ruamel.YAML [Jinja2, a_b] == 0.18.0  # why")

    assert line.line == "ruamel-yaml[a-b,jinja2]==0.18.0"


def test_hashes_are_sorted_and_unique() -> None:
    (line,) = exact(
        f"a==1 --hash=sha256:{OTHER.upper()} --hash sha256:{DIGEST} \\\n --hash=sha256:{OTHER}"
    )

    assert line.hashes == (DIGEST, OTHER)
    assert line.line == f"a==1 --hash=sha256:{DIGEST} --hash=sha256:{OTHER}"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n# a==1\n   \n", []),
        ("a==1\r\nb==2\r", [(1, "a"), (2, "b")]),
        ("a==\\\n1\nb==2", [(1, "a"), (3, "b")]),
        ("# no \\\na==1", [(2, "a")]),
        ("a==1 \\\n# a comment ends it\nb==2", [(1, "a"), (3, "b")]),
        ("a==1\\", [(1, "a")]),
        ("a==1\fb==2", [(1, "a"), (2, "b")]),
        ("a==1\t# behind a tab", [(1, "a")]),
        ("\ufeffa==1", [(1, "a")]),
        ("# -*- coding: UTF-8 -*-\na==1", [(2, "a")]),
        ("a (==1)", [(1, "a")]),
    ],
)
def test_lines_are_read_as_by_pip(text: str, lines: list[tuple[int, str]]) -> None:
    assert [(line.number, line.name) for line in exact(text)] == lines


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a", "names no version"),
        ("a>=1", "asks for a range"),
        ("a==1,<2", "asks for a range"),
        ("a~=1.0", "asks for a range"),
        ("a!=1", "asks for a range"),
        ("a==1.*", "compares versions as text or by a pattern"),
        ("a===1", "compares versions as text or by a pattern"),
        ("a @ https://example.org/a.whl", "names an address"),
        ("https://example.org/a.whl", "is not of the form name==version"),
        ("./a", "is not of the form name==version"),
        ("a=1", "is not of the form name==version"),
        ("a==" + "9" * 5000, "is not of the form name==version"),
        ("a==1; " + "(" * 5000, "is not of the form name==version"),
        ("a==1#egg", "is not of the form name==version"),
        ("a==1\t--hash=sha256:" + DIGEST, "is not of the form name==version"),
        ("a==${VERSION}", "is not of the form name==version"),
        ("a==1; os_name == '${OS}'", "uses a variable"),
        ("a==1; extra == 'x'", "has a marker for extras"),
        ("a==1 --hash=md5:00", "has an option other than --hash=sha256:..."),
        (f"a==1 --hash=sha512:{DIGEST}", "has an option other than --hash=sha256:..."),
        ("a==1 --hash=sha256:abc", "has an option other than --hash=sha256:..."),
        (f"a==1 --hash='sha256:{DIGEST}'", "has an option other than --hash=sha256:..."),
        ("a==1 --config-settings=x=y", "has an option other than --hash=sha256:..."),
        ("-r more.txt", "has the option -r"),
        ("-c more.txt", "has the option -c"),
        ("-e .", "has the option -e"),
        ("--pre", "has the option --pre"),
        ("--no-binary=:all:", "has the option --no-binary"),
        ("--require-hashes", "has the option --require-hashes"),
        ("--extra-index-url https://index.example.org/simple", "has the option --extra-index-url"),
        ("--find-links wheels", "has the option --find-links"),
        ("-i https://${TOKEN}@index.example.org/simple", "uses a variable"),
        ("-i file:///index", "names an index that is not on the web"),
        ("--index-url wheels", "names an index that is not on the web"),
        ("--index https://index.example.org/simple", "has the option --index"),
    ],
)
def test_other_line_is_unpinned_with_its_reason(line: str, reason: str) -> None:
    assert refused(f"# packages\n{line}\n") == f"line 2 of requirements.txt {reason}"


@pytest.mark.parametrize(
    "option",
    ["-i {}", "-i{}", "--index-url {}", "--index-url={}", "  --index-url   {}   # ours"],
)
def test_one_index_is_allowed(option: str) -> None:
    url = "https://index.example.org/simple"

    read = parse_file(f"a==1\n{option.format(url)}\nb==2".encode())

    assert isinstance(read, PinnedFile)
    assert (read.index_url, len(read.lines)) == (url, 2)


def test_second_index_is_unpinned() -> None:
    url = "--index-url https://index.example.org/simple"

    assert refused(f"{url}\n{url}") == "line 2 of requirements.txt names a second index"


@pytest.mark.parametrize(
    "content",
    [
        b"a==1 # caf\xe9",
        "a==1".encode("utf-16"),
        b"# coding: latin-1\na==1",
        b"a==1\0",
    ],
    ids=["legacy", "wide", "declared", "null"],
)
def test_other_encoding_than_utf8_is_unpinned(content: bytes) -> None:
    assert refused(content) == "requirements.txt is not plain UTF-8"


@given(st.binary(max_size=60))
def test_any_bytes_are_parsed(content: bytes) -> None:
    assert isinstance(parse_file(content), PinnedFile | Unpinned)


@given(st.text(max_size=60))
def test_normalized_line_is_parsed_to_itself(text: str) -> None:
    read = parse_file(f"a==1.0 {text}".encode(errors="replace"))
    if isinstance(read, PinnedFile):
        again = exact("\n".join(line.line for line in read.lines))
        assert [line.line for line in again] == [line.line for line in read.lines]


def test_hashes_of_one_line_require_hashes_of_all() -> None:
    some = parse_file(f"a==1\nb==2 --hash=sha256:{DIGEST}".encode())
    none = parse_file(b"a==1\nb==2")

    assert isinstance(some, PinnedFile)
    assert isinstance(none, PinnedFile)
    assert (some.has_hashes, none.has_hashes) == (True, False)
