"""The resolution of fully pinned files for one interpreter."""

import pytest

from cnb_python.managers.base import NeedsResolving, Pin
from cnb_python.managers.pip.pinned import PinnedPlan, plan
from tools.fuzz.engine import limited

DIGEST, OTHER = "ab" * 32, "cd" * 32
URL = "https://index.example.org/simple"
NO_FILES = {"PIP_CONFIG_FILE": "/dev/null"}


def planned(text: str, python: str = "3.13.5", **environ: str) -> PinnedPlan:
    result = plan({"requirements.txt": text.encode()}, python, "x86_64", NO_FILES | environ)
    assert isinstance(result, PinnedPlan), result
    return result


def pins(text: str, python: str = "3.13.5", **environ: str) -> tuple[Pin, ...]:
    return planned(text, python, **environ).resolution.pins


def refused(text: str, **environ: str) -> str:
    result = plan({"requirements.txt": text.encode()}, "3.13.5", "x86_64", NO_FILES | environ)
    assert isinstance(result, NeedsResolving), result
    return result.reason


def test_each_line_is_a_pin_in_the_order_of_names() -> None:
    resolution = planned("B==2\na[X]==1.0\n").resolution

    assert [(pin.name, pin.version, pin.line, pin.extras) for pin in resolution.pins] == [
        ("a", "1.0", "a[x]==1.0", ("x",)),
        ("b", "2", "b==2", ()),
    ]
    assert (resolution.from_files_alone, resolution.by) == (True, "uv")
    assert all(pin.is_cacheable for pin in resolution.pins)


def test_empty_file_has_no_pins() -> None:
    assert pins("# nothing\n") == ()


def test_line_for_another_interpreter_does_not_count() -> None:
    text = "a==1; python_version < '3.10'\na==2; python_version >= '3.10'\nb==1; os_name == 'nt'"

    assert [(pin.name, pin.version) for pin in pins(text)] == [("a", "2")]
    assert [(pin.name, pin.version) for pin in pins(text, "3.9.1")] == [("a", "1")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a>=1", "line 1 of requirements.txt asks for a range"),
        ("a==1\nA==1", "line 1 of requirements.txt and another one both name a"),
        (
            "a==1; platform_release > '5'",
            "line 1 of requirements.txt has a marker about the machine",
        ),
        (
            f"a==1 --hash=sha256:{DIGEST}\nb==1",
            "line 2 of requirements.txt has no hash, while others have",
        ),
        (
            f"a==1; os_name == 'nt' --hash=sha256:{DIGEST}\nb==1",
            "line 2 of requirements.txt has no hash, while others have",
        ),
    ],
    ids=["range", "twice", "machine", "one hash", "a hash that does not count"],
)
def test_unpinned_line_is_the_reason_to_resolve(text: str, reason: str) -> None:
    assert refused(text) == reason


@pytest.mark.parametrize(
    "marker", ["sys_platform ~= 'x'", "'x' in dependency_groups", "os_name ~= '1.0'"]
)
def test_marker_that_cannot_be_evaluated_is_left_to_pip(marker: str) -> None:
    assert "has " in refused(f"a==1\nb==2; {marker}\n")


@pytest.mark.parametrize(
    "line",
    [
        f"six{' ' * 100_000}!",
        f"six{'[' * 100_000}",
        f"six; {'(' * 5000}os_name == 'a'{')' * 5000}",
    ],
    ids=["blanks", "extras", "brackets"],
)
def test_endless_line_is_left_to_pip_in_time(line: str) -> None:
    with limited():
        assert "line 1 of requirements.txt" in refused(line)


def test_line_that_does_not_count_needs_no_hash() -> None:
    assert len(pins(f"a==1 --hash=sha256:{DIGEST}\nb==1; os_name == 'nt'")) == 1


def test_settings_of_pip_are_a_reason_to_resolve() -> None:
    assert refused("a==1", PIP_PRE="1") == "pip is configured with pre"
    assert refused("a==1", PIP_CONFIG_FILE=__file__) == f"{__file__} cannot be read"


def origins(*texts: str, **environ: str) -> set[str]:
    return {pins(text, **environ)[0].origin for text in texts}


def test_origin_differs_by_hashes_and_index() -> None:
    hashed = f"a==1 --hash=sha256:{DIGEST}"
    assert len(origins("a==1", hashed, f"{hashed} --hash=sha256:{OTHER}", f"-i {URL}\na==1")) == 4
    assert origins(f"-i {URL}\na==1") == origins("a==1", PIP_INDEX_URL=URL)


def test_order_and_spelling_of_hashes_do_not_change_the_origin() -> None:
    line = f"a==1 --hash=sha256:{DIGEST} --hash=sha256:{OTHER}"
    other = f"A == 1 --hash=sha256:{OTHER} \\\n --hash=sha256:{DIGEST} # again"

    assert len(origins(line, other)) == 1


def test_token_in_the_index_address_does_not_change_the_origin() -> None:
    line, other = (URL.replace("//", f"//{token}@") for token in ("me:ghp_one", "me:ghp_two"))

    assert len(origins(f"-i {line}\na==1", f"-i {other}\na==1", f"-i {URL}\na==1")) == 1
    resolution = planned(f"-i {line}\na==1").resolution
    assert "ghp_one" not in repr(resolution)
    assert planned(f"-i {line}\na==1").network.index_url == line


def together(**texts: str) -> PinnedPlan | NeedsResolving:
    contents = {f"{name}.txt": text.encode() for name, text in texts.items()}
    return plan(contents, "3.13.5", "x86_64", NO_FILES)


def test_several_pinned_files_are_one_resolution() -> None:
    result = together(base="b==2\n", web="a==1\n")

    assert isinstance(result, PinnedPlan)
    assert [pin.name for pin in result.resolution.pins] == ["a", "b"]


@pytest.mark.parametrize(
    ("web", "reason"),
    [
        ("a>=1", "line 1 of web.txt asks for a range"),
        ("a==1 ; platform_release == '1'", "line 1 of web.txt has a marker about the machine"),
        ("\nB==2\n", "line 1 of base.txt and another one both name b"),
        (f"a==1 --hash=sha256:{DIGEST}", "line 1 of base.txt has no hash, while others have"),
        ("-i https://other.example/simple", "web.txt names a second index"),
        ("a\n".encode("utf-16").decode("latin-1"), "web.txt is not plain UTF-8"),
    ],
)
def test_reason_to_resolve_names_the_file_at_fault(web: str, reason: str) -> None:
    base = f"b==2\n--index-url {URL}\n"
    contents = {"base.txt": base.encode(), "web.txt": web.encode("latin-1")}

    assert plan(contents, "3.13.5", "x86_64", NO_FILES) == NeedsResolving(reason)


def test_files_may_name_one_index() -> None:
    index = f"--index-url {URL}\n"

    line = together(base=f"{index}b==2\n", web="a==1\n")
    all_ = together(base=f"{index}b==2\n", web=f"{index}a==1\n")

    assert isinstance(line, PinnedPlan)
    assert line == all_
    assert line.network.index_url == URL
