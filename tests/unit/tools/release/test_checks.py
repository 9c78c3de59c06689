"""What keeps a checkout from being released."""

import pytest

from tools.package import assemble
from tools.release import checks
from tools.release.checks import Checkout

READY = Checkout(
    descriptor='[buildpack]\nversion = "0.2.0"\n',
    project='[project]\nversion = "0"\n',
    package='[buildpack]\nuri = "dist/buildpack"\n',
    changelog="# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- New.\n",
    previous="0.1.0",
    changes="",
)


def test_ready_checkout_has_no_problems() -> None:
    assert checks.problems("0.2.0", READY) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"changes": "?? new.py\n"}, "the checkout has changes:\n?? new.py"),
        ({"descriptor": '[buildpack]\nversion = "0.1.0"\n'}, 'write `version = "0.2.0"`'),
        ({"project": '[project]\nversion = "0.2.0"\n'}, 'pyproject.toml needs `version = "0"`'),
        ({"package": '[buildpack]\nuri = "."\n'}, "package.toml needs"),
        ({"previous": "0.2.0"}, "0.2.0 is not newer than 0.2.0"),
        ({"previous": "0.10.0"}, "0.2.0 is not newer than 0.10.0"),
        ({"changelog": "# Changelog\n\n## 0.2.0\n\n- New.\n"}, "needs its date"),
    ],
)
def test_each_problem_is_named(change: dict[str, str], problem: str) -> None:
    (found,) = checks.problems("0.2.0", READY._replace(**change))

    assert problem in found


def test_all_problems_are_named_at_once() -> None:
    checkout = READY._replace(changes="M x\n", previous="0.3.0", changelog="")

    assert len(checks.problems("0.2.0", checkout)) == 3


@pytest.mark.parametrize("version", ["v0.2.0", "0.2", "0.2.0-rc1", ""])
def test_other_words_are_no_version(version: str) -> None:
    (found,) = checks.problems(version, READY)

    assert "is not a version" in found


def test_files_of_this_checkout_fit_each_other() -> None:
    """Until a release, only version, date and heading are missing."""
    texts = {
        "descriptor": (assemble.ROOT / "buildpack.toml").read_text(),
        "project": (assemble.ROOT / "pyproject.toml").read_text(),
        "package": (assemble.ROOT / "package.toml").read_text(),
    }
    found = checks.problems("999.0.0", READY._replace(**texts))

    assert [each for each in found if "buildpack.toml has version" not in each] == [
        "CHANGELOG.md has no section `## 999.0.0 (YYYY-MM-DD)` with entries"
    ]
