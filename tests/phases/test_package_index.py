"""The package index of the tests works with the real pip."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import index
from tests.support.index import Login
from tests.support.sdists import c_module, sdist
from tests.support.wheels import wheel
from tools.platforms import oci
from tools.pythons import interpreters

# These Pythons were compiled with clang, which is not installed.
COMPILER = {"LDSHARED": "cc -shared"}
LOGIN = Login("ada", "s3cret")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    directory = tmp_path / "packages"
    directory.mkdir()
    return directory


def pip_install(
    into: Path,
    url: str,
    *requirements: str,
    python: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    command = [
        python or sys.executable,
        "-m",
        "pip",
        "install",
        "--target",
        str(into),
        "--no-cache-dir",
    ]
    return subprocess.run(
        [*command, "--retries", "0", "--no-input", "--index-url", url, *requirements],
        check=False,
        # Without settings of this machine, which may name indexes and certificates.
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_wheel_and_its_dependencies_are_installed(packages: Path, tmp_path: Path) -> None:
    wheel(packages, "top", "1.0", {"top.py": "import below"}, requires=["below>=2"])
    wheel(packages, "below", "2.1", {"below/__init__.py": ""}, scripts={"below": "below:main"})

    with index.running(packages) as served:
        done = pip_install(tmp_path / "site", served.url, "top")

    assert done.returncode == 0, done.stdout
    assert (tmp_path / "site/below/__init__.py").exists()
    assert (tmp_path / "site/bin/below").exists()
    assert "GET /simple/top/ 200" in served.requests


def test_sdist_is_compiled_for_the_installing_python(packages: Path, tmp_path: Path) -> None:
    files = {"deep.c": c_module("deep", 42), "around.py": "from deep import answer"}
    sdist(packages, "deep-thought", "1.0", files)
    with tarfile.open(interpreters.archive("3.13.13", oci.arch())) as archive:
        archive.extractall(tmp_path, filter="tar")
    python = tmp_path / "python/bin/python3"

    with index.running(packages) as served:
        site, requirement = tmp_path / "site", "deep-thought"
        done = pip_install(site, served.url, requirement, python=python, env=COMPILER)

    assert done.returncode == 0, done.stdout
    code = "import around; print(around.answer())"
    assert subprocess.check_output([python, "-c", code], env={"PYTHONPATH": site}) == b"42\n"


def test_compiler_names_a_missing_header(packages: Path, tmp_path: Path) -> None:
    sdist(packages, "deep", "1.0", {"deep.c": c_module("deep", 42, header="libdeep/deep.h")})

    with index.running(packages) as served:
        done = pip_install(tmp_path / "site", served.url, "deep", env=COMPILER)

    assert done.returncode != 0
    assert "fatal error: libdeep/deep.h: No such file or directory" in done.stdout


def test_wheel_for_another_python_is_not_installed(packages: Path, tmp_path: Path) -> None:
    wheel(packages, "old", "1.0", {"old.py": ""}, tag="cp27-cp27m-manylinux1_x86_64")

    with index.running(packages) as served:
        done = pip_install(tmp_path / "site", served.url, "old")

    assert "No matching distribution found for old" in done.stdout


def test_request_without_login_is_refused(packages: Path, tmp_path: Path) -> None:
    wheel(packages, "secret", "1.0", {"secret.py": ""})

    with index.running(packages, login=LOGIN) as served:
        refused = pip_install(tmp_path / "refused", served.url, "secret")
        wrong = served.url_with(Login(LOGIN.user, "guess"))
        guessed = pip_install(tmp_path / "guessed", wrong, "secret")
        allowed = pip_install(tmp_path / "site", served.url_with(LOGIN), "secret")

    assert refused.returncode != 0
    assert guessed.returncode != 0
    assert any("401" in line for line in served.requests)
    assert allowed.returncode == 0, allowed.stdout


def test_client_must_trust_the_certificate(packages: Path, tmp_path: Path) -> None:
    wheel(packages, "private", "1.0", {"private.py": ""})
    company = index.authority(tmp_path)

    with index.running(packages, tls=company) as served:
        refused = pip_install(tmp_path / "refused", served.url, "private")
        trusted = {"PIP_CERT": str(company.certificate)}
        allowed = pip_install(tmp_path / "site", served.url, "private", env=trusted)

    assert refused.returncode != 0
    assert "certificate" in refused.stdout.lower()
    assert allowed.returncode == 0, allowed.stdout


def test_same_package_has_the_same_bytes(tmp_path: Path) -> None:
    once, again = (tmp_path / name for name in ("once", "again"))
    for directory in (once, again):
        directory.mkdir()
        wheel(directory, "a", "1", {"a.py": ""})
        sdist(directory, "b", "1", {"b.py": ""})

    for path in once.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()
