"""Processes with PYTHONSAFEPATH=1, and those whose commands need the directory that it removes."""

import pytest

from tests.support.builds import Builds, Built
from tests.support.trees import Files, write_files

WSGI = """
import os
import neighbour

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [os.environ.get("PYTHONSAFEPATH", "none").encode()]
"""
FLASK = """
import os
import flask
import neighbour

app = flask.Flask(__name__)
app.add_url_rule("/", view_func=lambda: os.environ.get("PYTHONSAFEPATH", "none"))
"""
ASGI = """
import os
import neighbour

async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    text = os.environ.get("PYTHONSAFEPATH", "none")
    await send({"type": "http.response.body", "body": text.encode()})
"""
PRINTS = """
import os
import neighbour
print(os.environ.get("PYTHONSAFEPATH", "none"))
"""
SERVERS = {
    "web": "gunicorn --bind :$PORT wsgi:app",
    "flask": "flask --app site_of_flask run",
    "uvicorn": "uvicorn --lifespan off asgi:app",
    "module": "python -m gunicorn --bind :$PORT wsgi:app",
}
PROGRAMS = {"manage": "python manage.py check", "own": "python -m own", "script": "sh own.sh"}
FILES: Files = {
    "requirements.txt": "flask==3.1.2\ngunicorn==23.0.0\nuvicorn==0.38.0\n",
    "neighbour.py": "",
    "wsgi.py": WSGI,
    "asgi.py": ASGI,
    "site_of_flask.py": FLASK,
    "manage.py": PRINTS,
    "own.py": PRINTS,
    "own.sh": "exec python own.py\n",
    "Procfile": "".join(f"{kind}: {line}\n" for kind, line in (SERVERS | PROGRAMS).items()),
}


@pytest.fixture(scope="module")
def safe(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    app = tmp_path_factory.mktemp("safe") / "app"
    write_files(app, FILES)
    app.chmod(0o755)
    built = builds.image(app, flask, env={"BP_PYTHON_SAFE_PATH": "1"})
    assert built.code == 0, built.output
    return built


@pytest.mark.parametrize("kind", SERVERS)
def test_server_finds_the_app(safe: Built, kind: str) -> None:
    with safe.serve(kind) as served:
        assert served.fetch() == "1"


@pytest.mark.parametrize("kind", PROGRAMS)
def test_program_starts_without_the_variable(safe: Built, kind: str) -> None:
    with safe.serve(kind) as served:
        assert served.process.wait(30) == 0
        assert served.output == "none\n"


def test_warning_names_the_processes_without_it(safe: Built) -> None:
    assert "PYTHONSAFEPATH is not set for manage, own, script" in safe.output
    assert "    own: python -m own" in safe.output
