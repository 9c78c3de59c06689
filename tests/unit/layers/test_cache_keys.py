"""What changes the cache keys of an environment."""

from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb.context import BuildContext
from cnb_python.config.settings import Settings
from cnb_python.layers.cache_keys import (
    EnvironmentKey,
    PackageKey,
    differences,
    environment_key,
    names,
    package_key,
)
from cnb_python.layers.store import BuildRecord
from cnb_python.python.releases import Release
from tests.support.fake_build import context

RELEASE = Release("3.14.6", "amd64", "plain", "https://example.org/a.tar.gz", "5" * 64)


@pytest.fixture
def phase(tmp_path: Path) -> BuildContext:
    return context(tmp_path)


def reasons(phase: BuildContext, release: Release = RELEASE) -> list[str]:
    """Return why the packages of another build are invalid for this one."""
    before = PackageKey(
        **{
            **package_key(RELEASE, phase, phase.app_dir).metadata(),
            **_of("linux", "amd64", phase),
        }
    )
    return list(differences(before.metadata(), package_key(release, phase, phase.app_dir)))


def _of(os: str, arch: str, phase: BuildContext) -> dict[str, str]:
    directory = phase.app_dir.parent / "layers"
    building = package_key(RELEASE, replace(phase, environ={}), phase.app_dir).building
    return {
        "os": os,
        "arch": arch,
        "distro": "debian 12",
        "directory": str(directory),
        "building": building,
    }


def test_same_build_has_the_same_package_key(phase: BuildContext) -> None:
    assert reasons(phase) == []


@pytest.mark.parametrize("change", [{"version": "3.14.7"}, {"sha256": "6" * 64}, {"url": "x"}])
def test_python_patch_does_not_change_the_package_key(
    phase: BuildContext, change: dict[str, str]
) -> None:
    assert reasons(phase, replace(RELEASE, **change)) == []


CHANGES: dict[str, Callable[[BuildContext], BuildContext]] = {
    "the operating system has changed from linux to windows": lambda phase: replace(
        phase, target=replace(phase.target, os="windows")
    ),
    "the architecture has changed from amd64 to arm64": lambda phase: replace(
        phase, target=replace(phase.target, arch="arm64")
    ),
    "the architecture has changed from amd64 to amd64 v3": lambda phase: replace(
        phase, target=replace(phase.target, arch_variant="v3")
    ),
    "the Linux distribution of the image has changed from debian 12 to debian 13": (
        lambda phase: replace(phase, target=replace(phase.target, distro_version="13"))
    ),
    "the Linux distribution of the image has changed from debian 12 to (none)": lambda phase: (
        replace(phase, target=replace(phase.target, distro_name="", distro_version=""))
    ),
}


@pytest.mark.parametrize(("reason", "change"), CHANGES.items(), ids=CHANGES)
def test_other_target_changes_the_package_key(
    phase: BuildContext, reason: str, change: Callable[[BuildContext], BuildContext]
) -> None:
    assert reasons(change(phase)) == [reason]


def test_other_line_or_flavor_changes_the_package_key(phase: BuildContext) -> None:
    other = replace(RELEASE, version="3.13.2", flavour="freethreaded")

    assert reasons(phase, other) == [
        "the Python release line has changed from 3.14 to 3.13",
        "the Python flavor has changed from plain to freethreaded",
    ]


def test_other_release_of_the_buildpack_does_not_change_the_package_key(
    phase: BuildContext,
) -> None:
    assert reasons(replace(phase, buildpack=replace(phase.buildpack, version="2"))) == []


def test_other_layers_directory_changes_the_package_key(phase: BuildContext) -> None:
    (reason,) = reasons(replace(phase, layers_dir=Path("/elsewhere")))

    assert reason.endswith("to /elsewhere")


def test_build_settings_are_only_a_digest_in_the_package_key(phase: BuildContext) -> None:
    flagged = replace(phase, environ={"CFLAGS": "-O1 -DTOKEN=secret"})

    (reason,) = reasons(flagged)

    assert "digest of the build settings" in reason
    assert "secret" not in reason


def test_settings_and_app_directory_change_the_environment_key(phase: BuildContext) -> None:
    before = environment_key("pip", Settings(), phase)
    after = environment_key(
        "pip",
        Settings(layout="merged", installer="uv", build=True),
        replace(phase, exec_env="test", app_dir=Path("/app")),
    )

    assert differences(before.metadata(), after) == (
        "the installer has changed from auto to uv",
        "the layout has changed from linked to merged",
        "the execution environment has changed from production to test",
        f"the app directory has changed from {phase.app_dir} to /app",
    )


def test_project_directory_changes_the_environment_key(phase: BuildContext) -> None:
    before = environment_key("pip", Settings(), phase)
    after = environment_key("pip", Settings(project="api"), phase)

    assert differences(before.metadata(), after) == (
        f"the app directory has changed from {phase.app_dir} to {phase.app_dir}/api",
    )


def test_required_differ_from_key_fields() -> None:
    """The metadata of a layer has all of them in one table."""
    required = {
        "decision",
        "pure",
        "patch",
        "env",
        "distributions",
        "layers",
        "sizes",
        "largest",
    }
    record = BuildRecord({}, {}, "", True, "", "", {}, {}, {}, {}, "1", "2", "3")  # noqa: FBT003 - a tuple

    record = record._replace(embedding=())

    assert record.metadata().keys() == required | {"inputs", "gap", "manifest", "embedding"}
    assert names(PackageKey).isdisjoint(names(EnvironmentKey) | record.metadata().keys())
    assert names(EnvironmentKey).isdisjoint(record.metadata().keys())
