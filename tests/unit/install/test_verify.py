"""Pins are verified to be complete, or the reason is given."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.errors.packages.requirements import no_such_extra
from cnb_python.install.verify import Complete, Incomplete, unknown_extras, verify_pins
from cnb_python.managers.base import Pin
from tests.support.wheels import metadata

type Worlds = dict[str, str]


def pin(text: str) -> Pin:
    requirement, _, version = text.partition("==")
    name, _, extras = requirement.rstrip("]").partition("[")
    return Pin(name, version, "", text, extras=tuple(filter(None, extras.split(","))))


def metadata_of(**requires: list[str]) -> Callable[[str], str]:
    """Return a reader for the METADATA of distributions of version 1.0 that require *requires*."""
    return lambda name: metadata(name, "1.0", requires.get(name.replace("-", "_"), []), "")


def verified(*pins: str, **requires: list[str]) -> Complete | Incomplete:
    return proven_for("3.13.5", *pins, **requires)


def proven_for(release: str, *pins: str, **requires: list[str]) -> Complete | Incomplete:
    return verify_pins([pin(each) for each in pins], metadata_of(**requires), release, "x86_64")


def reason(*pins: str, **requires: list[str]) -> str:
    result = verified(*pins, **requires)
    assert isinstance(result, Incomplete)
    return result.reason


def test_extra_that_a_release_does_not_provide_is_found() -> None:
    texts = {
        "uvicorn": "Provides-Extra: Standard\nProvides-Extra: a.b\n",
        "six": "",
    }
    pins = [pin("uvicorn[standart,a-b]==0.34.0"), pin("six==1.0")]

    unknown = list(unknown_extras(pins, texts.__getitem__))

    assert unknown == [("uvicorn", "0.34.0", "standart", ("a-b", "standard"))]
    assert no_such_extra(*unknown[0]).body == (
        "Nothing is installed for uvicorn[standart]. It has a-b, standard.",
        "Did you mean uvicorn[standard]?",
    )
    assert no_such_extra("six", "1.0", "x", ()).body == (
        "Nothing is installed for six[x]. It has no extras.",
    )


def test_pins_without_dependencies_are_complete() -> None:
    assert verified("a==1.0", "b==1.0") == Complete(depends_on_patch=False)
    assert verified() == Complete(depends_on_patch=False)


def test_pins_that_require_each_other_are_complete() -> None:
    assert verified("a==1.0", "b-c==1.0", a=["B_C>=1"], b_c=["a"]) == Complete(
        depends_on_patch=False
    )


def test_missing_dependency_is_incomplete() -> None:
    assert reason("a==1.0", a=["b>=2"]) == "a requires b, which no line names"


@pytest.mark.parametrize("requirement", [">=2", "<1", "!=1.0", "==1.1.*", "===1", ">1.0"])
def test_contradicting_version_is_incomplete(requirement: str) -> None:
    assert (
        reason("a==1.0", "b==1.0", a=[f"b{requirement}"]) == f"a requires b{requirement}, not 1.0"
    )


@pytest.mark.parametrize("version", ["2.0b1", "2.0.dev3", "2.0rc1"])
def test_pinned_pre_release_is_accepted(version: str) -> None:
    texts = {
        "a": metadata("a", "1.0", ["b>=1,<3"], ""),
        "b": metadata("b", version, [], ""),
        "c": metadata("c", "1.0", ["b>=2"], ""),
    }
    enough = verify_pins([pin("a==1.0"), pin(f"b=={version}")], texts.__getitem__, "3.13.5")
    too_early = verify_pins(
        [pin("a==1.0"), pin(f"b=={version}"), pin("c==1.0")], texts.__getitem__, "3.13.5"
    )

    assert enough == Complete(depends_on_patch=False)
    assert too_early == Incomplete(f"c requires b>=2, not {version}")


def test_markers_select_requirements() -> None:
    assert verified("a==1.0", a=["b; os_name == 'nt'", "c; python_version < '3'"]) == Complete(
        depends_on_patch=False
    )
    assert "b" in reason("a==1.0", a=["b; platform_machine == 'x86_64'"])


def test_requested_extras_are_checked() -> None:
    socks = {"requests": ["PySocks!=1.5.7,>=0.5; extra == 'socks'"]}

    assert verified("requests==1.0", **socks) == Complete(depends_on_patch=False)
    assert (
        reason("requests[socks]==1.0", **socks) == "requests requires pysocks, which no line names"
    )
    assert verified("requests[socks]==1.0", "pysocks==1.0", **socks) == Complete(
        depends_on_patch=False
    )


def test_extras_requested_by_dependencies_are_checked() -> None:
    chain = {"a": ["b[X_y]"], "b": ["b[z]; extra == 'x-Y'", "c; extra == 'z'"], "c": []}

    assert reason("a==1.0", "b==1.0", **chain) == "b requires c, which no line names"
    assert verified("a==1.0", "b==1.0", "c==1.0", **chain) == Complete(depends_on_patch=False)


def test_unknown_extra_requires_nothing() -> None:
    assert verified("a[nonsense]==1.0") == Complete(depends_on_patch=False)


def test_cyclic_extras_terminate() -> None:
    assert verified("a[x]==1.0", a=["a[y]; extra == 'x'", "a[x]; extra == 'y'"]) == Complete(
        depends_on_patch=False
    )


def test_requirement_by_url_is_incomplete() -> None:
    result = reason("a==1.0", "b==1.0", a=["b @ https://example.org/b.whl"])

    assert result == "a requires b from an address"


def test_marker_about_machine_is_incomplete() -> None:
    result = reason("a==1.0", a=["b; platform_release > '6' and os_name == 'nt'"])

    assert result == "a requires b on certain machines"


@pytest.mark.parametrize(
    ("field", "python", "expected"),
    [
        (">=3.9", "3.13.5", Complete(depends_on_patch=False)),
        (">=3.9", "3.15.0b2", Complete(depends_on_patch=False)),
        (">=3.15", "3.15.0b2", Incomplete("a requires Python >=3.15")),
        (">=3.6,<3.7", "3.13.5", Incomplete("a requires Python <3.7,>=3.6")),
        ("!=3.13.4", "3.13.5", Complete(depends_on_patch=True)),
        ("", "3.13.5", Complete(depends_on_patch=False)),
    ],
)
def test_requires_python_is_checked(
    field: str, python: str, expected: Complete | Incomplete
) -> None:
    text = metadata("a", "1.0", [], field)

    assert verify_pins([pin("a==1.0")], lambda _: text, python, "x86_64") == expected


def test_marker_about_patch_release_is_reported() -> None:
    depends_on_patch = ["b; python_full_version < '3.13.2'"]

    assert verified("a==1.0", a=depends_on_patch) == Complete(depends_on_patch=True)
    assert isinstance(proven_for("3.13.1", "a==1.0", a=depends_on_patch), Incomplete)


@pytest.mark.parametrize(
    "text",
    [
        "Name: a\nVersion: 1.0\nRequires-Dist: b (>dev)\n",
        "Name: a\nVersion: 1.0\nRequires-Dist: b; no_such == '1'\n",
        "Name: a\nVersion: 1.0\nRequires-Python: 3.x\n",
        "Name: a\nVersion: one\n",
        "Name: b\nVersion: 1.0\n",
        "Name: a\nVersion: 1.0+local\n",
        "Name: a\nVersion: 2\n",
        "",
        "\n\nName: a\nVersion: 1.0",
    ],
)
def test_invalid_or_other_metadata_is_incomplete(text: str) -> None:
    assert isinstance(verify_pins([pin("a==1.0")], lambda _: text, "3.13.5"), Incomplete)


def test_equivalent_versions_are_equal() -> None:
    folded = "Requires-Dist: b\n (>=1) ; os_name\n == 'nt'"
    text = f"Name: A\nVersion: v1.0.0\n{folded}\n\nRequires-Dist: of the description"

    # As text and as bytes.
    assert verify_pins([pin("a==1")], lambda _: text, "3.13.5") == Complete(depends_on_patch=False)
    assert verify_pins([pin("a==1")], lambda _: text.encode(), "3.13.5") == Complete(
        depends_on_patch=False
    )


@given(st.binary(max_size=80))
def test_any_metadata_is_handled(content: bytes) -> None:
    text = b"Name: a\nVersion: 1.0\nRequires-Dist: " + content

    assert isinstance(
        verify_pins([pin("a==1.0")], lambda _: text, "3.13.5"), Complete | Incomplete
    )


@given(st.permutations(["a==1.0", "b==1.0", "c[x]==1.0"]))
def test_order_of_pins_does_not_matter(pins: list[str]) -> None:
    assert reason(*pins, a=["b"], b=["c[y]"], c=["d; extra == 'y'"]).startswith("c requires d")


@pytest.mark.parametrize("number", ["9" * 5000])
def test_numbers_of_thousands_of_digits_are_not_understood(number: str) -> None:
    assert "says what cannot be understood" in reason("a==1", "b==1", a=[f"b>={number}"])

    text = f"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Python: >=3{number}\n"
    result = verify_pins([pin("a==1")], lambda _: text, "3.13.5", "x86_64")
    assert isinstance(result, Incomplete)
    assert "says what cannot be understood" in result.reason
