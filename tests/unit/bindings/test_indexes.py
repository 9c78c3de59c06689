"""Bindings of type `pypi`, in the variables of each tool."""

from pathlib import Path

import pytest

from cnb_python.bindings.indexes import read, variables
from cnb_python.bindings.schema import checked
from cnb_python.errors.config import BadBinding, SeveralBindings
from tests.support.bindings import bound
from tests.support.fake_system import Log

URL = "https://index.example.org/simple/"
PLAIN = {"type": "pypi", "url": URL}


def told(directory: Path, environ: dict[str, str], **bindings: dict[str, str]) -> dict[str, str]:
    return dict(variables(read(bound(directory, **bindings)), environ, Log()))


def test_user_and_password_are_percent_encoded_in_the_address(tmp_path: Path) -> None:
    found = told(tmp_path, {}, a={**PLAIN, "username": "me@x", "password": "p/a:s s\n"})

    expected = "https://me%40x:p%2Fa%3As%20s@index.example.org/simple/"
    assert found == {"PIP_INDEX_URL": expected, "UV_DEFAULT_INDEX": expected}


def test_a_login_inside_the_address_does_as_well(tmp_path: Path) -> None:
    url = "https://me:p%2Fa@index.example.org/simple/"

    assert told(tmp_path, {}, a={"type": "pypi", "index-url": url})["PIP_INDEX_URL"] == url


def test_an_index_besides_the_usual_one_is_added_to_those_there_are(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        {"PIP_EXTRA_INDEX_URL": "https://one.example.org"},
        a={"type": "pypi", "extra-index-url": URL},
        b={"type": "pypi", "extra-index-url": "https://two.example.org/simple/", "token": "abcd"},
    )

    ours = f"{URL} https://__token__:abcd@two.example.org/simple/"
    assert found == {
        "PIP_EXTRA_INDEX_URL": f"https://one.example.org {ours}",
        "UV_INDEX": ours,
    }


def test_what_a_variable_says_already_stays(tmp_path: Path) -> None:
    set_ = {
        "PIP_INDEX_URL": "https://mine.example.org",
        "UV_INDEX_URL": "https://mine.example.org",
    }

    assert told(tmp_path, set_, a=PLAIN) == set_


def test_the_login_of_an_index_that_the_app_names_reaches_uv_and_poetry(tmp_path: Path) -> None:
    login = {"username": "me", "password": "s3cret"}
    found = told(tmp_path, {}, a={"type": "pypi", "name": "acme-internal.v2", **login})

    assert found == {
        "UV_INDEX_ACME_INTERNAL_V2_USERNAME": "me",
        "UV_INDEX_ACME_INTERNAL_V2_PASSWORD": "s3cret",
        "POETRY_HTTP_BASIC_ACME_INTERNAL_V2_USERNAME": "me",
        "POETRY_HTTP_BASIC_ACME_INTERNAL_V2_PASSWORD": "s3cret",
    }


def test_a_client_certificate_is_named_by_its_file(tmp_path: Path) -> None:
    found = told(tmp_path, {}, a={**PLAIN, "name": "acme", "client-cert": "PEM"})

    file = str(tmp_path / "bindings/a/client-cert")
    assert found["PIP_CLIENT_CERT"] == found["SSL_CLIENT_CERT"] == file
    assert found["POETRY_CERTIFICATES_ACME_CLIENT_CERT"] == file


def test_two_usual_indexes_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SeveralBindings) as caught:
        told(tmp_path, {}, a=PLAIN, b=PLAIN)

    assert caught.value.names == ("a", "b")


@pytest.mark.parametrize(
    ("keys", "key", "problem"),
    [
        ({}, "url", "missing key"),
        ({"url": URL, "extra-index-url": URL}, "extra-index-url", "said twice"),
        ({"url": URL, "user": "me"}, "user", "unknown key"),
        ({"url": "index.example.org"}, "url", "no address"),
        ({"url": ""}, "url", "no address"),
        ({"url": "https://h/simple/\nhttps://i/simple/"}, "url", "no address"),
        ({"url": "https://h/\0"}, "url", "no address"),
        ({"url": "https://me:s3cret@[::1/simple"}, "url", "no address"),
        ({"url": "https://h:port/simple"}, "url", "no address"),
        ({"url": "https://a https://b"}, "url", "no address"),
        ({"url": URL, "username": "me"}, "password", "missing key"),
        ({"url": URL, "password": "s3cret"}, "username", "missing key"),
        ({"url": URL, "username": "me", "password": ""}, "password", "no secret"),
        ({"url": URL, "token": "a\nb"}, "token", "no secret"),
        ({"url": URL, "username": "me", "password": "a", "token": "b"}, "token", "said twice"),
        ({"name": "-", "token": "abc"}, "name", "no name"),
        ({"name": "acme"}, "username", "missing key"),
    ],
)
def test_a_wrong_key_is_named_and_its_contents_are_not(
    tmp_path: Path, keys: dict[str, str], key: str, problem: str
) -> None:
    with pytest.raises(BadBinding) as caught:
        read(map(checked, bound(tmp_path, mine={"type": "pypi", **keys})))

    assert (caught.value.key, caught.value.problem) == (key, problem)
    assert "s3cret" not in str(caught.value)


def test_a_secret_is_in_no_representation(tmp_path: Path) -> None:
    assert "s3cret" not in repr(read(bound(tmp_path, a={**PLAIN, "token": "s3cret"})))
