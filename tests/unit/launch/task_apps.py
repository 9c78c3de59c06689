"""Small apps whose tasks are in other modules than the object that the worker starts from."""

from tests.support.trees import Files
from tests.unit.launch.start_apps import Expected, StartApp

_CELERY = "from celery import Celery\napp = Celery('shop')\n"
_TASK = "from {} import app\n@app.task\ndef add(): ...\n"
_HUEY = "from huey import RedisHuey\nhuey = RedisHuey('shop')\n"
_JOB = "from {} import huey\n@huey.task()\ndef add(): ...\n"
_TASKIQ = "from taskiq_redis import ListQueueBroker\nbroker = ListQueueBroker('x')\n"
_COROUTINE = "from tkq import broker\n@broker.task\nasync def add(): ...\n"
_PROCRASTINATE = "import procrastinate\napp = procrastinate.App(connector=None{})\n"
_SHARED = "from celery import shared_task\n@shared_task(bind=True)\ndef send(self): ...\n"
_WORKER = "celery --app {} worker --loglevel INFO"
_CONSUMER = "python -m huey.bin.huey_consumer {}.huey"


def _app(name: str, installed: str, files: Files, command: str, shown_by: str) -> StartApp:
    return StartApp(name, files, installed, {"worker": Expected(command, shown_by)})


TASK_APPS = (
    _app(
        "celery: copies of modules, which nothing can import",
        "celery",
        {
            "celery_app.py": _CELERY,
            "tasks.py": _TASK.format("celery_app"),
            "tasks (1).py": _TASK.format("celery_app"),
            "tasks.old.py": _TASK.format("celery_app"),
        },
        f"{_WORKER.format('celery_app')} --include tasks",
        "celery_app.py:2",
    ),
    _app(
        "celery: no module imports those with tasks",
        "celery",
        {"celery_app.py": _CELERY, "tasks.py": _TASK.format("celery_app"), "mail.py": _SHARED},
        f"{_WORKER.format('celery_app')} --include mail,tasks",
        "celery_app.py:2",
    ),
    _app(
        "celery: tasks beside celery.py of a package",
        "celery",
        {
            "shop/__init__.py": "",
            "shop/celery.py": _CELERY,
            "shop/tasks.py": _TASK.format(".celery"),
        },
        f"{_WORKER.format('shop')} --include shop.tasks",
        "shop/celery.py:2",
    ),
    _app(
        "celery: the package imports the tasks",
        "celery",
        {
            "shop/__init__.py": "from . import tasks\n",
            "shop/celery.py": _CELERY,
            "shop/tasks.py": _TASK.format(".celery"),
        },
        _WORKER.format("shop"),
        "shop/celery.py:2",
    ),
    _app(
        "celery: the code names the modules with tasks",
        "celery",
        {
            "celery_app.py": "from celery import Celery\napp = Celery('x', include=['tasks'])\n",
            "tasks.py": _TASK.format("celery_app"),
        },
        _WORKER.format("celery_app"),
        "celery_app.py:2",
    ),
    _app(
        "celery: tasks are discovered",
        "celery",
        {
            "celery_app.py": f"{_CELERY}app.autodiscover_tasks(['mail'])\n",
            "mail/__init__.py": "",
            "mail/tasks.py": _TASK.format("celery_app"),
        },
        _WORKER.format("celery_app"),
        "celery_app.py:2",
    ),
    _app(
        "celery: the module imports another one, and that the tasks",
        "celery",
        {
            "celery_app.py": f"{_CELERY}import jobs\n",
            "jobs.py": "import tasks\n",
            "tasks.py": _TASK.format("celery_app"),
        },
        _WORKER.format("celery_app"),
        "celery_app.py:2",
    ),
    _app(
        "huey: no module imports tasks.py",
        "huey",
        {"config.py": _HUEY, "tasks.py": _JOB.format("config")},
        _CONSUMER.format("tasks"),
        "config.py:2",
    ),
    _app(
        "huey: main.py imports the object and all tasks",
        "huey",
        {
            "config.py": _HUEY,
            "main.py": "from config import huey\nimport reports, tasks\n",
            "reports.py": _JOB.format("config"),
            "tasks.py": _JOB.format("config"),
        },
        _CONSUMER.format("main"),
        "config.py:2",
    ),
    _app(
        "huey: tasks in a package, imported relatively",
        "huey",
        {"shop/__init__.py": "", "shop/queue.py": _HUEY, "shop/tasks.py": _JOB.format(".queue")},
        _CONSUMER.format("shop.tasks"),
        "shop/queue.py:2",
    ),
    _app(
        "huey: the tasks are beside the object",
        "huey",
        {"tasks.py": f"{_HUEY}@huey.task()\ndef add(): ...\n"},
        _CONSUMER.format("tasks"),
        "tasks.py:2",
    ),
    _app(
        "taskiq: tasks in two modules",
        "taskiq taskiq-redis",
        {
            "tkq.py": _TASKIQ,
            "tasks.py": _COROUTINE,
            "jobs/__init__.py": "",
            "jobs/mail.py": _COROUTINE,
        },
        "taskiq worker tkq:broker tasks jobs.mail",
        "tkq.py:2",
    ),
    _app(
        "procrastinate: no module imports tasks.py",
        "procrastinate",
        {"queue_app.py": _PROCRASTINATE.format(""), "tasks.py": _TASK.format("queue_app")},
        "python -m procrastinate --app=tasks.app worker",
        "queue_app.py:2",
    ),
    _app(
        "procrastinate: import_paths",
        "procrastinate",
        {
            "queue_app.py": _PROCRASTINATE.format(", import_paths=['tasks']"),
            "tasks.py": _TASK.format("queue_app"),
        },
        "python -m procrastinate --app=queue_app.app worker",
        "queue_app.py:2",
    ),
    _app(
        "arq: the functions of the settings are in another module",
        "arq",
        {
            "demo.py": "from arq import cron\nfrom jobs import add\n"
            "class WorkerSettings:\n    functions = [add]\n",
            "jobs.py": "async def add(ctx): ...\n",
        },
        "arq demo.WorkerSettings",
        "demo.py:3",
    ),
    _app(
        "dramatiq: all modules with actors",
        "dramatiq",
        {
            "broker.py": "import dramatiq\nBROKER = dramatiq.get_broker()\n",
            "mail.py": "import dramatiq\n@dramatiq.actor\ndef send(): ...\n",
            "reports.py": "import dramatiq\n@dramatiq.actor\ndef make(): ...\n",
        },
        "dramatiq mail reports",
        "mail.py:2",
    ),
)
