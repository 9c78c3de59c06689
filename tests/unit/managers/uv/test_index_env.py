"""Where uv looks for what another tool has decided."""

import pytest

from cnb_python.managers.uv import index_env

BARE = {"PATH": "/bin", "PIP_CONFIG_FILE": "/dev/null"}
OURS = "https://me:word@index.example/simple"


def test_pips_index_is_uvs() -> None:
    found = index_env.variables({**BARE, "PIP_INDEX_URL": OURS, "PIP_TIMEOUT": "7"})

    assert found == {"PATH": "/bin", "UV_DEFAULT_INDEX": OURS, "UV_HTTP_TIMEOUT": "7"}


def test_uvs_own_index_is_stronger_and_its_other_settings_do_not_count() -> None:
    own = {"UV_DEFAULT_INDEX": "https://uv.example/", "UV_TARGET": "/x", "UV_PYTHON": "3.9"}

    found = index_env.variables({**BARE, "PIP_INDEX_URL": OURS, **own})

    assert found == {"PATH": "/bin", "UV_DEFAULT_INDEX": "https://uv.example/"}


def test_further_indexes_and_directories_pass() -> None:
    environ = {**BARE, "PIP_EXTRA_INDEX_URL": "https://a/ https://b/", "PIP_FIND_LINKS": "/w /v"}

    found = index_env.variables(environ)

    assert found["UV_INDEX"] == "https://a/ https://b/"
    assert found["UV_FIND_LINKS"] == "/w,/v"


def test_logins_for_named_indexes_pass() -> None:
    login = {"UV_INDEX_COMPANY_USERNAME": "me", "UV_INDEX_COMPANY_PASSWORD": "word"}

    assert index_env.variables({**BARE, **login}).items() >= login.items()


@pytest.mark.parametrize("option", ["-i", "--index-url"])
def test_the_usual_index_of_an_export_is_stronger(option: str) -> None:
    found = index_env.found_by(
        [f"{option} https://lock.example/"], {**BARE, "PIP_INDEX_URL": OURS}
    )

    assert found["UV_DEFAULT_INDEX"] == "https://lock.example/"


def test_further_ones_of_an_export_come_besides() -> None:
    lines = ["--extra-index-url https://b/", "--trusted-host b", "six==1.0"]

    found = index_env.found_by(lines, {**BARE, "UV_INDEX": "https://a/"})

    assert found["UV_INDEX"] == "https://a/ https://b/"
    assert found["UV_INSECURE_HOST"] == "b"
    assert "UV_DEFAULT_INDEX" not in found
