"""What the build phase tells the lifecycle."""

from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.documents import (
    Label,
    Launch,
    Process,
    Slice,
    write_build_toml,
    write_store,
)
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.base import ContractBroken

WEB = Process("web", ("gunicorn", "app:app"), default=True)


def written(tmp_path: Path, launch: Launch, api: str = "0.12") -> TomlTable:
    launch.write(tmp_path, api)
    return toml.read(tmp_path / "launch.toml")


def test_a_process_is_written_whole(tmp_path: Path) -> None:
    process = Process(
        type="web",
        command=("bash", "-c", 'echo "$PORT" \\ \n\té'),
        args=("--workers", "2"),
        default=True,
        working_dir="src",
        exec_env=("production", "test"),
    )

    assert written(tmp_path, Launch((process,)))["processes"] == [
        {
            "type": "web",
            "command": ["bash", "-c", 'echo "$PORT" \\ \n\té'],
            "args": ["--workers", "2"],
            "default": True,
            "working-dir": "src",
            "exec-env": ["production", "test"],
        }
    ]


def test_what_a_process_does_not_say_is_left_out(tmp_path: Path) -> None:
    process = Process("worker", ("celery",))

    assert written(tmp_path, Launch((process,))) == {
        "processes": [{"type": "worker", "command": ["celery"]}]
    }


def test_labels_and_slices_are_written_in_order(tmp_path: Path) -> None:
    launch = Launch(
        labels=(Label("b", "1"), Label("a", "")),
        slices=(Slice(("static/*", "media")), Slice(("x",))),
    )

    assert written(tmp_path, launch) == {
        "labels": [{"key": "b", "value": "1"}, {"key": "a", "value": ""}],
        "slices": [{"paths": ["static/*", "media"]}, {"paths": ["x"]}],
    }


@pytest.mark.parametrize("api", ["0.10", "0.11"])
def test_an_older_lifecycle_hears_nothing_of_execution_environments(
    tmp_path: Path, api: str
) -> None:
    launch = Launch(
        (
            WEB,
            Process("both", ("a",), exec_env=("test", "production")),
            Process("any", ("a",), exec_env=("*",)),
            Process("test", ("pytest",), default=True, exec_env=("test",)),
        )
    )

    assert written(tmp_path, launch, api)["processes"] == [
        {"type": "web", "command": ["gunicorn", "app:app"], "default": True},
        {"type": "both", "command": ["a"]},
        {"type": "any", "command": ["a"]},
    ]


@pytest.mark.parametrize(
    ("processes", "problem"),
    [
        ((WEB, Process("web", ("b",))), "occurs twice"),
        ((WEB, Process("other", ("b",), default=True)), "two processes are the default"),
        ((Process("web server", ("b",)),), "forbidden characters"),
        ((Process("web/1", ("b",)),), "forbidden characters"),
        ((Process("web\n", ("b",)),), "forbidden characters"),
        ((Process("wéb", ("b",)),), "forbidden characters"),
        ((Process("", ("b",)),), "forbidden characters"),
        ((Process("web", ()),), "no command"),
        ((Process("web", ("",)),), "no command"),
    ],
)
def test_processes_that_the_lifecycle_refuses_are_refused_here(
    tmp_path: Path, processes: tuple[Process, ...], problem: str
) -> None:
    with pytest.raises(ContractBroken, match=problem):
        Launch(processes).write(tmp_path, "0.12")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("launch", "problem"),
    [
        (Launch(labels=(Label("a", "1"), Label("a", "2"))), "label"),
        (Launch(labels=(Label("", "1"),)), "label"),
        (Launch(slices=(Slice(()),)), "slice"),
        (Launch(slices=(Slice(("a", "")),)), "slice"),
    ],
)
def test_labels_and_slices_that_say_nothing_are_refused(
    tmp_path: Path, launch: Launch, problem: str
) -> None:
    with pytest.raises(ContractBroken, match=problem):
        launch.write(tmp_path, "0.12")


def test_nothing_to_launch_is_an_empty_file(tmp_path: Path) -> None:
    assert written(tmp_path, Launch()) == {}


def test_unmet_entries_are_named(tmp_path: Path) -> None:
    write_build_toml(tmp_path, ("python", "node"))

    assert toml.read(tmp_path / "build.toml") == {"unmet": [{"name": "python"}, {"name": "node"}]}


def test_the_store_holds_text_yes_or_no_and_lists(tmp_path: Path) -> None:
    write_store(tmp_path, {"python": "3.14.6", "sticky": True, "seen": ["a"]})

    assert toml.read(tmp_path / "store.toml") == {
        "metadata": {"python": "3.14.6", "sticky": True, "seen": ["a"]}
    }


def test_the_store_refuses_what_would_not_come_back(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"store\.toml"):
        write_store(tmp_path, {"builds": 5})  # type: ignore[dict-item]  # the point

    assert list(tmp_path.iterdir()) == []
