"""The order of the builds, the edits between them, and the times in their output."""

from pathlib import Path

import pytest

from tools.bench import rounds
from tools.bench.__main__ import parse
from tools.bench.apps import REQUIREMENTS, SAMPLES, App, Sample, copy
from tools.bench.contestants import FOLDERS, MARK, timed
from tools.bench.images import digests
from tools.bench.packing import Line, Target, own_times, phases
from tools.bench.rounds import CASES, NEEDS, select, turns
from tools.processes import Unavailable

OUTPUT: list[Line] = [
    (0.4, "Warning: pack says something"),
    (0.7, "===> ANALYZING"),
    (1.0, "===> BUILDING"),
    (3.0, f"{MARK} 1999000000 ns"),
    (3.0, "0m0.010000s 0m0.020000s"),
    (3.0, "1m2.500000s 0m3.250000s"),
    (3.1, "===> EXPORTING"),
    (5.0, "Successfully built image"),
]


def test_phases_go_from_heading_to_heading() -> None:
    seconds = phases(OUTPUT, 5.5)
    assert seconds == pytest.approx(
        {"starting": 0.7, "analyzing": 0.3, "building": 2.1, "exporting": 2.4}
    )


def test_output_without_headings_has_only_a_start() -> None:
    assert phases([(0.1, "nothing")], 2.0) == {"starting": 2.0}


def test_own_times_are_those_that_the_wrapper_printed() -> None:
    assert own_times(OUTPUT) == (1.999, 65.75)


@pytest.mark.parametrize(
    ("lines", "missing"), [(3, "line with the time of"), (5, "lines with the CPU time of")]
)
def test_output_without_the_times_is_refused(lines: int, missing: str) -> None:
    with pytest.raises(Unavailable, match=missing):
        own_times(OUTPUT[:lines])


def test_times_of_a_real_shell_are_read() -> None:
    # In the formats of dash and of bash.
    for own in ("0m0.00s 0m0.00s", "0m0.000s 0m0.000s"):
        lines = [(0.0, f"{MARK} 5 ns"), (0.0, own), (0.0, "0m1.25s 0m0.5s")]
        assert own_times(lines) == (5e-9, 1.75)


def test_each_contestant_comes_first_in_turn() -> None:
    names = ("a", "b", "c")
    orders = [turns(names, number) for number in (1, 2, 3, 4)]
    assert [order[0] for order in orders] == ["a", "b", "c", "a"]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)


def test_selected_cases_include_their_prerequisites_in_order() -> None:
    names = [case.name for case in select((rounds.PATCH, rounds.VIEW))]
    assert names == [rounds.COLD, rounds.FIRST, rounds.VIEW, rounds.OLD_PATCH, rounds.PATCH]


def test_all_cases_are_selected_by_default() -> None:
    assert select(()) == CASES


def test_case_and_its_prerequisites_share_an_image() -> None:
    images = {case.name: case.image for case in CASES}
    assert all(images[name] == images[need] for name, needs in NEEDS.items() for need in needs)


def test_new_tag_keeps_only_the_caches() -> None:
    tags = {case.name: case.tag for case in CASES}
    assert tags[rounds.NEW_TAG] != tags[rounds.COLD]
    first, second = Target("image:1", "cache"), Target("image:2", "cache")
    assert first.volumes == second.volumes == ("cache.build", "cache.launch")


def test_quick_run_is_one_round_of_one_app_to_the_registry() -> None:
    wish = parse(["--quick"])
    assert (wish.rounds, wish.apps, wish.exports) == (1, ("pip_django",), ("registry",))


def test_rounds_below_one_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--rounds", "0"])
    assert "at least 1" in capsys.readouterr().err


@pytest.fixture(params=sorted(SAMPLES))
def app(request: pytest.FixtureRequest, tmp_path: Path) -> App:
    sample: Sample = SAMPLES[request.param]
    return copy(sample, tmp_path / "app", "3.14.6")


def lines(app: App) -> list[str]:
    return (app.folder / REQUIREMENTS).read_text().splitlines()


def test_copy_pins_python_and_the_process(app: App) -> None:
    assert (app.folder / ".python-version").read_text() == "3.14.6\n"
    assert (app.folder / "Procfile").read_text().startswith("web: ")


def test_each_update_changes_one_line_of_the_requirements(app: App) -> None:
    for bump in app.sample.bumps:
        before = lines(app)
        app.pin(bump, bumped=True)
        changed = [pair for pair in zip(before, lines(app), strict=True) if pair[0] != pair[1]]
        assert changed == [(f"{bump.name}=={bump.before}", f"{bump.name}=={bump.after}")]


def test_edit_changes_one_line_of_a_module_each_time(app: App) -> None:
    path = app.folder / app.sample.view
    original = path.read_text()
    app.edit(app.sample.view, 1)
    first = path.read_text()
    app.edit(app.sample.view, 2)
    assert first.startswith(original.rstrip("\n"))
    assert path.read_text() == first.replace("# Edit 1", "# Edit 2") != first


def test_every_case_of_an_app_edits_something_of_its_own(app: App) -> None:
    edits = {rounds.VIEW, rounds.SOURCE, rounds.UNTOUCHED, rounds.DEPENDENCY}
    cases = [case for case in CASES if case.name in edits and case.fits(app)]
    for case in cases:
        before = contents(app)
        case.edit(app)
        assert [path for path, content in contents(app).items() if before[path] != content]
    assert len(cases) == (4 if app.sample.read else 2)


def contents(app: App) -> dict[str, str]:
    return {path.name: path.read_text() for path in app.folder.rglob("*.*") if path.is_file()}


def test_loosen_makes_a_range(app: App) -> None:
    bump = app.sample.bump
    app.pin(bump, bumped=True)
    app.loosen()
    assert f"{bump.name}<={bump.before}" in lines(app)


def test_app_without_the_pin_is_refused(app: App) -> None:
    (app.folder / REQUIREMENTS).write_text("django>=5\n")
    with pytest.raises(Unavailable, match="does not pin"):
        app.pin(app.sample.bump, bumped=True)


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_wrapper_runs_the_original_build(name: str, tmp_path: Path) -> None:
    tree = timed(FOLDERS[name], tmp_path / "tree")
    original = (FOLDERS[name] / "bin/build").read_text()
    assert (tree / "bin/build.timed").read_text() == original
    assert MARK in (tree / "bin/build").read_text()
    assert all((tree / "bin" / name).stat().st_mode & 0o111 for name in ("build", "build.timed"))


def test_layers_are_read_from_the_lifecycle_label() -> None:
    books = (
        '{"buildpacks": [{"layers": {"venv": {"sha": "sha256:1"}}},'
        ' {"key": "without layers"}, {"layers": null}]}'
    )
    assert digests({"io.buildpacks.lifecycle.metadata": books}) == {"venv": "sha256:1"}
