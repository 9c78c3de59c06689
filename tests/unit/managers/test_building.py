"""What a build from source listens to is known by a digest that tells nothing."""

from pathlib import Path

import pytest

from cnb_python.managers.building import settings_digest

QUIET = {"PIP_CONFIG_FILE": "/dev/null"}


def test_without_such_settings_there_is_nothing_to_know() -> None:
    ordinary = {"PATH": "/bin", "GIT_SHA": "1234", "PIP_INDEX_URL": "https://a.example/", "CC": ""}
    assert settings_digest(QUIET | ordinary) == ""


@pytest.mark.parametrize(
    "name",
    [
        *("CFLAGS", "LDFLAGS", "CC", "CMAKE_ARGS", "PKG_CONFIG_PATH", "CARGO_PROFILE_RELEASE_LTO"),
        *("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_X", "UV_CONFIG_SETTINGS"),
        *("PIP_CONFIG_SETTINGS", "PIP_GLOBAL_OPTION", "PIP_no-build-isolation"),
    ],
)
def test_each_setting_of_builds_makes_a_difference_by_its_value(name: str) -> None:
    one, other = ({**QUIET, name: value} for value in ("one", "other"))
    assert len({"", settings_digest(one), settings_digest(other)}) == 3


def test_a_file_of_pips_counts_too(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[install]\nconfig-settings = a=b\n", encoding="utf-8")
    said = settings_digest({"PIP_CONFIG_FILE": str(file)})
    assert said
    assert said != settings_digest(QUIET)


def test_the_order_of_variables_makes_none() -> None:
    pairs = [("CC", "clang"), ("CFLAGS", "-O3"), *QUIET.items()]
    assert settings_digest(dict(pairs)) == settings_digest(dict(reversed(pairs)))


def test_no_value_can_be_read_from_it() -> None:
    assert "s3cret" not in settings_digest({**QUIET, "CFLAGS": "-DTOKEN=s3cret"})
