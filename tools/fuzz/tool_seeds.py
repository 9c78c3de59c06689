"""Outputs of tools, as the tests have recorded them, and files that tools and images contain."""

from pathlib import Path

_RECORDED = Path(__file__).parents[2] / "tests/unit/managers"


def _recorded(tool: str, *names: str) -> tuple[bytes, ...]:
    return tuple((_RECORDED / tool / f"data/{name}.txt").read_bytes() for name in names)


PIP_OUTPUT = (
    *_recorded(
        "pip", "conflict", "invalid_line", "unknown_package.telling", "no_wheel_pinned.telling"
    ),
    *_recorded("pip", "hash_mismatch", "proxy_407.telling", "url_refused", "yanked.telling"),
    b"ERROR: six-1.17.0-cp311-cp311-win_amd64.whl is not a supported wheel on this platform.\n",
)
UV_OUTPUT = (
    *_recorded("uv", "401", "conflict", "sklearn", "lock_windows_only", "wrong_form_of_project"),
    *_recorded("uv", "unknown_version", "tls", "newer_lock", "yanked"),
)
BUILD_OUTPUT = (
    *_recorded("pip", "missing_header", "build_failed", "git_login", "disk_full"),
    *_recorded("uv", "rust_ext", "numpy_import", "oom_cc", "undefined_symbol"),
)
PDM_OUTPUT = b"Packages to add:\n  - six 1.17.0\n  - uvicorn[standard] 0.54.0\n  - no-such 1\n"
_TRACEBACK = (
    b'Traceback (most recent call last):\n  File "/workspace/manage.py", line 9, in <module>\n'
    b'    main()\n  File "/workspace/shop/settings.py", line 3, in <module>\n'
    b"    KEY = os.environ[\"SECRET_KEY\"]\nKeyError: 'SECRET_KEY'\n\n"
    b"During handling of the above exception, another exception occurred:\n\n"
    b"Traceback (most recent call last):\nModuleNotFoundError: No module named 'shop.settings'\n"
)
DJANGO_OUTPUT = (
    _TRACEBACK,
    b"django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.\n",
    b"SystemCheckError: System check identified some issues:\n\nERRORS:\n?: (files.E002)\n",
)
FILE_REQUESTS = (
    b'["path", "/layers/venv/lib/a.py"]\n["module", "/layers/venv/lib", "six"]\n["all"]\n'
    b'["native", "/x.so"]\n["listing", "/layers/venv"]\n'
)
NLTK = (b"Package 'x' not found in index", b"<urlopen error x>")
WHEEL = (
    b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\nBuild: 1\n"
)
LINKER = b"include /etc/ld.so.conf.d/*.conf\n/usr/local/lib # comment\n"
LAUNCH = b'[[processes]]\ntype = "web"\ncommand = ["node", "a.js"]\n[[processes]]\ntype = "cron"\n'
LABEL = b"""\
{"buildpacks": [{"key": "cnb-python/python", "version": "1", "layers": {
  "venv": {"sha": "sha256:a", "launch": true, "data": {"digest": "x", "none": null}},
  "deps-00": {"launch": true, "data": {"digest": "y", "list": [1, "a", 1.5, true, {}]}}},
  "store": {"metadata": {"format": "1", "pins": ["six 1.17.0"]}}}]}
"""
VALUES = (
    b"https://me:secret@index.example.org/simple/?key=value https://[::1]:8080/simple",
    b"three, two=2\nweb: gunicorn shop:app",
    b'{"postgres": [{"credentials": {"uri": "postgres://me:pa55w0rd@host/db"}}]}',
    b"3.14",
    b"true",
)
POETRY_TOML = b'[installer]\nno-binary = "six,uvicorn"\n'
PROJECT_TOML = b"""\
[_]
schema-version = "0.2"
[[io.buildpacks.group]]
id = "cnb-python/python"
[[io.buildpacks.post.group]]
uri = "x"
"""
PACKAGE_JSON = b'{"name": "shop", "scripts": {"build": "vite build", "prod": 1}}\n'
