"""Medians of the measured builds, and their comparison with the targets."""

from dataclasses import replace
from typing import Any

import pytest

from tools.bench import rounds
from tools.bench.__main__ import parse
from tools.bench.contestants import NOTHING, OURS, PLAIN, STORING
from tools.bench.figures import summaries
from tools.bench.opening import Opening
from tools.bench.report import builds_table, targets_table
from tools.bench.rounds import DAEMON, REGISTRY, Build
from tools.bench.targets import HEROKU, Judge, Verdict, changed_bytes, changed_layers

OPENING = Opening(
    peak_bytes={OURS: 300_000_000, PLAIN: 120_000_000},
    image_bytes={OURS: 180_000_000, PLAIN: 200_000_000},
    answer_s={OURS: (0.9, 1.0, 5.0), PLAIN: (2.0, 2.0, 2.0)},
    cache_bytes={OURS: 40_000_000, PLAIN: 250_000_000},
)


def measured(case: str = rounds.COLD, contestant: str = OURS, **changes: Any) -> Build:  # noqa: ANN401 - fields
    plain = Build(
        app="pip_django",
        export=REGISTRY,
        case=case,
        contestant=contestant,
        round=1,
        load=2.0,
        pack_s=20.0,
        build_s=10.0,
        cpu_s=15.0,
        phases_s={"building": 10.0, "exporting": 9.0},
        pushed_bytes=1_000,
        layers={"python": "a", "venv": "b", "deps-00": "c"},
        layer_bytes={"python": 28_000_000, "venv": 10_000, "deps-00": 5_000_000},
    )
    return replace(plain, **changes)


def judged(*builds: Build, opening: Opening = OPENING) -> dict[str, Verdict]:
    verdicts = Judge("pip_django", builds, opening, download_s=0.25).verdicts()
    return {verdict.title: verdict for verdict in verdicts}


def test_summary_is_the_median_of_the_rounds() -> None:
    seconds = ((1, 9.0), (2, 30.0), (3, 10.0))
    builds = [
        measured(round=number, build_s=build, pack_s=2 * build, pushed_bytes=int(build))
        for number, build in seconds
    ]
    [summary] = summaries(builds)
    assert (summary.builds, summary.build_s, summary.pack_s, summary.pushed_bytes) == (
        3,
        10.0,
        20.0,
        10,
    )


def test_summary_holds_the_phases_that_only_some_builds_had() -> None:
    with_restore = measured(phases_s={"restoring": 1.0, "building": 4.0})
    [summary] = summaries([measured(phases_s={"building": 2.0}), with_restore])
    assert summary.phases_s == {"building": 3.0, "restoring": 0.5}


def test_contestants_and_exports_have_their_own_medians() -> None:
    builds = [measured(), measured(contestant=PLAIN), measured(export=DAEMON, pushed_bytes=None)]
    medians = summaries(builds)
    assert [(median.contestant, median.export) for median in medians] == [
        (OURS, REGISTRY),
        (PLAIN, REGISTRY),
        (OURS, DAEMON),
    ]
    assert medians[2].pushed_bytes is None


def test_ratio_is_of_medians() -> None:
    ours = [
        measured(round=number, build_s=build) for number, build in ((1, 3.0), (2, 90.0), (3, 3.0))
    ]
    plain = [measured(contestant=PLAIN, round=number, build_s=10.0) for number in (1, 2, 3)]
    verdict = judged(*ours, *plain)["cold, registry: bin/build"]
    assert (verdict.value, verdict.met, verdict.detail) == (0.3, True, "3.00 s / 10.00 s")


def test_missed_target_is_marked() -> None:
    verdicts = judged(measured(build_s=5.0), measured(contestant=PLAIN, build_s=10.0))
    verdict = verdicts["cold, registry: bin/build"]
    assert not verdict.met
    assert targets_table([verdict]).startswith("MISSED  pip_django, cold, registry: bin/build")


def test_target_that_was_not_measured_is_left_out() -> None:
    titles = judged(measured(export=DAEMON)).keys()
    assert not [title for title in titles if REGISTRY in title or "bin/build, x" in title]
    assert not [title for title in titles if title.startswith("cold")]


def test_unchanged_build_is_compared_with_the_do_nothing_buildpack() -> None:
    case = rounds.UNCHANGED
    verdicts = judged(
        measured(case, build_s=0.2, pack_s=1.5),
        measured(case, NOTHING, build_s=0.0, pack_s=0.8),
        measured(case, STORING, build_s=0.0, pack_s=1.1),
    )
    assert verdicts["unchanged, registry: bin/build"].met
    above = verdicts["unchanged, registry: pack build above the do-nothing's"]
    assert (above.value, above.met) == (0.7, False)
    store = verdicts["unchanged, registry: what a store of this size costs"]
    assert (store.value, store.met) == (0.3, True)


