"""A manager that runs in the app's interpreter waits until its bytecode is complete."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.install.installer import FilesNeeded, install_environment
from cnb_python.install.request import EnvironmentRequest
from cnb_python.managers.base import Resolution
from cnb_python.store.store import Store
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_manager import FakeManager, copied_pip, package, resolution_of
from tests.support.fake_system import world
from tests.support.stages import INTERPRETER

A = resolution_of("a==1.0")


@pytest.fixture
def manager() -> FakeManager:
    resolved = resolution_of("a==1.0", from_files_alone=False)
    return FakeManager({"a==1.0": package("a")}, resolved=resolved)


def _install(manager: FakeManager, resolved: Resolution | None, directory: Path) -> None:
    for name in ("app", "work", "store"):
        (directory / name).mkdir()
    request = EnvironmentRequest(
        app=read_app(directory / "app"),
        manager=manager,
        interpreter=INTERPRETER,
        python="3.14.6",
        pip=copied_pip(directory / "tool"),
        uv=Path("/tools/uv"),
        environ={},
        environment=directory / "venv",
        staging=directory / "work",
        installer="auto",
        wait_for_interpreter=lambda: manager.calls.append("waited"),
    )
    nothing = FilesNeeded(frozenset(), frozenset())
    system, *_ = world(_compiled)
    install_environment(
        request, resolved, {}, lambda *_: nothing, Store(directory / "store"), system
    )


def _compiled(_: Command) -> Outcome:
    return Outcome(0, "0 0\n")


def test_resolving_waits_for_bytecode_of_interpreter(manager: FakeManager, tmp_path: Path) -> None:
    _install(manager, None, tmp_path)
    assert manager.calls == ["waited", "resolve", "waited", "fetch a"]


def test_pinned_installation_does_not_wait(manager: FakeManager, tmp_path: Path) -> None:
    _install(manager, A, tmp_path)
    assert manager.calls == ["fetch a"]


def test_resolving_after_failed_pinned_installation_waits(
    manager: FakeManager, tmp_path: Path
) -> None:
    manager.refusal = "uv says: no"
    _install(manager, A, tmp_path)
    assert manager.calls == ["fetch a", "waited", "resolve", "waited", "fetch a"]
