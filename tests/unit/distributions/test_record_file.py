"""Reading and writing RECORD."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import File
from cnb_python.distributions.record import RecordedFiles, read_record, render_record
from cnb_python.distributions.scan import file_of

SITE = "lib/python3.14/site-packages"
FINAL = "/layers/cnb/venv"
DIGEST = hashlib.sha256(b"").hexdigest()
EMPTY = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


def recorded_in(text: str | bytes) -> RecordedFiles:
    return read_record(text if isinstance(text, bytes) else text.encode(), SITE, FINAL)


def test_paths_are_relative_to_site_packages() -> None:
    recorded = recorded_in(
        f"six.py,sha256={EMPTY},0\n../../../bin/six,,\nsix-1.dist-info/RECORD,,\n"
    )

    assert recorded.digests == {
        f"{SITE}/six.py": DIGEST,
        "bin/six": "",
        f"{SITE}/six-1.dist-info/RECORD": "",
    }
    assert recorded.outside == ()


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "../../../../../../../../../../etc/passwd",
        "/etc/passwd",
        "/layers/cnb/venv-2/x",
        "a/../../../../..",
        "../../..",
    ],
)
def test_paths_to_outside_are_listed_apart(path: str) -> None:
    assert recorded_in(f"{path},,\n") == RecordedFiles({}, (path,))


@pytest.mark.parametrize(
    "path",
    ["./a/../six.py", f"{FINAL}/{SITE}/six.py", "../../../lib64/python3.14/site-packages/six.py"],
)
def test_lib64_is_normalized_to_lib(path: str) -> None:
    assert list(recorded_in(f"{path},,\n").digests) == [f"{SITE}/six.py"]


@pytest.mark.parametrize(
    "field", ["", "md5=abc", "sha256", "sha256=!!!", "sha256=A", "sha256=\N{SNOWMAN}"]
)
def test_invalid_digest_is_empty(field: str) -> None:
    assert len(recorded_in(f"six.py,{field},0\n").digests[f"{SITE}/six.py"]) in {0, 2}


def test_invalid_lines_are_skipped() -> None:
    recorded = recorded_in(b'\n,,\n"a, b.py",,\nonly.py\n\xff\xfe.py,x,y,z\nnul\0.py,,\n')

    assert sorted(recorded.digests) == [
        f"{SITE}/a, b.py",
        f"{SITE}/nul.py",
        f"{SITE}/only.py",
        f"{SITE}/\udcff\udcfe.py",
    ]


@given(st.binary(max_size=300))
def test_any_content_lists_no_path_outside(content: bytes) -> None:
    for path in recorded_in(content).digests:
        assert not path.startswith(("/", "../"))


def test_rendered_record_is_sorted_without_hashes_of_bytecode() -> None:
    own = f"{SITE}/six-1.dist-info/RECORD"
    files = [
        file_of(f"{SITE}/six.py", b""),
        file_of("bin/six", b""),
        file_of(f"{SITE}/__pycache__/six.cpython-314.pyc", b"1"),
        File(f"{SITE}/link", DIGEST, 3, target="six.py"),
        File(own, "", 0),
    ]

    assert render_record(files, own, SITE).decode() == (
        f"../../../bin/six,sha256={EMPTY},0\n"
        "__pycache__/six.cpython-314.pyc,,\n"
        "link,,\n"
        "six-1.dist-info/RECORD,,\n"
        f"six.py,sha256={EMPTY},0\n"
    )


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=8
).filter(lambda name: name not in {".", ".."} and _is_file_name(name))


def _is_file_name(name: str) -> bool:
    try:
        return name.encode(errors="surrogateescape").decode(errors="surrogateescape") == name
    except UnicodeError:
        return False


@given(st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=5))
def test_record_round_trips(names: set[str]) -> None:
    files = [file_of(f"{SITE}/{name}", name.encode(errors="surrogateescape")) for name in names]
    own = f"{SITE}/six-1.dist-info/RECORD"

    recorded = recorded_in(render_record(files, own, SITE))

    assert recorded.outside == ()
    assert recorded.digests == {
        file.path: "" if file.path.endswith(".pyc") else file.digest for file in files
    }
