"""The steps of a profile: what the recorder notes, what strace counts, and the table."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tools.bench import rounds
from tools.processes import Unavailable
from tools.profile import steps, strace
from tools.profile.__main__ import NAMES, parse
from tools.profile.inside.recorder import MARKS, MOST_CALLS, PROCESS, THREADS, WORKER, Recorder
from tools.profile.measuring import Profile
from tools.profile.steps import REST, WORKERS, Counts, Step
from tools.profile.table import table

UV = f"{PROCESS}uv pip install"


def code(name: str, module: str = "store/store.py", kind: str = "def") -> CodeType:
    """Return the code of a function of the package."""
    names: dict[str, Any] = {}
    body = "yield" if kind == "generator" else "pass"
    source = compile(f"def {name}(): {body}", f"/cnb/src/cnb_python/{module}", "exec")
    exec(source, names)
    return names[name].__code__  # type: ignore[no-any-return]


def facts(recorder: Recorder) -> list[dict[str, Any]]:
    root: dict[str, Any] = recorder.root.facts(set())
    return root["steps"]  # type: ignore[no-any-return]


def test_recorder_nests_functions_by_their_calls() -> None:
    recorder, outer, inner = Recorder("times"), code("put"), code("_write", "store/archive.py")
    recorder.started(outer, 0)
    for _ in range(2):
        recorder.started(inner, 0)
        recorder.returned(inner, 0, None)
    recorder.returned(outer, 0, None)

    [step] = facts(recorder)
    [below] = step["steps"]
    assert (step["name"], step["calls"]) == ("store.store.put", 1)
    assert (below["name"], below["calls"]) == ("store.archive._write", 2)
    assert step["wall_s"] >= below["wall_s"] > 0


def test_recorder_counts_recursion_once() -> None:
    recorder, walk = Recorder("times"), code("walk")
    for _ in range(3):
        recorder.started(walk, 0)
    for _ in range(3):
        recorder.returned(walk, 0, None)
    [step] = facts(recorder)
    assert (step["calls"], step["steps"]) == (1, [])


def test_recorder_ends_the_step_of_a_function_that_raises() -> None:
    recorder, outer, inner = Recorder("times"), code("put"), code("fails")
    recorder.started(outer, 0)
    recorder.started(inner, 0)
    recorder.unwound(inner, 0, ValueError())
    recorder.unwound(outer, 0, ValueError())
    recorder.started(inner, 0)
    assert [step["name"] for step in facts(recorder)] == ["store.store.put", "store.store.fails"]


def test_function_of_another_package_is_no_step() -> None:
    recorder = Recorder("times")
    other = compile("pass", "/usr/lib/python3.14/json/decoder.py", "exec")
    assert recorder.started(other, 0) is not None
    assert recorder.started(code("each", kind="generator"), 0) is not None
    assert facts(recorder) == []


def test_function_that_is_called_too_often_is_turned_off() -> None:
    recorder, small = Recorder("times"), code("is_small")
    results = []
    for _ in range(MOST_CALLS + 1):
        results.append(recorder.started(small, 0))
        recorder.returned(small, 0, None)
    assert results[-1] is not None
    assert not any(results[:-1])


def test_process_is_a_step_with_a_short_title() -> None:
    recorder, outer = Recorder("times"), code("install")
    recorder.started(outer, 0)
    assert recorder.tracked(UV, lambda: 4711) == 4711
    [step] = facts(recorder)
    assert [below["name"] for below in step["steps"]] == [UV]
    assert 4711 in recorder.children


def fact(name: str, wall: float, cpu: float, *below: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "calls": 1, "wall_s": wall, "cpu_s": cpu, "steps": list(below)}


BUILD = {
    "start_s": 0.05,
    "steps": [fact("build.build", 8.0, 1.0, fact("install.fill", 5.0, 0.5, fact(UV, 4.0, 6.0)))],
    "threads": [fact("store.put", 3.0, 2.0)],
}


def test_cpu_of_a_step_includes_the_processes_that_it_started() -> None:
    [_, build, threads] = steps.tree(BUILD, [], 9.0, 10.0)
    assert build.cpu_s == 7.0
    assert build.steps[0].cpu_s == 6.5
    assert (threads.name, threads.cpu_s) == (THREADS, 2.0)


def test_first_step_is_the_rest_of_the_time() -> None:
    [rest, *_] = steps.tree(BUILD, [], 9.0, 10.0)
    assert (rest.name, rest.wall_s, rest.cpu_s) == (REST, 1.0, 1.0)


def test_steps_of_forked_workers_are_one_tree() -> None:
    worker = {"start_s": 0.0, "steps": [fact("store.unpack", 1.0, 0.5)], "threads": []}
    [*_, workers] = steps.tree(BUILD, [worker, worker], 9.0, 10.0)
    assert workers.name == WORKERS
    assert [(step.name, step.calls, step.wall_s) for step in workers.steps] == [
        ("store.unpack", 2, 2.0)
    ]


# What strace writes, a file for each thread.
MAIN = f"""\
execve("/cnb/bin/start.sh", ...) = 0
access("{MARKS}+build.build", F_OK) = -1 ENOENT (No such file or directory)
openat(AT_FDCWD</>, "/layers/a"..., O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0644) = 3</layers/a>
write(3</layers/a>, ""..., 100) = 100
write(1<pipe:[5]>, ""..., 50) = 50
write(4</dev/null>, ""..., 50) = 50
openat(AT_FDCWD</>, "/missing"..., O_RDONLY|O_CREAT) = -1 ENOENT (No such file or directory)
mkdir("/layers/b", 0777) = 0
symlink("a", "/layers/c") = 0
access("{MARKS}*{UV}", F_OK) = -1 ENOENT (No such file or directory)
vfork() = 20
clone3({{flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND}} => {{parent_tid=[21]}}, 88) = 21
access("{MARKS}*{WORKER}", F_OK) = -1 ENOENT (No such file or directory)
clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 22
access("{MARKS}-", F_OK) = -1 ENOENT (No such file or directory)
--- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_EXITED}} ---
exit_group(0) = ?
+++ exited with 0 +++
"""
CHILD = """\
execve("/cnb/tools/uv", ...) = 0
clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 23
"""
OF_CHILD = """\
copy_file_range(5</x>, NULL, 6</layers/d>, NULL, 1000, 0) = 1000
"""
THREAD = f"""\
access("{MARKS}+store.put", F_OK) = -1 ENOENT (No such file or directory)
getpid() = 1
access("{MARKS}-", F_OK) = -1 ENOENT (No such file or directory)
"""
FORKED = f"""\
access("{MARKS}+store.unpack", F_OK) = -1 ENOENT (No such file or directory)
rmdir("/layers/x") = 0
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    files = {10: MAIN, 20: CHILD, 21: THREAD, 22: FORKED, 23: OF_CHILD}
    for number, content in files.items():
        (tmp_path / f"{strace.LOG}.{number}").write_text(content)
    return tmp_path


