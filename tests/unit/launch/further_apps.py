"""Small apps of Dash in several modules, and MCP servers over stdin and stdout."""

from tests.support.trees import Files
from tests.unit.launch.start_apps import HOST, PORT, UVICORN, Expected, StartApp

_MAIN = "if __name__ == '__main__':\n"
_DASH = "import dash\napp = dash.Dash(__name__)\n"
_SERVER = f"{_DASH}server = app.server\n"
_PAGES: Files = {
    "layouts.py": "main = None\n",
    "callbacks.py": "from app import app\n@app.callback()\ndef update(): ...\n",
}
_INDEX = "import callbacks\nfrom layouts import main\nfrom app import app\napp.layout = main\n"
_INDEX_SERVER = _INDEX.replace("import app\n", "import app, server\n")
_ON_GUNICORN = "dash flask gunicorn"
_RESOLVED = "gunicorn \"pkgutil:resolve_name('{}:app.server')\""
_STDIO = (
    "import asyncio\nfrom mcp.server import Server\nfrom mcp.server.stdio import stdio_server\n"
    "server = Server('shop')\nasync def main():\n    async with stdio_server() as streams:\n"
    "        await server.run(*streams, None)\n"
)
_RUN = f"{_MAIN}    asyncio.run(main())\n"
_PROJECT = "[project]\nname = 'shop'\nversion = '1'\n[project.scripts]\nshop = 'shop:main'\n"


def _app(
    name: str, installed: str, files: Files, **expected: tuple[str, str] | tuple[str, str, str]
) -> StartApp:
    return StartApp(
        name, files, installed, {kind: Expected(*row) for kind, row in expected.items()}
    )


_OF_DASH = (
    _app(
        "dash: index.py only gives the app its layout",
        _ON_GUNICORN,
        {"app.py": _SERVER, "index.py": _INDEX, **_PAGES},
        web=(_RESOLVED.format("index"), "index.py:4"),
    ),
    _app(
        "dash: index.py gives the app its layout, and imports its Flask app",
        _ON_GUNICORN,
        {"app.py": _SERVER, "index.py": _INDEX_SERVER, **_PAGES},
        web=("gunicorn index:server", "index.py:4"),
    ),
    _app(
        "dash: index.py gives the app its layout, with waitress",
        "dash flask waitress",
        {"app.py": _SERVER, "index.py": _INDEX, **_PAGES},
        web=(f"waitress-serve --host={HOST} --port={PORT} index:app.server", "index.py:4"),
    ),
    _app(
        "dash: index.py gives an app without a name for its Flask app the layout",
        _ON_GUNICORN,
        {"app.py": _DASH, "index.py": _INDEX, **_PAGES},
        web=(_RESOLVED.format("index"), "index.py:4"),
    ),
    _app(
        "dash: index.py gives the app its layout and starts it, without its Flask app",
        _ON_GUNICORN,
        {
            "app.py": f"{_SERVER}{_MAIN}    app.run()\n",
            "index.py": f"{_INDEX}{_MAIN}    app.run(debug=True)\n",
            **_PAGES,
        },
        web=(f"HOST={HOST} PORT={PORT} python index.py", "index.py:6"),
    ),
    _app(
        "dash: a module of a package gives the app its layout",
        _ON_GUNICORN,
        {
            "src/board/__init__.py": "",
            "src/board/app.py": _SERVER,
            "src/board/index.py": "from board.app import app\nfrom board.pages import home\n"
            "app.layout = home\n",
            "src/board/pages.py": "home = None\n",
        },
        web=(_RESOLVED.format("board.index"), "src/board/index.py:3", "src"),
    ),
    _app(
        "dash: wsgi.py imports the Flask app from index.py",
        _ON_GUNICORN,
        {
            "app.py": _SERVER,
            "index.py": _INDEX_SERVER,
            "wsgi.py": "from index import server\n",
            **_PAGES,
        },
        web=("gunicorn wsgi:server", "wsgi.py:1"),
    ),
    _app(
        "dash: app.py imports the module with the layout itself",
        _ON_GUNICORN,
        {
            "app.py": f"{_SERVER}import layout\n",
            "layout.py": "from app import app\nfrom dash import html\napp.layout = html.Div()\n",
        },
        web=("gunicorn app:server", "app.py:3"),
    ),
    _app(
        "dash: app.py has the layout, another module replaces it",
        _ON_GUNICORN,
        {
            "app.py": f"{_SERVER}app.layout = None\n",
            "preview.py": "from app import app\nfrom other import page\napp.layout = page\n",
            "other.py": "page = None\n",
        },
        web=("gunicorn app:server", "app.py:3"),
    ),
    _app(
        "dash: pages/",
        _ON_GUNICORN,
        {
            "app.py": f"{_SERVER}app.layout = dash.page_container\n",
            "pages/home.py": "import dash\ndash.register_page(__name__)\nlayout = None\n",
        },
        web=("gunicorn app:server", "app.py:3"),
    ),
)

_OF_MCP = (
    _app(
        "mcp: over stdin and stdout",
        "mcp starlette uvicorn",
        {"server.py": f"{_STDIO}{_RUN}"},
        mcp=("python server.py", "server.py:6"),
    ),
    _app(
        "mcp: over stdin and stdout, in a package with __main__.py",
        "mcp starlette uvicorn",
        {
            "pyproject.toml": _PROJECT,
            "src/shop/__init__.py": "import asyncio\nfrom . import server\ndef main():\n"
            "    asyncio.run(server.main())\n",
            "src/shop/__main__.py": "from shop import main\nmain()\n",
            "src/shop/server.py": _STDIO,
        },
        mcp=("python -m shop", "src/shop/server.py:6", "src"),
    ),
    _app(
        "mcp: over stdin and stdout, a program of the app's own project",
        "mcp starlette uvicorn shop",
        {
            "pyproject.toml": _PROJECT,
            "src/shop/__init__.py": "import asyncio\nfrom . import server\ndef main():\n"
            "    asyncio.run(server.main())\n",
            "src/shop/server.py": _STDIO,
        },
        mcp=("shop", "pyproject.toml:5"),
    ),
    _app(
        "mcp: over stdin and stdout, beside a web app",
        "mcp flask gunicorn",
        {
            "app.py": "from flask import Flask\napp = Flask(__name__)\n",
            "mcp_server.py": f"{_STDIO}{_RUN}",
        },
        web=("gunicorn app:app", "app.py:2"),
        mcp=("python mcp_server.py", "mcp_server.py:6"),
    ),
    _app(
        "mcp: over HTTP, with a function for stdin and stdout",
        "mcp starlette uvicorn",
        {
            "server.py": f"{_STDIO}from starlette.applications import Starlette\n"
            f"from mcp.server.sse import SseServerTransport\napp = Starlette()\n{_RUN}"
        },
        web=(f"{UVICORN} server:app", "server.py:10"),
    ),
    _app(
        "mcp: over HTTP by an option",
        "mcp starlette uvicorn click",
        {
            "server.py": f"import click, uvicorn\n{_STDIO}@click.command()\n"
            "@click.option('--port')\ndef start(port):\n    if port:\n"
            "        uvicorn.run(make(), port=port)\n    else:\n        asyncio.run(main())\n"
            f"{_MAIN}    start()\n"
        },
        web=(f"python server.py --port {PORT}", "server.py:16"),
    ),
)
FURTHER_APPS = (*_OF_DASH, *_OF_MCP)
