"""Valid files of every kind that the buildpack reads; mutations begin with them."""

_SHA = "a" * 64
PYPROJECT = b"""\
[build-system]
requires = ["hatchling>=1.2"]
build-backend = "hatchling.build"

[project]
name = "shop"
version = "1.0"
requires-python = ">=3.12,<3.15"
dependencies = ["django>=5; python_version >= '3.12'", "uvicorn[standard]"]
optional-dependencies = { extra = ["six"] }

[dependency-groups]
dev = ["pytest", { include-group = "lint" }]
lint = ["ruff"]

[tool.cnb-python]
groups = ["dev"]
sticky = true
collectstatic = false

[tool.uv]
package = true
no-binary = false
sources = { six = { index = "own" } }
index = [{ name = "own", url = "https://index.example.org/simple" }]

[tool.poetry]
package-mode = true
[tool.poetry.dependencies]
python = "^3.12 || ~3.13"
six = { version = "*", optional = true }
[tool.poetry.group.dev.dependencies]
pytest = "*"
[[tool.poetry.source]]
name = "own"
url = "https://me:secret@index.example.org/simple"

[[tool.pdm.source]]
name = "own"
url = "https://${USER}@index.example.org/simple"
include_packages = ["six*"]
[tool.pdm.scripts]
serve = {cmd = ["gunicorn", "app:app"]}
[tool.hatch.envs.prod.scripts]
serve = ["gunicorn app:app"]
"""
REQUIREMENTS = f"""\
# -*- coding: utf-8 -*-
-i https://index.example.org/simple
-r more.txt
-c more.txt
Django[argon2]==5.2.1 \\
    --hash=sha256:{_SHA} \\
    --hash=sha256:{"b" * 64}
six==1.17.0 ; python_version < "3.15" and (sys_platform == "linux" or extra == "x")
-e ./package
-e git+https://example.org/six.git@main#egg=six&subdirectory=a
name @ https://example.org/name-1.0.tar.gz
uvicorn>=0.30,<1 --config-settings="a=b"
""".encode()
PINNED = b"Django==5.2.1\nsix[x, y] == 1.17.0; python_version >= '3.12'\n"
MORE = b"typing-extensions>=4\n-r requirements.txt\n"
UV_LOCK = f"""\
version = 1
requires-python = ">=3.12"
resolution-markers = ["python_full_version >= '3.13'"]

[manifest]
members = ["shop", "web"]

[[package]]
name = "six"
version = "1.17.0"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [
    {{ url = "https://example.org/six-1-py3-none-any.whl", hash = "sha256:{_SHA}", size = 1 }},
]

[[package]]
name = "shop"
source = {{ editable = "." }}
dependencies = [{{ name = "six", extra = ["x"], marker = "python_version < '4'" }}]
""".encode()
POETRY_LOCK = f"""\
[[package]]
name = "six"
version = "1.17.0"
optional = false
python-versions = ">=3.9"
groups = ["main"]
files = [{{file = "six-1.17.0-py3-none-any.whl", hash = "sha256:{_SHA}"}}]
[package.source]
type = "legacy"
url = "https://index.example.org/simple"
reference = "own"

[metadata]
lock-version = "2.1"
python-versions = "^3.12"
content-hash = "{_SHA}"
""".encode()
PDM_LOCK = f"""\
[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:{_SHA}"

[[metadata.targets]]
requires_python = "==3.14.*"

[[package]]
name = "six"
version = "1.17.0"
path = "./package"
files = [{{file = "six-1.17.0-py3-none-any.whl", hash = "sha256:{_SHA}"}}]
""".encode()
PIPFILE = b"""\
[[source]]
url = "https://$USER:${PASSWORD}@index.example.org/simple"
verify_ssl = false
name = "own"

[packages]
six = {version = "*", index = "own", markers = "python_version < '4'"}
local = {path = "./package", editable = true}

[requires]
python_version = "3.14"
[scripts]
serve = "gunicorn app:app"
"""
PIPFILE_LOCK = f"""\
{{
    "_meta": {{
        "hash": {{"sha256": "{_SHA}"}},
        "pipfile-spec": 6,
        "requires": {{"python_version": "3.14", "python_full_version": "3.14.6"}},
        "sources": [{{"name": "own", "url": "https://$USER@example.org", "verify_ssl": false}}]
    }},
    "default": {{
        "six": {{"hashes": ["sha256:{_SHA}"], "index": "own", "version": "==1.17.0"}},
        "local": {{"path": "./package", "editable": true}}
    }},
    "develop": {{}}
}}
""".encode()
PYLOCK = f"""\
lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = ">=3.12"
extras = ["x"]
dependency-groups = ["dev"]
default-groups = ["dev"]
created-by = "tool"

[[packages]]
name = "six"
version = "1.17.0"
marker = "'x' in extras or python_version >= '3.9'"
requires-python = ">=3.9"
index = "https://pypi.org/simple"
wheels = [{{name = "six-1.17.0-py3-none-any.whl", url = "https://example.org/six.whl",
            hashes = {{sha256 = "{_SHA}"}}}}]

[[packages]]
name = "local"
directory = {{path = "package", editable = true}}

[[packages]]
name = "repository"
vcs = {{type = "git", url = "https://example.org/r.git", commit-id = "{"c" * 40}"}}

[[packages]]
name = "archive"
archive = {{path = "a.tar.gz", hashes = {{sha256 = "{_SHA}"}}}}
""".encode()
PROCFILE = b"""\
# processes
web: A=1 gunicorn --bind :$PORT "shop.wsgi" && echo ${X:-$(date)} | tee 'a b' > x 2>&1
worker: bash run.sh
release: poetry run python manage.py migrate
exec: exec .venv/bin/python -m http.server
"""
RUNTIME = b"python-3.14.6\n"
VERSION_FILE = b"# comment\n3.14.6\n"
TOOL_VERSIONS = b"nodejs 24\npython 3.14.6 system # comment\n"
MISE = b'[tools]\npython = ["3.14", {version = "3.13"}]\nnode = "24"\n'
NLTK = b"# data\npunkt stopwords\n"
GUNICORN = b"import os\nbind = ':8000'\naccesslog = '-'\n"
MANAGE = b"""\
import os, sys
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.production")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
SETTINGS = b"""\
from .base import *
from ..shop.settings.base import *
try:
    from .local import *
