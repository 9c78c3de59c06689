"""The web frameworks that start from a file of the app, with their own command: a table.

`docs/processes.md` is generated from it. The frameworks whose objects any server can serve are in
`frameworks`.

Separate from `programs`, which finds the file.
"""

from dataclasses import dataclass, replace

from cnb_python.launch.tables.cautions import Caution

# Names of files that usually start an app, the most likely first.
_USUAL = ("app", "main", "server", "run", "start", "index", "home", "hello", "streamlit_app")
_HOST_PORT = "--host {host} --port {port}"
_ADDRESS_PORT = "--address {host} --port {port}"


@dataclass(frozen=True, slots=True)
class WebProgram:
    """A framework or tool with a command that starts it."""

    title: str
    distribution: str
    """Its normalized name; the command is used only if it is installed."""
    template: str
    """The command. `{file}` is the app's file, `{module}` its dotted name, `{name}` what
    *sign* names in it."""
    package: str = ""
    """The name that code imports."""
    sign: str = ""
    """A pattern that the text of the file has to match; its first group is `{name}`."""
    files: tuple[str, ...] = ()
    """Patterns of files that are not Python: `*.ipynb`; the first that matches is `{file}`."""
    text: str = ""
    """A pattern that the text of such a file has to match."""
    stems: tuple[str, ...] = _USUAL
    needs: tuple[str, ...] = ()
    """Further distributions that the command needs."""
    alone: bool = False
    """Whether the command needs no file: an app that only installs the tool runs it."""
    reads_port: bool = False
    """Whether the file starts the server itself, so that it has to read `PORT`."""
    fixed_port: str = ""
    """A pattern of code that gives the server a port of its own, whatever `PORT` is."""
    production: str = ""
    """The distribution of a server for production; the command runs a development server."""
    completed: str = ""
    """A pattern of what a program adds to an object that it imports and starts. The program then
    takes precedence over the module of the object."""
    note: str = ""
    """A line for the log."""
    no_note: str = ""
    """A pattern of the text of a file that is not Python; one that matches needs no such line."""
    caution: Caution | None = None
    documentation: str = ""

    @property
    def is_program(self) -> bool:
        """Whether the command runs the app's file with Python."""
        return "python {file}" in self.template


