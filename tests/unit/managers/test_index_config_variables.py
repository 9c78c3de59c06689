"""pip's settings of indexes, translated to uv's variables."""

from pathlib import Path

import pytest

from cnb_python.errors.choosing import UnreadablePipConfig
from cnb_python.errors.locks import UnreplacedVariable
from cnb_python.managers import index_config

BARE = {"PATH": "/bin", "PIP_CONFIG_FILE": "/dev/null"}
OURS = "https://me:word@index.example/simple"


def test_pips_index_is_the_default_index_of_uv() -> None:
    variables = index_config.index_variables({**BARE, "PIP_INDEX_URL": OURS, "PIP_TIMEOUT": "7"})

    assert variables == {"PATH": "/bin", "UV_DEFAULT_INDEX": OURS, "UV_HTTP_TIMEOUT": "7"}


def test_uvs_index_is_stronger_and_its_other_settings_do_not_count() -> None:
    own = {"UV_DEFAULT_INDEX": "https://uv.example/", "UV_TARGET": "/x", "UV_PYTHON": "3.9"}

    variables = index_config.index_variables({**BARE, "PIP_INDEX_URL": OURS, **own})

    assert variables == {"PATH": "/bin", "UV_DEFAULT_INDEX": "https://uv.example/"}


def test_further_indexes_and_find_links_are_translated() -> None:
    environ = {**BARE, "PIP_EXTRA_INDEX_URL": "https://a/ https://b/", "PIP_FIND_LINKS": "/w /v"}

    variables = index_config.index_variables(environ)

    assert variables["UV_INDEX"] == "https://a/ https://b/"
    assert variables["UV_FIND_LINKS"] == "/w,/v"


def test_logins_for_named_indexes_are_kept() -> None:
    login = {"UV_INDEX_COMPANY_USERNAME": "me", "UV_INDEX_COMPANY_PASSWORD": "word"}

    assert index_config.index_variables({**BARE, **login}).items() >= login.items()


@pytest.mark.parametrize("option", ["-i", "--index-url"])
def test_default_index_of_an_export_is_stronger(option: str) -> None:
    variables = index_config.exported_index_variables(
        [f"{option} https://lock.example/"], {**BARE, "PIP_INDEX_URL": OURS}
    )

    assert variables["UV_DEFAULT_INDEX"] == "https://lock.example/"


def test_further_indexes_of_an_export_are_added() -> None:
    lines = ["--extra-index-url https://b/", "--trusted-host b", "six==1.0"]

    variables = index_config.exported_index_variables(lines, {**BARE, "UV_INDEX": "https://a/"})

    assert variables["UV_INDEX"] == "https://a/ https://b/"
    assert variables["UV_INSECURE_HOST"] == "b"
    assert "UV_DEFAULT_INDEX" not in variables


ONE, TWO = "https://me:secret@one.example/simple", "https://two.example/simple"


def uv_environ(**environ: str) -> dict[str, str]:
    return index_config.with_pip_indexes({"PIP_CONFIG_FILE": "/dev/null", **environ})


