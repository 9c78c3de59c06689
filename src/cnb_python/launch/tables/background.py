"""Workers, schedulers and bots, and how each is started: a table.

`docs/processes.md` is generated from it.

Separate from `background_processes`, which finds them in the app.
"""

from dataclasses import dataclass, replace

WORKER = "worker"
SCHEDULER = "scheduler"
CLOCK = "clock"
BEAT = "beat"
MCP = "mcp"
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
    tasks: str = ""
    """A pattern of the code that defines a task, perhaps in another module than the object."""
    loading: str = ""
    """The arguments that load further modules: `{0}` is their names with spaces, `{1}` with
    commas. Empty: the worker starts from a module that imports them."""
    configured: str = ""
    """A pattern of code that sets which modules the worker loads."""
    note: str = ""
    """A line for the log."""
    needs_schedule: bool = False
    """Whether it is started only if the code has a schedule of Celery."""
    documentation: str = ""

    @property
    def is_program(self) -> bool:
        """Whether the command runs the app's file with Python."""
        return self.template == "python {file}"


_CELERY_APP = (
    _ANY_NAME + r"(?:celery\.)?Celery\(|"
    r"^(\w+)\s*=\s*\w+\.extensions\[[\"']celery[\"']\]|"
    r"^(\w+)\s*=\s*(?:\w+\.)?(?:make|create|init|get)_celery\w*\("
)
# It does not match `uvicorn.run(app)` of a web app that also has a bot, nor its
# `create_task(bot.start())`. The dot comes first, since that makes the search fast.
_BOT = (
    r"\.(?:(?<!uvicorn\.)(?<!asyncio\.)(?<!subprocess\.)run|run_polling|start_polling"
    r"|infinity_polling|polling|run_until_disconnected"
    r"|(?<!create_task\(bot\.)(?<!create_task\(client\.)"
    r"(?:(?<=[Bb]ot\.)|(?<=[Cc]lient\.)|(?<=[Aa]pp\.))start)\(|SocketModeHandler\("
)
_POLLING = r"\.run_polling\(|\.start_polling\("


def _celery(title: str, distribution: str, kind: str, words: str, url: str) -> BackgroundTool:
    """Return the row of a program of Celery; *words* are its command after the app's name."""
    return BackgroundTool(
        title,
        (distribution,),
        kind,
        f"celery --app {{celery}} {words}",
        package="celery",
        sign=_CELERY_APP,
        needs=() if distribution == "celery" else ("celery",),
        documentation=url,
    )


def _of_django(
    title: str, distributions: str, app: str, words: str, url: str, kind: str = WORKER
) -> BackgroundTool:
    """Return the row of a management command of Django, *words*, of the installed app *app*."""
    return BackgroundTool(
        title,
        tuple(distributions.split()),
        kind,
        f"python {{manage}} {words}",
        django_app=app,
        documentation=url,
    )


def _tool(
    title: str, distributions: str, command: str, sign: str, url: str, kind: str = WORKER
) -> BackgroundTool:
    """Return the row of a tool with a command of its own; the first distribution names all."""
    names = tuple(distributions.split())
    return BackgroundTool(
        title, names, kind, command, package=names[-1], sign=sign, documentation=url
    )


def _own_program(title: str, name: str, sign: str, url: str, also: str = "") -> BackgroundTool:
    """Return the row of a library whose apps are programs; *also* is the type of a second one."""
    return BackgroundTool(
        title,
        (name,),
        WORKER,
        "python {file}",
        package=name,
        sign=sign,
        another_type=also,
        documentation=url,
    )


def _bot(
    title: str, package: str, distributions: str, url: str = "", sign: str = _BOT
) -> BackgroundTool:
    row = _own_program(title, package, sign, url, "bot")
    return replace(row, distributions=tuple(distributions.split()), replaces_web=True)


