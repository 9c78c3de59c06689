"""Frameworks and workers start with the commands that are found for them: one image with all."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.launch.found_processes import find_processes
from tests.support.builds import Builds, Built
from tests.support.trees import App, write_files

pytestmark = pytest.mark.thorough

_AIOHTTP = "from aiohttp import web\nasync def hello(request): return web.Response(text='Hello')\n"
# Module, the packages that count as installed for it, its code.
APPS = {
    "flask_app": (
        "flask gunicorn",
        (
            "from flask import Flask\nfrom werkzeug.middleware.proxy_fix import ProxyFix\n"
            "site = Flask(__name__)\nsite.route('/')(lambda: 'Hello')\nserved = ProxyFix(site)\n"
        ),
    ),
    "flask_dev": (
        "flask",
        (
            "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n"
            "    app.route('/')(lambda: 'Hello')\n    return app\n"
        ),
    ),
    "fastapi_app": (
        "fastapi uvicorn",
        (
            "from fastapi import FastAPI\ndef build() -> FastAPI:\n    api = FastAPI()\n"
            "    api.get('/')(lambda: 'Hello')\n    return api\n"
        ),
    ),
    "starlette_app": (
        "starlette hypercorn",
        (
            "from starlette.applications import Starlette\n"
            "from starlette.responses import PlainTextResponse\n"
            "from starlette.routing import Route\n"
            "app = Starlette(routes=[Route('/', lambda request: PlainTextResponse('Hello'))])\n"
        ),
    ),
    "quart_app": (
        "quart hypercorn",
        (
            "from quart import Quart\napp = Quart(__name__)\n"
            "@app.route('/')\nasync def hello(): return 'Hello'\n"
        ),
    ),
    "litestar_app": (
        "litestar uvicorn",
        (
            "from litestar import Litestar, get\n@get('/')\n"
            "async def hello() -> str: return 'Hello'\n"
            "app = Litestar([hello])\n"
        ),
    ),
    "falcon_app": (
        "falcon gunicorn",
        (
            "import falcon\nclass Hello:\n    def on_get(self, req, resp): resp.text = 'Hello'\n"
            "app = falcon.App()\napp.add_route('/', Hello())\n"
        ),
    ),
    "bottle_app": (
        "bottle gunicorn",
        "import bottle\nbottle.route('/')(lambda: 'Hello')\napplication = bottle.default_app()\n",
    ),
    "pyramid_app": (
        "pyramid waitress",
        (
            "from pyramid.config import Configurator\nfrom pyramid.response import Response\n"
            "config = Configurator()\nconfig.add_route('hello', '/')\n"
            "config.add_view(lambda request: Response('Hello'), route_name='hello')\n"
            "app = config.make_wsgi_app()\n"
        ),
    ),
    "sanic_app": (
        "sanic",
        (
            "from sanic import Sanic, text\napp = Sanic('hello')\n"
            "@app.get('/')\nasync def hello(request): return text('Hello')\n"
        ),
    ),
    "aiohttp_app": (
        "aiohttp gunicorn",
        f"{_AIOHTTP}app = web.Application()\napp.router.add_get('/', hello)\n",
    ),
    "aiohttp_program": (
        "aiohttp",
        (
            f"import os\n{_AIOHTTP}application = web.Application()\n"
            "application.router.add_get('/', hello)\n"
            "if __name__ == '__main__':\n"
            "    web.run_app(application, port=int(os.environ['PORT']))\n"
        ),
    ),
    "tornado_app": (
        "tornado",
        (
            "import asyncio\nimport tornado.web\nfrom tornado.options import define, options\n"
            "define('port', default=8888)\n"
            "class Hello(tornado.web.RequestHandler):\n    def get(self): self.write('Hello')\n"
            "async def main():\n    options.parse_command_line()\n"
            "    tornado.web.Application([('/', Hello)]).listen(options.port)\n"
            "    await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        ),
    ),
    "cherrypy_app": (
        "cherrypy",
        (
            "import os\nimport cherrypy\nclass Hello:\n    @cherrypy.expose\n"
            "    def index(self): return 'Hello'\n"
            "cherrypy.config.update({'server.socket_host': '0.0.0.0',\n"
            "    'server.socket_port': int(os.environ['PORT'])})\ncherrypy.quickstart(Hello())\n"
        ),
    ),
    "nicegui_app": (
        "nicegui",
        (
            "import os\nfrom nicegui import ui\n@ui.page('/')\ndef home(): ui.label('Hello')\n"
            "ui.run(port=int(os.environ['PORT']), reload=False, show=False)\n"
        ),
    ),
    "shiny_app": (
        "shiny",
        "from shiny.express import ui\nui.h1('Hello')\nui.page_opts(title='Hello')\n",
    ),
    "streamlit_app": ("streamlit", "import streamlit as st\nst.title('Hello')\n"),
    "mcp_app": (
        "mcp starlette uvicorn",
        (
            "from mcp.server.mcpserver import MCPServer\n"
            "from starlette.responses import PlainTextResponse\n"
            "server = MCPServer('hello')\n"
            "@server.custom_route('/', methods=['GET'])\n"
            "async def hello(request): return PlainTextResponse('Hello')\n"
        ),
    ),
    "fasthtml_app": (
        "python-fasthtml uvicorn",
        (
            "from fasthtml.common import *\napp, rt = fast_app(secret_key='x')\n"
            "@rt('/')\ndef home(): return P('Hello')\n"
        ),
    ),
    "functions_app": (
        "functions-framework",
        (
            "import functions_framework\n@functions_framework.http\n"
            "def hello(request): return 'Hello'\n"
        ),
    ),
    "robyn_app": (
        "robyn",
        (
            "from robyn import Robyn\napp = Robyn(__file__)\n"
            "@app.get('/')\nasync def hello(request): return 'Hello'\n"
            "if __name__ == '__main__':\n    app.start(port=8080)\n"
        ),
    ),
}
WORKERS = {
    "celery_worker": (
        "celery",
        "from celery import Celery\napp = Celery('shop', broker='memory://')\n",
    ),
    "huey_worker": (
        "huey",
        "from huey import MemoryHuey\nhuey = MemoryHuey('shop', immediate=False)\n",
    ),
    "clock_worker": (
        "apscheduler",
        (
            "from apscheduler.schedulers.blocking import BlockingScheduler\n"
            "clock = BlockingScheduler()\n"
            "clock.add_job(lambda: print('Tick', flush=True), 'interval', seconds=1)\n"
            "print('Started', flush=True)\nclock.start()\n"
        ),
    ),
}
# What a worker prints when it is ready.
READY = {
    "celery_worker": " ready.",
    "huey_worker": "Huey consumer started",
    "clock_worker": "Started",
}
# Their pages are made by JavaScript.
EXPECTED = {"streamlit_app": "Streamlit"}


def commands(directory: Path) -> Mapping[str, str]:
    """Return the command of `web` or `worker` that is found, by the name of the module."""
    texts = {}
    for name, (packages, code) in (APPS | WORKERS).items():
        app = read_app(write_files(directory / name, {f"{name}.py": code}))
        processes = find_processes(app, dict.fromkeys(packages.split(), "99.0"))
        kind = "web" if name in APPS else "worker"
        texts[name] = next(each.command for each in processes.processes if each.type == kind)
    return texts


@pytest.fixture(scope="module")
def every_app(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An image with all apps and packages; a process for each, named by its module."""
    packages = {name for names, _ in (APPS | WORKERS).values() for name in names.split()}
    files = {f"{name}.py": code for name, (_, code) in (APPS | WORKERS).items()}
    files["requirements.txt"] = "".join(f"{name}\n" for name in sorted(packages))
    directory = tmp_path_factory.mktemp("found")
    lines = "\n".join(f"{name}: {text}" for name, text in commands(directory).items())
    variables = {"BP_PYTHON_PROCESSES": lines, "BP_PYTHON_INSTALLER": "uv"}
    built = builds.image(write_files(directory / "app", files), env=variables)
    assert built.code == 0, built.output
    return built


