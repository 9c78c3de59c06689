"""Small web apps, one for each framework and server of the tables: see `found_commands`."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

from tests.support.found_commands import Sample

_AIOHTTP = "from aiohttp import web\nasync def hello(request): return web.Response(text='Hello')\n"
_FASTMCP = (
    "from fastmcp import FastMCP\nfrom starlette.responses import PlainTextResponse\n"
    "server = FastMCP('hello')\n@server.custom_route('/', methods=['GET'])\n"
    "async def hello(request): return PlainTextResponse('Hello')\n"
)
_MCP = (
    "from mcp.server.mcpserver import MCPServer\n"
    "from starlette.responses import PlainTextResponse\nserver = MCPServer('hello')\n"
    "@server.custom_route('/', methods=['GET'])\n"
    "async def hello(request): return PlainTextResponse('Hello')\n"
)
_ASGI = (
    "async def hello(scope, receive, send):\n"
    "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
    "    await send({'type': 'http.response.body', 'body': b'Hello'})\n"
)
_MESOP = "import mesop as me\n@me.page(path='/', title='Hello')\ndef home(): me.text('Hello')\n"
# The packages that count as installed, and the code of the module.
_PROGRAMS: Mapping[str, tuple[str, str]] = {
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
    "mcp_app": ("mcp starlette uvicorn", _MCP),
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
# Further ones, whose packages would double the time of the image: `make frameworks`.
_FURTHER: Mapping[str, tuple[str, str]] = {
    "apiflask_app": (
        "apiflask waitress",
        (
            "from apiflask import APIFlask\napp = APIFlask(__name__)\n"
            "@app.get('/')\ndef hello(): return 'Hello'\n"
        ),
    ),
    "openapi3_app": (
        "flask-openapi3 gunicorn",
        (
            "from flask_openapi3 import Info, OpenAPI\n"
            "app = OpenAPI(__name__, info=Info(title='Shop', version='1'))\n"
            "@app.get('/')\ndef hello(): return 'Hello'\n"
        ),
    ),
    "connexion_app": (
        "connexion uvicorn",
        (
            "from connexion import AsyncApp\ndef hello(request): return 'Hello'\n"
            "app = AsyncApp(__name__)\napp.add_url_rule('/', 'hello', hello)\n"
        ),
    ),
    "dash_app": (
        "dash gunicorn",
        (
            "from dash import Dash, html\napp = Dash(__name__, title='Hello')\n"
            "app.layout = html.P('Hello')\nserver = app.server\n"
        ),
    ),
    "cherrypy_object": (
        "cherrypy gunicorn",
        (
            "import cherrypy\nclass Hello:\n    @cherrypy.expose\n"
            "    def index(self): return 'Hello'\n"
            "cherrypy.config.update({'environment': 'embedded'})\n"
            "site = cherrypy.Application(Hello(), '')\n"
        ),
    ),
    "falcon_asgi": (
        "falcon uvicorn-worker uvicorn gunicorn",
        (
            "import falcon.asgi\nclass Hello:\n"
            "    async def on_get(self, req, resp): resp.text = 'Hello'\n"
            "app = falcon.asgi.App()\napp.add_route('/', Hello())\n"
        ),
    ),
    "blacksheep_app": (
        "blacksheep gunicorn",
        (
            "from blacksheep import Application, get\napp = Application()\n"
            "@get('/')\nasync def hello(): return 'Hello'\n"
        ),
    ),
    "nanodjango_app": (
        "django nanodjango gunicorn",
        (
            "from nanodjango import Django\n"
            "app = Django(SECRET_KEY='x', ALLOWED_HOSTS=['*'], DEBUG=False)\n"
            "@app.route('/')\ndef hello(request): return 'Hello'\n"
        ),
    ),
    "wsgi_app": (
        "granian",
        (
            "def hello(environ, start_response):\n    start_response('200 OK', [])\n"
            "    return [b'Hello']\n"
        ),
    ),
    "asgi_app": ("granian", _ASGI),
    "channels_object": (
        "django channels uvicorn",
        (
            f"from channels.routing import ProtocolTypeRouter\n{_ASGI}"
            "app = ProtocolTypeRouter({'http': hello})\n"
        ),
    ),
    "uwsgi_app": (
        "flask pyuwsgi",
        "from flask import Flask\napp = Flask(__name__)\napp.route('/')(lambda: 'Hello')\n",
    ),
    "fastmcp_object": ("fastmcp uvicorn", f"{_FASTMCP}app = server.http_app()\n"),
    "fastmcp_server": ("fastmcp", _FASTMCP),
    "fastmcp_program": (
        "fastmcp",
        (
            f"import os\n{_FASTMCP}"
            "server.run(transport='http', host='0.0.0.0', port=int(os.environ['PORT']))\n"
        ),
    ),
    "mcp_object": ("mcp uvicorn", f"{_MCP}app = server.streamable_http_app()\n"),
    "mcp_program": (
        "mcp",
        (
            f"import os\n{_MCP}server.run(transport='streamable-http', host='0.0.0.0',\n"
            "    port=int(os.environ['PORT']))\n"
        ),
    ),
    "gradio_app": (
        "gradio",
        (
            "import gradio as gr\nwith gr.Blocks(title='Hello') as demo:\n"
            "    gr.Markdown('Hello')\ndemo.launch()\n"
        ),
    ),
    "marimo_app": (
        "marimo",
        (
            "import marimo\napp = marimo.App(app_title='Hello')\n"
            "@app.cell\ndef _():\n    import marimo as mo\n    mo.md('Hello')\n    return\n"
            "if __name__ == '__main__':\n    app.run()\n"
        ),
    ),
    "panel_app": ("panel", "import panel as pn\npn.panel('Hello').servable(title='Hello')\n"),
    "panel_program": (
        "panel",
        (
            "import os\nimport panel as pn\n"
            "pn.serve(pn.panel('Hello'), title='Hello', show=False,\n"
            "    port=int(os.environ['PORT']))\n"
        ),
    ),
    "bokeh_app": (
        "bokeh",
        (
            "from bokeh.plotting import curdoc, figure\ncurdoc().title = 'Hello'\n"
            "curdoc().add_root(figure())\n"
        ),
    ),
    "solara_app": (
        "solara",
        "import solara\n@solara.component\ndef Page():\n    solara.Text('Hello')\n",
    ),
    "mesop_app": ("mesop", _MESOP),
    "mesop_gunicorn": ("mesop gunicorn", _MESOP),
}


def _program(name: str, packages: str, code: str) -> Sample:
    return Sample(packages, {f"{name}.py": code}, expected=_EXPECTED.get(name, "Hello"))


def _database() -> bytes:
    connection = sqlite3.connect(":memory:")
    with closing(connection):
        connection.execute("CREATE TABLE Hello (name TEXT)")
        return connection.serialize()


# Their pages are made by JavaScript.
_EXPECTED = {
    "streamlit_app": "Streamlit",
    "solara_app": "solara",
    "mesop_app": "Mesop",
    "mesop_gunicorn": "Mesop",
}
_PASTE = {
    "paste_app.py": (
        "from pyramid.config import Configurator\nfrom pyramid.response import Response\n"
        "def main(settings, **options):\n    config = Configurator()\n"
        "    config.add_route('hello', '/')\n"
        "    config.add_view(lambda request: Response('Hello'), route_name='hello')\n"
        "    return config.make_wsgi_app()\n"
    ),
    "production.ini": "[app:main]\nuse = call:paste_app:main\n",
}
_CHANNELS = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'chat.settings')\n",
    "chat/__init__.py": "",
    "chat/settings.py": (
        "SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'chat.urls'\n"
        "INSTALLED_APPS = ['channels']\nASGI_APPLICATION = 'chat.asgi.application'\n"
    ),
    "chat/urls.py": (
        "from django.http import HttpResponse\nfrom django.urls import path\n"
        "urlpatterns = [path('', lambda request: HttpResponse('Hello'))]\n"
    ),
    "chat/asgi.py": (
        "import os\nfrom channels.routing import ProtocolTypeRouter\n"
        "from django.core.asgi import get_asgi_application\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'chat.settings')\n"
        "application = ProtocolTypeRouter({'http': get_asgi_application()})\n"
    ),
}
_SOCKETIO = {
    "socketio_asgi.py": (
        "import socketio\nserver = socketio.AsyncServer(async_mode='asgi')\n"
        "app = socketio.ASGIApp(server)\n"
    ),
    "socketio_wsgi.py": (
        "import socketio\nserver = socketio.Server(async_mode='threading')\n"
        "app = socketio.WSGIApp(server)\n"
    ),
}
# Answers a client of gRPC, not of HTTP.
GRPC = _program(
    "grpc_app",
    "grpcio",
    (
        "import os\nfrom concurrent import futures\nimport grpc\n"
        "class Hello(grpc.GenericRpcHandler):\n    def service(self, details):\n"
        "        return grpc.unary_unary_rpc_method_handler(lambda name, _: b'Hello ' + name)\n"
        "server = grpc.server(futures.ThreadPoolExecutor())\n"
        "server.add_generic_rpc_handlers((Hello(),))\n"
        "server.add_insecure_port(f\"0.0.0.0:{os.environ['PORT']}\")\n"
        "server.start()\nserver.wait_for_termination()\n"
    ),
)


def _socketio(name: str, server: str) -> Sample:
    files = {f"{name}.py": _SOCKETIO[f"{name}.py"]}
    path = "/socket.io/?EIO=4&transport=polling"
    return Sample(f"python-socketio {server}", files, path=path, expected='"sid"')


WEB_SAMPLES: Mapping[str, Sample] = {name: _program(name, *row) for name, row in _PROGRAMS.items()}
FURTHER_WEB_SAMPLES: Mapping[str, Sample] = {
    **{name: _program(name, *row) for name, row in _FURTHER.items()},
    "channels_app": Sample("django channels daphne", _CHANNELS),
    "paste_gunicorn": Sample("pyramid gunicorn", _PASTE),
    "paste_waitress": Sample("pyramid waitress", _PASTE),
    "datasette_app": Sample("datasette", {"shop.db": _database()}, path="/shop"),
    "socketio_asgi": _socketio("socketio_asgi", "uvicorn"),
    "socketio_wsgi": _socketio("socketio_wsgi", "gunicorn"),
}