MCP_NOTE = "A client starts this process and uses it over stdin and stdout: `docker run -i IMAGE`"
_PROCRASTINATE = "https://procrastinate.readthedocs.io/"
_RQ = "https://python-rq.org/docs/workers/"

BACKGROUND_TOOLS: tuple[BackgroundTool, ...] = (
    replace(
        _celery(
            "Celery",
            "celery",
            WORKER,
            "worker --loglevel INFO",
            "https://docs.celeryq.dev/en/stable/userguide/workers.html",
        ),
        tasks=r"^[ \t]*@(?:\w+\.)*(?:shared_)?task\b",
        # https://docs.celeryq.dev/en/stable/reference/cli.html#celery-worker
        loading=" --include {1}",
        configured=r"autodiscover_tasks|\binclude\s*=|\bimports\s*=|CELERY_(?:IMPORTS|INCLUDE)",
    ),
    _celery(
        "Celery with django-celery-beat",
        "django-celery-beat",
        BEAT,
        "beat --loglevel INFO --scheduler django_celery_beat.schedulers:DatabaseScheduler",
        "https://django-celery-beat.readthedocs.io/",
    ),
    replace(
        _celery(
            "Celery with a schedule",
            "celery",
            BEAT,
            'beat --loglevel INFO --schedule "${TMPDIR:-/tmp}/celerybeat-schedule"',
            "https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html",
        ),
        needs_schedule=True,
    ),
    _celery(
        "Flower",
        "flower",
        "flower",
        "flower --address={host} --port={port}",
        "https://flower.readthedocs.io/",
    ),
    _of_django(
        "django-dramatiq",
        "django-dramatiq",
        "django_dramatiq",
        "rundramatiq",
        "https://github.com/Bogdanp/django_dramatiq",
    ),
    _tool(
        "Dramatiq",
        "dramatiq",
        "dramatiq {modules}",
        r"^@(?:dramatiq\.)?actor\b",
        "https://dramatiq.io/guide.html#workers",
    ),
    _of_django(
        "django-rq",
        "django-rq",
        "django_rq",
        "rqworker default",
        "https://github.com/rq/django-rq",
    ),
    replace(
        _of_django(
            "RQ Scheduler with django-rq",
            "django-rq",
            "django_rq",
            "rqscheduler",
            "https://github.com/rq/django-rq",
            SCHEDULER,
        ),
        needs=("rq-scheduler",),
    ),
    _own_program("RQ", "rq", r"\bWorker\([^)]*\)|\.work\(", _RQ),
    _tool(
        "RQ",
        "rq",
        'rq worker --url "${REDIS_URL:-redis://localhost:6379}" {queues}',
        r"\bQueue\(|@job\(",
        _RQ,
    ),
    _of_django(
        "Huey",
        "huey",
        "huey.contrib.djhuey",
        "run_huey",
        "https://huey.readthedocs.io/en/latest/django.html",
    ),
    replace(
        _tool(
            "Huey",
            "huey",
            # Its script is huey_consumer.py in older releases.
            "python -m huey.bin.huey_consumer {module}.{name}",
            _ANY_NAME + r"(?:huey\.)?\w*Huey\(",
            "https://huey.readthedocs.io/en/latest/consumer.html",
        ),
        # https://huey.readthedocs.io/en/latest/imports.html
        tasks=r"^@(?:\w+\.)*(?:\w+_)?task\(",
    ),
    _tool(
        "arq",
        "arq",
        "arq {module}.{name}",
        r"^class\s+(\w*WorkerSettings\w*)",
        "https://arq-docs.helpmanual.io/",
    ),
    replace(
        _tool(
            "Taskiq",
            "taskiq",
            "taskiq worker {module}:{name}",
            _ANY_NAME + r"\(?\s*\w*Broker\(",
            "https://taskiq-python.github.io/guide/cli.html",
        ),
        tasks=r"^@(?:\w+\.)*task\b",
        loading=" {0}",
    ),
    _tool(
        "Taskiq",
        "taskiq",
        "taskiq scheduler {module}:{name}",
        _ANY_NAME + r"TaskiqScheduler\(",
        "https://taskiq-python.github.io/guide/scheduling-tasks.html",
        SCHEDULER,
    ),
    _of_django(
        "Procrastinate",
        "procrastinate",
        "procrastinate.contrib.django",
        "procrastinate worker",
        _PROCRASTINATE,
    ),
    replace(
        _tool(
            "Procrastinate",
            "procrastinate",
            # Its script does not import from the working directory.
            "python -m procrastinate --app={module}.{name} worker",
            _ANY_NAME + r"(?:procrastinate\.)?App\(",
            _PROCRASTINATE,
        ),
        tasks=r"^@(?:\w+\.)*(?:task|periodic)\b",
        configured=r"\bimport_paths\b",
    ),
    _of_django(
        "django-q",
        "django-q2 django-q",
        "django_q",
        "qcluster",
        "https://django-q2.readthedocs.io/en/master/cluster.html",
    ),
    _tool(
        "Faust",
        "faust-streaming faust",
        "faust --app {module}:{name} worker --loglevel info --without-web",
        _ANY_NAME + r"faust\.App\(",
        "https://faust-streaming.github.io/faust/",
    ),
    _bot(
        "discord.py",
        "discord",
        "discord-py discord py-cord",
        "https://discordpy.readthedocs.io/",
    ),
    _bot("nextcord", "nextcord", "nextcord", "https://docs.nextcord.dev/"),
    _bot("disnake", "disnake", "disnake", "https://docs.disnake.dev/"),
    _bot("hikari", "hikari", "hikari", "https://docs.hikari-py.dev/"),
    _bot(
        "python-telegram-bot",
        "telegram",
        "python-telegram-bot",
        "https://docs.python-telegram-bot.org/",
        _POLLING,
    ),
    _bot("aiogram", "aiogram", "aiogram", "https://docs.aiogram.dev/", _POLLING),
    _bot(
        "pyTelegramBotAPI",
        "telebot",
        "pytelegrambotapi",
        "https://pytba.readthedocs.io/",
        r"\.infinity_polling\(|\.polling\(",
    ),
    _bot("Telethon", "telethon", "telethon", "https://docs.telethon.dev/"),
    _bot("Pyrogram", "pyrogram", "pyrogram kurigram pyrofork"),
    _bot(
        "Slack Bolt",
        "slack_bolt",
        "slack-bolt",
        "https://docs.slack.dev/tools/bolt-python/",
        r"SocketModeHandler\(",
    ),
    replace(
        _own_program(
            "MCP",
            "mcp",
            r"\bstdio_server\(",
            "https://modelcontextprotocol.io/docs/concepts/transports",
        ),
        type=MCP,
        note=MCP_NOTE,
    ),
    _own_program(
        "APScheduler",
        "apscheduler",
        # The other schedulers return at once, so the program has to wait.
        r"\bBlockingScheduler\(|run_until_stopped\(|\b(?:Background|AsyncIO)Scheduler\("
        r"(?=(?s:.)*?(?:\bwhile\s+(?:True|1)\b|\.run_forever\(|\bsignal\.pause\(|\.wait\(\)))",
        "https://apscheduler.readthedocs.io/",
        CLOCK,
    ),
    _own_program(
        "schedule",
        "schedule",
        r"\bschedule\.run_pending\(",
        "https://schedule.readthedocs.io/",
        CLOCK,
    ),
)
# Distributions of bots: the program of an app that uses one is a worker, if it is not found.
BOTS = frozenset(
    name for tool in BACKGROUND_TOOLS if tool.replaces_web for name in tool.distributions
)
BOT_PACKAGES = frozenset(tool.package for tool in BACKGROUND_TOOLS if tool.replaces_web)
