"""Among the files that one index offers for a release, uv takes the one that pip would choose."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.managers.base import InstallContext
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.process import run
from tests.support import index, resolving
from tests.support.index import Index, Login
from tests.support.resolving import Accepted, install_pinned, site_packages, versions
from tests.support.sdists import sdist
from tests.support.wheels import wheel

# uv closes connections early, which pypiserver's files do not survive tidily.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LOGIN = Login("ada", "s3cret-word")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    directory = tmp_path / "packages"
    directory.mkdir()
    return directory


@pytest.fixture
def served(packages: Path) -> Iterator[Index]:
    with index.running(packages) as one:
        yield one


class Apps:
    """Makes an empty environment for each question about one app."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.number = directory, 0

    def place(self, requirements: str, **environ: str) -> InstallContext:
        app = self.directory / "app"
        app.mkdir(exist_ok=True)
        (app / "requirements.txt").write_text(requirements, encoding="utf-8")
        self.number += 1
        work, given = self.directory / f"work-{self.number}", path() | environ
        return resolving.install_context(app, work, given, self.directory.parent)

    def module(self, requirements: str, **environ: str) -> tuple[str, str]:
        """Return what module `m` holds when uv, and when pip, has installed the requirements."""
        ours, pips = (self.place(requirements, **environ) for _ in range(2))
        result = install_pinned(ours)
        decided = Pip().resolve(pips, run)
        resolving.install(decided, pips, Pip())
        assert isinstance(result, Accepted), result
        assert versions(result.resolution) == result.installed == versions(decided)
        one, other = (site_packages(place) / "m.py" for place in (ours, pips))
        return one.read_text(), other.read_text()


def path() -> dict[str, str]:
    return {name: value for name, value in resolving.settings().items() if name == "PATH"}


@pytest.fixture
def apps(tmp_path: Path) -> Apps:
    return Apps(tmp_path)


def digest(file: Path) -> str:
    return f"--hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def test_a_wheel_rather_than_an_sdist(packages: Path, served: Index, apps: Apps) -> None:
    wheel(packages, "p", "1.0", {"m.py": "wheel"})
    sdist(packages, "p", "1.0", {"m.py": "sdist"})

    assert apps.module("p==1.0", PIP_INDEX_URL=served.url) == ("wheel", "wheel")


def test_the_sdist_where_only_its_hash_is_allowed(
    packages: Path, served: Index, apps: Apps
) -> None:
    wheel(packages, "p", "1.0", {"m.py": "wheel"})
    source = sdist(packages, "p", "1.0", {"m.py": "sdist"})

    line = f"p==1.0 {digest(source)}"
    assert apps.module(line, PIP_INDEX_URL=served.url) == ("sdist", "sdist")


def test_the_wheel_whose_hash_is_allowed(packages: Path, served: Index, apps: Apps) -> None:
    allowed = wheel(packages, "p", "1.0", {"m.py": "any"})
    wheel(
        packages,
        "p",
        "1.0",
        {"m.py": "better"},
        tag=f"py{resolving.LINE.replace('.', '')}-none-any",
    )

    line = f"p==1.0 {digest(allowed)}"
    assert apps.module(line, PIP_INDEX_URL=served.url) == ("any", "any")


def test_the_wheel_for_the_closest_python(packages: Path, served: Index, apps: Apps) -> None:
    line = resolving.LINE.replace(".", "")
    for tag in ("py3-none-any", f"py{line}-none-any", f"cp{line}-none-any", "py2.py3-none-any"):
        wheel(packages, "p", "1.0", {"m.py": tag}, tag=tag)

    ours, pips = apps.module("p==1.0", PIP_INDEX_URL=served.url)
    assert ours == pips == f"cp{line}-none-any"


def test_the_platform_that_says_most(packages: Path, served: Index, apps: Apps) -> None:
    line = resolving.LINE.replace(".", "")
    python = f"cp{line}-cp{line}"
    machine = Pip().processor
    for platform in (f"manylinux2014_{machine}", f"manylinux_2_28_{machine}"):
        tag = f"{python}-{platform}"
        wheel(packages, "p", "1.0", {"m.py": tag}, tag=tag)
    wheel(packages, "p", "1.0", {"m.py": "abi3"}, tag=f"cp39-abi3-manylinux_2_28_{machine}")

    ours, pips = apps.module("p==1.0", PIP_INDEX_URL=served.url)
    assert ours == pips == f"{python}-manylinux_2_28_{machine}"