except ImportError:
    pass
WSGI_APPLICATION = "shop.wsgi.application"
ASGI_APPLICATION: str = "shop.asgi.application"
"""
APP = b"""\
from __future__ import annotations
import flask as f
from fastapi import FastAPI
from .models import User
if True:
    with open("x") as y:
        app = f.Flask(__name__)
elif 1 < 2:
    api = application = FastAPI(title="x").a.b.c[0]
else:
    try:
        def create_app(a=1, *, b=2):
            return f.Flask(__name__)
    finally:
        server = create_app()
if __name__ == "__main__":
    app.run()
"""
# A program with a bot, a server, tasks and the pages of a Dash app.
BOT = b"""\
import asyncio, discord, dash, uvicorn
from threading import Thread
from aiohttp import web
from celery import Celery
from huey import RedisHuey
from mcp.server.stdio import stdio_server
from .tasks import app as api, huey
queue = Celery("x")
jobs = RedisHuey("x")
bot = discord.Client(a=1).b()
api.layout = dash.html.Div()
@queue.task
def add(): ...
class Bot(discord.Client):
    async def serve(self):
        async with stdio_server() as streams:
            await web.AppRunner(self.app).setup()
async def main():
    await asyncio.gather(bot.start("x"), uvicorn.Server(uvicorn.Config(api)).serve())
Thread(target=lambda: api.run(port=1), args=(bot.run,)).start()
if __name__ == "__main__":
    asyncio.run(main())
"""
METADATA = b"""\
Metadata-Version: 2.4
Name: six
Version: 1.17.0
Requires-Python: >=3.9
Requires-Dist: typing-extensions>=4; python_version < "3.15" and extra == "x"
Requires-Dist: name @ https://example.org/name.zip
Provides-Extra: x