def test_indexes_and_find_links_are_translated_for_resolving() -> None:
    variables = uv_environ(
        PIP_INDEX_URL=ONE, PIP_EXTRA_INDEX_URL=f"{TWO} {ONE}", PIP_FIND_LINKS="/a /b"
    )

    assert variables["UV_DEFAULT_INDEX"] == ONE
    assert variables["UV_INDEX"] == f"{TWO} {ONE}"
    assert variables["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert variables["UV_FIND_LINKS"] == "/a,/b"


def test_indexes_in_pip_conf_are_translated(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(f"[global]\nindex-url = {ONE}\ntrusted-host = a b\n", "utf-8")

    variables = uv_environ(PIP_CONFIG_FILE=str(file))

    assert variables["UV_DEFAULT_INDEX"] == ONE
    assert variables["UV_INSECURE_HOST"] == "a b"


def test_uvs_default_index_replaces_that_of_pip() -> None:
    variables = uv_environ(PIP_INDEX_URL=ONE, UV_DEFAULT_INDEX=TWO)

    assert variables["UV_DEFAULT_INDEX"] == TWO
    assert ONE not in [value for key, value in variables.items() if key.startswith("UV_")]


@pytest.mark.parametrize("name", ["UV_INDEX", "UV_FIND_LINKS"])
def test_uvs_further_indexes_replace_those_of_pip_and_no_default_index(name: str) -> None:
    """Otherwise uv would ask the public index, which the user has not named."""
    variables = uv_environ(PIP_INDEX_URL=ONE, PIP_EXTRA_INDEX_URL="https://a/", **{name: TWO})

    assert variables[name] == TWO
    assert variables["UV_DEFAULT_INDEX"] == ONE
    assert "https://a/" not in [value for key, value in variables.items() if "UV_" in key]


@pytest.mark.parametrize(
    ("file", "text", "default"),
    [
        ("uv.toml", f'index-url = "{TWO}"', ""),
        ("uv.toml", f'[pip]\nindex-url = "{TWO}"', ""),
        ("pyproject.toml", f'[[tool.uv.index]]\nname = "two"\nurl = "{TWO}"\ndefault = true', ""),
        ("pyproject.toml", f'[[tool.uv.index]]\nname = "two"\nurl = "{TWO}"', ONE),
        ("pyproject.toml", '[project]\nname = "index"', ONE),
    ],
)
def test_default_index_in_uvs_files_replaces_that_of_pip(
    tmp_path: Path, file: str, text: str, default: str
) -> None:
    (tmp_path / file).write_text(text)
    environ = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": ONE}

    variables = index_config.with_pip_indexes(environ, tmp_path)

    assert variables.get("UV_DEFAULT_INDEX", "") == default


def test_index_of_a_requirements_file_is_stronger_than_pips_setting() -> None:
    environ = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": ONE}

    assert "UV_DEFAULT_INDEX" not in index_config.with_pip_indexes(environ, None, [f"-i {TWO}"])


@pytest.mark.parametrize(
    "index", ["http://index.local/simple", "file:///srv/index", "https://[::1/simple"]
)
def test_index_is_named_whatever_its_form(index: str) -> None:
    """Without it uv would ask the public index."""
    environ = {**BARE, "PIP_INDEX_URL": index, "PIP_TIMEOUT": "long", "PIP_CERT": "/gone.pem"}

    assert index_config.index_variables(environ) == {"PATH": "/bin", "UV_DEFAULT_INDEX": index}
    assert uv_environ(PIP_INDEX_URL=index, PIP_RETRIES="x")["UV_DEFAULT_INDEX"] == index


def test_no_index_is_an_option_of_uv() -> None:
    environ = {**BARE, "PIP_NO_INDEX": "yes"}

    assert index_config.asks_no_index(environ)
    assert not index_config.asks_no_index({**environ, "UV_DEFAULT_INDEX": ONE})
    assert not index_config.asks_no_index({**BARE, "PIP_NO_INDEX": "0"})


def test_unreadable_configuration_file_of_pip_is_an_error(tmp_path: Path) -> None:
    """It may name the index."""
    file = tmp_path / "pip.conf"
    file.write_text("index-url = https://index.example.org\n")

    for translate in (
        index_config.with_pip_indexes,
        index_config.index_variables,
        index_config.asks_no_index,
    ):
        with pytest.raises(UnreadablePipConfig) as raised:
            translate({"PIP_CONFIG_FILE": str(file)})

        assert raised.value.file == str(file)


def test_missing_certificate_file_is_not_translated(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()

    assert uv_environ(PIP_CERT=str(tmp_path / "ca.pem"))["SSL_CERT_FILE"] == f"{tmp_path}/ca.pem"
    assert "SSL_CERT_FILE" not in uv_environ(PIP_CERT=str(tmp_path / "gone.pem"))


WITH_VARIABLE = "https://${PKG_TOKEN}@index.example/simple"


@pytest.mark.parametrize(
    ("environ", "setting"),
    [
        ({"PIP_EXTRA_INDEX_URL": f"https://a/ {WITH_VARIABLE}"}, "PIP_EXTRA_INDEX_URL"),
        ({"PIP_find-links": WITH_VARIABLE}, "PIP_FIND_LINKS"),
        ({"UV_INDEX": f"ours={WITH_VARIABLE}"}, "UV_INDEX"),
    ],
)
def test_variable_that_no_tool_replaces_is_named(environ: dict[str, str], setting: str) -> None:
    """Even if it is set: another index would be asked in place of that one."""
    variables = {**BARE, **environ, "PKG_TOKEN": "abc"}

    for translate in (index_config.with_pip_indexes, index_config.index_variables):
        with pytest.raises(UnreplacedVariable) as raised:
            translate(variables)

        assert (raised.value.setting, raised.value.variables) == (setting, ("PKG_TOKEN",))


def test_variable_in_files_of_pip_and_uv_is_named(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {WITH_VARIABLE}\n")
    (tmp_path / "uv.toml").write_text(f'index-url = "{WITH_VARIABLE}"\n')

    with pytest.raises(UnreplacedVariable) as of_pip:
        index_config.index_variables({"PIP_CONFIG_FILE": f"{tmp_path}/pip.conf"})
    with pytest.raises(UnreplacedVariable) as of_uv:
        index_config.with_pip_indexes(BARE, tmp_path)

    assert (of_pip.value.setting, of_uv.value.setting) == ("pip.conf", "uv's configuration")
