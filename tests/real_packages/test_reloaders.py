"""Images for development: each server starts the app again when its code changes.

The code is mounted over that of the image, as docs/how-to/test-image.md shows.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built
from tests.support.trees import Files, write_files
from tools.platforms.sandbox import Bind
from tools.platforms.serving import Served
from tools.processes import Unavailable

DEVELOPMENT = {"BP_PYTHON_EXEC_ENV": "development"}
# Watchers without inotify look at the files every second, and servers import the app again.
PATIENCE = 30.0
SETTLED = 2.0
FLASK = """\
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "one"
"""
QUART = FLASK.replace("flask", "quart").replace("Flask", "Quart").replace("def ", "async def ")
FASTAPI = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return "one"
"""
LITESTAR = """\
from litestar import Litestar, get


@get("/", media_type="text/plain", sync_to_thread=False)
def index() -> str:
    return "one"


app = Litestar([index])
"""
SANIC = """\
from sanic import Sanic, text

app = Sanic("shop")


@app.get("/")
async def index(request):
    return text("one")
"""
AIOHTTP = """\
from aiohttp import web


async def index(request):
    return web.Response(text="one")


app = web.Application()
app.router.add_get("/", index)
"""
DJANGO: Files = {
    "manage.py": """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
""",
    "shop/__init__.py": "",
    "shop/settings.py": """\
SECRET_KEY = "a"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["*"]
WSGI_APPLICATION = "shop.wsgi.application"
""",
    "shop/urls.py": """\
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("one"))]
""",
    "shop/wsgi.py": """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
""",
}
DASH = """\
from dash import Dash, html

app = Dash(__name__)
app.layout = html.Div("shop")
server = app.server


@server.get("/name")
def name():
    return "one"
"""


BOKEH = """\
from bokeh.io import curdoc
from bokeh.models import Div

curdoc().add_root(Div(text="shop"))
curdoc().title = "one"
"""
PANEL = """\
import panel as pn

pn.Column("shop").servable(title="one")
"""
FASTMCP = """\
from fastmcp import FastMCP
from starlette.responses import PlainTextResponse

mcp = FastMCP("shop")


@mcp.custom_route("/", methods=["GET"])
async def index(request):
    return PlainTextResponse("one")
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An app, and what starts it."""

    id: str
    files: Files
    requirements: str
    command: str
    """A part of the command of the process `web`."""
    path: str = "/"


CASES = (
    Case("runserver", DJANGO, "django", "manage.py runserver"),
    Case("django-gunicorn", DJANGO, "django gunicorn", "gunicorn --reload"),
    Case("flask", {"app.py": FLASK}, "flask", "--debug"),
    Case("gunicorn", {"app.py": FLASK}, "flask gunicorn", "gunicorn --reload"),
    Case("uwsgi", {"app.py": FLASK}, "flask pyuwsgi", "--debug"),
    Case("waitress", {"app.py": FLASK}, "flask waitress", "--debug"),
    Case("granian", {"app.py": FLASK}, "flask granian watchfiles", "granian --reload"),
    Case("dash", {"app.py": DASH}, "dash gunicorn", "gunicorn --reload", "/name"),
    Case("uvicorn", {"app.py": FASTAPI}, "fastapi uvicorn", "uvicorn --reload"),
    Case("uvicorn-standard", {"app.py": FASTAPI}, "fastapi uvicorn[standard]", "uvicorn --reload"),
    Case(
        "gunicorn-uvicorn",
        {"app.py": FASTAPI},
        "fastapi gunicorn uvicorn-worker",
        "uvicorn --reload",
    ),
    Case("gunicorn-asgi", {"app.py": FASTAPI}, "fastapi gunicorn", "--worker-class asgi"),
    Case("hypercorn", {"app.py": FASTAPI}, "fastapi hypercorn", "hypercorn --reload"),
    Case("granian-asgi", {"app.py": FASTAPI}, "fastapi granian watchfiles", "granian --reload"),
    Case("quart", {"app.py": QUART}, "quart", "hypercorn --reload"),
    Case("litestar", {"app.py": LITESTAR}, "litestar uvicorn", "uvicorn --reload"),
    Case("sanic", {"app.py": SANIC}, "sanic", "sanic app:app"),
    Case("aiohttp", {"app.py": AIOHTTP}, "aiohttp gunicorn", "gunicorn --reload"),
    Case("bokeh", {"app.py": BOKEH}, "bokeh", "--dev app.py", "/app"),
    Case("panel", {"app.py": PANEL}, "panel", "--dev", "/app"),
    Case("fastmcp", {"app.py": FASTMCP}, "fastmcp", "--reload"),
)


@pytest.fixture
def image(builds: Builds, flask: Built) -> Callable[[Path], Built]:
    def build(directory: Path) -> Built:
        built = builds.image(directory, flask, env=DEVELOPMENT)
        assert built.code == 0, built.output
        return built

    return build


def becomes(served: Served, path: str, text: str) -> bool:
    """Return whether the response at *path* has *text* in time. Between, nothing may listen."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if text in served.fetch(path, PATIENCE):
                return True
        except Unavailable:
            return False
        except OSError:
            pass
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_changed_code_gives_another_answer(
    image: Callable[[Path], Built], tmp_path: Path, case: Case
) -> None:
    requirements = "\n".join(case.requirements.split())
    directory = write_files(tmp_path / "app", {**case.files, "requirements.txt": requirements})
    directory.chmod(0o755)
    built = image(directory)
    processes = built.labels()["io.buildpacks.build.metadata"]["processes"]
    (web,) = (" ".join(each["command"]) for each in processes if each["type"] == "web")
    assert case.command in web
    mounted = Bind(directory, "/workspace", writable=True)
    file = next(directory / name for name, text in case.files.items() if '"one"' in str(text))

    with built.serve(binds=(mounted,), writable_tmp=True) as served:
        assert "one" in served.fetch(case.path, 2 * PATIENCE)
        # Those of Sanic and Django take what they read first, after the start, for the old code.
        time.sleep(SETTLED)
        file.write_text(file.read_text().replace('"one"', '"two"'))
        assert becomes(served, case.path, "two"), served.output
        assert served.stop() is not None, served.output