Description
"""
RECORD = f"""\
six.py,sha256={"A" * 43},10
../../../bin/six,,
"a, b.py",md5=x,1
/absolute,,
six-1.17.0.dist-info/RECORD,,
""".encode()
ENTRY_POINTS = (
    b"[console_scripts]\nsix = six.main:run [x]\npip3.11 = pip:main\npip=pip:main\n[gui_scripts]\n"
)
DIRECT_URL = b'{"url": "https://u:p@example.org/a.git?x#y", "dir_info": {"editable": true}}'
SCRIPT = b"#!/bin/sh\n'''exec' /layers/x/venv/bin/python \"$0\" \"$@\"\n' '''\nimport sys\n"
PIP_CONF = b"""\
[global]
index-url = https://me:secret@index.example.org/simple
timeout: 10
[install]
no-binary =
    :all:
    six
--user = yes
target = /x
build-constraint = more.txt
"""
UV_TOML = b"""\
no-binary = true
[[index]]
url = "https://index.example.org/simple"
[pip]
no-build-isolation = true
"""
NETRC = (
    b"machine example.org login me password secret\ndefault login a password b\nmacdef x\ncd\n\n"
)
MIRROR_TABLE = f"""\
default = "3.14"
[[line]]
minor = "3.14"
end_of_life = 2030-10-31
[[release]]
version = "3.14.6"
arch = "amd64"
flavour = "plain"
libc = "gnu"
url = "python-3.14.6.tar.zst"
sha256 = "{_SHA}"
""".encode()
EXPORT = f"""\
-i https://index.example.org/simple
six[x]==1.17.0 ; python_version >= "3.9" and sys_platform == "linux" --hash=sha256:{_SHA}
-e ./package
name @ git+https://example.org/name@{"c" * 40}
-e git+https://example.org/other.git#egg=other
""".encode()
REPORT = f"""\
{{"version": "1", "install": [
  {{"metadata": {{"name": "six", "version": "1.17.0"}}, "is_direct": false,
    "requested_extras": ["x"],
    "download_info": {{"url": "https://example.org/six-1.17.0-py3-none-any.whl",
      "archive_info": {{"hashes": {{"sha256": "{_SHA}"}}}}}}}},
  {{"metadata": {{"name": "a", "version": "1"}}, "is_direct": true,
    "download_info": {{"url": "file:///a", "dir_info": {{"editable": true}}}}}},
  {{"metadata": {{"name": "b", "version": "1"}}, "is_direct": true,
    "download_info": {{"url": "https://example.org/b.git",
      "vcs_info": {{"vcs": "git", "commit_id": "{"c" * 40}"}}}}}}
]}}
""".encode()
LAYER = b"""\
[types]
launch = true
[metadata]
digest = "x"
list = ["a", "b"]
flag = true
"""
STORE_TOML = b'[metadata]\nformat = "1"\npins = ["six 1.17.0"]\nlayers = ["venv x"]\n'
PLAN = b'[[entries]]\nname = "python"\n[entries.metadata]\nbuild = true\nversion = ">=3.12"\n'
BUILDPACK = b'api = "0.12"\n[buildpack]\nid = "cnb-python/python"\nversion = "1.0.0"\n'
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n"
READ_RECORD = b"""\
{"format": 1, "unknown": "", "app": {"contents": ["a"], "kinds": [], "listed": ["b"],
 "entries": [], "startup": [], "modules": {"a": ["b"]}, "metadata": {}}}
"""
RECORDING = (
    b'{"opened": ["/a"], "failed": ["/b"], "listed": [], "modules": {"a": "b"}, "unknown": ""}'
)
SETUP_PY = b"""\
from setuptools import setup
PYTHON = ">=3.12"
options = {"python_requires": PYTHON, "name": "shop"}
setup(version="1", install_requires=["six"], **options)
setup(python_requires=PYTHON)
"""
SETUP_CFG = b"""\
[metadata]
name = shop
[options]
python_requires = >=3.12, <4
install_requires =
    six
"""
GITMODULES = b'[submodule "libs/one"]\n\tpath = libs/one\n\turl = https://example.org/one.git\n'
