"""What a build decides before it writes anything."""

from pathlib import Path

import pytest

from cnb_python.config.settings import DEFAULTS
from cnb_python.decisions import execution_environment
from cnb_python.errors.choosing import UnknownExecutionEnvironment
from tests.support.fake_build import context


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