@pytest.mark.parametrize("name", APPS)
def test_found_command_serves_and_stops(every_app: Built, name: str) -> None:
    with every_app.serve(name) as served:
        assert EXPECTED.get(name, "Hello") in served.fetch(patience=60)
        assert served.stop() is not None, served.output


@pytest.mark.parametrize("name", ["flask_app", "flask_dev", "fastapi_app", "quart_app"])
def test_found_command_listens_on_ipv6(every_app: Built, name: str) -> None:
    with every_app.serve(name, env={"BPL_PYTHON_HOST": "::"}) as served:
        assert "Hello" in replace(served, host="[::1]").fetch(patience=60)
        assert served.stop() is not None, served.output


@pytest.mark.parametrize("name", WORKERS)
def test_found_worker_starts_and_stops(every_app: Built, name: str) -> None:
    with every_app.serve(name) as served:
        assert served.wrote(READY[name], patience=60), served.output
        assert served.stop() is not None, served.output


def test_app_without_requirements_is_built_and_starts(builds: Builds, app: App) -> None:
    code = (
        "import os\nfrom http.server import HTTPServer, SimpleHTTPRequestHandler\n"
        "HTTPServer(('', int(os.environ['PORT'])), SimpleHTTPRequestHandler).serve_forever()\n"
    )
    built = builds.image(app({"main.py": code}))

    assert built.code == 0, built.output
    assert "The app names no packages" in built.output
    with built.serve() as served:
        assert "main.py" in served.fetch()
        assert served.stop() is not None


def test_image_without_a_process_prints_what_to_add(builds: Builds, app: App) -> None:
    built = builds.image(app({"requirements.txt": "", "shop/__init__.py": ""}))

    assert built.code == 0, built.output
    with built.serve() as served:
        assert served.process.wait(30) == 78
        assert "[tool.cnb-python.processes]" in served.output
