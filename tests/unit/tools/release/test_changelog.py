"""Sections and entries of the changelog."""

import pytest

from tools.pythons import update_table
from tools.release import changelog

RELEASED = "# Changelog\n\nIntro.\n\n## 0.1.0 (2026-11-01)\n\n### Added\n\n- First.\n"
NEXT = RELEASED.replace("## 0.1.0", "## Unreleased\n\n### Added\n\n- Second.\n\n## 0.1.0")


def test_section_is_what_is_below_its_heading() -> None:
    assert changelog.section(NEXT, "Unreleased") == "### Added\n\n- Second.\n"
    assert changelog.section(NEXT, "0.1.0") == "### Added\n\n- First.\n"
    assert changelog.section(NEXT, "0.2.0").strip() == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (NEXT, "rename `## Unreleased` to `## 0.2.0 (YYYY-MM-DD)`"),
        (RELEASED, "no section `## 0.2.0 (YYYY-MM-DD)`"),
        (NEXT.replace("Unreleased", "0.2.0"), "needs its date"),
        (NEXT.replace("Unreleased", "0.2.0 (December 1)"), "needs its date"),
        (NEXT.replace("Unreleased", "0.2.0 (2026-02-30)"), "needs its date"),
    ],
)
def test_section_without_entries_or_date_is_a_problem(text: str, problem: str) -> None:
    (found,) = changelog.problems(text, "0.2.0")

    assert problem in found


def test_dated_section_is_ready() -> None:
    assert changelog.problems(NEXT.replace("Unreleased", "0.2.0 (2026-12-01)"), "0.2.0") == []


def test_new_pythons_become_an_entry_of_the_next_release() -> None:
    text = changelog.with_pythons(NEXT, {"3.14.7", "3.13.10"})

    entries = changelog.section(text, "Unreleased")
    assert entries == "### Added\n\n- New releases of Python: 3.14.7, 3.13.10.\n- Second.\n"
    assert changelog.section(text, "0.1.0") == changelog.section(NEXT, "0.1.0")


def test_later_pythons_join_the_entry() -> None:
    once = changelog.with_pythons(NEXT, [f"3.14.{patch}" for patch in range(20)])

    twice = changelog.with_pythons(once, {"3.15.2"})

    entry = " ".join(changelog.section(twice, "Unreleased").partition("- Second")[0].split())
    assert entry.startswith("### Added - New releases of Python: 3.15.2, 3.14.19, 3.14.18")
    assert entry.endswith("3.14.1, 3.14.0.")
    assert twice.count("New releases of Python") == 1
    assert "- Second.\n" in twice


@pytest.mark.parametrize("versions", [set(), {"3.14.7"}])
def test_run_without_news_changes_nothing(versions: set[str]) -> None:
    text = changelog.with_pythons(NEXT, {"3.14.7"})

    assert changelog.with_pythons(text, versions) == text


def test_first_entry_after_a_release_makes_the_headings() -> None:
    text = changelog.with_pythons(RELEASED, {"3.14.7"})

    assert changelog.section(text, "Unreleased") == (
        "### Added\n\n- New releases of Python: 3.14.7.\n"
    )
    assert text.index("Intro") < text.index("Unreleased") < text.index("0.1.0")


def test_lines_of_an_entry_are_at_most_120_columns_wide() -> None:
    text = changelog.with_pythons(RELEASED, [f"3.14.{patch}" for patch in range(40)])

    assert max(map(len, text.splitlines())) <= 120


def test_releases_that_only_the_new_table_has_are_new() -> None:
    old = {"release": [{"version": "3.14.6"}]}
    new = {"release": [{"version": "3.14.7"}, {"version": "3.14.7"}, {"version": "3.14.6"}]}

    assert update_table.new_versions(old, new) == {"3.14.7"}
    assert update_table.new_versions(new, new) == set()
