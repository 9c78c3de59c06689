"""Packages that are known to fail together are warned of at build."""

from collections.abc import Mapping

import pytest
import tomli
from packaging.version import Version

from cnb_python.launch import incompatible


@pytest.mark.parametrize(
    ("installed", "title"),
    [
        (
            {"gunicorn": "20.1.0", "setuptools": "84.2.1"},
            "gunicorn 20.1.0 does not run with setuptools 84.2.1",
        ),
        ({"gunicorn": "20.0.4"}, "gunicorn 20.0.4 does not run without setuptools"),
        (
            {"flask": "2.2.2", "werkzeug": "3.1.9"},
            "flask 2.2.2 does not run with werkzeug 3.1.9",
        ),
        (
            {"jinja2": "2.11.3", "markupsafe": "2.1"},
            "jinja2 2.11.3 does not run with markupsafe 2.1",
        ),
    ],
)
def test_packages_that_fail_together_are_warned_of(
    installed: Mapping[str, str], title: str
) -> None:
    (message,) = incompatible.warnings(installed)

    assert message.title == title
    assert "Error: " in message.body[0]
    assert message.body[1].startswith("Use ")


@pytest.mark.parametrize(
    ("installed", "line", "title", "advice"),
    [
        (
            {"arq": "0.27.0"},
            "3.14",
            "arq 0.27.0 does not run with Python 3.14",
            "Use arq>=0.28, or a Python older than 3.14: write its version to .python-version.",
        ),
        (
            {"chainlit": "2.12.0", "nest-asyncio": "1.6.0"},
            "3.15",
            "chainlit 2.12.0 does not run with Python 3.15",
            "Use a Python older than 3.14: write its version to .python-version.",
        ),
    ],
)
def test_packages_that_fail_with_a_python_cause_a_warning(
    installed: Mapping[str, str], line: str, title: str, advice: str
) -> None:
    (message,) = incompatible.warnings(installed, line)

    assert message.title == title
    assert message.body[1] == advice
    assert incompatible.warnings(installed, "3.13") == ()
    assert incompatible.warnings(installed) == ()


def test_package_without_the_failing_dependency_causes_no_warning() -> None:
    assert incompatible.warnings({"chainlit": "2.13.0"}, "3.14") == ()
    assert incompatible.warnings({"nest-asyncio": "1.6.0"}, "3.14") == ()


@pytest.mark.parametrize(
    "installed",
    [
        {},
        {"gunicorn": "20.1.0", "setuptools": "81.0.0"},
        {"gunicorn": "21.0.0"},
        {"gunicorn": "23.0.0", "setuptools": "84"},
        {"flask": "2.2.4", "werkzeug": "3.0.0"},
        {"flask": "2.2.2", "werkzeug": "2.3.8"},
        {"flask": "2.2.2"},
        {"openai": "1.55.3", "httpx": "0.28.1"},
        {"gunicorn": "", "setuptools": "81"},
    ],
)
def test_packages_that_run_together_are_not_warned_of(installed: Mapping[str, str]) -> None:
    assert incompatible.warnings(installed) == ()


def test_table_is_canonical() -> None:
    rows = tomli.loads(incompatible.TABLE.read_text("utf-8"))["incompatible"]

    columns = ["package", "below", "other", "since", "is_required", "problem"]
    assert all([name for name in row if name != "through"] == columns for row in rows)
    assert [row["package"] for row in rows] == sorted(row["package"] for row in rows)
    limits = [row[column] for row in rows for column in ("below", "since")]
    versions = [Version(limit) for limit in limits if limit]
    assert all(not version.is_prerelease for version in versions)
