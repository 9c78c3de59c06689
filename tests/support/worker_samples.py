"""Sample workers, schedulers, bots and consoles: see `found_commands`.

Their code is in `tests/phases/fixtures/workers` and `bots`.
"""

from collections.abc import Mapping
from pathlib import Path

from tests.support.found_commands import Sample
from tests.support.trees import Files

_FIXTURES = Path(__file__).parents[1] / "phases/fixtures"
# What the samples import besides the packages that they are found by.
# arq before 0.28 fails with Python 3.14, and would be chosen for a newer redis.
MORE = (
    "aiohttp\narq>=0.28\ncelery[redis]\nflask-sqlalchemy\npsycopg[binary]\nredis\n"
    "taskiq-postgres[psycopg]\n"
)


def _files(app: str, *patterns: str) -> Files:
    directory = _FIXTURES / app
    paths = [path for pattern in patterns for path in directory.glob(pattern) if path.is_file()]
    assert paths, patterns
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


_DJANGO = _files("workers", "manage.py", "shop/*.py")
_CELERY = _files("workers", "celery_shop.py")
_TASKIQ = _files("workers", "taskiq_shop.py")
_ALEMBIC = _files("workers", "alembic.ini", "migrations/**/*")
_LEDGER = _files("workers", "ledger.py", "migrations/**/*")
_SENDING = "Sending due task each"
_MIGRATED = "Tables: alembic_version entry\n"


def _worker(packages: str, name: str, code: Files) -> Sample:
    """Return a sample that prints *name*, which is in its job."""
    return Sample(packages, code, "worker", expected=f"{name}: job done")


def _worker_file(packages: str, name: str, file: str) -> Sample:
    return _worker(packages, name, _files("workers", file))


def _bot(package: str, name: str, file: str) -> Sample:
    """Return a sample whose bot replies with *name* to a message."""
    return Sample(package, _files("bots", file), "worker", expected=f"{name} heard hello")


# Those that send jobs come first: the tests wait for each and end it in this order.
WORKERS: Mapping[str, Sample] = {
    "celery": _worker("celery", "Celery", _CELERY),
    "celery_django": _worker("django celery", "Celery with Django", _DJANGO),
    "dramatiq": _worker_file("dramatiq", "Dramatiq", "dramatiq_shop.py"),
    "dramatiq_django": _worker("django django-dramatiq", "django-dramatiq", _DJANGO),
    "rq": _worker_file("rq", "RQ", "rq_shop.py"),
    "rq_program": _worker_file("rq", "RQ's own program", "rq_program.py"),
    "rq_django": _worker("django django-rq", "django-rq", _DJANGO),
    "huey": _worker_file("huey", "Huey", "huey_shop.py"),
    "huey_django": _worker("django huey", "djhuey", _DJANGO),
    "arq": _worker_file("arq", "arq", "arq_shop.py"),
    "taskiq": _worker("taskiq", "Taskiq", _TASKIQ),
    "procrastinate": _worker_file("procrastinate", "Procrastinate", "procrastinate_shop.py"),
    "procrastinate_django": _worker("django procrastinate", "Procrastinate with Django", _DJANGO),
    "django_q": _worker("django django-q2", "django-q", _DJANGO),
    "apscheduler": _worker_file("apscheduler", "APScheduler", "clock.py"),
    "schedule": _worker_file("schedule", "schedule", "timetable.py"),
    "celery_beat": Sample("celery", _CELERY, "beat", expected=_SENDING),
    "celery_beat_django": Sample(
        "django celery django-celery-beat", _DJANGO, "beat", expected=_SENDING
    ),
    "taskiq_scheduler": Sample("taskiq", _TASKIQ, "scheduler", expected="Sending task"),
}
FLOWER = Sample("celery flower", _CELERY, "flower", "/healthcheck", "OK")
BOTS: Mapping[str, Sample] = {
    "discord": _bot("discord-py", "discord", "discord_bot.py"),
    "nextcord": _bot("nextcord", "nextcord", "nextcord_bot.py"),
    "disnake": _bot("disnake", "disnake", "disnake_bot.py"),
    "hikari": _bot("hikari", "hikari", "hikari_bot.py"),
    "telegram": _bot("python-telegram-bot", "python-telegram-bot", "telegram_bot.py"),
    "aiogram": _bot("aiogram", "aiogram", "aiogram_bot.py"),
    "telebot": _bot("pytelegrambotapi", "pyTelegramBotAPI", "telebot_bot.py"),
    "slack": _bot("slack-bolt", "Slack Bolt", "slack_bot.py"),
}
RELEASES: Mapping[str, Sample] = {
    "release_django": Sample("django", _DJANGO, "release", expected="Applying django_q."),
    "release_flask": Sample("flask flask-migrate", _LEDGER, "release", expected=_MIGRATED),
    "release_alembic": Sample("alembic", _ALEMBIC, "release", expected=_MIGRATED),
}
CONSOLES: Mapping[str, Sample] = {
    "console_django": Sample("django", _DJANGO, "console", expected="shop.settings"),
    "console_flask": Sample("flask", _LEDGER, "console", expected="App: ledger"),
    "console": Sample("", _files("workers", "clock.py"), "console", expected="Python 3."),
}
# Programs that the tests run by themselves.
PROGRAMS: Files = {**_files("workers", "send.py"), **_files("bots", "stand_in.py")}
SAMPLES: Mapping[str, Sample] = {**WORKERS, "flower": FLOWER, **BOTS, **RELEASES, **CONSOLES}
