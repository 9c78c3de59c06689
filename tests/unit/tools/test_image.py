from pathlib import Path

import pytest

from tools.image import find_app, image_name
from tools.processes import Unavailable


def test_image_is_named_after_the_directory() -> None:
    assert image_name(Path("/apps/My Shop (new)"), {}) == "cnb-python-my_shop_new"


def test_image_variable_names_the_image() -> None:
    assert image_name(Path("/apps/shop"), {"IMAGE": "me/shop:1"}) == "me/shop:1"


def test_directory_is_found_from_any_working_directory(tmp_path: Path) -> None:
    assert find_app(str(tmp_path)) == tmp_path


def test_misspelt_sample_gets_a_suggestion() -> None:
    with pytest.raises(Unavailable, match=r"Did you mean APP=fixtures/pip_django\?"):
        find_app("fixtures/pip_djang")


def test_missing_app_lists_the_samples() -> None:
    with pytest.raises(
        Unavailable, match=r"There is no directory /none\. Sample apps .*pip_flask"
    ):
        find_app("/none")


def test_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()

    with pytest.raises(Unavailable, match="is a file: give the directory of an app"):
        find_app(str(tmp_path / "app.py"))
