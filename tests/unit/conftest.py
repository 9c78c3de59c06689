"""Unit tests stay inside the process."""

import socket
import subprocess

import pytest
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def nothing_leaves_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a unit test at once when it starts a process or opens a connection."""

    def refuse_process(*_: object, **__: object) -> None:
        pytest.fail("a unit test tried to start a process")

    def refuse_connection(connection: socket.socket, *_: object) -> None:
        # Closed here, or the unclosed socket becomes a second failure: warnings are errors.
        connection.close()
        pytest.fail("a unit test tried to open a connection")

    monkeypatch.setattr(subprocess, "Popen", refuse_process)
    monkeypatch.setattr(socket.socket, "connect", refuse_connection)
