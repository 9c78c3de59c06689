"""What we take for an exact requirements file, pip reads the same way: asked is its own parser."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import RequirementsFileParser, get_line_parser, parse_requirements
from pip._internal.req.req_install import InstallRequirement

from cnb_python.managers.pip.pinned import PinnedFile, PinnedLine, parse_file

DIGEST = "ab" * 32
# Pieces rather than letters: by letters alone hardly any line is one.
PIECES = st.sampled_from(
    [
        *("idna", "Zope.Interface", "a_b", "==", "===", ">=", "1.0", "2.0.post1", "1!3+l.1", "*"),
        *(
            "[x]",
            "[X_y,z]",
            ";",
            "; ",
            " ;",
            "python_version>'3'",
            "os_name == 'nt'",
            "extra=='x'",
        ),
        *(f"--hash=sha256:{DIGEST}", f"--hash sha256:{DIGEST}", f"--hash=md5:{DIGEST[:32]}"),
        *(
            " ",
            "  ",
            "\t",
            "\n",
            "\r\n",
            "\r",
            "\\\n",
            "\\",
            "#",
            " #",
            " # ",
            "\f",
            "\x0b",
            "\x85",
        ),
        *(
            "\u2028",
            "\xa0",
            "\ufeff",
            "-i",
            "--index-url",
            "=",
            "https://index.example.org/simple",
        ),
        *(
            "-r",
            "other.txt",
            "-e",
            ".",
            "./x",
            "x.whl",
            " @ ",
            "file:///x",
            "${A}",
            "$A",
            "'",
            '"',
        ),
        *("--pre", "--has", ",", "(", ")", "http://user:pass@[::1]/simple", "-", "--", "@"),
    ]
)
LINE = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["idna", "Six", "a-b", "a_", "A.-_b"]),
    st.sampled_from(["", "[x]", " [x, y] "]),
    st.sampled_from(
        ["==1.0", " == 1.0", "== 2", "(==3.1)", "==v1-1", "==1_a.2", "==1!2.dev", "==1.x"]
    ),
    st.sampled_from(["", "", "; os_name == 'nt'", ";python_version>'3'", "; extra == 'x'"]),
    st.one_of(st.just(""), st.just(""), PIECES),
    st.sampled_from(["\n", "\n", "\n", "\r\n", "\\\n", " \\\n  ", "\f", "", " # why\n"]),
)
TEXT = st.lists(st.one_of(LINE, LINE, PIECES), max_size=4).map("".join)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXT)
@example("a==1 \\\n# comment\n--hash=sha256:" + DIGEST)
@example("a==1 \\\n  --hash=sha256:" + DIGEST + " \\\n\n--hash=sha256:" + DIGEST)
@example("a==1\\\\\n")
@example("a==1 #\\\nb==2")
@example("a==1;python_version>'3' -x'")
@example("--index-url https://index.example.org/simple\x0ba==1")
def test_pip_reads_what_we_accept_as_we_do(text: str) -> None:
    ours = parse_file(text.encode())
    if isinstance(ours, PinnedFile):
        assert list(map(described, ours.lines)) == list(map(described_by_pip, of(text)))
        assert ours.index_url == index_of(text)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\f", "\u2028", "\x1c"])
def test_the_oracle_sees_lines(ending: str) -> None:
    """A test of this test: both find two lines."""
    text = f"a==1{ending}b[x]==2 --hash=sha256:{DIGEST}{ending}"
    ours = parse_file(text.encode())

    assert isinstance(ours, PinnedFile)
    assert [described(line) for line in ours.lines] == list(map(described_by_pip, of(text)))
    assert len(ours.lines) == 2


type Described = tuple[str, frozenset[str], Version, str, frozenset[str]]


def described(line: PinnedLine) -> Described:
    hashes = frozenset(line.hashes)
    return line.name, frozenset(line.extras), Version(line.version), line.marker, hashes


def described_by_pip(found: InstallRequirement) -> Described:
    assert found.req is not None
    assert found.link is None
    (specifier,) = found.req.specifier
    assert specifier.operator == "=="
    return (
        canonicalize_name(found.req.name),
        frozenset(map(canonicalize_name, found.req.extras)),
        Version(specifier.version),
        str(found.markers) if found.markers else "",
        frozenset(found.hash_options.get("sha256", ())),
    )


def of(text: str) -> list[InstallRequirement]:
    """Return what pip would install, with the hashes that it would allow."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "requirements.txt"
        file.write_bytes(text.encode())
        parsed = list(parse_requirements(str(file), PipSession()))
    return [install_req_from_parsed_requirement(one) for one in parsed]


def index_of(text: str) -> str:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "requirements.txt"
        file.write_bytes(text.encode())
        lines = RequirementsFileParser(PipSession(), get_line_parser(None)).parse(
            str(file), constraint=False
        )
        options = [line.opts for line in lines if line.requirement is None]
    assert all(vars(one).keys() >= {"index_url"} for one in options)
    return "".join(one.index_url or "" for one in options)
