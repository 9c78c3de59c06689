import pytest

from tools.platforms.this_machine import platform_env, proxies, stays_here


def test_settings_of_the_buildpack_reach_the_build() -> None:
    assert platform_env({"BP_PYTHON_VERSION": "3.13", "HOME": "/root"}, "") == {
        "BP_PYTHON_VERSION": "3.13"
    }


def test_index_of_the_environment_reaches_the_build() -> None:
    environ = {"PIP_INDEX_URL": "https://index.example/simple", "UV_INDEX": "https://uv.example"}

    assert platform_env(environ, "") == environ


def test_index_of_pip_conf_reaches_the_build() -> None:
    listed = (
        "global.index-url='https://index.example/simple'\n"
        "global.extra-index-url='https://one.example\\nhttps://two.example'\n"
        "global.cert='/etc/company.pem'\n"
    )

    assert platform_env({}, listed) == {
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://one.example https://two.example",
    }


def test_environment_takes_precedence_over_pip_conf() -> None:
    environ = {"PIP_INDEX_URL": "https://environment.example"}

    assert platform_env(environ, "global.index-url='https://conf.example'\n") == environ


@pytest.mark.parametrize("name", ["PIP_CERT", "PIP_FIND_LINKS", "PIP_TARGET", "PIP_CONFIG_FILE"])
def test_setting_that_names_a_file_is_left_out(name: str) -> None:
    assert platform_env({name: "/opt/of/this/machine"}, "") == {}


def test_index_that_is_a_directory_is_left_out() -> None:
    assert platform_env({"PIP_INDEX_URL": "file:///srv/index"}, "") == {}


def test_proxies_are_passed_on_as_spelt() -> None:
    environ = {"https_proxy": "http://proxy.example", "NO_PROXY": "localhost", "HTTP_PROXY": ""}

    assert proxies(environ) == {"https_proxy": "http://proxy.example", "NO_PROXY": "localhost"}


@pytest.mark.parametrize(
    ("value", "is_here"),
    [
        ("http://127.0.0.1:3141/root/pypi", True),
        ("https://user:secret@localhost/simple", True),
        ("https://one.example http://127.0.0.1:8080", True),
        ("https://index.example/simple?from=localhost", False),
        ("3.13", False),
    ],
)
def test_server_of_this_machine_is_recognised(value: str, *, is_here: bool) -> None:
    assert stays_here({"BP_SETTING": value}) is is_here
