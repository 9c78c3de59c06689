"""A private index: its packages are installed, and its password is stored nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.index import Index, Login
from tests.support.sdists import c_module, sdist
from tests.support.trees import App, write_files
from tests.support.wheels import wheel

LOGIN = Login("builder", "pa55-of-the-index")
BINDING_SECRET = "s3cret-of-the-binding"
ELSEWHERE = "cp39-cp39-manylinux_2_17_x86_64"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with a login and a few packages of a company."""
    packages = tmp_path_factory.mktemp("packages")
    wheel(packages, "company-tools", "2.0", {"company_tools.py": "GREETING = 'hello'"})
    wheel(packages, "company-legacy", "1.0", {"legacy.py": ""}, tag=ELSEWHERE)
    sdist(packages, "company-codec", "1.1", {"codec.c": c_module("codec", 42)})
    sdist(packages, "company-ldap", "1.0", {"ldap.c": c_module("ldap", 1, header="lber.h")})
    with index.running(packages, login=LOGIN) as running:
        yield running


@pytest.fixture(scope="module")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Service bindings as a platform mounts them."""
    files = {"db/type": "PostgreSQL\n", "db/password": f"{BINDING_SECRET}\n"}
    return write_files(tmp_path_factory.mktemp("bindings") / "all", files)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with a wheel and a source package of the private index."""
    files = {
        "requirements.txt": "company-tools==2.0\ncompany-codec==1.1\n",
        "Procfile": "web: python -m http.server $PORT",
    }
    return write_files(tmp_path_factory.mktemp("app") / "app", files)


@pytest.fixture(scope="module")
def built(builds: Builds, flask: Built, source: Path, private: Index, bindings: Path) -> Built:
    """The image of that app, built after another app."""
    env = {"PIP_EXTRA_INDEX_URL": private.url_with(LOGIN)}
    built = builds.image(source, flask, env=env, bindings=bindings)
    assert built.code == 0, built.output
    return built


def test_packages_of_the_private_index_are_installed(built: Built) -> None:
    code = "import company_tools, codec; print(company_tools.GREETING, codec.answer())"
    assert built.run("python", "-c", code) == "hello 42\n"


@pytest.mark.parametrize("secret", [LOGIN.password, BINDING_SECRET])
def test_log_layers_and_metadata_have_no_secret(built: Built, secret: str) -> None:
    assert secret not in built.output
    assert _files_with(secret, built.layers) == []
    assert _files_with(secret, built.workspace) == []


@pytest.mark.parametrize("secret", [LOGIN.password, BINDING_SECRET])
def test_image_and_cache_have_no_secret(built: Built, secret: str) -> None:
    assert _files_with(secret, built.root) == []
    assert secret not in str(built.labels())
    assert _files_with(secret, built.work / "cache") == []


def test_packages_of_the_previous_build_are_removed(built: Built, flask: Built) -> None:
    assert any("/flask/" in name for name in flask.names("deps-00"))
    names = built.names("venv") + built.names("deps-00")
    assert [name for name in names if "flask" in name.lower()] == []


def test_compiled_package_is_not_compiled_again(
    builds: Builds, built: Built, private: Index, source: Path
) -> None:
    again = builds.phases(source, built, env={"PIP_EXTRA_INDEX_URL": private.url_with(LOGIN)})
    assert again.code == 0, again.output
    assert "Building wheel for company-codec" in built.output
    assert "Building wheel" not in again.output


def test_binding_is_not_copied(built: Built) -> None:
    names = [path.name for path in built.layers.rglob("*")]
    assert "bindings" not in names


def test_missing_credentials_are_an_error_with_the_fix(
    builds: Builds, flask: Built, app: App, private: Index
) -> None:
    source = app({"requirements.txt": "company-tools==2.0\n"})
    built = builds.phases(
        source, flask, env={"PIP_INDEX_URL": private.url, "PIP_EXTRA_INDEX_URL": ""}
    )
    title, body, steps = built.error.split("\n\n")
    assert title == "The package index rejected the request: 401 Unauthorized"
    assert body.split("\n") == [
        f"{private.url}company-tools/ answered 401.",
        "The build has no login for it, or the login is wrong, expired or not allowed to read.",
        f"To test the login on your machine: curl -u USER:TOKEN {private.url}company-tools/",
    ]
    assert (
        steps
        == """\
To fix this:
  - Give the build the address with the login: --env\
 PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/
  - Or give the build the login in a service binding, a directory with the files type (pypi), url,\
 username and password: --volume /path/to/DIR:/platform/bindings/DIR
  - Or write --index-url https://${USER}:${TOKEN}@HOST/simple/ in requirements.txt, and give the\
 build USER and TOKEN, with special characters percent-encoded."""
    )


def test_missing_credentials_are_an_error_with_uv_too(
    builds: Builds, flask: Built, app: App, private: Index
) -> None:
    source = app({"requirements.txt": "company-tools\n"})
    env = {"UV_DEFAULT_INDEX": private.url, "UV_INDEX": "", "BP_PYTHON_INSTALLER": "uv"}
    built = builds.phases(source, flask, env=env)
    assert built.error.startswith("The package index rejected the request: 401 Unauthorized\n\n")
    assert f"{private.url} answered 401." in built.error
    assert "hint: An index URL" in built.output, "uv's own words stay"


def test_wrong_credentials_are_an_error_without_them(
    builds: Builds, flask: Built, app: App, private: Index
) -> None:
    guessed = private.url_with(Login("builder", "wr0ng-guess"))
    source = app({"requirements.txt": f"--index-url {guessed}\ncompany-tools==2.0\n"})
    built = builds.phases(source, flask)
    assert built.error.startswith("The package index rejected the request: 403 Forbidden\n\n")
    assert "wr0ng-guess" not in built.output


def test_wheel_for_another_python_is_an_error(
    builds: Builds, flask: Built, app: App, private: Index
) -> None:
    source = app({"requirements.txt": "company-legacy==1.0\n"})
    built = builds.phases(source, flask, env={"PIP_INDEX_URL": private.url_with(LOGIN)})
    assert (
        built.error
        == """\
company-legacy==1.0 has no wheel for Python 3.14.6

Found:    wheels for Python 3.9 on Linux, and no source code.
Expected: a wheel for Python 3.14.6 on this image.

To fix this:
  - Use another version of the package that supports Python 3.14.6."""
    )


def test_missing_header_is_an_error_with_the_fix(
    builds: Builds, flask: Built, app: App, private: Index
) -> None:
    source = app({"requirements.txt": "company-ldap==1.0\n"})
    built = builds.phases(source, flask, env={"PIP_INDEX_URL": private.url_with(LOGIN)})
    assert (
        built.error
        == """\
company-ldap needs the header lber.h

company-ldap has no wheel for Python 3.14.6 on this image, so it is built from source.
Its build needs the header lber.h, which is not in the build image.

To fix this:
  - Use a version of company-ldap that has a wheel for this Python, if there is one.
  - Or add the line `system-packages = ["libldap-dev"]` to [tool.cnb-python] in pyproject.toml, or\
 set BP_PYTHON_SYSTEM_PACKAGES=libldap-dev.
  - Or use a build image that has the package. The run image needs the library as well."""
    )
    assert "fatal error: lber.h: No such file or directory" in built.output


def _files_with(secret: str, directory: Path) -> list[str]:
    """Return the files below *directory* that contain *secret*, plain or percent-encoded."""
    text = secret.encode()
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in files if text in path.read_bytes()]
