"""Which packages are built with others of the environment, by uv's settings."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.uv.build_needs import with_needs

WHEEL = Pin("neighbour", "1.0", "of neighbour", "")
OTHER = Pin("other", "2.0", "of other", "")
BUILT = Pin("built-one", "1.0", "of built", "", by_itself=True)
ALL = ("neighbour", "other")


def resolution(*pins: Pin) -> Resolution:
    return Resolution(tuple(sorted(pins)), from_files_alone=True, by="uv")


def pins_with(
    app: Path, settings: str, environ: Mapping[str, str] | None = None, *pins: Pin
) -> dict[str, Pin]:
    (app / "pyproject.toml").write_text(settings)
    chosen = pins or (WHEEL, OTHER, BUILT)
    pinned = with_needs(resolution(*chosen), environ or {}, app).pins
    return {pin.name: pin for pin in pinned}


@pytest.mark.parametrize(
    ("settings", "environ", "expected"),
    [
        ("", {}, ()),
        ("[tool.uv]\nno-build-isolation = true", {}, ALL),
        ("[tool.uv.pip]\nno-build-isolation = true", {}, ALL),
        ("", {"UV_NO_BUILD_ISOLATION": "1"}, ALL),
        ("[tool.uv]\nno-build-isolation = true", {"UV_NO_BUILD_ISOLATION": "0"}, ()),
        ('[tool.uv]\nno-build-isolation-package = ["Built_One"]', {}, ALL),
        ('[tool.uv]\nno-build-isolation-package = ["other"]', {}, ()),
        ("", {"UV_NO_BUILD_ISOLATION_PACKAGE": "x built-one"}, ALL),
        (
            (
                '[tool.uv.extra-build-dependencies]\n"Built.One" = ['
                '{requirement = "Neighbour>=1", match-runtime = true}, '
                '{requirement = "absent", match-runtime = true}, "other"]'
            ),
            {},
            ("neighbour",),
        ),
        ('[tool.uv.extra-build-dependencies]\nbuilt-one = ["other"]', {}, ()),
        ("[tool.uv.extra-build-dependencies]\nbuilt-one = [{match-runtime = true}]", {}, ()),
        ("[tool.uv]\nno-build-isolation-package = 1\nextra-build-dependencies = 2", {}, ()),
    ],
)
def test_needs_follow_settings(
    tmp_path: Path, settings: str, environ: Mapping[str, str], expected: tuple[str, ...]
) -> None:
    assert pins_with(tmp_path, settings, environ)["built-one"].needs == expected


def test_origin_depends_on_pins_that_a_build_needs(tmp_path: Path) -> None:
    settings = '[tool.uv]\nno-build-isolation-package = ["built-one"]'
    before = pins_with(tmp_path, settings)["built-one"]
    newer = WHEEL._replace(version="1.1")
    after = pins_with(tmp_path, settings, {}, newer, OTHER, BUILT)["built-one"]

    assert len({BUILT.origin, before.origin, after.origin}) == 3


def test_wheels_are_the_same_whatever_is_beside_them(tmp_path: Path) -> None:
    pins = pins_with(tmp_path, "[tool.uv]\nno-build-isolation = true")

    assert pins["neighbour"].origin == WHEEL.origin
    assert pins["neighbour"].needs == ("built-one", "other")


def test_build_beside_a_directory_is_not_kept(tmp_path: Path) -> None:
    settings = "[tool.uv]\nno-build-isolation = true"
    local = WHEEL._replace(is_cacheable=False)

    assert pins_with(tmp_path, settings)["built-one"].is_cacheable
    assert not pins_with(tmp_path, settings, {}, local, BUILT)["built-one"].is_cacheable
