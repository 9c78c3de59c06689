"""What a build from source listens to is known by a digest that tells nothing."""

from pathlib import Path

import pytest

from cnb_python.managers import build_settings

QUIET = {"PIP_CONFIG_FILE": "/dev/null"}
APP = Path("/nowhere/app")


def settings_digest(environ: dict[str, str], app_dir: Path = APP) -> str:
    return build_settings.settings_digest(environ, app_dir)


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


@pytest.mark.parametrize("name", ["PIP_BUILD_CONSTRAINT", "UV_BUILD_CONSTRAINT"])
def test_what_constrains_builds_counts_by_its_lines(tmp_path: Path, name: str) -> None:
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
def test_settings_of_uvs_for_builds_count(tmp_path: Path, file: str, before: str) -> None:
    app = tmp_path / "app"
    app.mkdir()
    found = set()
    for text in (
        "",
        f"[{before}extra-build-dependencies]\na = ['b']\n",
        f"[{before}extra-build-dependencies]\na = ['c']\n",
        f"[{before}pip]\nno-build-isolation = true\n",
        f"[{before}extra-build-dependencies",
    ):
        (app / file).write_text(text, encoding="utf-8")
        found.add(settings_digest(QUIET, app))
    assert len(found) == 4
    assert "" in found


def test_other_settings_of_uvs_do_not(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("offline = true\n# build\n", encoding="utf-8")
    assert settings_digest(QUIET, tmp_path) == ""
