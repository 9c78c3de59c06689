"""The materials of an image: one in-toto ResourceDescriptor for each download."""

import hashlib
import json
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from cnb_python.cnb import toml
from cnb_python.config.build_commands import BuildCommand
from cnb_python.config.settings import Settings
from cnb_python.distributions.model import Distribution, Material
from cnb_python.managers.tool import Program
from cnb_python.provision import materials
from cnb_python.provision.request import NoSystemPackages, StepResults
from tests.support.fake_build import FakeBuild, fake_build, release
from tests.support.fake_manager import FakeManager, package, resolution_of

WHEEL = Material("six-1.0-py3-none-any.whl", "https://pip.example/six.whl", f"sha256:{'1' * 64}")
NEED = Material("flit_core-3.whl", "", f"sha256:{'2' * 64}", builds=True)
SECRET = "s3cr3t-token"


def distribution(name: str, *of: Material, is_cacheable: bool = True) -> Distribution:
    return Distribution(name, "1.0+local", "origin", (), materials=of, is_cacheable=is_cacheable)


def parsed(rows: tuple[str, ...]) -> list[dict[str, Any]]:
    return [json.loads(row) for row in rows]


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    manager = FakeManager({"a==1.0": package("a")}, from_files=resolution_of("a==1.0"))
    return fake_build(tmp_path, manager)


def stored(app: FakeBuild) -> list[dict[str, Any]]:
    metadata = toml.table_at(toml.read(app.layers / "store.toml"), "metadata")
    rows = metadata["materials"]
    assert isinstance(rows, list)
    return [json.loads(str(row)) for row in rows]


def kinds(rows: list[dict[str, Any]]) -> list[str]:
    return [row["annotations"]["kind"] for row in rows]


def test_package_is_described_by_its_file_and_its_package_url() -> None:
    assert parsed(materials.of_packages([distribution("six", WHEEL)])) == [
        {
            "name": "six-1.0-py3-none-any.whl",
            "uri": "pkg:pypi/six@1.0%2Blocal",
            "digest": {"sha256": "1" * 64},
            "downloadLocation": "https://pip.example/six.whl",
            "annotations": {"kind": "package", "package": "six", "version": "1.0+local"},
        }
    ]


def test_requirement_of_several_builds_is_listed_once() -> None:
    built = [distribution("a", WHEEL, NEED), distribution("b", WHEEL, NEED)]

    rows = parsed(materials.of_packages(built))

    assert kinds(rows) == ["package", "package", "build requirement"]


def test_commit_is_its_own_address() -> None:
    commit = Material("x.git", "git+https://git.example/x.git@aa", "gitCommit:aa")

    (row,) = parsed(materials.of_packages([distribution("x", commit)]))

    assert (row["uri"], row["digest"]) == (commit.address, {"gitCommit": "aa"})


def test_directory_of_the_app_is_no_material_and_an_unknown_file_has_no_digest() -> None:
    local, unknown = distribution("local", is_cacheable=False), distribution("old")

    (row,) = parsed(materials.of_packages([local, unknown]))

    assert row["uri"] == "pkg:pypi/old@1.0%2Blocal"
    assert "digest" not in row


def test_pinned_program_has_its_version_and_another_its_digest_alone() -> None:
    pinned = Program("poetry")
    rows = [f"program poetry cpython-314-x86_64 {digest}" for digest in (pinned.digest, "0" * 64)]

    first, other = parsed(tuple(map(materials.of_program, rows)))

    assert first["uri"] == f"pkg:pypi/poetry@{pinned.version}"
    assert other["uri"] == "pkg:pypi/poetry"
    assert other["digest"] == {"sha256": "0" * 64}


def test_every_build_lists_the_same(app: FakeBuild) -> None:
    app.build()
    first = stored(app)

    app.restore().build()

    assert "Nothing changed" in app.log.lines[0]
    assert stored(app) == first
    assert kinds(first) == [
        *("buildpack", "interpreter", "installer", "installer", "settings", "package")
    ]
    digests = [row["digest"]["sha256"] for row in first if "digest" in row]
    assert app.release.sha256 in digests
    assert all(len(digest) == 64 for digest in digests)


def test_materials_survive_the_loss_of_the_cache_and_of_the_image(app: FakeBuild) -> None:
    app.build()
    first = stored(app)

    app.restore().lose_cache().build()
    assert stored(app) == first

    app.restore().lose_image().build()
    assert stored(app) == first


