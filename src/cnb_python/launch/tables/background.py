"""Workers, schedulers and bots, and how each is started: a table.

`docs/processes.md` is generated from it.

Separate from `background_processes`, which finds them in the app.
"""

from dataclasses import dataclass

WORKER = "worker"
SCHEDULER = "scheduler"
CLOCK = "clock"
_MANAGE = "python {manage}"
_ANY_NAME = r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*"


@dataclass(frozen=True, slots=True)
class BackgroundTool:
    """A tool that runs beside the web server, or without one."""

    title: str
    distributions: tuple[str, ...]
    """Normalized names; one of them has to be installed."""
    type: str
    template: str
    """The command. `{module}` is the dotted name of the app's file, `{name}` what *sign* names
    in it, `{manage}` the path of `manage.py`, `{modules}` every file that matches."""
    package: str = ""
    """The name that code imports."""
    sign: str = ""
    """A pattern that the text of the file has to match; its first group is `{name}`."""
    django_app: str = ""
    """An entry of `INSTALLED_APPS`, in place of *package* and *sign*."""
    needs: tuple[str, ...] = ()
    """Further distributions that the command needs."""
    another_type: str = ""
    """The type if a tool before it has the type already; empty: the first one wins."""
    replaces_web: bool = False
    """Whether an app of this kind has no web server: a bot."""
    documentation: str = ""

    @property
    def is_program(self) -> bool:
        """Whether the command runs the app's file with Python."""
        return self.template == "python {file}"


_CELERY = "https://docs.celeryq.dev/en/stable/userguide/workers.html"
_CELERY_APP = (
    _ANY_NAME + r"(?:celery\.)?Celery\(|"
    r"^(\w+)\s*=\s*\w+\.extensions\[[\"']celery[\"']\]"
)
_BOT = (
    r"\.run\(|\.run_polling\(|\.start_polling\(|\.infinity_polling\(|\.polling\(|\.start\("
    r"|\.run_until_disconnected\(|SocketModeHandler\("
)


def _bot(
    title: str, package: str, *distributions: str, sign: str = _BOT, url: str = ""
) -> BackgroundTool:
    return BackgroundTool(
        title,
        distributions,
        WORKER,
        "python {file}",
        package=package,
        sign=sign,
        another_type="bot",
        replaces_web=True,
        documentation=url,
    )


