"""Commands that leave out young releases."""

from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.upload_limit import UploadLimit
from cnb_python.install.young_releases import YoungReleases
from cnb_python.managers.base import InstallContext
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_manager import FakeManager, pin, resolution_of
from tests.support.fake_system import world
from tests.support.stages import INTERPRETER

NOW = datetime(2026, 11, 27, tzinfo=UTC)
LIMIT = UploadLimit(NOW - timedelta(days=7), NOW)
LIMITS = {
    "PIP_UPLOADED_PRIOR_TO": "2026-11-20T00:00:00Z",
    "UV_EXCLUDE_NEWER": "2026-11-20T00:00:00Z",
}
COMMAND = Command(("pip", "install"), {"PATH": "/bin"}, Path("/"))
LINE = "Releases since 2026-11-20T00:00:00Z were left out (cooldown)"
OF_PIP = resolution_of("a==1.0", from_files_alone=False)


@pytest.fixture
def request_(tmp_path: Path) -> EnvironmentRequest:
    return EnvironmentRequest(
        app=read_app(tmp_path),
        manager=FakeManager({}),
        interpreter=INTERPRETER,
        python="3.14.6",
        environ={},
        installer="auto",
        building=LIMIT,
        pip=tmp_path,
        uv=tmp_path,
        environment=tmp_path,
        staging=tmp_path,
    )


@pytest.fixture
def context(tmp_path: Path) -> InstallContext:
    return InstallContext(
        app_dir=tmp_path,
        environment=tmp_path,
        tool=tmp_path,
        cache=tmp_path,
        scratch=tmp_path,
        uv=tmp_path,
        environ={"OWN": "1"},
        python="3.14.6",
    )


@pytest.mark.parametrize("code", [0, 1])
def test_command_gets_the_limit_and_a_failure_names_it(
    request_: EnvironmentRequest, context: InstallContext, code: int
) -> None:
    system, programs, log = world(lambda _: Outcome(code, ""))

    _, run = YoungReleases(request_, log).while_installing(context, system.run, LIMIT)

    assert run(COMMAND).code == code
    assert [command.env for command in programs.ran] == [{**LIMITS, "PATH": "/bin"}]
    assert log.lines == [LINE] * code


def test_own_limit_is_logged_once(request_: EnvironmentRequest, context: InstallContext) -> None:
    system, programs, log = world(lambda _: Outcome(0, ""))
    _, run = YoungReleases(request_, log).while_installing(context, system.run, LIMIT)
    command = replace(COMMAND, env={"PIP_UPLOADED_PRIOR_TO": "P30D"})

    run(command)
    run(command)

    earlier = "2026-10-28T00:00:00Z"
    assert [each.env["PIP_UPLOADED_PRIOR_TO"] for each in programs.ran] == [earlier] * 2
    assert [line for line in log.lines if earlier in line] == log.lines
    assert len(log.lines) == 1


def test_without_a_limit_nothing_changes(
    request_: EnvironmentRequest, context: InstallContext
) -> None:
    system, _, log = world(lambda _: Outcome(0, ""))
    young = YoungReleases(replace(request_, building=None), log)

    assert young.while_building(OF_PIP, pin("a==1.0"), context, system.run) == (
        context,
        system.run,
    )


@pytest.mark.parametrize("by", ["pip", "uv"])
def test_build_of_an_excepted_package(
    request_: EnvironmentRequest, context: InstallContext, by: str
) -> None:
    """With pip, it has no limit, which would leave out the package too."""
    system, programs, log = world(lambda _: Outcome(0, ""))
    limit = LIMIT._replace(excepted=frozenset({"a"}))
    young = YoungReleases(replace(request_, building=limit), log)

    built, run = young.while_building(OF_PIP._replace(by=by), pin("a==1.0"), context, system.run)
    run(COMMAND)

    is_limited = by == "uv"
    assert ("UV_EXCLUDE_NEWER" in programs.ran[0].env) is is_limited
    assert (built.excepted.names == {"a"}) is is_limited
    expected = "Building a with build requirements of any age, since pip cannot except a alone"
    assert log.lines == [expected] * (not is_limited)
