"""pip's settings in variables and files."""

from pathlib import Path

import pytest

from cnb_python.managers.tool_settings import pip_configuration_files, read_pip_settings


def options(tmp_path: Path, *system: Path, **environ: str) -> dict[str, str]:
    settings = read_pip_settings({"HOME": str(tmp_path), **environ}, system)
    assert settings.unreadable == ""
    return dict(settings.options)


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_variable_is_an_option_in_any_spelling(tmp_path: Path) -> None:
    settings = options(
        tmp_path, PIP_INDEX_URL="a", PIP_Extra_index_URL="b", **{"PIP_FIND-LINKS": "c"}
    )

    assert settings == {"index-url": "a", "extra-index-url": "b", "find-links": "c"}


@pytest.mark.parametrize(
    "name", ["PIP_VERSION", "PIP_HELP", "PIPENV_X", "pip_index_url", "PIP_PRE"]
)
def test_variable_that_is_not_an_option_is_ignored(tmp_path: Path, name: str) -> None:
    assert options(tmp_path, **{name: "" if name == "PIP_PRE" else "1"}) == {}


def test_stronger_file_wins(tmp_path: Path) -> None:
    system = write(tmp_path / "etc/pip.conf", "[global]\ntimeout=1\nretries=1\nproxy=1\ncert=1\n")
    write(tmp_path / ".pip/pip.conf", "[global]\ntimeout=2\nretries=2\nproxy=2\n")
    write(tmp_path / ".config/pip/pip.conf", "[global]\ntimeout=3\nretries=3\n")

    settings = options(tmp_path, system, PIP_TIMEOUT="4")

    assert settings == {"cert": "1", "proxy": "2", "retries": "3", "timeout": "4"}


def test_section_install_is_stronger_than_global_of_any_file(tmp_path: Path) -> None:
    system = write(tmp_path / "etc/pip.conf", "[install]\nTimeout = 1\n[list]\npre = true\n")
    write(tmp_path / ".config/pip/pip.conf", "[global]\n--timeout: 2\n")

    assert options(tmp_path, system) == {"timeout": "1"}


def test_empty_value_does_not_hide_a_weaker_one(tmp_path: Path) -> None:
    write(tmp_path / ".config/pip/pip.conf", "[global]\nindex-url = a\n")

    assert options(tmp_path, PIP_INDEX_URL="") == {"index-url": "a"}


def test_pip_config_file_replaces_those_of_the_user(tmp_path: Path) -> None:
    write(tmp_path / ".config/pip/pip.conf", "[global]\nindex-url = a\n")
    chosen = write(tmp_path / "chosen", "[global]\nproxy = b\n")

    assert options(tmp_path, PIP_CONFIG_FILE=str(chosen)) == {"proxy": "b"}
    assert options(tmp_path, PIP_CONFIG_FILE="/missing") == {"index-url": "a"}
    assert options(tmp_path, chosen, PIP_CONFIG_FILE="/dev/null") == {}


def test_xdg_directories_count(tmp_path: Path) -> None:
    write(tmp_path / "mine/pip/pip.conf", "[global]\nproxy = a\n")
    write(tmp_path / "site/pip/pip.conf", "[global]\nretries = 1\n")
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "mine"), "XDG_CONFIG_DIRS": f"{tmp_path}/site:"}

    assert options(tmp_path, **environ) == {"proxy": "a", "retries": "1"}


@pytest.mark.parametrize(
    "content",
    [
        b"index-url = a",
        b"[global]\nindex-url",
        b"[global]\nx = \xff",
        b"[global]\na=1\na=2",
        b"[g",
    ],
    ids=["no section", "no value", "not UTF-8", "twice", "half a section"],
)
def test_unreadable_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "pip.conf"
    file.write_bytes(content)

    settings = read_pip_settings({}, (file,))

    assert settings == ({}, str(file))


def test_user_has_no_files_without_home() -> None:
    assert list(pip_configuration_files({}, ())) == []
