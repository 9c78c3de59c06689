"""What a build decides before it writes anything."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.config.settings import DEFAULTS
from cnb_python.decisions import choose_python, decide, execution_environment
from cnb_python.errors.choosing import UnknownExecutionEnvironment
from tests.support.fake_build import context
from tests.support.fake_system import world
from tools.package.assemble import ROOT


@pytest.mark.parametrize(
    ("setting", "platform", "expected"),
    [
        ("", "production", "production"),
        ("", "test", "test"),
        ("test", "production", "test"),
        ("production", "test", "production"),
        ("development", "staging", "development"),
    ],
)
def test_setting_wins_over_execution_environment_of_the_platform(
    tmp_path: Path, setting: str, platform: str, expected: str
) -> None:
    given = context(tmp_path)._replace(exec_env=platform)

    assert execution_environment(given, DEFAULTS._replace(exec_env=setting)) == expected


def test_unknown_execution_environment_of_the_platform_is_refused(tmp_path: Path) -> None:
    given = context(tmp_path)._replace(exec_env="staging")

    with pytest.raises(UnknownExecutionEnvironment) as raised:
        execution_environment(given, DEFAULTS)

    assert vars(raised.value) == {
        "value": "staging",
        "available": ("production", "test", "development"),
    }


@pytest.mark.parametrize(("mode", "warns"), [("1", True), ("0", False)])
def test_python_on_a_kernel_in_fips_mode_is_a_warning(
    tmp_path: Path, mode: str, *, warns: bool
) -> None:
    fips = tmp_path / "root/proc/sys/crypto/fips_enabled"
    fips.parent.mkdir(parents=True)
    fips.write_text(f"{mode}\n")
    fake, _, log = world(lambda _: pytest.fail("nothing runs"))
    own = context(tmp_path)
    own = own._replace(buildpack=own.buildpack._replace(directory=ROOT))
    (own.app_dir / "requirements.txt").touch()

    resolved = choose_python(
        decide(own, DEFAULTS, log), own, replace(fake, root=tmp_path / "root")
    )

    title = "Python does not use validated cryptography"
    assert any(line.startswith(title) for line in log.lines) is warns
    text = f"Python {resolved.release.version} of this image contains its own OpenSSL"
    assert any(text in line for line in log.lines) is warns
