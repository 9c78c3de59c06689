"""Errors about inputs that the lifecycle or platform should provide."""

from pathlib import Path

from cnb_python.errors.inputs import MissingInput, UnreadableInput, UnreadableToml, UnsupportedApi
from tests.support.messages import text_of


def test_a_missing_input_names_the_variable_and_the_argument() -> None:
    text = text_of(MissingInput("CNB_LAYERS_DIR", 1).describe())

    assert "CNB_LAYERS_DIR is not set" in text
    assert "no argument 1" in text
    assert "pack build" in text


def test_an_input_without_an_argument_names_none() -> None:
    assert "argument" not in text_of(MissingInput("CNB_TARGET_OS", None).describe())


def test_an_unreadable_input_is_named_with_the_reason() -> None:
    failure = UnreadableInput(Path("/platform/bindings/index/password"), "Permission denied")

    text = text_of(failure.describe())

    assert "/platform/bindings/index/password: Permission denied" in text
    assert "not from your app" in text


def test_invalid_toml_is_named_with_file_line_and_column() -> None:
    failure = UnreadableToml(
        Path("/workspace/pyproject.toml"), "Invalid value (at line 3, column 5)"
    )

    text = text_of(failure.describe())

    assert failure.describe().title == "pyproject.toml is not valid TOML"
    assert "Invalid value (at line 3, column 5)" in text


def test_an_unknown_api_is_named_with_the_supported_ones() -> None:
    text = text_of(UnsupportedApi("0.13", ("0.10", "0.11", "0.12")).describe())

    assert "0.13" in text
    assert "0.10, 0.11, 0.12" in text