BACKGROUND_TOOLS: tuple[BackgroundTool, ...] = (
    BackgroundTool(
        "Celery",
        ("celery",),
        WORKER,
        "celery --app {celery} worker --loglevel INFO",
        package="celery",
        sign=_CELERY_APP,
        documentation=_CELERY,
    ),
    BackgroundTool(
        "Celery with django-celery-beat",
        ("django-celery-beat",),
        "beat",
        "celery --app {celery} beat --loglevel INFO"
        " --scheduler django_celery_beat.schedulers:DatabaseScheduler",
        package="celery",
        sign=_CELERY_APP,
        needs=("celery",),
        documentation="https://django-celery-beat.readthedocs.io/",
    ),
    BackgroundTool(
        "Celery with a schedule",
        ("celery",),
        "beat",
        "celery --app {celery} beat --loglevel INFO"
        ' --schedule "${TMPDIR:-/tmp}/celerybeat-schedule"',
        package="celery",
        sign=_CELERY_APP,
        documentation="https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html",
    ),
    BackgroundTool(
        "Flower",
        ("flower",),
        "flower",
        "celery --app {celery} flower --address={host} --port={port}",
        package="celery",
        sign=_CELERY_APP,
        needs=("celery",),
        documentation="https://flower.readthedocs.io/",
    ),
    BackgroundTool(
        "django-dramatiq",
        ("django-dramatiq",),
        WORKER,
        f"{_MANAGE} rundramatiq",
        django_app="django_dramatiq",
        documentation="https://github.com/Bogdanp/django_dramatiq",
    ),
    BackgroundTool(
        "Dramatiq",
        ("dramatiq",),
        WORKER,
        "dramatiq {modules}",
        package="dramatiq",
        sign=r"^@(?:dramatiq\.)?actor\b",
        documentation="https://dramatiq.io/guide.html#workers",
    ),
    BackgroundTool(
        "django-rq",
        ("django-rq",),
        WORKER,
        f"{_MANAGE} rqworker default",
        django_app="django_rq",
        documentation="https://github.com/rq/django-rq",
    ),
    BackgroundTool(
        "RQ Scheduler with django-rq",
        ("django-rq",),
        SCHEDULER,
        f"{_MANAGE} rqscheduler",
        django_app="django_rq",
        needs=("rq-scheduler",),
        documentation="https://github.com/rq/django-rq",
    ),
    BackgroundTool(
        "RQ",
        ("rq",),
        WORKER,
        "python {file}",
        package="rq",
        sign=r"\bWorker\([^)]*\)|\.work\(",
        documentation="https://python-rq.org/docs/workers/",
    ),
    BackgroundTool(
        "RQ",
        ("rq",),
        WORKER,
        'rq worker --url "${REDIS_URL:-redis://localhost:6379}" {queues}',
        package="rq",
        sign=r"\bQueue\(|@job\(",
        documentation="https://python-rq.org/docs/workers/",
    ),
    BackgroundTool(
        "Huey",
        ("huey",),
        WORKER,
        f"{_MANAGE} run_huey",
        django_app="huey.contrib.djhuey",
        documentation="https://huey.readthedocs.io/en/latest/django.html",
    ),
    BackgroundTool(
        "Huey",
        ("huey",),
        WORKER,
        "huey_consumer.py {module}.{name}",
        package="huey",
        sign=_ANY_NAME + r"(?:huey\.)?\w*Huey\(",
        documentation="https://huey.readthedocs.io/en/latest/consumer.html",
    ),
    BackgroundTool(
        "arq",
        ("arq",),
        WORKER,
        "arq {module}.{name}",
        package="arq",
        sign=r"^class\s+(\w*WorkerSettings\w*)",
        documentation="https://arq-docs.helpmanual.io/",
    ),
    BackgroundTool(
        "Taskiq",
        ("taskiq",),
        WORKER,
        "taskiq worker {module}:{name}",
        package="taskiq",
        sign=_ANY_NAME + r"\(?\s*\w*Broker\(",
        documentation="https://taskiq-python.github.io/guide/cli.html",
    ),
    BackgroundTool(
        "Taskiq",
        ("taskiq",),
        SCHEDULER,
        "taskiq scheduler {module}:{name}",
        package="taskiq",
        sign=_ANY_NAME + r"TaskiqScheduler\(",
        documentation="https://taskiq-python.github.io/guide/scheduling-tasks.html",
    ),
    BackgroundTool(
        "Procrastinate",
        ("procrastinate",),
        WORKER,
        f"{_MANAGE} procrastinate worker",
        django_app="procrastinate.contrib.django",
        documentation="https://procrastinate.readthedocs.io/",
    ),
    BackgroundTool(
        "Procrastinate",
        ("procrastinate",),
        WORKER,
        "procrastinate --app={module}.{name} worker",
        package="procrastinate",
        sign=_ANY_NAME + r"(?:procrastinate\.)?App\(",
        documentation="https://procrastinate.readthedocs.io/",
    ),
    BackgroundTool(
        "django-q",
        ("django-q2", "django-q"),
        WORKER,
        f"{_MANAGE} qcluster",
        django_app="django_q",
        documentation="https://django-q2.readthedocs.io/en/master/cluster.html",
    ),
    BackgroundTool(
        "Faust",
        ("faust-streaming", "faust"),
        WORKER,
        "faust --app {module}:{name} worker --loglevel info --without-web",
        package="faust",
        sign=_ANY_NAME + r"faust\.App\(",
        documentation="https://faust-streaming.github.io/faust/",
    ),
    _bot(
        "discord.py",
        "discord",
        *("discord-py", "discord", "py-cord"),
        url="https://discordpy.readthedocs.io/",
    ),
    _bot("nextcord", "nextcord", "nextcord", url="https://docs.nextcord.dev/"),
    _bot("disnake", "disnake", "disnake", url="https://docs.disnake.dev/"),
    _bot("hikari", "hikari", "hikari", url="https://docs.hikari-py.dev/"),
    _bot(
        "python-telegram-bot",
        "telegram",
        "python-telegram-bot",
        sign=r"\.run_polling\(|\.start_polling\(",
        url="https://docs.python-telegram-bot.org/",
    ),
    _bot(
        "aiogram",
        "aiogram",
        "aiogram",
        sign=r"\.start_polling\(|\.run_polling\(",
        url="https://docs.aiogram.dev/",
    ),
    _bot(
        "pyTelegramBotAPI",
        "telebot",
        "pytelegrambotapi",
        sign=r"\.infinity_polling\(|\.polling\(",
        url="https://pytba.readthedocs.io/",
    ),
    _bot("Telethon", "telethon", "telethon", url="https://docs.telethon.dev/"),
    _bot("Pyrogram", "pyrogram", "pyrogram", "kurigram", "pyrofork"),
    _bot(
        "Slack Bolt",
        "slack_bolt",
        "slack-bolt",
        sign=r"SocketModeHandler\(",
        url="https://docs.slack.dev/tools/bolt-python/",
    ),
    BackgroundTool(
        "APScheduler",
        ("apscheduler",),
        WORKER,
        "python {file}",
        package="apscheduler",
        sign=r"\bBlockingScheduler\(|run_until_stopped\(",
        another_type=CLOCK,
        documentation="https://apscheduler.readthedocs.io/",
    ),
    BackgroundTool(
        "schedule",
        ("schedule",),
        WORKER,
        "python {file}",
        package="schedule",
        sign=r"\bschedule\.run_pending\(",
        another_type=CLOCK,
        documentation="https://schedule.readthedocs.io/",
    ),
)
# Distributions of bots: the program of an app that uses one is a worker, if it is not found.
BOTS = frozenset(
    name for tool in BACKGROUND_TOOLS if tool.replaces_web for name in tool.distributions
)
BOT_PACKAGES = frozenset(tool.package for tool in BACKGROUND_TOOLS if tool.replaces_web)