def test_calls_are_counted_in_the_step_in_which_they_are(logs: Path) -> None:
    assert strace.counts(logs) == {
        (REST,): Counts(calls=2),
        ("build.build",): Counts(calls=10, files=2, directories=1, written=100),
        ("build.build", UV): Counts(calls=3, written=1000),
        (THREADS, "store.put"): Counts(calls=1),
        (WORKERS, "store.unpack"): Counts(calls=1),
    }


def test_counts_of_a_step_include_those_below_it(logs: Path) -> None:
    own = strace.counts(logs)
    build = Step("build.build", 1, 1.0, 1.0, None, (Step(UV, 1, 1.0, 1.0, None, ()),))
    [counted] = steps.counted([build], own)
    assert counted.counts == Counts(calls=13, files=2, directories=1, written=1100)
    assert strace.total(own).calls == 17


def test_trace_without_the_end_of_a_step_is_refused(logs: Path) -> None:
    (logs / f"{strace.LOG}.10").write_text(MAIN.replace(f'access("{MARKS}-"', "access(0x7fff9e0"))
    with pytest.raises(Unavailable, match=r"did not see the end of build\.build"):
        strace.counts(logs)


def test_logs_of_no_trace_hold_no_counts(tmp_path: Path) -> None:
    assert strace.counts(tmp_path) == {}


def profile(counts: Counts | None, *top: Step) -> Profile:
    return Profile(
        app="pip_django",
        case="cold",
        cpus=2,
        load=1.0,
        file_system="ext4",
        warning="",
        wall_s=10.0,
        cpu_s=10.0,
        counts=counts,
        counted_by="6.1" if counts else "",
        not_counted_because="" if counts else "`strace` is missing",
        steps=top,
    )


def test_table_leaves_out_what_hardly_counts() -> None:
    small = Step("app.read", 1, 0.01, 0.01, None, ())
    large = Step(
        "build.build", 1, 9.0, 9.0, None, (small, Step("store.put", 3, 5.0, 5.0, None, ()))
    )
    text = table(profile(None, large))
    assert "app.read" not in text
    assert "\n  store.put" in text


def test_table_replaces_a_step_by_the_only_one_in_it() -> None:
    inner = Step("store.put", 1, 9.0, 9.0, None, ())
    text = table(profile(None, Step("build.build", 1, 9.0, 9.0, None, (inner,))))
    assert "build.build" not in text
    assert "\nstore.put" in text


def test_table_says_that_nothing_was_counted() -> None:
    text = table(profile(None, Step("build.build", 1, 9.0, 9.0, None, ())))
    assert "were not counted: `strace` is missing" in text
    assert "system calls" not in text.partition("\n\n")[0]


def test_table_has_the_counts_of_each_step() -> None:
    counts = Counts(calls=301_039, files=10_430, directories=4_297, written=172_700_000)
    text = table(profile(counts, Step("build.build", 1, 9.0, 9.0, counts, ())))
    assert "301,039 system calls, 10,430 files and 4,297 directories made, 172.7 MB" in text
    [row] = [line for line in text.splitlines() if line.startswith("build.build")]
    assert row.split()[-4:] == ["10,430", "4,297", "172.7", "301,039"]


@pytest.mark.parametrize(("calls", "mark"), [(120_000, "met"), (120_001, "MISSED")])
def test_system_calls_of_a_source_line_have_a_target(calls: int, mark: str) -> None:
    counted = replace(profile(Counts(calls=calls)), case=rounds.SOURCE)
    assert f"\n{mark}: at most 120,000 system calls\n" in table(counted)
    assert "at most" not in table(profile(Counts(calls=calls)))


def test_cases_are_those_of_the_benchmark() -> None:
    assert {"cold", "unchanged", "view", "source", "dependency"} <= NAMES.keys()
    assert "untouched-dependency" in NAMES
    assert rounds.FIRST not in NAMES
    assert parse(["--case", "cold-a-range"]).case.name == rounds.COLD_RANGE


def test_profile_can_be_written_as_json(logs: Path) -> None:
    own = strace.counts(logs)
    counted = steps.counted(steps.tree(BUILD, [], 9.0, 10.0), own)
    written = json.loads(json.dumps(asdict(profile(strace.total(own), *counted))))
    assert written["steps"][1]["steps"][0]["name"] == "install.fill"
