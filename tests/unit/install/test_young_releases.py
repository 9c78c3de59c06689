"""Commands that leave out young releases."""

from pathlib import Path

import pytest

from cnb_python.install import young_releases
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_system import world

LIMITS = {"PIP_UPLOADED_PRIOR_TO": "2026-11-20T00:00:00Z"}
COMMAND = Command(("pip", "install"), {"PATH": "/bin"}, Path("/"))


@pytest.mark.parametrize("code", [0, 1])
def test_command_gets_the_limit_and_a_failure_names_it(code: int) -> None:
    system, programs, log = world(lambda _: Outcome(code, ""))

    outcome = young_releases.leaving_out(LIMITS, system.run, log)(COMMAND)

    assert outcome.code == code
    assert [command.env for command in programs.ran] == [{**LIMITS, "PATH": "/bin"}]
    line = "Releases since 2026-11-20T00:00:00Z were left out (cooldown)"
    assert log.lines == [line] * code


def test_users_own_limit_is_kept() -> None:
    system, programs, log = world(lambda _: Outcome(0, ""))
    own = {"PIP_UPLOADED_PRIOR_TO": "P30D"}

    young_releases.leaving_out(LIMITS, system.run, log)(Command(("pip",), own, Path("/")))

    assert programs.ran[0].env == own


def test_without_a_limit_nothing_changes() -> None:
    system, _, log = world(lambda _: Outcome(0, ""))

    assert young_releases.leaving_out({}, system.run, log) is system.run