def test_new_buildpack_and_settings_are_listed_without_a_rebuild(app: FakeBuild) -> None:
    app.build()
    app.restore()
    newer = app.context.buildpack._replace(version="2")
    app.context = app.context._replace(buildpack=newer)
    app.settings = Settings(
        health="/health",
        mirror=f"https://me:{SECRET}@mirror.example",
        idle_timeout=60,
        timeout=600,
    )

    app.build()

    assert "Nothing changed" in app.log.lines[0]
    by_kind = {row["annotations"]["kind"]: row for row in stored(app)}
    assert by_kind["buildpack"]["uri"] == "urn:cnb:registry:cnb-python/python@2"
    assert by_kind["settings"]["annotations"]["health"] == "/health"
    assert SECRET not in repr(by_kind)
    without_effect = {"mirror", "idle_timeout", "timeout"}
    assert without_effect.isdisjoint(by_kind["settings"]["annotations"])


def test_new_python_replaces_the_old_one_in_the_list(app: FakeBuild, tmp_path: Path) -> None:
    app.build()
    app.restore()
    app.release = release(tmp_path, "3.14.7")

    app.build()

    rows = stored(app)
    assert kinds(rows).count("interpreter") == kinds(rows).count("package") == 1
    assert {row["digest"]["sha256"] for row in rows if row["name"] == "python"} == {
        app.release.sha256
    }


def test_secret_in_a_command_is_not_listed(app: FakeBuild) -> None:
    environ = {"PIP_INDEX_URL": f"https://me:{SECRET}@pip.example/simple"}
    app.context = app.context._replace(environ=environ)
    app.settings = Settings(start=f"serve --token {SECRET}")

    app.build()

    assert SECRET not in repr(stored(app))
    settings = next(row for row in stored(app) if row["name"] == "settings")
    assert settings["annotations"]["start"] == "serve --token ****"


def test_system_packages_are_listed(app: FakeBuild) -> None:
    """With the package URL that the SBOM of their layer has."""
    line = f"libgl1=1:1.6.0+b1~x amd64 {'3' * 64}"
    packages = NoSystemPackages(packages=(line,), distribution="ubuntu 24.04")
    request = replace(app.request(), system_packages=packages)

    rows = parsed(materials.complete(request, (), StepResults()))

    assert rows[4] == {
        "name": "libgl1",
        "uri": "pkg:deb/ubuntu/libgl1@1:1.6.0%2Bb1~x?arch=amd64&distro=ubuntu-24.04",
        "digest": {"sha256": "3" * 64},
        "annotations": {"kind": "system package", "version": "1:1.6.0+b1~x"},
    }


def test_steps_are_listed_and_what_they_download_is_called_unknown(app: FakeBuild) -> None:
    command = BuildCommand("web", f"curl https://u:{SECRET}@x.example/", None, ())
    app.settings = Settings(commands=(command,))
    request = replace(app.request(), settings=app.settings)
    results = StepResults(downloads=(f"{'4' * 64} corpora/a b.zip",), hooks=(f"{'5' * 64} bin/x",))
    earlier = materials.complete(request, (), results)

    rows = parsed(materials.complete(request, earlier, results))

    text = hashlib.sha256(b"curl https://****@x.example/").hexdigest()
    unknown = {"downloads": "not listed"}
    assert rows[-3:] == [
        {
            "name": "corpora/a b.zip",
            "digest": {"sha256": "4" * 64},
            "annotations": {"kind": "data"},
        },
        {
            "name": "bin/x",
            "digest": {"sha256": "5" * 64},
            "annotations": {"kind": "hook", **unknown},
        },
        {
            "name": "web",
            "digest": {"sha256": text},
            "annotations": {"kind": "build command", **unknown},
        },
    ]
    assert parsed(materials.complete(request, earlier, StepResults()))[-1]["name"] == "web"


def test_build_requirements_that_pip_downloads_are_called_unknown() -> None:
    by_uv, by_pip = distribution("a", WHEEL, NEED), distribution("b", WHEEL)

    rows = parsed(
        materials.of_packages(replace(each, from_source=True) for each in (by_uv, by_pip))
    )

    assert [row["annotations"].get("build requirements") for row in rows] == [
        *(None, "not listed", None)
    ]
