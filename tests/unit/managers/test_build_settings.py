"""The digest of the build settings."""

from pathlib import Path

import pytest

from cnb_python.managers import tool_settings

QUIET = {"PIP_CONFIG_FILE": "/dev/null"}
APP = Path("/nowhere/app")


def settings_digest(environ: dict[str, str], app_dir: Path = APP) -> str:
    return tool_settings.settings_digest(environ, app_dir)


def test_settings_digest_is_empty_without_build_settings() -> None:
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
def test_each_build_setting_changes_the_digest_with_its_value(name: str) -> None:
    first, second = ({**QUIET, name: value} for value in ("one", "other"))
    assert len({"", settings_digest(first), settings_digest(second)}) == 3


def test_settings_in_pip_conf_change_the_digest(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[install]\nconfig-settings = a=b\n", encoding="utf-8")
    digest = settings_digest({"PIP_CONFIG_FILE": str(file)})
    assert digest
    assert digest != settings_digest(QUIET)


def test_order_of_variables_does_not_change_the_digest() -> None:
    pairs = [("CC", "clang"), ("CFLAGS", "-O3"), *QUIET.items()]
    assert settings_digest(dict(pairs)) == settings_digest(dict(reversed(pairs)))


def test_digest_does_not_show_values() -> None:
    assert "s3cret" not in settings_digest({**QUIET, "CFLAGS": "-DTOKEN=s3cret"})


@pytest.mark.parametrize("name", ["PIP_BUILD_CONSTRAINT", "UV_BUILD_CONSTRAINT"])
def test_build_constraints_count_by_their_lines(tmp_path: Path, name: str) -> None:
    def digest(text: str, included: str = "wheel==1\n") -> str:
        (tmp_path / "build.txt").write_text(text, encoding="utf-8")
        (tmp_path / "more.txt").write_text(included, encoding="utf-8")
        return settings_digest({**QUIET, name: "build.txt"}, tmp_path)

    first = digest("setuptools<80\n-c more.txt\n")
    assert digest("# why\nsetuptools<80\n\n-c more.txt\n") == first
    assert digest("setuptools<81\n-c more.txt\n") != first
    assert digest("setuptools<80\n-c more.txt\n", included="wheel==2\n") != first


@pytest.mark.parametrize(
    ("file", "before"),
    [("pyproject.toml", "tool.uv."), ("../pyproject.toml", "tool.uv."), ("uv.toml", "")],
)
def test_build_settings_of_uv_change_the_digest(tmp_path: Path, file: str, before: str) -> None:
    app = tmp_path / "app"
    app.mkdir()
    digests = set()
    for text in (
        "",
        f"[{before}extra-build-dependencies]\na = ['b']\n",
        f"[{before}extra-build-dependencies]\na = ['c']\n",
        f"[{before}pip]\nno-build-isolation = true\n",
        f"[{before}extra-build-dependencies",
    ):
        (app / file).write_text(text, encoding="utf-8")
        digests.add(settings_digest(QUIET, app))
    assert len(digests) == 4
    assert "" in digests


def test_other_settings_of_uv_do_not_change_the_digest(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("offline = true\n# build\n", encoding="utf-8")
    assert settings_digest(QUIET, tmp_path) == ""