_OVER_HTTP = r"\.run(?:_async)?\([^)]*transport\s*=\s*[\"'](?:http|streamable-http|sse)"
_MCP_OBJECT = r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:FastMCP|MCPServer)\("
_STDIO = "A client that starts the server itself, over stdin and stdout, runs the file with Python"
_LOGIN = "The log of the container shows the token that a login needs"


def _program(
    title: str, distribution: str, sign: str, url: str, *, package: str = ""
) -> WebProgram:
    """Return the row of a framework whose apps start the server themselves, at PORT."""
    return WebProgram(
        title,
        distribution,
        "python {file}",
        package=package or distribution,
        sign=sign,
        reads_port=True,
        documentation=url,
    )


def _mcp_server(
    title: str, distribution: str, template: str, url: str, *needs: str
) -> tuple[WebProgram, WebProgram]:
    """Return the rows of a program that serves MCP over HTTP, and of an object that can."""
    stems = ("server", *_USUAL)
    own = _program(title, distribution, _OVER_HTTP, url)
    served = WebProgram(
        title,
        distribution,
        template,
        package=distribution,
        sign=_MCP_OBJECT,
        stems=stems,
        needs=needs,
        note=_STDIO,
        documentation=url,
    )
    return replace(own, stems=stems), served


def _dashboard(
    title: str, template: str, sign: str, url: str, *, stems: tuple[str, ...] = _USUAL
) -> WebProgram:
    """Return the row of a framework whose command, package and distribution have one name."""
    name = title.lower()
    return WebProgram(
        title, name, template, package=name, sign=sign, stems=stems, documentation=url
    )


def _bento_service(sign: str) -> WebProgram:
    return _dashboard(
        "BentoML",
        f"bentoml serve {{module}}:{{name}} {_HOST_PORT}",
        sign,
        "https://docs.bentoml.com/en/latest/reference/bentoml/cli.html",
        stems=("service", *_USUAL),
    )


def _paste(server: str, template: str) -> WebProgram:
    """Return the row of a Pyramid app with PasteDeploy's configuration, served by *server*."""
    return WebProgram(
        "Pyramid",
        "pyramid",
        template,
        files=("production.ini", "*.ini"),
        text=r"^\[(?:app|composite|pipeline):main\]",
        needs=(server,),
        documentation="https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/startup.html",
    )


def _notebooks(title: str, distribution: str, template: str, url: str, note: str) -> WebProgram:
    return WebProgram(
        title, distribution, template, files=("*.ipynb",), note=note, documentation=url
    )


_JUPYTER = "https://jupyter-server.readthedocs.io/en/latest/operators/public-server.html"
_MESOP = "https://mesop-dev.github.io/mesop/guides/deployment/"
_MESOP_MODULE = r"^import mesop as (\w+)"

WEB_PROGRAMS: tuple[WebProgram, ...] = (
    *_mcp_server(
        "FastMCP",
        "fastmcp",
        f"fastmcp run {{file}}:{{name}} --transport http {_HOST_PORT}",
        "https://gofastmcp.com/deployment/running-server",
    ),
    *_mcp_server(
        "MCP",
        "mcp",
        f"uvicorn --factory {_HOST_PORT} {{module}}:{{name}}.streamable_http_app",
        "https://github.com/modelcontextprotocol/python-sdk",
        "uvicorn",
    ),
    _dashboard(
        "Streamlit",
        "streamlit run {file} --server.address {host} --server.port {port} --server.headless true",
        "",
        "https://docs.streamlit.io/develop/api-reference/cli/run",
        stems=("streamlit_app", *_USUAL),
    ),
    _dashboard(
        "Chainlit",
        f"chainlit run {{file}} {_HOST_PORT} --headless",
        "",
        "https://docs.chainlit.io/backend/command-line",
    ),
    WebProgram(
        "Gradio",
        "gradio",
        # The image sets GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
        "python {file}",
        package="gradio",
        sign=r"\.launch\(",
        fixed_port=r"\bserver_port\s*=\s*\d|\bserver_name\s*=\s*[\"'](?:127\.|localhost)",
        documentation="https://www.gradio.app/guides/environment-variables",
    ),
    _dashboard(
        "Marimo",
        f"marimo run {{file}} {_HOST_PORT} --headless",
        r"marimo\.App\(|mo\.App\(",
        "https://docs.marimo.io/guides/deploying/",
    ),
    _dashboard(
        "Panel",
        f"panel serve {{file}} {_ADDRESS_PORT} --allow-websocket-origin '*'",
        r"\.servable\(",
        "https://panel.holoviz.org/how_to/server/commandline.html",
    ),
    _program(
        "Panel",
        "panel",
        r"\bpn\.serve\(|\bpanel\.serve\(",
        "https://panel.holoviz.org/how_to/server/programmatic.html",
    ),
    _dashboard(
        "Bokeh",
        f"bokeh serve {{file}} {_ADDRESS_PORT} --allow-websocket-origin '*'",
        r"\bcurdoc\(",
        "https://docs.bokeh.org/en/latest/docs/user_guide/server/deploy.html",
    ),
    _dashboard(
        "Solara",
        "solara run {file} --host={host} --port={port} --production",
        r"\bPage\b|@solara\.component|^\s*page\b",
        "https://solara.dev/documentation/getting_started/deploying/self-hosted",
        stems=("sol", *_USUAL),
    ),
    _dashboard(
        "Shiny",
        f"shiny run {{file}} {_HOST_PORT}",
        r"\bApp\(|shiny\.express",
        "https://shiny.posit.co/py/docs/deploy-on-prem.html",
    ),
    WebProgram(
        "Mesop",
        "mesop",
        "gunicorn {module}:{name}",
        package="mesop",
        sign=_MESOP_MODULE,
        needs=("gunicorn",),
        documentation=_MESOP,
    ),
    WebProgram(
        "Mesop",
        "mesop",
        # Its own command listens on localhost. Flask, which it needs, installs Werkzeug.
        "python -c 'import os, {module}; from werkzeug.serving import run_simple;"
        " run_simple({python_host}, {python_port}, {module}.{name},"
        " threaded=True)'",
        package="mesop",
        sign=_MESOP_MODULE,
        production="gunicorn",
        documentation=_MESOP,
    ),
    _program("NiceGUI", "nicegui", r"\bui\.run\(", "https://nicegui.io/documentation/run"),
    WebProgram(
        "Reflex",
        "reflex",
        "reflex run --env prod --single-port --backend-host {host} --frontend-port {port}"
        " --backend-port {port}",
        package="reflex",
        stems=("rxconfig",),
        note="Reflex builds its pages when it starts, and needs unzip and Node.js or Bun to do so",
        documentation="https://reflex.dev/docs/hosting/self-hosting/",
    ),
    WebProgram(
        "Robyn",
        "robyn",
        # A single process of it does not end at SIGTERM.
        "ROBYN_HOST={host} ROBYN_PORT={port} python {file} --processes 2",
        package="robyn",
        sign=r"\bRobyn\(",
        note="Robyn runs in two processes, which share no memory: a single one would not end at a "
        "SIGTERM. To keep state in memory, name a command in a Procfile",
        documentation="https://robyn.tech/documentation",
    ),
    WebProgram(
        "Functions Framework",
        "functions-framework",
        "functions-framework --source {file} --target {name} --host {host} --port {port}",
        package="functions_framework",
        sign=r"@functions_framework\.(?:http|cloud_event|typed\S*)\s*\n(?:@.*\n)*"
        r"(?:async\s+)?def\s+(\w+)",
        documentation="https://github.com/GoogleCloudPlatform/functions-framework-python",
    ),
    _bento_service(r"@bentoml\.service(?:\([^)]*\))?\s*\nclass\s+(\w+)"),
    _bento_service(r"^(\w+)\s*=\s*bentoml\.Service\("),
    WebProgram(
        "Ray Serve",
        "ray",
        # `serve run` has no option for the port.
        "python -c 'import os, signal, sys; from ray import serve;"
        " from {module} import {name} as app;"
        ' serve.start(http_options={"host": {python_host}, "port": {python_port}});'
        # Ray aborts on a SIGTERM that the program does not handle.
        " signal.signal(signal.SIGTERM, lambda *_: sys.exit());"
        " serve.run(app, blocking=True)'",
        package="ray",
        sign=r"^(\w+)\s*(?::[^=\n]+)?=\s*\w+(?:\.options\([^)]*\))?\.bind\(",
        stems=("serve", *_USUAL),
        documentation="https://docs.ray.io/en/latest/serve/getting_started.html",
    ),
    _program(
        "CherryPy",
        "cherrypy",
        r"cherrypy\.(?:quickstart|engine\.start|engine\.block)\(",
        "https://docs.cherrypy.dev/en/latest/deploy.html",
    ),
    _program(
        "aiohttp",
        "aiohttp",
        r"\bweb\.run_app\(|\brun_app\(|\bAppRunner\(",
        "https://docs.aiohttp.org/en/stable/web_quickstart.html",
    ),
    _program(
        "Tornado",
        "tornado",
        r"\.listen\(|\.bind\(|HTTPServer\(",
        "https://www.tornadoweb.org/en/stable/guide/running.html",
    ),
    _program(
        "gRPC",
        "grpcio",
        r"\bgrpc(?:\.aio)?\.server\(|\baio\.server\(",
        "https://grpc.io/docs/languages/python/basics/",
        package="grpc",
    ),
    WebProgram(
        "Dash",
        "dash",
        # `run` reads both variables: https://dash.plotly.com/reference#app.run
        "HOST={host} PORT={port} python {file}",
        package="dash",
        sign=r"\.run(?:_server)?\(",
        completed=r"^\s*\w+\.layout\s*=",
        fixed_port=r"\.run(?:_server)?\([^)]*\b"
        r"(?:port\s*=\s*[\"']?\d|host\s*=\s*[\"'](?:127\.|local))",
        caution=Caution(
            r"^server\s*=.*\.server\b",
            "web runs the development server of Dash",
            (
                "Servers for production need its Flask app. Give that a name in {file}, and",
                "add gunicorn to the packages: the next build starts the app with it.",
                "    server = app.server",
            ),
        ),
        documentation="https://dash.plotly.com/deployment",
    ),
    # Bots with a web server, which their service calls for each message.
    _program(
        "python-telegram-bot",
        "python-telegram-bot",
        r"\.(?:run|start)_webhook\(",
        "https://github.com/python-telegram-bot/python-telegram-bot/wiki/Webhooks",
        package="telegram",
    ),
    _program(
        "aiogram",
        "aiogram",
        r"\bstart_webhook\(",
        "https://docs.aiogram.dev/en/v2.25.1/examples/webhook_example.html",
    ),
    _program(
        "pyTelegramBotAPI",
        "pytelegrambotapi",
        r"\.run_webhooks\(",
        "https://pytba.readthedocs.io/en/latest/sync_version/index.html",
        package="telebot",
    ),
    _program(
        "hikari",
        "hikari",
        r"\bRESTBot\(",
        "https://docs.hikari-py.dev/en/latest/reference/hikari/impl/rest_bot/",
    ),
    _program(
        "Slack Bolt",
        "slack-bolt",
        # Not `handler.start()` of the socket mode, `loop.start(30)`, or `job.start(report)`.
        r"\bapp\.start\(\s*(?:\)|\d)|\b\w+\.start\(\s*(?:port\s*=|int\(|\d{4}"
        r"|(?:[\w.]*[_.])?(?i:port)(?:_\w+)?\s*\))",
        "https://docs.slack.dev/tools/bolt-python/",
        package="slack_bolt",
    ),
    _paste("gunicorn", "gunicorn --paste {file}"),
    _paste(
        "waitress",
        "python -c 'import os; from pyramid.paster import get_app; from waitress import serve;"
        ' serve(get_app("{file}"), host={python_host}, port={python_port})\'',
    ),
    WebProgram(
        "LiteLLM",
        "litellm",
        f"litellm --config {{file}} {_HOST_PORT}",
        files=("litellm*.yaml", "litellm*.yml", "proxy_config.yaml", "config.yaml", "config.yml"),
        text=r"^model_list\s*:",
        note="LiteLLM starts only with a master key: set LITELLM_MASTER_KEY when you start it",
        no_note=r"^\s+master_key\s*:",
        documentation="https://docs.litellm.ai/docs/proxy/deploy",
    ),
    WebProgram(
        "Datasette",
        "datasette",
        f"datasette serve {{file}} {_HOST_PORT}",
        files=("*.db", "*.sqlite", "*.sqlite3"),
        documentation="https://docs.datasette.io/en/stable/deploying.html",
    ),
    _notebooks(
        "Voila",
        "voila",
        "voila {file} --no-browser --Voila.ip={host} --port={port}",
        "https://voila.readthedocs.io/en/stable/deploy.html",
        "",
    ),
    # Before JupyterLab, which it installs.
    _notebooks(
        "Jupyter Notebook",
        "notebook",
        "jupyter notebook --no-browser --ip={host} --port={port}",
        _JUPYTER,
        _LOGIN,
    ),
    _notebooks(
        "JupyterLab",
        "jupyterlab",
        "jupyter lab --no-browser --ip={host} --port={port}",
        _JUPYTER,
        _LOGIN,
    ),
    WebProgram(
        "MLflow",
        "mlflow",
        f"mlflow server {_HOST_PORT} --workers {{workers}}",
        files=("mlflow.db", "mlruns"),
        alone=True,
        note="MLflow keeps its data in the working directory, which containers may not write to: "
        "set MLFLOW_BACKEND_STORE_URI and MLFLOW_ARTIFACTS_DESTINATION when you start it",
        documentation="https://mlflow.org/docs/latest/cli.html",
    ),
)
