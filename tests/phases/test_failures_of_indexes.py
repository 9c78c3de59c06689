"""Servers that refuse, break off, are not there: pip's words and uv's end in the same message."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import broken_index, index
from tests.support.failing_installs import Attempt, Failing, Tool
from tests.support.index import Index, Login
from tests.support.wheels import wheel

# pip is asked twice, and takes seconds.
TOOLS = pytest.mark.parametrize("tool", [pytest.param("pip", marks=pytest.mark.thorough), "uv"])
SOMEWHERE = "https://packages.example.org/simple/"
LOGIN = Login("ada", "s3cret-of-ada")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("packages")
    wheel(directory, "good", "1.0", {"good.py": ""})
    return directory


@pytest.fixture(scope="module")
def private(packages: Path) -> Iterator[Index]:
    with index.running(packages, login=LOGIN) as running:
        yield running


@pytest.fixture(scope="module")
def unkindly(packages: Path) -> Iterator[str]:
    with broken_index.running(packages) as url:
        yield url


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Failing:
    return Failing(tmp_path_factory.mktemp("failing"), base)


@TOOLS
def test_an_index_that_wants_a_login(failing: Failing, tool: Tool, private: Index) -> None:
    told = failing.failure(tool, "good\n", index=private.url)

    assert told.title == "The package index rejected the request: 401 Unauthorized"
    assert f"{private.url}" in told.message
    assert "The build has no login for it" in told.message
    assert "PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/" in told.message


@TOOLS
def test_an_index_with_the_wrong_login(failing: Failing, tool: Tool, private: Index) -> None:
    wrong = private.url_with(Login("ada", "guessed"))
    told = failing.failure(tool, "good\n", index=wrong)

    # It is pypiserver's answer to a password that is not the one.
    assert told.title == "The package index rejected the request: 403 Forbidden"


@TOOLS
def test_an_index_without_access(failing: Failing, tool: Tool, unkindly: str) -> None:
    told = failing.failure(tool, "good\n", index=f"{unkindly}/403/simple/")

    assert told.title == "The package index rejected the request: 403 Forbidden"
    assert f"{unkindly}/403/simple/" in told.message


@TOOLS
def test_an_index_that_knows_nothing(failing: Failing, tool: Tool, unkindly: str) -> None:
    told = failing.failure(tool, "company-tools\n", index=f"{unkindly}/404/simple/")

    assert told.title == "There is no package company-tools"
    assert "if the build has no login for it" in told.message


@TOOLS
@pytest.mark.parametrize(
    ("status", "words"), [("500", "500"), ("503", "503"), ("429", "429")], ids=str
)
def test_an_index_out_of_order(
    failing: Failing, tool: Tool, unkindly: str, status: str, words: str
) -> None:
    told = failing.failure(tool, "good\n", index=f"{unkindly}/{status}/simple/")

    assert told.title == "The package index does not answer"
    assert words in told.message
    assert "Build again: the failure may have been temporary." in told.message


@TOOLS
def test_an_index_that_takes_too_long(failing: Failing, tool: Tool, unkindly: str) -> None:
    impatient = {"PIP_DEFAULT_TIMEOUT": "1", "UV_HTTP_TIMEOUT": "1"}
    told = failing.failure(tool, "good\n", index=f"{unkindly}/slow/simple/", env=impatient)

    assert told.title == "The package index does not answer"
    assert "timed out" in told.message or "didn't respond within" in told.message


@TOOLS
def test_a_port_where_nobody_listens(failing: Failing, tool: Tool) -> None:
    told = failing.failure(tool, "good\n", index="http://127.0.0.1:1/simple/")

    assert told.title == "The package index does not answer"
    assert "Connection refused" in told.message


@TOOLS
def test_a_name_that_nobody_knows(failing: Failing, tool: Tool) -> None:
    told = failing.failure(tool, "good\n", index="https://packages.invalid/simple/")

    assert told.title == "There is no server named packages.invalid"
    assert "pack build --network host" in told.message


@TOOLS
def test_an_authority_of_its_own(
    failing: Failing, tool: Tool, packages: Path, tmp_path: Path
) -> None:
    with index.running(packages, tls=index.authority(tmp_path)) as served:
        told = failing.failure(tool, "good\n", index=served.url)

    assert told.title == "The certificate of a server is not trusted"
    assert (
        f"a certificate of {served.url}good/ that the build image does not trust" in told.message
    )
    assert "type (ca-certificates) and ca.pem" in told.message


@TOOLS
def test_a_proxy_that_is_not_there(failing: Failing, tool: Tool) -> None:
    env = {"HTTPS_PROXY": "http://127.0.0.1:1"}
    told = failing.failure(tool, "good\n", index=SOMEWHERE, env=env)

    assert told.title == "The proxy does not answer"
    assert (
        "Fetching https://packages.example.org/simple/good/ through the proxy failed"
        in told.message
    )
    assert "Connection refused" in told.message
    assert "NO_PROXY" in told.message


@TOOLS
def test_a_proxy_with_a_name_that_nobody_knows(failing: Failing, tool: Tool) -> None:
    env = {
        "HTTPS_PROXY": "http://proxy.invalid:3128",
    }
    told = failing.failure(tool, "good\n", index=SOMEWHERE, env=env)

    assert told.title == "The proxy does not answer"
    assert "its name is not known" in told.message


@TOOLS
def test_a_proxy_that_wants_a_login(failing: Failing, tool: Tool, unkindly: str) -> None:
    env = {"HTTPS_PROXY": unkindly}
    told = failing.failure(tool, "good\n", index=SOMEWHERE, env=env)

    assert told.title == "The proxy rejected the request: 407 Proxy Authentication Required"


def test_an_index_without_encryption(failing: Failing) -> None:
    told = failing.failure("pip", "good\n", index=f"http://{socket.gethostname()}:1/simple/")

    assert told.title == f"The index on {socket.gethostname()} is not encrypted"
    assert f"PIP_TRUSTED_HOST={socket.gethostname()}" in told.message


@TOOLS
def test_a_file_that_the_index_names_and_does_not_have(
    failing: Failing, tool: Tool, unkindly: str
) -> None:
    told = failing.failure(tool, "good==1.0\n", index=f"{unkindly}/gone/simple/")

    assert told.title == "The address of a requirement does not exist"
    assert f"{unkindly}/gone/files/good-1.0-py3-none-any.whl answered 404." in told.message


@TOOLS
def test_a_download_that_breaks_off(failing: Failing, tool: Tool, unkindly: str) -> None:
    told = failing.failure(tool, "good==1.0\n", index=f"{unkindly}/cut/simple/")

    assert told.title == "The package index does not answer"
    assert _says_that_it_was_short(told)


@TOOLS
def test_a_file_that_is_not_the_one_that_the_index_promised(
    failing: Failing, tool: Tool, unkindly: str
) -> None:
    told = failing.failure(tool, "good==1.0\n", index=f"{unkindly}/wrong-hash/simple/")

    assert told.title == "good==1.0 does not have the expected hash"
    assert f"Expected: sha256 {'0' * 64}" in told.message


@TOOLS
def test_a_package_that_was_withdrawn(failing: Failing, tool: Tool, unkindly: str) -> None:
    told = failing.failure(tool, "good\n", index=f"{unkindly}/yanked/simple/")

    assert told.title == "good was yanked from the index"
    assert "name it exactly: name==version" in told.message


@TOOLS
def test_an_address_that_does_not_exist(failing: Failing, tool: Tool, unkindly: str) -> None:
    told = failing.failure(tool, f"good @ {unkindly}/404/good-1.0-py3-none-any.whl\n")

    assert told.title == "The address of a requirement does not exist"
    assert f"{unkindly}/404/good-1.0-py3-none-any.whl answered 404." in told.message


def _says_that_it_was_short(told: Attempt) -> bool:
    return "not enough bytes were received" in told.message or "end of file" in told.message
