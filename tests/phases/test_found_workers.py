"""Workers, bots, `release` and `console` do their job, read-only, and end after SIGTERM.

All samples are in one image: see `found_commands`. The brokers are real servers; a program stands
in for the APIs of Telegram, Slack and Discord.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from cnb_python.app import read_app
from cnb_python.launch.found_processes import find_processes
from tests.support.brokers import postgresql, redis
from tests.support.builds import Builds, Built
from tests.support.found_commands import image_of_samples
from tests.support.trees import App
from tests.support.worker_samples import (
    BOTS,
    CONSOLES,
    FLOWER,
    MORE,
    PROGRAMS,
    RELEASES,
    SAMPLES,
    WORKERS,
)
from tools.platforms.serving import Served

# With and without a handler in the program: shells report the latter.
ENDED_BY_TERM = {0, 143}
TOKENS = {"TOKEN": "123456:one", "DISCORD_TOKEN": "MTA.one.two"}


@pytest.fixture(scope="module")
def addresses() -> Iterator[Mapping[str, str]]:
    """The variables with the addresses of the brokers and databases."""
    with redis() as broker, postgresql() as server:
        yield {
            "REDIS_URL": broker,
            "DATABASE_URL": f"{server}postgres",
            "JOBS_DATABASE_URL": f"{server}jobs",
            "LEDGER_URL": "sqlite:////dev/shm/ledger.db",
        }


@pytest.fixture(scope="module")
def shop(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Built:
    directory = tmp_path_factory.mktemp("shop")
    return image_of_samples(builds, SAMPLES, directory, PROGRAMS, MORE)


@pytest.fixture(scope="module")
def workers(shop: Built, addresses: Mapping[str, str]) -> Iterator[Mapping[str, Served]]:
    """Every worker and scheduler, started together after each worker was given a job."""
    code, output = ended(shop, "release_django", addresses)
    assert (code, RELEASES["release_django"].expected in output) == (0, True), output
    sent = shop.run("python", "send.py", env=addresses)
    assert sent.endswith("All jobs sent\n"), sent
    with ExitStack() as stack:
        yield {name: stack.enter_context(shop.serve(name, env=addresses)) for name in WORKERS}


@pytest.fixture(scope="module")
def replies(shop: Built) -> Iterator[tuple[Served, Mapping[str, Served]]]:
    """The program that stands in for the APIs, and every bot, started together."""
    stand_in = ("launcher", "--", "python", "stand_in.py")
    with shop.serve(*stand_in) as served, ExitStack() as stack:
        env = {**TOKENS, "API_URL": served.url}
        yield (
            served,
            {name: stack.enter_context(shop.serve(name, env=env)) for name in BOTS},
        )


def ended(shop: Built, name: str, env: Mapping[str, str], *args: str) -> tuple[int, str]:
    """Return the exit code and the output of a process that ends by itself."""
    with shop.serve(name, *args, env=env) as served:
        code = served.process.wait(60)
        return code, served.output


@pytest.mark.parametrize("name", WORKERS)
def test_worker_does_its_job_and_ends(workers: Mapping[str, Served], name: str) -> None:
    assert workers[name].prints(WORKERS[name].expected, patience=120), workers[name].output
    assert workers[name].stop() in ENDED_BY_TERM, workers[name].output


@pytest.mark.parametrize("name", BOTS)
def test_bot_replies_and_ends(replies: tuple[Served, Mapping[str, Served]], name: str) -> None:
    stand_in, bots = replies
    assert stand_in.prints(BOTS[name].expected, patience=120), bots[name].output
    assert bots[name].stop() in ENDED_BY_TERM, bots[name].output


@pytest.mark.parametrize("name", BOTS)
def test_bot_has_no_web_process(name: str, app: App) -> None:
    found = find_processes(read_app(app(BOTS[name].files)), {BOTS[name].packages: "99.0"})
    assert [each.type for each in found.processes] == ["worker", "console"]


def test_flower_serves_and_ends(shop: Built, addresses: Mapping[str, str]) -> None:
    with shop.serve("flower", env=addresses) as served:
        assert FLOWER.expected in served.fetch(FLOWER.path)
        assert served.stop() in ENDED_BY_TERM, served.output


@pytest.mark.parametrize("name", ["release_flask", "release_alembic"])
def test_release_changes_the_schema(shop: Built, addresses: Mapping[str, str], name: str) -> None:
    code, output = ended(shop, name, addresses)
    assert (code, RELEASES[name].expected in output) == (0, True), output


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("console_django", ("-c", "from django.conf import settings; print(settings)")),
        ("console_flask", ()),
        ("console", ("--version",)),
    ],
)
def test_console_opens_with_the_app(
    shop: Built, addresses: Mapping[str, str], name: str, arguments: tuple[str, ...]
) -> None:
    code, output = ended(shop, name, addresses, *arguments)
    assert (code, CONSOLES[name].expected in output) == (0, True), output
