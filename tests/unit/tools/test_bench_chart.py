"""The speed chart of the README."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tools.bench import chart, rounds
from tools.bench.contestants import NOTHING, OURS, PLAIN
from tools.bench.figures import Summary
from tools.bench.rounds import DAEMON

SUMMARY = Summary("pip_django", rounds.REGISTRY, rounds.COLD, OURS, 3, 28.8, 16.1, 23.3, {}, 1_000)
SECONDS = {
    rounds.COLD: (28.8, 31.9),
    rounds.UNCHANGED: (3.1, 8.1),
    rounds.VIEW: (8.8, 7.3),
    rounds.SOURCE: (8.9, 7.4),
    rounds.DEPENDENCY: (8.9, 28.7),
    rounds.NEW_TAG: (23.9, 25.3),
}
IDLE = replace(SUMMARY, case=rounds.UNCHANGED, contestant=NOTHING, pack_s=1.4)
MEDIANS = [
    *(
        replace(SUMMARY, case=case, contestant=name, pack_s=seconds)
        for case, pair in SECONDS.items()
        for name, seconds in zip((PLAIN, OURS), reversed(pair), strict=True)
    ),
    IDLE,
]


def report(*medians: Summary, builds: int = 3) -> dict[str, object]:
    return {
        "cpus": 2,
        "arch": "amd64",
        "rounds": builds,
        "file_system": "ext4",
        "medians": [
            {"app": m.app, "export": m.export, "case": m.case, "contestant": m.contestant}
            | {"pack_s": m.pack_s}
            for m in medians
        ],
    }


def svg(*medians: Summary) -> str:
    return chart.draw(chart.bars(report(*medians)))


def texts(page: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(page).iter() if node.tag.endswith("text")]


def test_bars_are_grouped_by_case_with_this_buildpack_first() -> None:
    figures = chart.bars(report(*MEDIANS))
    assert list(figures.seconds) == list(chart.ROWS)
    assert figures.contestants == [OURS, PLAIN]
    assert figures.seconds[rounds.UNCHANGED][OURS] == 3.1


def test_contestant_without_a_cold_build_is_not_drawn() -> None:
    assert "1.4" not in texts(svg(*MEDIANS))


def test_other_contestant_with_a_cold_build_is_drawn_under_its_name() -> None:
    page = texts(svg(*MEDIANS, replace(SUMMARY, contestant="heroku", pack_s=39.0)))
    assert {"heroku", "39.0"} <= set(page)


def test_builds_to_the_engine_and_of_other_apps_are_not_drawn() -> None:
    engine = replace(SUMMARY, export=DAEMON, pack_s=77.0)
    science = replace(SUMMARY, app="pip_science", pack_s=88.0)
    assert not {"77.0", "88.0"} & set(texts(svg(*MEDIANS, engine, science)))


def test_case_that_was_not_measured_has_no_row() -> None:
    page = texts(svg(SUMMARY))
    assert "Cold build" in page
    assert "Nothing changed" not in page


def test_report_without_cold_build_is_refused() -> None:
    with pytest.raises(ValueError, match="no cold build of pip_django"):
        chart.bars(report(IDLE))


def test_source_line_names_app_machine_and_rounds() -> None:
    assert chart.bars(report(SUMMARY)).source == (
        "make bench: pip_django, published to a registry; 2 CPUs, amd64, ext4; median of 3 rounds"
    )
    assert chart.bars(report(SUMMARY, builds=1)).source.endswith("; one round")


def test_svg_holds_its_text_as_text() -> None:
    page = texts(svg(*MEDIANS))
    assert page[0] == chart.TITLE
    assert {*chart.ROWS.values(), *chart.NAMES.values(), "28.8", "7.3"} <= set(page)


def test_svg_is_the_same_for_medians_in_another_order() -> None:
    assert svg(*MEDIANS) == svg(*reversed(MEDIANS))


def test_bars_lie_within_the_width() -> None:
    page = svg(*MEDIANS)
    ends = [
        float(x) + float(width)
        for x, width in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', page)
    ]
    assert max(ends) == chart.WIDTH - chart.RIGHT
