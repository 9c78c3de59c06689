"""Bindings of type `pypi`, in the variables of each tool."""

from pathlib import Path

import pytest

from cnb_python.bindings.indexes import index_variables, read_indexes
from cnb_python.bindings.schema import checked
from cnb_python.cnb.bindings import read_bindings
from cnb_python.errors.config import BadBinding, SeveralBindings
from tests.support.bindings import bound
from tests.support.fake_system import Log

URL = "https://index.example.org/simple/"
PLAIN = {"type": "pypi", "url": URL}


def variables(
    directory: Path, environ: dict[str, str], **bindings: dict[str, str]
) -> dict[str, str]:
    return dict(index_variables(read_indexes(bound(directory, **bindings)), environ, Log()))


def test_user_and_password_are_percent_encoded_in_the_url(tmp_path: Path) -> None:
    environ = variables(tmp_path, {}, a={**PLAIN, "username": "me@x", "password": "p/a:s s\n"})

    expected = "https://me%40x:p%2Fa%3As%20s@index.example.org/simple/"
    assert environ == {"PIP_INDEX_URL": expected, "UV_DEFAULT_INDEX": expected}


def test_a_password_that_is_not_utf8_is_encoded_byte_by_byte(tmp_path: Path) -> None:
    bound(tmp_path, a={**PLAIN, "username": "me"})
    (tmp_path / "bindings/a/password").write_bytes(b"p\xe4ss")
    environ = index_variables(read_indexes(read_bindings(tmp_path / "bindings")), {}, Log())

    assert environ["PIP_INDEX_URL"] == "https://me:p%E4ss@index.example.org/simple/"


def test_a_password_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBinding):
        variables(tmp_path, {}, a={**PLAIN, "username": "me", "password": "a\0b"})


def test_a_login_in_the_url_is_kept(tmp_path: Path) -> None:
    url = "https://me:p%2Fa@index.example.org/simple/"

    assert variables(tmp_path, {}, a={"type": "pypi", "index-url": url})["PIP_INDEX_URL"] == url


def test_an_extra_index_is_added_to_those_of_the_variables(tmp_path: Path) -> None:
    environ = variables(
        tmp_path,
        {"PIP_EXTRA_INDEX_URL": "https://one.example.org"},
        a={"type": "pypi", "extra-index-url": URL},
        b={"type": "pypi", "extra-index-url": "https://two.example.org/simple/", "token": "abcd"},
    )

    extra = f"{URL} https://__token__:abcd@two.example.org/simple/"
    assert environ == {
        "PIP_EXTRA_INDEX_URL": f"https://one.example.org {extra}",
        "UV_INDEX": extra,
    }


def test_a_variable_wins_over_a_binding(tmp_path: Path) -> None:
    set_ = {
        "PIP_INDEX_URL": "https://mine.example.org",
        "UV_INDEX_URL": "https://mine.example.org",
    }

    assert variables(tmp_path, set_, a=PLAIN) == set_


def test_the_login_of_an_index_that_the_app_names_reaches_uv_and_poetry(tmp_path: Path) -> None:
    login = {"username": "me", "password": "s3cret"}
    environ = variables(tmp_path, {}, a={"type": "pypi", "name": "acme-internal.v2", **login})

    assert environ == {
        "UV_INDEX_ACME_INTERNAL_V2_USERNAME": "me",
        "UV_INDEX_ACME_INTERNAL_V2_PASSWORD": "s3cret",
        "POETRY_HTTP_BASIC_ACME_INTERNAL_V2_USERNAME": "me",
        "POETRY_HTTP_BASIC_ACME_INTERNAL_V2_PASSWORD": "s3cret",
    }


def test_a_client_certificate_is_named_by_its_file(tmp_path: Path) -> None:
    environ = variables(tmp_path, {}, a={**PLAIN, "name": "acme", "client-cert": "PEM"})

    file = str(tmp_path / "bindings/a/client-cert")
    assert environ["PIP_CLIENT_CERT"] == environ["SSL_CLIENT_CERT"] == file
    assert environ["POETRY_CERTIFICATES_ACME_CLIENT_CERT"] == file


def test_two_usual_indexes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SeveralBindings) as caught:
        variables(tmp_path, {}, a=PLAIN, b=PLAIN)

    assert caught.value.names == ("a", "b")


@pytest.mark.parametrize(
    ("keys", "key", "problem"),
    [
        ({}, "url", "missing key"),
        ({"url": URL, "extra-index-url": URL}, "extra-index-url", "several keys"),
        ({"url": URL, "user": "me"}, "user", "unknown key"),
        ({"url": "index.example.org"}, "url", "not an address"),
        ({"url": ""}, "url", "not an address"),
        ({"url": "https://h/simple/\nhttps://i/simple/"}, "url", "not an address"),
        ({"url": "https://h/\0"}, "url", "not an address"),
        ({"url": "https://me:s3cret@[::1/simple"}, "url", "not an address"),
        ({"url": "https://h:port/simple"}, "url", "not an address"),
        ({"url": "https://a https://b"}, "url", "not an address"),
        ({"url": URL, "username": "me"}, "password", "missing key"),
        ({"url": URL, "password": "s3cret"}, "username", "missing key"),
        ({"url": URL, "username": "me", "password": ""}, "password", "not one line"),
        ({"url": URL, "token": "a\nb"}, "token", "not one line"),
        ({"url": URL, "username": "me", "password": "a", "token": "b"}, "token", "several keys"),
        ({"name": "-", "token": "abc"}, "name", "no name"),
        ({"name": "acme"}, "username", "missing key"),
    ],
)
def test_a_wrong_key_is_named_and_its_contents_are_not(
    tmp_path: Path, keys: dict[str, str], key: str, problem: str
) -> None:
    with pytest.raises(BadBinding) as caught:
        read_indexes(map(checked, bound(tmp_path, mine={"type": "pypi", **keys})))

    assert (caught.value.key, caught.value.problem) == (key, problem)
    assert "s3cret" not in str(caught.value)


def test_repr_shows_no_secret(tmp_path: Path) -> None:
    assert "s3cret" not in repr(read_indexes(bound(tmp_path, a={**PLAIN, "token": "s3cret"})))
