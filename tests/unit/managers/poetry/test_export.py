"""The index of each package of a `poetry.lock`, and the certificates for uv."""

from pathlib import Path

from cnb_python.managers.base import Pin
from cnb_python.managers.poetry.export import certificate_variables, primary_index, read_sources
from tests.support.fake_tools import context_of, write_app

HASH, OTHER = "a" * 64, "b" * 64
PRIVATE = "https://me:word@ours.example/simple"

POETRY_LOCK = f"""\
[[package]]
name = "Our.Tools"
version = "2.0"
files = [{{ file = "our_tools-2.0.whl", hash = "sha256:{HASH}" }}]
[package.source]
type = "legacy"
url = "https://ours.example/simple"
reference = "ours"
[[package]]
name = "both"
version = "1.0"
files = [{{ file = "both-1.0.whl", hash = "sha256:{HASH}" }}]
[[package]]
name = "both"
version = "1.0"
files = [{{ file = "both-1.0.whl", hash = "sha256:{OTHER}" }}]
[package.source]
type = "legacy"
url = "https://moved.example/simple/"
[[package]]
name = "six"
version = "1.17.0"
"""


def pin(name: str, version: str = "1.0", hashed: str = HASH) -> Pin:
    return Pin(name, version, "", f"{name}=={version} --hash=sha256:{hashed}")


def test_package_comes_from_its_source_in_the_lock(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK)

    sources = read_sources(tmp_path / "poetry.lock", (f"--extra-index-url {PRIVATE}", "", "six"))

    assert sources.indexes_of(pin("our-tools", "2.0.0")) == (PRIVATE,)
    assert sources.indexes_of(pin("six", "1.17.0")) == ()
    assert sources.indexes_of(pin("unknown")) == ()


def test_hashes_choose_between_two_sources_of_a_release(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK)

    sources = read_sources(tmp_path / "poetry.lock", ())

    assert sources.indexes_of(pin("both", hashed=HASH)) == ()
    assert sources.indexes_of(pin("both", hashed=OTHER)) == ("https://moved.example/simple/",)


def test_private_source_is_no_index_for_other_packages(tmp_path: Path) -> None:
    lock = tmp_path / "poetry.lock"
    lock.write_text(POETRY_LOCK)
    lines = ("--index-url https://all.example", f"--extra-index-url {PRIVATE}", "six==1")

    assert read_sources(lock, lines).lines == (lines[0], lines[2])


def test_certificates_of_poetry_become_variables_of_uv(tmp_path: Path) -> None:
    sources = '[[tool.poetry.source]]\nname = "old-one"\nurl = "https://me@old.example:8443/x"\n'
    directory = write_app(
        tmp_path,
        [
            ("pyproject.toml", sources),
            ("poetry.toml", '[certificates]\nours.cert = "ours.pem"\nold-one.cert = false\n'),
            ("ours.pem", "of the file"),
            ("variable.pem", "of the variable"),
        ],
    )
    environ = {
        "POETRY_CERTIFICATES_OUR_OWN_CERT": "variable.pem",
        "POETRY_CERTIFICATES_OUR_OWN_CLIENT_CERT": "/client.pem",
    }

    variables = certificate_variables(context_of(directory, **environ))

    bundle = Path(variables["SSL_CERT_FILE"]).read_text()
    assert "of the file" in bundle
    assert "of the variable" in bundle
    assert variables["SSL_CLIENT_CERT"] == "/client.pem"
    assert variables["UV_INSECURE_HOST"] == "old.example:8443"


def test_certificate_variable_overrides_the_app_s_settings(tmp_path: Path) -> None:
    sources = '[[tool.poetry.source]]\nname = "ours"\nurl = "https://ours.example/x"\n'
    files = [("pyproject.toml", sources), ("poetry.toml", '[certificates.ours]\ncert = "x.pem"\n')]
    context = context_of(write_app(tmp_path, files), POETRY_CERTIFICATES_OURS_CERT="false")

    assert certificate_variables(context) == {"UV_INSECURE_HOST": "ours.example"}


def test_no_certificates_give_no_variables(tmp_path: Path) -> None:
    context = context_of(write_app(tmp_path, [("pyproject.toml", "")]))

    assert certificate_variables(context) == {}


def test_primary_source_replaces_pypi_with_its_login(tmp_path: Path) -> None:
    sources = """\
[[tool.poetry.source]]
name = "more"
url = "https://more.example/x"
priority = "supplemental"
[[tool.poetry.source]]
name = "our-own"
url = "https://ours.example/x"
"""
    directory = write_app(tmp_path, [("pyproject.toml", sources)])
    login = {"USERNAME": "me", "PASSWORD": "a@b"}
    variables = {f"POETRY_HTTP_BASIC_OUR_OWN_{key}": value for key, value in login.items()}

    assert primary_index(context_of(directory)) == ("--index-url https://ours.example/x",)
    with_login = ("--index-url https://me:a%40b@ours.example/x",)
    assert primary_index(context_of(directory, **variables)) == with_login


def test_app_without_primary_source_keeps_the_usual_index(tmp_path: Path) -> None:
    source = '[[tool.poetry.source]]\nname = "a"\nurl = "https://a/"\npriority = "explicit"\n'

    assert primary_index(context_of(write_app(tmp_path, [("pyproject.toml", source)]))) == ()