def test_ratio_to_heroku_goes_through_the_plain_buildpack() -> None:
    verdicts = judged(measured(build_s=5.0), measured(contestant=PLAIN, build_s=10.0))
    verdict = verdicts["cold, registry: bin/build, of Heroku's"]
    plain, heroku = HEROKU[rounds.COLD, "build_s"]
    assert verdict.value == pytest.approx(0.5 * plain / heroku, abs=0.001)
    assert verdict.met
    assert f"times {plain} s / {heroku} s" in verdict.detail


def test_cpu_of_a_cold_build_is_compared_with_heroku() -> None:
    verdicts = judged(measured(cpu_s=30.0), measured(contestant=PLAIN, cpu_s=10.0))
    assert not verdicts["cold, registry: CPU of bin/build, of Heroku's"].met


def test_another_app_is_not_compared_with_heroku() -> None:
    builds = [
        measured(app="pip_science", build_s=4.0),
        measured(app="pip_science", contestant=PLAIN, build_s=10.0),
    ]
    verdicts = Judge("pip_science", builds, OPENING, download_s=0.25).verdicts()
    assert not [verdict for verdict in verdicts if "Heroku" in verdict.title]
    [cold] = [verdict for verdict in verdicts if verdict.title == "cold, registry: bin/build"]
    assert (cold.value, cold.limit) == (0.4, 0.5)


def test_lines_and_dependencies_have_targets_of_their_own() -> None:
    cases = {rounds.UNCHANGED: 0.35, rounds.VIEW: 0.5, rounds.SOURCE: 3.5, rounds.UNTOUCHED: 1.8}
    verdicts = judged(*(measured(case, build_s=1.0) for case in cases))
    limits = {case: verdicts[f"{case}, registry: bin/build"].limit for case in cases}
    assert limits == cases


def test_pushed_bytes_count_without_the_changed_shards() -> None:
    after = measured(
        rounds.DEPENDENCY,
        pushed_bytes=5_600_000,
        layers={"python": "a", "venv": "B", "deps-00": "C"},
    )
    verdict = judged(measured(), after)["dependency, registry: pushed beyond the changed shard"]
    assert (verdict.value, verdict.met) == (0.6, True)


def test_layers_are_compared_within_a_round() -> None:
    other = {"python": "x", "venv": "y", "deps-00": "z"}
    after = measured(rounds.PATCH, round=2, layers={**other, "python": "new"})
    builds = [measured(rounds.OLD_PATCH), measured(rounds.OLD_PATCH, round=2, layers=other), after]
    verdict = judged(*builds)["patch, registry: changed layers beside python"]
    assert (verdict.value, verdict.met) == (0, True)


def test_patch_release_that_changes_the_environment_misses_its_target() -> None:
    after = measured(rounds.PATCH, layers={"python": "new", "venv": "b", "deps-00": "new"})
    verdict = judged(measured(rounds.OLD_PATCH), after)[
        "patch, registry: changed layers beside python"
    ]
    assert (verdict.value, verdict.met, verdict.detail) == (1, False, "deps-00")


def test_patch_release_may_take_a_second_and_the_download() -> None:
    verdict = judged(measured(rounds.PATCH, build_s=1.2))["patch, registry: bin/build"]
    assert (verdict.limit, verdict.met) == (1.25, True)


def test_sizes_memory_and_first_answers_are_judged() -> None:
    verdicts = judged()
    assert verdicts["first 200 of a fresh container"].value == 0.5
    assert verdicts["peak memory of bin/build"].met
    assert verdicts["build cache"].limit == pytest.approx(67.11, abs=0.01)


def test_unknown_memory_is_left_out() -> None:
    unseen = replace(OPENING, peak_bytes={OURS: 0, PLAIN: 0})
    assert "peak memory of bin/build" not in judged(opening=unseen)


def test_added_and_removed_layers_are_changed() -> None:
    before, after = measured(layers={"venv": "b", "deps-00": "c"}), measured(layers={"venv": "b"})
    assert changed_layers(before, after) == {"deps-00"}
    assert changed_layers(after, before) == {"deps-00"}
    assert changed_bytes(after, before) == 5_000_000


def test_builds_table_has_pushed_bytes_only_for_a_registry() -> None:
    pushed, kept = summaries([measured(), measured(export=DAEMON, pushed_bytes=None)])
    assert builds_table([pushed]).endswith("0.00 MB")
    assert builds_table([kept]).endswith("10.00 s   15.00 s")


def test_env_option_is_a_name_and_a_value() -> None:
    assert parse(["--env", "A=b=c", "B="]).env == (("A", "b=c"), ("B", ""))


@pytest.mark.parametrize("text", ["A", "=b"])
def test_env_option_without_name_or_value_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["--env", text])
    assert f"--env: {text}: expected NAME=VALUE" in capsys.readouterr().err
