"""The web frameworks that start from a file of the app, with their own command: a table.

`docs/processes.md` is generated from it. The frameworks whose objects any server can serve are in
`frameworks`.

Separate from `programs`, which finds the file.
"""

from dataclasses import dataclass

# Names of files that usually start an app, the most likely first.
_USUAL = ("app", "main", "server", "run", "start", "index", "home", "hello", "streamlit_app")
_HOST_PORT = "--host {host} --port {port}"


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
    note: str = ""
    """A line for the log."""
    documentation: str = ""

    @property
    def is_program(self) -> bool:
        """Whether the command runs the app's file with Python."""
        return self.template.endswith("python {file}")


_OVER_HTTP = r"\.run(?:_async)?\([^)]*transport\s*=\s*[\"'](?:http|streamable-http|sse)"
_MCP_OBJECT = r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:FastMCP|MCPServer)\("
_STDIO = "A client that starts the server itself, over stdin and stdout, runs the file with Python"

WEB_PROGRAMS: tuple[WebProgram, ...] = (
    WebProgram(
        "FastMCP",
        "fastmcp",
        "python {file}",
        package="fastmcp",
        sign=_OVER_HTTP,
        stems=("server", *_USUAL),
        reads_port=True,
        documentation="https://gofastmcp.com/deployment/running-server",
    ),
    WebProgram(
        "FastMCP",
        "fastmcp",
        f"fastmcp run {{file}}:{{name}} --transport http {_HOST_PORT}",
        package="fastmcp",
        sign=_MCP_OBJECT,
        stems=("server", *_USUAL),
        note=_STDIO,
        documentation="https://gofastmcp.com/patterns/cli",
    ),
    WebProgram(
        "MCP",
        "mcp",
        "python {file}",
        package="mcp",
        sign=_OVER_HTTP,
        stems=("server", *_USUAL),
        reads_port=True,
        documentation="https://github.com/modelcontextprotocol/python-sdk",
    ),
    WebProgram(
        "MCP",
        "mcp",
        f"uvicorn --factory {_HOST_PORT} {{module}}:{{name}}.streamable_http_app",
        package="mcp",
        sign=_MCP_OBJECT,
        stems=("server", *_USUAL),
        needs=("uvicorn",),
        note=_STDIO,
        documentation="https://github.com/modelcontextprotocol/python-sdk",
    ),
    WebProgram(
        "Streamlit",
        "streamlit",
        "streamlit run {file} --server.address {host} --server.port {port} --server.headless true",
        package="streamlit",
        stems=("streamlit_app", *_USUAL),
        documentation="https://docs.streamlit.io/develop/api-reference/cli/run",
    ),
    WebProgram(
        "Chainlit",
        "chainlit",
        f"chainlit run {{file}} {_HOST_PORT} --headless",
        package="chainlit",
        documentation="https://docs.chainlit.io/backend/command-line",
    ),
    WebProgram(
        "Gradio",
        "gradio",
        # The image sets GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
        "python {file}",
        package="gradio",
        sign=r"\.launch\(",
        documentation="https://www.gradio.app/guides/environment-variables",
    ),
    WebProgram(
        "Marimo",
        "marimo",
        "marimo run {file} --host {host} --port {port} --headless",
        package="marimo",
        sign=r"marimo\.App\(|mo\.App\(",
        documentation="https://docs.marimo.io/guides/deploying/",
    ),
    WebProgram(
        "Panel",
        "panel",
        "panel serve {file} --address {host} --port {port} --allow-websocket-origin '*'",
        package="panel",
        sign=r"\.servable\(",
        documentation="https://panel.holoviz.org/how_to/server/commandline.html",
    ),
    WebProgram(
        "Panel",
        "panel",
        "python {file}",
        package="panel",
        sign=r"\bpn\.serve\(|\bpanel\.serve\(",
        reads_port=True,
        documentation="https://panel.holoviz.org/how_to/server/programmatic.html",
    ),
    WebProgram(
        "Bokeh",
        "bokeh",
        "bokeh serve {file} --address {host} --port {port} --allow-websocket-origin '*'",
        package="bokeh",
        sign=r"\bcurdoc\(",
        documentation="https://docs.bokeh.org/en/latest/docs/user_guide/server/deploy.html",
    ),
    WebProgram(
        "Solara",
        "solara",
        "solara run {file} --host={host} --port={port} --production",
        package="solara",
        sign=r"\bPage\b|@solara\.component|^\s*page\b",
        stems=("sol", *_USUAL),
        documentation="https://solara.dev/documentation/getting_started/deploying/self-hosted",
    ),
    WebProgram(
        "Shiny",
        "shiny",
        f"shiny run {{file}} {_HOST_PORT}",
        package="shiny",
        sign=r"\bApp\(|shiny\.express",
        documentation="https://shiny.posit.co/py/docs/deploy-on-prem.html",
    ),
    WebProgram(
        "Mesop",
        "mesop",
        "gunicorn {module}:{name}",
        package="mesop",
        sign=r"^import mesop as (\w+)",
        needs=("gunicorn",),
        documentation="https://mesop-dev.github.io/mesop/guides/deployment/",
    ),
    WebProgram(
        "Mesop",
        "mesop",
        "mesop {file} --port {port} --prod",
        package="mesop",
        documentation="https://mesop-dev.github.io/mesop/guides/deployment/",
    ),
    WebProgram(
        "NiceGUI",
        "nicegui",
        "python {file}",
        package="nicegui",
        sign=r"\bui\.run\(",
        reads_port=True,
        documentation="https://nicegui.io/documentation/run",
    ),
    WebProgram(
        "Reflex",
        "reflex",
        "reflex run --env prod --single-port --backend-host {host} --frontend-port {port}"
        " --backend-port {port}",
        package="reflex",
        stems=("rxconfig",),
        note="Reflex builds its pages when it starts, and needs Node.js or Bun for it",
        documentation="https://reflex.dev/docs/hosting/self-hosting/",
    ),
    WebProgram(
        "Robyn",
        "robyn",
        "ROBYN_HOST={host} ROBYN_PORT={port} python {file}",
        package="robyn",
        sign=r"\bRobyn\(",
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
    WebProgram(
        "BentoML",
        "bentoml",
        f"bentoml serve {{module}}:{{name}} {_HOST_PORT}",
        package="bentoml",
        sign=r"@bentoml\.service(?:\([^)]*\))?\s*\nclass\s+(\w+)",
        stems=("service", *_USUAL),
        documentation="https://docs.bentoml.com/en/latest/reference/bentoml/cli.html",
    ),
    WebProgram(
        "BentoML",
        "bentoml",
        f"bentoml serve {{module}}:{{name}} {_HOST_PORT}",
        package="bentoml",
        sign=r"^(\w+)\s*=\s*bentoml\.Service\(",
        stems=("service", *_USUAL),
        documentation="https://docs.bentoml.com/en/latest/reference/bentoml/cli.html",
    ),
    WebProgram(
        "Ray Serve",
        "ray",
        "RAY_SERVE_DEFAULT_HTTP_HOST={host} RAY_SERVE_DEFAULT_HTTP_PORT={port}"
        " serve run {module}:{name}",
        package="ray",
        sign=r"^(\w+)\s*(?::[^=\n]+)?=\s*\w+(?:\.options\([^)]*\))?\.bind\(",
        stems=("serve", *_USUAL),
        documentation="https://docs.ray.io/en/latest/serve/getting_started.html",
    ),
    WebProgram(
        "CherryPy",
        "cherrypy",
        "python {file}",
        package="cherrypy",
        sign=r"cherrypy\.(?:quickstart|engine\.start|engine\.block)\(",
        reads_port=True,
        documentation="https://docs.cherrypy.dev/en/latest/deploy.html",
    ),
    WebProgram(
        "aiohttp",
        "aiohttp",
        "python {file}",
        package="aiohttp",
        sign=r"\bweb\.run_app\(|\brun_app\(|\bAppRunner\(",
        reads_port=True,
        documentation="https://docs.aiohttp.org/en/stable/web_quickstart.html",
    ),
    WebProgram(
        "Tornado",
        "tornado",
        "python {file}",
        package="tornado",
        sign=r"\.listen\(|\.bind\(|HTTPServer\(",
        reads_port=True,
        documentation="https://www.tornadoweb.org/en/stable/guide/running.html",
    ),
    WebProgram(
        "gRPC",
        "grpcio",
        "python {file}",
        package="grpc",
        sign=r"\bgrpc(?:\.aio)?\.server\(|\baio\.server\(",
        reads_port=True,
        documentation="https://grpc.io/docs/languages/python/basics/",
    ),
    WebProgram(
        "Pyramid",
        "pyramid",
        "gunicorn --paste {file}",
        files=("production.ini", "*.ini"),
        text=r"^\[(?:app|composite|pipeline):main\]",
        needs=("gunicorn",),
        documentation="https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/startup.html",
    ),
    WebProgram(
        "Pyramid",
        "pyramid",
        "python -c 'import os; from pyramid.paster import get_app; from waitress import serve;"
        ' serve(get_app("{file}"), host="{host}", port=int(os.environ["PORT"]))\'',
        files=("production.ini", "*.ini"),
        text=r"^\[(?:app|composite|pipeline):main\]",
        needs=("waitress",),
        documentation="https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/startup.html",
    ),
    WebProgram(
        "LiteLLM",
        "litellm",
        f"litellm --config {{file}} {_HOST_PORT}",
        files=("litellm*.yaml", "litellm*.yml", "proxy_config.yaml", "config.yaml", "config.yml"),
        text=r"^model_list\s*:",
        documentation="https://docs.litellm.ai/docs/proxy/deploy",
    ),
    WebProgram(
        "Datasette",
        "datasette",
        "datasette serve {file} --host {host} --port {port}",
        files=("*.db", "*.sqlite", "*.sqlite3"),
        documentation="https://docs.datasette.io/en/stable/deploying.html",
    ),
    WebProgram(
        "Voila",
        "voila",
        "voila {file} --no-browser --Voila.ip={host} --port={port}",
        files=("*.ipynb",),
        documentation="https://voila.readthedocs.io/en/stable/deploy.html",
    ),
    WebProgram(
        "JupyterLab",
        "jupyterlab",
        "jupyter lab --no-browser --ip={host} --port={port}",
        files=("*.ipynb",),
        note="The log of the container shows the token that a login needs",
        documentation="https://jupyter-server.readthedocs.io/en/latest/operators/public-server.html",
    ),
    WebProgram(
        "Jupyter Notebook",
        "notebook",
        "jupyter notebook --no-browser --ip={host} --port={port}",
        files=("*.ipynb",),
        note="The log of the container shows the token that a login needs",
        documentation="https://jupyter-server.readthedocs.io/en/latest/operators/public-server.html",
    ),
    WebProgram(
        "MLflow",
        "mlflow",
        f"mlflow server {_HOST_PORT}",
        files=("mlflow.db", "mlruns"),
        alone=True,
        documentation="https://mlflow.org/docs/latest/cli.html",
    ),
)
