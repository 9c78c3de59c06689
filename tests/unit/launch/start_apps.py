"""Small apps in the shape of well-known projects, and the processes that a user expects of each.

Each app has its files, the distributions that are installed, and for each process type its command
as a line of a Procfile has it, the directory that it runs in, and the file and line that show it.
"""

from dataclasses import dataclass

from tests.support.trees import Files

PORT = '"${PORT:-8000}"'
HOST = '"${BPL_PYTHON_HOST:-0.0.0.0}"'
ADDRESS = '"${BPL_PYTHON_ADDRESS:-0.0.0.0}"'
_SERVE = """'import os, signal, sys; from ray import serve; from serve_app import app as app;\
 serve.start(http_options={"host": os.environ.get("BPL_PYTHON_HOST", "0.0.0.0"),\
 "port": int(os.environ.get("PORT", "8000"))});\
 signal.signal(signal.SIGTERM, lambda *_: sys.exit()); serve.run(app, blocking=True)'"""
UVICORN = f"uvicorn --host {HOST} --port {PORT}"


@dataclass(frozen=True, slots=True)
class Expected:
    """A process: its command, its directory, and `file:line`."""

    command: str
    shown_by: str
    directory: str = ""


@dataclass(frozen=True, slots=True)
class StartApp:
    """An app and its processes."""

    name: str
    files: Files
    installed: str
    """Names of distributions, each with an optional `==version`."""
    expected: dict[str, Expected]
    """All processes but `console`; with `console` only where it is given."""


def _app(
    name: str, installed: str, files: Files, **expected: tuple[str, str] | tuple[str, str, str]
) -> StartApp:
    return StartApp(
        name, files, installed, {kind: Expected(*row) for kind, row in expected.items()}
    )


def _manage(settings: str) -> str:
    return (
        "#!/usr/bin/env python\nimport os, sys\n"
        f"os.environ.setdefault('DJANGO_SETTINGS_MODULE', {settings!r})\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)\n"
    )


_WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
_ASGI = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
_MIGRATE = "python manage.py migrate --noinput"
_DJANGO = {
    "manage.py": _manage("shop.settings"),
    "shop/__init__.py": "",
    "shop/settings.py": "WSGI_APPLICATION = 'shop.wsgi.application'\n",
    "shop/wsgi.py": _WSGI,
    "shop/asgi.py": _ASGI,
}
_CELERY = "import os\nfrom celery import Celery\napp = Celery('shop')\n"
_CHANNELS = (
    "from channels.routing import ProtocolTypeRouter\n"
    "from django.core.asgi import get_asgi_application\n"
    "application = ProtocolTypeRouter({'http': get_asgi_application()})\n"
)
_FLASK = "from flask import Flask\napp = Flask(__name__)\n"
_FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
_MAIN = "if __name__ == '__main__':\n"