def test_a_wheel_for_this_linux_alone_is_left_to_pip(
    packages: Path, served: Index, apps: Apps
) -> None:
    for platform in ("linux", "manylinux_2_28"):
        wheel(
            packages, "p", "1.0", {"m.py": platform}, tag=f"cp39-abi3-{platform}_{Pip().processor}"
        )

    assert "which pip prefers" in str(
        install_pinned(apps.place("p==1.0", PIP_INDEX_URL=served.url))
    )


def test_the_build_with_the_highest_number(packages: Path, served: Index, apps: Apps) -> None:
    for number in ("1", "9", "10"):
        made = wheel(packages, "p", "1.0", {"m.py": number})
        made.rename(packages / f"p-1.0-{number}-py3-none-any.whl")

    assert apps.module("p==1.0", PIP_INDEX_URL=served.url) == ("10", "10")


def test_a_local_version_is_left_to_pip_where_it_is_pips_choice(
    packages: Path, served: Index, apps: Apps
) -> None:
    wheel(packages, "p", "1.0", {"m.py": "public"})
    wheel(packages, "p", "1.0+cpu", {"m.py": "local"})

    decided = Pip().resolve(apps.place("p==1.0", PIP_INDEX_URL=served.url), run)
    result = install_pinned(apps.place("p==1.0", PIP_INDEX_URL=served.url))

    assert [pin.version for pin in decided.pins] == ["1.0+cpu"]
    assert isinstance(result, str), "another version is no proof"


def test_a_local_version_that_is_pinned_is_taken(
    packages: Path, served: Index, apps: Apps
) -> None:
    wheel(packages, "p", "1.0", {"m.py": "public"})
    wheel(packages, "p", "1.0+cpu", {"m.py": "local"})

    assert apps.module("p==1.0+cpu", PIP_INDEX_URL=served.url) == ("local", "local")


def test_the_index_of_the_file_is_stronger_than_that_of_the_variables(
    packages: Path, served: Index, apps: Apps
) -> None:
    wheel(packages, "p", "1.0", {"m.py": "here"})
    text = f"--index-url {served.url}\np==1.0"

    assert apps.module(text, PIP_INDEX_URL="http://127.0.0.1:9/") == ("here", "here")


def test_a_login_in_the_address_serves_both(packages: Path, apps: Apps) -> None:
    wheel(packages, "p", "1.0", {"m.py": "private"})

    with index.running(packages, login=LOGIN) as served:
        url = served.url_with(LOGIN)
        assert apps.module("p==1.0", PIP_INDEX_URL=url) == ("private", "private")


def test_a_company_s_certificate_serves_both(packages: Path, tmp_path: Path, apps: Apps) -> None:
    wheel(packages, "p", "1.0", {"m.py": "private"})
    company = index.authority(tmp_path)

    with index.running(packages, tls=company) as served:
        given = {"PIP_INDEX_URL": served.url, "PIP_CERT": str(company.certificate)}
        assert apps.module("p==1.0", **given) == ("private", "private")


def test_a_trusted_host_serves_both(packages: Path, tmp_path: Path, apps: Apps) -> None:
    wheel(packages, "p", "1.0", {"m.py": "private"})

    with index.running(packages, tls=index.authority(tmp_path)) as served:
        given = {"PIP_INDEX_URL": served.url, "PIP_TRUSTED_HOST": "127.0.0.1"}
        assert apps.module("p==1.0", **given) == ("private", "private")


def test_a_netrc_serves_both(packages: Path, tmp_path: Path, apps: Apps) -> None:
    wheel(packages, "p", "1.0", {"m.py": "private"})
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {LOGIN.user} password {LOGIN.password}\n")
    netrc.chmod(0o600)

    with index.running(packages, login=LOGIN) as served:
        given = {"PIP_INDEX_URL": served.url, "HOME": str(tmp_path)}
        assert apps.module("p==1.0", **given) == ("private", "private")


def test_settings_of_uv_do_not_count_for_those_who_use_pip(
    packages: Path, served: Index, tmp_path: Path, apps: Apps
) -> None:
    wheel(packages, "p", "1.0", {"m.py": "wheel"})
    uv_settings = "no-binary = true\nindex-url = 'http://127.0.0.1:9/'\n"
    for file in ("app/uv.toml", ".config/uv/uv.toml", "work-1/tmp/../uv.toml"):
        (tmp_path / file).resolve().parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "app/uv.toml").write_text(uv_settings)
    (tmp_path / ".config/uv/uv.toml").write_text(uv_settings)
    (tmp_path / "work-1").rmdir()
    given = {"UV_INDEX_URL": "http://127.0.0.1:9/", "UV_NO_BINARY": "1", "HOME": str(tmp_path)}

    assert apps.module("p==1.0", PIP_INDEX_URL=served.url, **given) == ("wheel", "wheel")
