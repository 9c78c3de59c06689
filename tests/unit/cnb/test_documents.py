"""`launch.toml` and `store.toml`."""

from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.documents import Launch, Process, earlier_process_types, write_store
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.base import ContractBroken

WEB = Process("web", ("gunicorn", "app:app"), default=True)


def launch_toml(tmp_path: Path, launch: Launch, api: str = "0.12") -> TomlTable:
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

    assert launch_toml(tmp_path, Launch((process,)))["processes"] == [
        {
            "type": "web",
            "command": ["bash", "-c", 'echo "$PORT" \\ \n\té'],
            "args": ["--workers", "2"],
            "default": True,
            "working-dir": "src",
            "exec-env": ["production", "test"],
        }
    ]


def test_empty_fields_of_a_process_are_left_out(tmp_path: Path) -> None:
    process = Process("worker", ("celery",))

    assert launch_toml(tmp_path, Launch((process,))) == {
        "processes": [{"type": "worker", "command": ["celery"]}]
    }


@pytest.mark.parametrize("api", ["0.10", "0.11"])
def test_an_older_api_gets_no_execution_environments(tmp_path: Path, api: str) -> None:
    launch = Launch(
        (
            WEB,
            Process("both", ("a",), exec_env=("test", "production")),
            Process("any", ("a",), exec_env=("*",)),
            Process("test", ("pytest",), default=True, exec_env=("test",)),
        )
    )

    assert launch_toml(tmp_path, launch, api)["processes"] == [
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
def test_a_process_that_the_lifecycle_refuses_is_refused(
    tmp_path: Path, processes: tuple[Process, ...], problem: str
) -> None:
    with pytest.raises(ContractBroken, match=problem):
        Launch(processes).write(tmp_path, "0.12")

    assert list(tmp_path.iterdir()) == []


def test_no_processes_make_an_empty_file(tmp_path: Path) -> None:
    assert launch_toml(tmp_path, Launch()) == {}


def test_store_toml_holds_text_booleans_and_lists(tmp_path: Path) -> None:
    write_store(tmp_path, {"python": "3.14.6", "sticky": True, "seen": ["a"]})

    assert toml.read(tmp_path / "store.toml") == {
        "metadata": {"python": "3.14.6", "sticky": True, "seen": ["a"]}
    }


def test_store_toml_refuses_other_values(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"store\.toml"):
        write_store(tmp_path, {"builds": 5})  # type: ignore[dict-item]  # the point

    assert list(tmp_path.iterdir()) == []


def test_processes_of_earlier_buildpacks_are_known(tmp_path: Path) -> None:
    for name, types in {"node": ("web", "console"), "python": ("worker",)}.items():
        (tmp_path / name).mkdir()
        Launch(tuple(Process(kind, ("x",)) for kind in types)).write(tmp_path / name, "0.12")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/launch.toml").write_text("=")

    assert earlier_process_types(tmp_path / "python") == {"web", "console"}
