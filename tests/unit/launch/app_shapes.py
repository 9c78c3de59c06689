"""Further small apps, in shapes that public projects have, and their processes."""

from tests.support.trees import Files
from tests.unit.launch.start_apps import HOST, PORT, UVICORN, Expected, StartApp

_MAIN = "if __name__ == '__main__':\n"
_FLASK = "from flask import Flask\napp = Flask(__name__)\n"
_FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
_FACTORY = "from flask import Flask\ndef create_app(name='dev'):\n    return Flask(name)\n"
_WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
_MIGRATE = "python manage.py migrate --noinput"


def _app(
    name: str, installed: str, files: Files, **expected: tuple[str, str] | tuple[str, str, str]
) -> StartApp:
    return StartApp(
        name, files, installed, {kind: Expected(*row) for kind, row in expected.items()}
    )


def _manage(settings: str) -> str:
    return (
        "import os, sys\nfrom django.core.management import execute_from_command_line\n"
        f"os.environ.setdefault('DJANGO_SETTINGS_MODULE', {settings})\n"
        "execute_from_command_line(sys.argv)\n"
    )


_PLACES = (
    _app(
        "fastapi: two directories down, without __init__.py",
        "fastapi starlette uvicorn",
        {
            "services/orders/app/main.py": f"from app.settings import PORT\n{_FASTAPI}",
            "services/orders/app/settings.py": "PORT = 1\n",
        },
        web=(f"{UVICORN} app.main:app", "services/orders/app/main.py:3", "services/orders"),
    ),
    _app(
        "a program that listens, before an app two directories down",
        "flask gunicorn",
        {
            "main.py": "import os\nfrom http.server import HTTPServer\n"
            "HTTPServer(('', int(os.environ['PORT'])), None).serve_forever()\n",
            "scripts/mock/server/app.py": _FLASK,
        },
        web=("python main.py", "main.py:3"),
        console=(
            "flask --app app:app shell",
            "scripts/mock/server/app.py:2",
            "scripts/mock/server",
        ),
    ),
    _app(
        "sanic: app.py in app/, whose modules import each other by name",
        "sanic",
        {
            "app/app.py": "from sanic import Sanic\napp = Sanic('shop')\n",
            "app/server.py": "from app import app\nfrom routes import pages\n"
            "app.blueprint(pages)\ndef serve():\n    app.run(port=1)\n",
            "app/routes.py": "pages = None\n",
        },
        web=(
            f"sanic server:app --host={HOST} --port={PORT} --single-process",
            "app/server.py:5",
            "app",
        ),
    ),
    _app(
        "django: manage.py two directories down",
        "django gunicorn",
        {
            "server/src/manage.py": _manage("'shop.settings'"),
            "server/src/shop/settings.py": "WSGI_APPLICATION = 'shop.wsgi.application'\n",
            "server/src/shop/wsgi.py": _WSGI,
        },
        web=("gunicorn shop.wsgi:application", "server/src/shop/settings.py:1", "server/src"),
        release=(_MIGRATE, "server/src/manage.py:3", "server/src"),
    ),
    _app(
        "django: settings chosen by a variable, in a directory without __init__.py",
        "django gunicorn django-q2",
        {
            "manage.py": _manage("f\"config.settings.{os.environ['STAGE']}\""),
            "config/settings/dev.py": "INSTALLED_APPS = ['django_q']\n",
            "config/wsgi.py": _WSGI,
        },
        web=("gunicorn config.wsgi:application", "manage.py:3"),
        worker=("python manage.py qcluster", "manage.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "django: asgi.py mounts it in a FastAPI app",
        "django gunicorn fastapi starlette uvicorn",
        {
            "manage.py": _manage("'shop.settings'"),
            "shop/__init__.py": "",
            "shop/settings.py": "WSGI_APPLICATION = 'shop.wsgi.application'\n",
            "shop/wsgi.py": _WSGI,
            "shop/asgi.py": "from django.core.asgi import get_asgi_application\n"
            "from fastapi import FastAPI\napi = FastAPI()\n"
            "api.mount('/', get_asgi_application())\n",
        },
        web=(f"{UVICORN} shop.asgi:api", "shop/asgi.py:3"),
        release=(_MIGRATE, "manage.py:3"),
    ),
    _app(
        "flask: a package with a module of its own name",
        "flask gunicorn",
        {
            "shop/__init__.py": "",
            "shop/db.py": "DATABASE = ''\n",
            "shop/shop.py": f"from shop.db import DATABASE\n{_FLASK}",
        },
        web=("gunicorn shop.shop:app", "shop/shop.py:3"),
        console=("flask --app shop.shop:app shell", "shop/shop.py:3"),
    ),
    _app(
        "fastapi: a package with a module of its own name, without __init__.py",
        "fastapi starlette uvicorn",
        {
            "shop/db.py": "DATABASE = ''\n",
            "shop/shop.py": f"from shop.db import DATABASE\n{_FASTAPI}",
        },
        web=(f"{UVICORN} shop.shop:app", "shop/shop.py:3"),
    ),
)

_STARTERS = (
    _app(
        "dash: index.py gives the app its layout",
        "dash flask gunicorn",
        {
            "app.py": "import dash\napp = dash.Dash(__name__)\nserver = app.server\n",
            "index.py": "from app import app, server\nfrom pages import home\n"
            f"app.layout = home\n{_MAIN}    app.run(debug=True)\n",
            "pages.py": "home = None\n",
        },
        web=("gunicorn index:server", "index.py:5"),
    ),
    _app(
        "flask: main.py imports the app from the module of its routes",
        "flask gunicorn",
        {
            "main.py": f"from shop.routes import app\n{_MAIN}    app.run(port=1)\n",
            "shop/__init__.py": _FLASK,
            "shop/routes.py": "from shop import app\n@app.route('/')\ndef home(): ...\n",
        },
        web=("gunicorn main:app", "main.py:3"),
        console=("flask --app main:app shell", "main.py:3"),
    ),
    _app(
        "flask: run.py only starts the app",
        "flask gunicorn flask-socketio",
        {
            "run.py": f"from shop import app, sockets\n{_MAIN}    sockets.run(app)\n",
            "shop/__init__.py": f"from flask_socketio import SocketIO\n{_FLASK}"
            "sockets = SocketIO(app)\n",
        },
        web=("gunicorn --workers 1 --threads 100 shop:app", "shop/__init__.py:3"),
    ),
    _app(
        "fastapi: uvicorn.run(app='...') in a program",
        "fastapi starlette uvicorn flask",
        {
            "run.py": f"import uvicorn\n{_MAIN}    uvicorn.run(app='shop.web:site', port=1)\n",
            "shop/web.py": "from fastapi import FastAPI\nsite = FastAPI()\n",
        },
        web=(f"{UVICORN} shop.web:site", "run.py:3"),
    ),
    _app(
        "fastapi: an app of Gradio is mounted",
        "fastapi starlette uvicorn gradio",
        {
            "main.py": "import gradio as gr\nfrom fastapi import FastAPI\nsite = FastAPI()\n"
            "app = gr.mount_gradio_app(site, gr.Blocks(), path='/demo')\n"
        },
        web=(f"{UVICORN} main:app", "main.py:4"),
    ),
    _app(
        "flask: starts a server when it is imported",
        "flask gunicorn",
        {"app.py": f"{_FLASK}app.run(debug=True)\n"},
        web=("FLASK_RUN_FROM_CLI=true gunicorn app:app", "app.py:2"),
    ),
    _app(
        "fastapi: starts a server when it is imported",
        "fastapi starlette uvicorn",
        {"main.py": f"import uvicorn\n{_FASTAPI}uvicorn.run(app, host='0.0.0.0')\n"},
        web=("python main.py", "main.py:3"),
    ),
    _app(
        "bottle: starts a server under a condition when it is imported",
        "bottle gunicorn",
        {
            "app.py": "import os\nfrom bottle import Bottle\napp = Bottle()\n"
            "if os.environ.get('PORT'):\n    app.run(port=int(os.environ['PORT']))\n"
        },
        web=("python app.py", "app.py:3"),
    ),
    _app(
        "bottle: its own server, and no other is installed",
        "bottle",
        {
            "app.py": "import bottle\napp = bottle.default_app()\n"
            f"{_MAIN}    bottle.run(app, port=1)\n"
        },
        web=("python app.py", "app.py:2"),
    ),
    _app(
        "dash: run.py only starts the app of a package",
        "dash flask gunicorn",
        {
            "run.py": f"from board.app import app\n{_MAIN}    app.run(debug=True)\n",
            "board/__init__.py": "",
            "board/app.py": "import dash\napp = dash.Dash(__name__)\nserver = app.server\n",
        },
        web=("gunicorn board.app:server", "board/app.py:3"),
    ),
    _app(
        "dash: main.py gives the app of a package its layout, without its Flask app",
        "dash flask gunicorn",
        {
            "main.py": "from board.app import app\nfrom board.pages import home\n"
            f"app.layout = home\n{_MAIN}    app.run()\n",
            "board/__init__.py": "",
            "board/app.py": "import dash\napp = dash.Dash(__name__)\nserver = app.server\n",
            "board/pages.py": "home = None\n",
        },
        web=(f"HOST={HOST} PORT={PORT} python main.py", "main.py:5"),
    ),
    _app(
        "dash: without a name for its Flask app",
        "dash flask gunicorn",
        {"app.py": f"from dash import Dash\napp = Dash(__name__)\n{_MAIN}    app.run()\n"},
        web=(f"HOST={HOST} PORT={PORT} python app.py", "app.py:4"),
    ),
    _app(
        "flask: starts the server of another package when it is imported",
        "flask waitress",
        {"app.py": f"from waitress import serve\n{_FLASK}serve(app, port=8080)\n"},
        web=("python app.py", "app.py:3"),
    ),
    _app(
        "flask: .flaskenv names the module that creates the app",
        "flask gunicorn",
        {
            ".flaskenv": "FLASK_APP=app.py\n",
            "app.py": _FLASK,
            "index.py": f"from app import app\napp.testing = True\n{_MAIN}    app.run()\n",
        },
        web=("gunicorn app:app", "app.py:2"),
    ),
    _app(
        "flask: a program for development completes the app",
        "flask gunicorn",
        {
            "app.py": _FLASK,
            "run_dev.py": f"from app import app\napp.debug = True\n{_MAIN}    app.run()\n",
        },
        web=("gunicorn app:app", "app.py:2"),
    ),
    _app(
        "flask: a script in another directory completes the app",
        "flask gunicorn",
        {
            "web/__init__.py": "",
            "web/app.py": _FLASK,
            "scripts/demo.py": "from web.app import app\napp.testing = True\n"
            f"{_MAIN}    app.run()\n",
        },
        web=("gunicorn web.app:app", "web/app.py:2"),
        console=("flask --app web.app:app shell", "web/app.py:2"),
    ),
)

_PROGRAMS = (
    _app(
        "grpc: main.py starts the server of a package",
        "grpcio",
        {
            "main.py": f"from shop.server import Server\n{_MAIN}    Server().serve()\n",
            "shop/server.py": "import grpc\nclass Server:\n    def serve(self):\n"
            "        grpc.server(None).start()\n",
        },
        web=("python main.py", "shop/server.py:4"),
    ),
    _app(
        "gradio: app.py launches what a module of src launches by itself too",
        "gradio fastapi starlette uvicorn",
        {
            "app.py": "from src.ui import demo\ndemo.launch()\n",
            "src/ui.py": f"import gradio as gr\ndemo = gr.Blocks()\n{_MAIN}    demo.launch()\n",
        },
        web=("python app.py", "src/ui.py:4"),
    ),
    _app(
        "aiohttp: the port is a positional argument",
        "aiohttp",
        {
            "server.py": "import argparse\nfrom aiohttp import web\n"
            "parser = argparse.ArgumentParser()\nparser.add_argument('port', type=int)\n"
            f"{_MAIN}    web.run_app(web.Application(), port=parser.parse_args().port)\n"
        },
        web=(f"python server.py {PORT}", "server.py:6"),
    ),
    _app(
        "aiohttp: positional arguments have the order of their definitions",
        "aiohttp",
        {
            "server.py": "import argparse\nfrom aiohttp import web\n"
            "parser = argparse.ArgumentParser()\n"
            "parser.add_argument('port')\nparser.add_argument('host')\n"
            f"{_MAIN}    web.run_app(web.Application(), **vars(parser.parse_args()))\n"
        },
        web=(f"python server.py {PORT} {HOST}", "server.py:7"),
    ),
    _app(
        "tornado: another module defines the option",
        "tornado",
        {
            "main.py": "import tornado.web\nfrom options import options\n"
            f"{_MAIN}    tornado.web.Application().listen(options.port)\n",
            "options.py": "from tornado.options import define, options\ndefine('port')\n",
        },
        web=(f"python main.py --port={PORT}", "main.py:4"),
    ),
    _app(
        "aiohttp: a subcommand has the option",
        "aiohttp click",
        {
            "main.py": "import click\nfrom aiohttp import web\n@click.group()\n"
            "def cli(): ...\n@cli.command()\n@click.option('--port')\ndef serve(port):\n"
            f"    web.run_app(web.Application(), port=port)\n{_MAIN}    cli()\n"
        },
        web=("python main.py", "main.py:8"),
    ),
    _app(
        "python-telegram-bot: webhook",
        "python-telegram-bot",
        {
            "web.py": "import os\nfrom shop_bot import application\n"
            f"{_MAIN}    application.run_webhook(port=int(os.environ['PORT']))\n",
            "shop_bot.py": "from telegram.ext import Application\n"
            "application = Application.builder().build()\n",
        },
        web=("python web.py", "web.py:4"),
    ),
    _app(
        "slack-bolt: over HTTP",
        "slack-bolt",
        {
            "app.py": "import os\nfrom slack_bolt import App\napp = App()\n"
            f"{_MAIN}    app.start(port=int(os.environ.get('PORT', 3000)))\n"
        },
        web=("python app.py", "app.py:5"),
    ),
    _app(
        "aiohttp: a command of click without subcommands has the option",
        "aiohttp click",
        {
            "main.py": "import click\nfrom aiohttp import web\n@click.command()\n"
            "@click.option('--port')\ndef serve(port):\n"
            f"    web.run_app(web.Application(), port=port)\n{_MAIN}    serve()\n"
        },
        web=(f"python main.py --port {PORT}", "main.py:6"),
    ),
)

_WORKERS = (
    _app(
        "aiogram: main.py polls with the bot of a package",
        "aiogram aiohttp",
        {
            "main.py": "import asyncio\nfrom bot import dp\n"
            f"{_MAIN}    asyncio.run(dp.start_polling())\n",
            "bot/__init__.py": "from aiogram import Dispatcher\ndp = Dispatcher()\n",
        },
        worker=("python main.py", "main.py:4"),
    ),
    _app(
        "discord.py: the web app has a bot",
        "discord-py fastapi starlette uvicorn",
        {
            "main.py": "import asyncio, discord, uvicorn\n"
            f"{_FASTAPI}bot = discord.Client()\n@app.on_event('startup')\n"
            "async def start():\n    asyncio.create_task(bot.start('x'))\n"
            f"{_MAIN}    uvicorn.run(app)\n"
        },
        web=(f"{UVICORN} main:app", "main.py:3"),
    ),
    _app(
        "apscheduler: a program that waits while the scheduler runs",
        "apscheduler flask gunicorn",
        {
            "app.py": _FLASK,
            "jobs.py": "import time\n"
            "from apscheduler.schedulers.background import BackgroundScheduler\n"
            f"{_MAIN}    BackgroundScheduler().start()\n    while True:\n        time.sleep(1)\n",
        },
        web=("gunicorn app:app", "app.py:2"),
        worker=("python jobs.py", "jobs.py:4"),
    ),
    _app(
        "apscheduler: the web app has a scheduler and a thread that waits",
        "apscheduler flask gunicorn",
        {
            "app.py": "from apscheduler.schedulers.background import BackgroundScheduler\n"
            f"{_FLASK}BackgroundScheduler().start()\ndef watch():\n    while True: ...\n"
        },
        web=("gunicorn app:app", "app.py:3"),
    ),
    _app(
        "celery: celery_worker.py imports the app of Celery beside a Flask app",
        "celery flask gunicorn",
        {
            "wsgi.py": "from shop import create_app\napp = create_app()\n",
            "shop/__init__.py": f"from celery import Celery\ncelery = Celery('x')\n{_FACTORY}",
            "celery_worker.py": "from shop import create_app, celery\n"
            "app = create_app()\napp.app_context().push()\n",
        },
        web=("gunicorn wsgi:app", "wsgi.py:2"),
        worker=(
            "celery --app celery_worker:celery worker --loglevel INFO",
            "celery_worker.py:1",
        ),
    ),
    _app(
        "celery: a factory of the app makes the app of Celery",
        "celery flask gunicorn",
        {
            "wsgi.py": "from shop import create_app\napp = create_app()\n",
            "shop/__init__.py": f"{_FACTORY}def make_celery(app):\n"
            "    from celery import Celery\n    return Celery(app.name)\n",
            "queue_app.py": "from shop import create_app, make_celery\n"
            "celery = make_celery(create_app())\n",
        },
        web=("gunicorn wsgi:app", "wsgi.py:2"),
        worker=("celery --app queue_app worker --loglevel INFO", "queue_app.py:2"),
    ),
    _app(
        "discord.py: a module of the web app sends messages",
        "discord-py flask gunicorn",
        {
            "main.py": f"from notify import send\n{_FLASK}{_MAIN}    app.run()\n",
            "notify.py": "import discord\ndef send():\n    discord.SyncWebhook.from_url('x')\n",
        },
        web=("gunicorn main:app", "main.py:3"),
        console=("flask --app main:app shell", "main.py:3"),
    ),
    _app(
        "python-telegram-bot: the module of the web app has a bot for its webhook",
        "python-telegram-bot flask gunicorn",
        {
            "run.py": f"from shop import app\n{_MAIN}    app.run()\n",
            "shop/__init__.py": f"from telegram import Bot\n{_FLASK}bot = Bot('x')\n",
        },
        web=("gunicorn shop:app", "shop/__init__.py:3"),
    ),
    _app(
        "discord.py: the program makes the bot with a function of the app",
        "discord-py",
        {
            "main.py": "import sys\nfrom shop.bot import make\n"
            f"{_MAIN}    bot = make()\n    bot.run('x')\n",
            "shop/bot.py": "import discord\ndef make():\n    return discord.Client()\n",
        },
        worker=("python main.py", "main.py:5"),
    ),
)
APP_SHAPES = (*_PLACES, *_STARTERS, *_PROGRAMS, *_WORKERS)
