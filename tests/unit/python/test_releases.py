"""The table of Python releases: the buildpack's own, and others that are checked."""

import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.downloads import UnusablePythonTable
from cnb_python.python.mirror import DOWNLOADS, own_inventory
from cnb_python.python.releases import Release, load_inventory, parse_inventory
from tests.support.inventory import INVENTORY
from tools.pythons import update_table

OWN = own_inventory()
ROW: TomlTable = {"version": "3.14.1", "arch": "amd64", "url": "a.tar.gz", "sha256": "0" * 64}
LINE: TomlTable = {
    "minor": "3.14",
    "released": date(2025, 10, 7),
    "end_of_life": date(2030, 10, 31),
    "removed": date(2031, 1, 31),
}
TABLE: TomlTable = {"default": "3.14", "line": [LINE], "release": [ROW]}


def problems(table: TomlTable) -> tuple[str, ...]:
    with pytest.raises(UnusablePythonTable) as caught:
        parse_inventory(table, "x")
    return caught.value.problems


def order(release: Release) -> tuple[int, ...]:
    return tuple(-int(number) for number in release.version.split("."))


def test_own_table_is_what_the_maintainers_script_writes() -> None:
    text = update_table.TABLE.read_text()

    assert update_table.render(toml.parse(text, update_table.TABLE)) == text


def test_own_table_has_each_line_for_each_target_of_the_buildpack() -> None:
    root = Path(__file__).parents[3]
    targets = {
        row["arch"] for row in toml.tables_at(toml.read(root / "buildpack.toml"), "targets")
    }
    plain = {(r.minor, r.arch) for r in OWN.releases if r.flavour == "plain"}

    lines = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
    assert plain == {(line, arch) for line in lines for arch in targets}


def test_own_table_has_the_dates_of_removed_lines_and_no_release_of_them() -> None:
    ended = OWN.line("3.9")

    assert ended is not None
    assert ended.end_of_life == date(2025, 10, 31)
    assert not [r for r in OWN.releases if r.minor == "3.9"]


def test_own_table_names_each_build_once_newest_first() -> None:
    assert max(Counter((r.version, r.arch, r.flavour) for r in OWN.releases).values()) == 1
    assert max(Counter(r.sha256 for r in OWN.releases).values()) == 1
    assert list(OWN.releases) == sorted(OWN.releases, key=order)


def test_own_table_has_every_patch_release_that_was_published() -> None:
    """The missing ones were never published: https://github.com/astral-sh/python-build-standalone."""
    unpublished = {"3.10": {1, 10}, "3.11": {0, 2}, "3.12": set(), "3.13": set()}
    for line, missing in unpublished.items():
        builds = (
            r for r in OWN.releases if (r.minor, r.arch, r.flavour) == (line, "amd64", "plain")
        )
        patches = {release.number.patch for release in builds}
        assert patches == set(range(max(patches) + 1)) - missing


def test_own_urls_can_be_mirrored_and_name_their_file() -> None:
    machines = {"amd64": "x86_64", "arm64": "aarch64"}
    for release in OWN.releases:
        assert release.url.startswith(f"{DOWNLOADS}/")
        assert re.search(rf"/cpython-{re.escape(release.version)}(%2B|-)", release.url)
        assert f"-{machines[release.arch]}-unknown-linux-gnu-" in release.url
        assert ("freethreaded" in release.url) == (release.flavour == "freethreaded")


def test_own_lines_are_in_order_and_removed_after_their_end_of_life() -> None:
    for line in OWN.lines:
        assert line.released < line.end_of_life <= line.removed
    assert OWN.default == "3.14"


def test_the_flavour_is_plain_by_default() -> None:
    assert parse_inventory(TABLE, "x").releases[0].flavour == "plain"


def test_a_table_without_lines_takes_those_of_the_fallback() -> None:
    table = parse_inventory({"release": [{**ROW, "version": "3.13.1"}]}, "x", INVENTORY)

    assert (table.lines, table.default) == (INVENTORY.lines, INVENTORY.default)
    assert [release.version for release in table.releases] == ["3.13.1"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("version", bad) for bad in ("3.14", "3.14.1rc", 3.15)),
        *(("sha256", bad) for bad in ("0" * 63, "G" * 64, "")),
        *(("url", bad) for bad in ("", "two words", 7)),
        ("arch", "../.."),
        ("flavour", "spicy"),
    ],
)
def test_a_malformed_column_is_named_with_its_row(column: str, value: str | float) -> None:
    (problem,) = problems({**TABLE, "release": [ROW, {**ROW, column: value}]})

    assert re.fullmatch(rf"\[\[release\]\] 2: {column} missing or malformed", problem)


def test_unusable_table_is_named_with_its_origin() -> None:
    origin = "https://mirror.example/python.toml"

    with pytest.raises(UnusablePythonTable) as raised:
        parse_inventory({**TABLE, "release": [ROW, {**ROW, "sha256": "0"}]}, origin)

    assert raised.value.origin == origin
    assert raised.value.problems == ("[[release]] 2: sha256 missing or malformed",)


def test_all_problems_are_named_together() -> None:
    undated = {**LINE, "removed": "soon"}
    late = {**LINE, "removed": datetime(2030, 1, 1, 12)}  # noqa: DTZ001 - TOML's local date-time
    table: TomlTable = {"default": "3.99", "line": [undated, late, LINE]}
    table["release"] = [{"version": "1"}]

    assert [problem[:12] for problem in problems(table)] == [
        "[[line]] 1 n",
        "[[line]] 2 n",
        "[[release]] ",
        "`default` is",
        "there is no ",
    ]


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("<html>")

    with pytest.raises(UnusablePythonTable) as caught:
        load_inventory(tmp_path / "t.toml")

    assert caught.value.origin == str(tmp_path / "t.toml")
    assert "line 1" in caught.value.problems[0]