DJANGO_APPS = (
    _app(
        "django: startproject",
        "django gunicorn",
        _DJANGO,
        web=("gunicorn shop.wsgi:application", "shop/settings.py:1"),
        release=(_MIGRATE, "manage.py:3"),
        console=("python manage.py shell", "manage.py:3"),
    ),
    _app(
        "django: without a server",
        "django",
        _DJANGO,
        web=(f"python manage.py runserver --noreload {ADDRESS}:{PORT}", "shop/settings.py:1"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: ASGI_APPLICATION of Channels with daphne",
        "django channels daphne gunicorn==23.0",
        _DJANGO
        | {
            "shop/settings.py": "WSGI_APPLICATION = 'shop.wsgi.application'\n"
            "ASGI_APPLICATION = 'shop.asgi.application'\n",
            "shop/asgi.py": _CHANNELS,
        },
        web=(f"daphne -b {HOST} -p {PORT} shop.asgi:application", "shop/settings.py:2"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: asgi.py with a ProtocolTypeRouter and no ASGI_APPLICATION",
        "django channels uvicorn gunicorn==23.0",
        _DJANGO | {"shop/asgi.py": _CHANNELS},
        web=(f"{UVICORN} shop.asgi:application", "shop/asgi.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: settings package, Celery beside the settings, celery beat in the database",
        "django gunicorn celery django-celery-beat flower",
        {
            "manage.py": _manage("config.settings.local"),
            "config/__init__.py": "from .celery_app import app\n",
            "config/settings/__init__.py": "",
            "config/settings/base.py": "WSGI_APPLICATION = 'config.wsgi.application'\n",
            "config/settings/local.py": "from .base import *\n",
            "config/wsgi.py": _WSGI,
            "config/celery_app.py": _CELERY,
        },
        web=("gunicorn config.wsgi:application", "config/settings/base.py:1"),
        worker=("celery --app config.celery_app worker --loglevel INFO", "config/celery_app.py:3"),
        beat=(
            (
                "celery --app config.celery_app beat --loglevel INFO"
                " --scheduler django_celery_beat.schedulers:DatabaseScheduler"
            ),
            "config/celery_app.py:3",
        ),
        flower=(
            f"celery --app config.celery_app flower --address={HOST} --port={PORT}",
            "config/celery_app.py:3",
        ),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: celery.py of the project, as in Celery's documentation",
        "django gunicorn celery",
        _DJANGO | {"shop/celery.py": _CELERY},
        web=("gunicorn shop.wsgi:application", "shop/settings.py:1"),
        worker=("celery --app shop worker --loglevel INFO", "shop/celery.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: django-q",
        "django gunicorn django-q2",
        _DJANGO | {"shop/settings.py": "INSTALLED_APPS = ['shop', 'django_q']\n"},
        web=("gunicorn shop.wsgi:application", "manage.py:3"),
        worker=("python manage.py qcluster", "manage.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: django-rq",
        "django gunicorn django-rq rq rq-scheduler",
        _DJANGO | {"shop/settings.py": "INSTALLED_APPS = [\n    'django_rq',\n]\n"},
        web=("gunicorn shop.wsgi:application", "manage.py:3"),
        worker=("python manage.py rqworker default", "manage.py:3"),
        scheduler=("python manage.py rqscheduler", "manage.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: Huey",
        "django gunicorn huey",
        _DJANGO | {"shop/settings.py": "THIRD_PARTY_APPS = ['huey.contrib.djhuey']\n"},
        web=("gunicorn shop.wsgi:application", "manage.py:3"),
        worker=("python manage.py run_huey", "manage.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: Procrastinate, project in backend/",
        "django gunicorn procrastinate",
        {f"backend/{name}": text for name, text in _DJANGO.items()}
        | {"backend/shop/settings.py": "INSTALLED_APPS = ['procrastinate.contrib.django']\n"},
        web=("gunicorn shop.wsgi:application", "backend/manage.py:3", "backend"),
        worker=("python manage.py procrastinate worker", "backend/manage.py:3", "backend"),
        release=(_MIGRATE, "backend/manage.py:3", "backend"),
    ),
)

OBJECT_APPS = (
    _app(
        "flask: ProxyFix under another name",
        "flask gunicorn",
        {
            "service.py": "from flask import Flask\n"
            "from werkzeug.middleware.proxy_fix import ProxyFix\n"
            "site = Flask(__name__)\napplication = ProxyFix(site, x_for=1)\n"
        },
        web=("gunicorn service:application", "service.py:4"),
        console=("flask --app service:application shell", "service.py:4"),
    ),
    _app(
        "flask: WhiteNoise in place",
        "flask gunicorn whitenoise",
        {
            "main.py": "import flask\nfrom whitenoise import WhiteNoise\n"
            "app = flask.Flask(__name__)\napp.wsgi_app = WhiteNoise(app.wsgi_app)\n"
        },
        web=("gunicorn main:app", "main.py:3"),
    ),
    _app(
        "flask: factory of any name, made by wsgi.py from a package of src",
        "flask gunicorn shop",
        {
            "wsgi.py": "from shop.web import build\nserver = build()\n",
            "src/shop/__init__.py": "",
            "src/shop/web.py": "from flask import Flask\ndef build(testing=False):\n"
            "    app = Flask(__name__)\n    return app\n",
        },
        web=("gunicorn wsgi:server", "wsgi.py:2"),
    ),
    _app(
        "flask: extensions are no wrappers",
        "flask gunicorn flask-migrate flask-sqlalchemy",
        {
            "app.py": "from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\n"
            "from flask_migrate import Migrate\nweb = Flask(__name__)\ndb = SQLAlchemy(web)\n"
            "migrate = Migrate(web, db)\n",
            "migrations/env.py": "",
        },
        web=("gunicorn app:web", "app.py:4"),
        release=("flask --app app:web db upgrade", "app.py:0"),
    ),
    _app(
        "flask: without a server",
        "flask",
        {"app.py": f"{_FLASK}{_MAIN}    app.run(debug=True)\n"},
        web=(f"flask --app app:app run --host {HOST} --port {PORT}", "app.py:2"),
    ),
    _app(
        "flask-socketio with gunicorn",
        "flask flask-socketio gunicorn",
        {
            "app.py": f"{_FLASK}from flask_socketio import SocketIO\nsocketio = SocketIO(app)\n"
            f"{_MAIN}    socketio.run(app)\n"
        },
        web=("gunicorn --workers 1 --threads 100 app:app", "app.py:2"),
    ),
    _app(
        "fastapi: subclass, object under another name in a package of src",
        "fastapi starlette uvicorn",
        {
            "src/service/__init__.py": "",
            "src/service/web.py": "from fastapi import FastAPI\nclass Api(FastAPI):\n    pass\n"
            "backend = Api()\n",
        },
        web=(f"{UVICORN} service.web:backend", "src/service/web.py:4", "src"),
    ),
    _app(
        "fastapi: socketio.ASGIApp wraps it",
        "fastapi starlette uvicorn python-socketio",
        {
            "main.py": "import socketio\nfrom fastapi import FastAPI\napp = FastAPI()\n"
            "sio = socketio.AsyncServer()\nserver = socketio.ASGIApp(sio, other_asgi_app=app)\n"
        },
        web=(f"{UVICORN} main:server", "main.py:5"),
    ),
    _app(
        "fastapi: a mounted app is a part",
        "fastapi starlette uvicorn",
        {
            "main.py": "from fastapi import FastAPI\napi = FastAPI()\nsite = FastAPI()\n"
            "site.mount('/api', api)\n"
        },
        web=(f"{UVICORN} main:site", "main.py:3"),
    ),
    _app(
        "fastapi: uvicorn.run with a name, Flask installed too",
        "fastapi starlette uvicorn flask",
        {
            "run.py": f"import uvicorn\n{_MAIN}    uvicorn.run('shop.web:app', port=80)\n",
            "shop/__init__.py": "",
            "shop/web.py": _FASTAPI,
        },
        web=(f"{UVICORN} shop.web:app", "run.py:3"),
    ),
    _app(
        "fastapi: Alembic",
        "fastapi starlette uvicorn alembic",
        {"app/__init__.py": "", "app/main.py": _FASTAPI, "alembic.ini": "[alembic]\n"},
        web=(f"{UVICORN} app.main:app", "app/main.py:2"),
        release=("alembic upgrade head", "alembic.ini:0"),
    ),
    _app(
        "litestar",
        "litestar uvicorn",
        {"app.py": "from litestar import Litestar\napp = Litestar([])\n"},
        web=(f"{UVICORN} app:app", "app.py:2"),
    ),
    _app(
        "quart with hypercorn",
        "quart hypercorn",
        {"app.py": "from quart import Quart\napp = Quart(__name__)\n"},
        web=(
            f'hypercorn --bind {ADDRESS}:{PORT} --workers "${{WEB_CONCURRENCY:-1}}" app:app',
            "app.py:2",
        ),
    ),
    _app(
        "sanic",
        "sanic",
        {"server.py": f"from sanic import Sanic\napp = Sanic('hi')\n{_MAIN}    app.run()\n"},
        web=(f"sanic server:app --host={HOST} --port={PORT} --single-process", "server.py:2"),
    ),
    _app(
        "aiohttp with gunicorn",
        "aiohttp gunicorn",
        {"app.py": "from aiohttp import web\napp = web.Application()\n"},
        web=("gunicorn --worker-class aiohttp.GunicornWebWorker app:app", "app.py:2"),
    ),
    _app(
        "falcon, WSGI",
        "falcon gunicorn",
        {"look/__init__.py": "", "look/app.py": "import falcon\napp = falcon.App()\n"},
        web=("gunicorn look.app:app", "look/app.py:2"),
    ),
    _app(
        "falcon, ASGI",
        "falcon uvicorn",
        {"asgi.py": "import falcon.asgi\napp = falcon.asgi.App()\n"},
        web=(f"{UVICORN} asgi:app", "asgi.py:2"),
    ),
    _app(
        "connexion 3 is ASGI",
        "connexion==3.2 flask uvicorn gunicorn==23.0",
        {"run.py": "import connexion\napp = connexion.FlaskApp(__name__)\n"},
        web=(f"{UVICORN} run:app", "run.py:2"),
    ),
    _app(
        "connexion 2 is WSGI",
        "connexion==2.14 flask gunicorn",
        {"run.py": "import connexion\napp = connexion.App(__name__)\n"},
        web=("gunicorn run:app", "run.py:2"),
    ),
    _app(
        "dash: server of its app",
        "dash flask gunicorn",
        {"app.py": "from dash import Dash\napp = Dash(__name__)\nserver = app.server\n"},
        web=("gunicorn app:server", "app.py:3"),
    ),
    _app(
        "pyramid: object",
        "pyramid waitress",
        {
            "app.py": "from pyramid.config import Configurator\nconfig = Configurator()\n"
            "app = config.make_wsgi_app()\n"
        },
        web=(f"waitress-serve --host={HOST} --port={PORT} app:app", "app.py:3"),
    ),
    _app(
        "pyramid: cookiecutter with production.ini",
        "pyramid gunicorn",
        {
            "production.ini": "[app:main]\nuse = egg:shop\n",
            "shop/__init__.py": "from pyramid.config import Configurator\n"
            "def main(global_config, **settings):\n"
            "    return Configurator(settings=settings).make_wsgi_app()\n",
        },
        web=("gunicorn --paste production.ini", "production.ini:0"),
    ),
    _app(
        "plain WSGI function",
        "gunicorn",
        {"hello.py": "def app(environ, start_response):\n    return [b'hi']\n"},
        web=("gunicorn hello:app", "hello.py:1"),
    ),
    _app(
        "fasthtml",
        "python-fasthtml starlette uvicorn",
        {"main.py": "from fasthtml.common import *\napp, rt = fast_app()\nserve()\n"},
        web=(f"{UVICORN} main:app", "main.py:2"),
    ),
    _app(
        "fastmcp: http_app",
        "fastmcp mcp starlette uvicorn",
        {"server.py": "from fastmcp import FastMCP\nmcp = FastMCP('x')\napp = mcp.http_app()\n"},
        web=(f"{UVICORN} server:app", "server.py:3"),
    ),
)

_TELEGRAM = (
    "from telegram.ext import ApplicationBuilder\n"
    "def main():\n    ApplicationBuilder().token('x').build().run_polling()\nmain()\n"
)
PROGRAM_APPS = (
    _app(
        "streamlit: pages/",
        "streamlit tornado",
        {
            "streamlit_app.py": "import streamlit as st\nimport charts\nst.title('hi')\n",
            "charts.py": "import streamlit as st\n",
            "pages/1_more.py": "import streamlit as st\n",
        },
        web=(
            (
                f"streamlit run streamlit_app.py --server.address {HOST} --server.port {PORT}"
                " --server.headless true"
            ),
            "streamlit_app.py:1",
        ),
    ),
    _app(
        "gradio in src",
        "gradio fastapi uvicorn",
        {"src/app.py": "import gradio as gr\ndemo = gr.Blocks()\ndemo.launch()\n"},
        web=(
            "python src/app.py",
            "src/app.py:3",
        ),
    ),
    _app(
        "chainlit",
        "chainlit fastapi starlette uvicorn",
        {"app.py": "import chainlit as cl\n@cl.on_message\nasync def main(message): ...\n"},
        web=(f"chainlit run app.py --host {HOST} --port {PORT} --headless", "app.py:1"),
    ),
    _app(
        "panel",
        "panel bokeh tornado",
        {"dashboard.py": "import panel as pn\npn.Column('hi').servable()\n"},
        web=(
            (
                f"panel serve dashboard.py --address {HOST} --port {PORT}"
                " --allow-websocket-origin '*'"
            ),
            "dashboard.py:2",
        ),
    ),
    _app(
        "bokeh",
        "bokeh tornado",
        {"main.py": "from bokeh.io import curdoc\ncurdoc().add_root(None)\n"},
        web=(
            f"bokeh serve main.py --address {HOST} --port {PORT} --allow-websocket-origin '*'",
            "main.py:2",
        ),
    ),
    _app(
        "marimo",
        "marimo starlette uvicorn",
        {"notebook.py": "import marimo\napp = marimo.App()\n"},
        web=(f"marimo run notebook.py --host {HOST} --port {PORT} --headless", "notebook.py:2"),
    ),
    _app(
        "nicegui reads PORT",
        "nicegui fastapi starlette uvicorn",
        {"main.py": "import os\nfrom nicegui import ui\nui.run(port=int(os.environ['PORT']))\n"},
        web=("python main.py", "main.py:3"),
    ),
    _app(
        "solara",
        "solara starlette uvicorn",
        {"sol.py": "import solara\n@solara.component\ndef Page(): ...\n"},
        web=(f"solara run sol.py --host={HOST} --port={PORT} --production", "sol.py:2"),
    ),
    _app(
        "shiny express",
        "shiny starlette uvicorn",
        {"app.py": "from shiny.express import ui\nui.h1('hi')\n"},
        web=(f"shiny run app.py --host {HOST} --port {PORT}", "app.py:1"),
    ),
    _app(
        "mesop with gunicorn",
        "mesop flask gunicorn",
        {"main.py": "import mesop as me\n@me.page()\ndef home(): ...\n"},
        web=("gunicorn main:me", "main.py:1"),
    ),
    _app(
        "reflex",
        "reflex starlette uvicorn",
        {"rxconfig.py": "import reflex as rx\nconfig = rx.Config(app_name='shop')\n"},
        web=(
            (
                f"reflex run --env prod --single-port --backend-host {HOST}"
                f" --frontend-port {PORT} --backend-port {PORT}"
            ),
            "rxconfig.py:1",
        ),
    ),
    _app(
        "bentoml",
        "bentoml starlette uvicorn",
        {"service.py": "import bentoml\n@bentoml.service(workers=1)\nclass Summary:\n    pass\n"},
        web=(f"bentoml serve service:Summary --host {HOST} --port {PORT}", "service.py:2"),
    ),
    _app(
        "ray serve",
        "ray starlette uvicorn",
        {"serve_app.py": "from ray import serve\nclass A: ...\napp = A.bind()\n"},
        web=(f"python -c {_SERVE}", "serve_app.py:3"),
    ),
    _app(
        "functions-framework",
        "functions-framework flask gunicorn",
        {"main.py": "import functions_framework\n@functions_framework.http\ndef hello(r): ...\n"},
        web=(
            f"functions-framework --source main.py --target hello --host {HOST} --port {PORT}",
            "main.py:2",
        ),
    ),
    _app(
        "fastmcp: stdio by default",
        "fastmcp mcp starlette uvicorn",
        {
            "my_server.py": "from fastmcp import FastMCP\nmcp = FastMCP('demo')\n"
            f"{_MAIN}    mcp.run()\n"
        },
        web=(
            f"fastmcp run my_server.py:mcp --transport http --host {HOST} --port {PORT}",
            "my_server.py:2",
        ),
    ),
    _app(
        "mcp: the SDK's server",
        "mcp starlette uvicorn",
        {
            "server.py": "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('demo')\n"
            f"{_MAIN}    mcp.run(transport='streamable-http')\n"
        },
        web=(
            f"uvicorn --factory --host {HOST} --port {PORT} server:mcp.streamable_http_app",
            "server.py:2",
        ),
    ),
    _app(
        "tornado: options",
        "tornado",
        {
            "app.py": "import tornado.web\nfrom tornado.options import define\n"
            "define('port', default=8888)\ntornado.web.Application([]).listen(1)\n"
        },
        web=(f"python app.py --port={PORT}", "app.py:4"),
    ),
    _app(
        "grpc: the server of its examples",
        "grpcio",
        {
            "greeter_server.py": "import os\nimport grpc\nserver = grpc.server(None)\n"
            "server.add_insecure_port('[::]:' + os.environ['PORT'])\n"
        },
        web=("python greeter_server.py", "greeter_server.py:3"),
    ),
    _app(
        "litellm: proxy",
        "litellm fastapi uvicorn",
        {"config.yaml": "model_list:\n  - model_name: x\n"},
        web=(f"litellm --config config.yaml --host {HOST} --port {PORT}", "config.yaml:0"),
    ),
    _app(
        "datasette",
        "datasette uvicorn",
        {"data.db": ""},
        web=(f"datasette serve data.db --host {HOST} --port {PORT}", "data.db:0"),
    ),
    _app(
        "voila",
        "voila notebook",
        {"Dashboard.ipynb": "{}"},
        web=(
            f"voila Dashboard.ipynb --no-browser --Voila.ip={HOST} --port={PORT}",
            "Dashboard.ipynb:0",
        ),
    ),
    _app(
        "notebook, which installs jupyterlab",
        "notebook jupyterlab",
        {"page.ipynb": "{}"},
        web=(f"jupyter notebook --no-browser --ip={HOST} --port={PORT}", "page.ipynb:0"),
    ),
    _app(
        "jupyterlab",
        "jupyterlab",
        {"page.ipynb": "{}"},
        web=(f"jupyter lab --no-browser --ip={HOST} --port={PORT}", "page.ipynb:0"),
    ),
    _app(
        "mlflow alone",
        "mlflow flask gunicorn",
        {"README.md": ""},
        web=(
            f'mlflow server --host {HOST} --port {PORT} --workers "${{WEB_CONCURRENCY:-1}}"',
            "the app's packages:0",
        ),
    ),
    _app(
        "program with options",
        "httptools",
        {
            "main.py": "import argparse\nparser = argparse.ArgumentParser()\n"
            "parser.add_argument('--host')\nparser.add_argument('-p', '--port', type=int)\n"
            f"{_MAIN}    print(parser.parse_args())\n"
        },
        web=(f"python main.py --host {HOST} --port {PORT}", "main.py:5"),
    ),
    _app(
        "program of the app's own project",
        "shop click",
        {
            "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"
            "[project.gui-scripts]\nwindow = 'shop:window'\n"
            "[project.scripts]\nshop = 'shop:main'\nshop-admin = 'shop:admin'\n",
            "src/shop/__init__.py": "def main(): ...\n",
        },
        web=("shop", "pyproject.toml:7"),
    ),
    _app(
        "package with __main__.py in src",
        "httpx",
        {"src/shop/__init__.py": "", "src/shop/__main__.py": "from .core import main\nmain()\n"},
        web=("python -m shop", "src/shop/__main__.py:2", "src"),
    ),
)

WORKER_APPS = (
    _app(
        "celery: tasks.py with a schedule",
        "celery",
        {
            "tasks.py": "from celery import Celery\napp = Celery('tasks')\n"
            "app.conf.beat_schedule = {}\n"
        },
        worker=("celery --app tasks worker --loglevel INFO", "tasks.py:2"),
        beat=(
            (
                "celery --app tasks beat --loglevel INFO"
                ' --schedule "${TMPDIR:-/tmp}/celerybeat-schedule"'
            ),
            "tasks.py:2",
        ),
    ),
    _app(
        "celery: make_celery.py of Flask's documentation",
        "flask gunicorn celery",
        {
            "make_celery.py": "import celery\nfrom task_app import create_app\n"
            "flask_app = create_app()\ncelery_app = flask_app.extensions['celery']\n",
            "task_app/__init__.py": "from celery import Celery, Task\nfrom flask import Flask\n"
            "def create_app():\n    app = Flask(__name__)\n    return app\n",
        },
        web=("gunicorn make_celery:flask_app", "make_celery.py:3"),
        worker=(
            "celery --app make_celery:celery_app worker --loglevel INFO",
            "make_celery.py:4",
        ),
    ),
    _app(
        "rq: queues of the code",
        "flask gunicorn rq",
        {"app.py": f"{_FLASK}from rq import Queue\nq = Queue('mail', connection=None)\n"},
        web=("gunicorn app:app", "app.py:2"),
        worker=('rq worker --url "${REDIS_URL:-redis://localhost:6379}" mail', "app.py:4"),
    ),
    _app(
        "rq: own worker program",
        "flask gunicorn rq",
        {
            "app.py": _FLASK,
            "worker.py": f"from rq import Worker\n{_MAIN}    Worker(['default']).work()\n",
        },
        web=("gunicorn app:app", "app.py:2"),
        worker=("python worker.py", "worker.py:3"),
    ),
    _app(
        "dramatiq",
        "dramatiq",
        {"count.py": "import dramatiq\n@dramatiq.actor\ndef count(url): ...\n"},
        worker=("dramatiq count", "count.py:2"),
    ),
    _app(
        "huey",
        "huey",
        {"demo.py": "from huey import RedisHuey\nhuey = RedisHuey('demo')\n"},
        worker=("python -m huey.bin.huey_consumer demo.huey", "demo.py:2"),
    ),
    _app(
        "arq",
        "arq",
        {"demo.py": "from arq import cron\nclass WorkerSettings:\n    functions = []\n"},
        worker=("arq demo.WorkerSettings", "demo.py:2"),
    ),
    _app(
        "taskiq",
        "taskiq taskiq-redis",
        {
            "tkq.py": "from taskiq_redis import ListQueueBroker\nfrom taskiq import "
            "TaskiqScheduler\nbroker = ListQueueBroker('x')\nscheduler = TaskiqScheduler(broker)\n"
        },
        worker=("taskiq worker tkq:broker", "tkq.py:3"),
        scheduler=("taskiq scheduler tkq:scheduler", "tkq.py:4"),
    ),
    _app(
        "procrastinate",
        "procrastinate",
        {"tutorial.py": "import procrastinate\napp = procrastinate.App(connector=None)\n"},
        worker=("python -m procrastinate --app=tutorial.app worker", "tutorial.py:2"),
    ),
    _app(
        "faust",
        "faust-streaming",
        {"example.py": "import faust\napp = faust.App('hello')\n"},
        worker=("faust --app example:app worker --loglevel info --without-web", "example.py:2"),
    ),
    _app(
        "discord.py",
        "discord-py",
        {"bot.py": "import discord\nclient = discord.Client()\nclient.run('x')\n"},
        worker=("python bot.py", "bot.py:3"),
    ),
    _app(
        "discord.py with keep_alive.py",
        "discord-py flask gunicorn",
        {
            "main.py": "import discord\nfrom keep_alive import keep_alive\nkeep_alive()\n"
            "discord.Client().run('x')\n",
            "keep_alive.py": f"{_FLASK}def keep_alive(): ...\n",
        },
        worker=("python main.py", "main.py:4"),
    ),
    _app(
        "python-telegram-bot",
        "python-telegram-bot",
        {"echobot.py": _TELEGRAM},
        worker=("python echobot.py", "echobot.py:3"),
    ),
    _app(
        "aiogram in a package",
        "aiogram aiohttp",
        {
            "bot/__init__.py": "",
            "bot/__main__.py": "from aiogram import Dispatcher\nDispatcher().start_polling()\n",
        },
        worker=("python -m bot", "bot/__main__.py:2"),
    ),
    _app(
        "slack-bolt in socket mode",
        "slack-bolt",
        {
            "app.py": "from slack_bolt import App\napp = App()\n"
            f"{_MAIN}    SocketModeHandler(app).start()\n"
        },
        worker=("python app.py", "app.py:4"),
    ),
    _app(
        "apscheduler beside a web app",
        "flask gunicorn apscheduler",
        {
            "app.py": _FLASK,
            "clock.py": "from apscheduler.schedulers.blocking import BlockingScheduler\n"
            "BlockingScheduler().start()\n",
        },
        web=("gunicorn app:app", "app.py:2"),
        worker=("python clock.py", "clock.py:2"),
    ),
    _app(
        "apscheduler beside Celery",
        "celery apscheduler",
        {
            "tasks.py": "from celery import Celery\napp = Celery()\n",
            "clock.py": "from apscheduler.schedulers.blocking import BlockingScheduler\n"
            "BlockingScheduler().start()\n",
        },
        worker=("celery --app tasks worker --loglevel INFO", "tasks.py:2"),
        clock=("python clock.py", "clock.py:2"),
    ),
)
START_APPS = (*DJANGO_APPS, *OBJECT_APPS, *PROGRAM_APPS, *WORKER_APPS)
