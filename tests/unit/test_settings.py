"""Settings are what they are told, or the build stops with all that they may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.errors import BadSetting
from cnb_python.messages import describe
from cnb_python.settings import BUILD, INSTALLER, LAYOUT, Settings, read_settings

NAMES = (LAYOUT, INSTALLER, BUILD)


def test_nothing_is_chosen_by_default() -> None:
    assert read_settings({}) == Settings(layout="linked", installer="auto", build=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_value_is_none(name: str, value: str) -> None:
    assert read_settings({name: value}) == Settings()


@pytest.mark.parametrize("value", ["linked", "merged"])
def test_there_are_two_layouts(value: str) -> None:
    assert read_settings({LAYOUT: value}).layout == value


@pytest.mark.parametrize("value", ["auto", "pip", "uv"])
def test_there_are_three_installers(value: str) -> None:
    assert read_settings({INSTALLER: value}).installer == value


@pytest.mark.parametrize(("value", "meant"), [("UV", "uv"), (" pip\n", "pip"), ("Auto", "auto")])
def test_case_and_blanks_do_not_matter(value: str, meant: str) -> None:
    assert read_settings({INSTALLER: value}).installer == meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [("1", True), ("true", True), ("Yes", True), ("0", False), ("FALSE", False), ("no", False)],
)
def test_yes_and_no_have_several_names(value: str, *, meant: bool) -> None:
    assert read_settings({BUILD: value}).build is meant


@pytest.mark.parametrize(
    ("name", "value"), [(LAYOUT, "Merge"), (INSTALLER, "poetry"), (BUILD, "on"), (BUILD, "2")]
)
def test_another_value_is_refused_as_it_was_given(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as raised:
        read_settings({name: value})

    assert (raised.value.name, raised.value.found) == (name, value)
    assert value not in raised.value.allowed


@given(st.sampled_from(NAMES), st.text())
def test_any_text_is_a_setting_or_refused(name: str, text: str) -> None:
    try:
        found = read_settings({name: text})
    except BadSetting:
        assert text.strip()
    else:
        assert found.layout in {"linked", "merged"}


def test_other_variables_are_not_looked_at() -> None:
    assert read_settings({"BP_PYTHON_LAYOUTS": "x", "PYTHON_LAYOUT": "x"}) == Settings()


def test_a_refusal_names_what_was_found_and_all_that_is_allowed() -> None:
    message = describe(BadSetting(LAYOUT, "Merge", ("linked", "merged")))

    assert LAYOUT in message.title
    assert message.body == (
        "Found:    BP_PYTHON_LAYOUT=Merge",
        "Expected: one of linked, merged",
    )
    assert LAYOUT in message.steps[0]
