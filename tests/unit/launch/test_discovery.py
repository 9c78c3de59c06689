"""Apps that can be served are found by parsing the code."""

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from cnb_python.launch.discovery import find
from cnb_python.launch.tables.frameworks import DetectedApp
from tests.support.trees import Files, write_files
from tools.fuzz.engine import limited

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
FACTORY = "from flask import Flask\ndef create_app(config=None):\n    return Flask('x')\n"
ALL = frozenset({"django", "flask", "fastapi", "starlette", "quart", "litestar"})


def find_apps(
    directory: Path, files: Files, installed: Collection[str] = ALL
) -> tuple[DetectedApp, ...]:
    return find(write_files(directory / "app", files), dict.fromkeys(installed, "1.0"))


def target(
    directory: Path, files: Files, installed: Collection[str] = ALL
) -> tuple[str, str, str]:
    """The framework, the target and the directory of the most likely app, or empty."""
    results = find_apps(directory, files, installed)
    if not results:
        return "", "", ""
    return results[0].framework, str(results[0].targets[0]), results[0].directory


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (FLASK, ("Flask", "main:app", "")),
        (FASTAPI, ("FastAPI", "main:app", "")),
        ("import flask\nweb = flask.Flask(__name__)", ("Flask", "main:web", "")),
        ("import fastapi as f\napi: f.FastAPI = f.FastAPI()", ("FastAPI", "main:api", "")),
        ("from flask import Flask as F\napp = F('a')", ("Flask", "main:app", "")),
        (
            "from starlette.applications import Starlette\napp = Starlette()",
            ("Starlette", "main:app", ""),
        ),
        ("from quart import Quart\napp = Quart(__name__)", ("Quart", "main:app", "")),
        ("from litestar import Litestar\napp = Litestar([])", ("Litestar", "main:app", "")),
        (FACTORY, ("Flask", "main:create_app()", "")),
        (FACTORY + "app = create_app()", ("Flask", "main:app", "")),
        (FACTORY + "if True:\n    app = create_app()", ("Flask", "main:app", "")),
        (
            "import fastapi\ntry:\n    app = fastapi.FastAPI()\nexcept ValueError:\n    pass",
            ("FastAPI", "main:app", ""),
        ),
        (
            "from fastapi import FastAPI\nother = FastAPI()\napp = FastAPI()",
            ("FastAPI", "main:app", ""),
        ),
    ],
)
def test_application_object_is_found(
    tmp_path: Path, code: str, expected: tuple[str, str, str]
) -> None:
    assert target(tmp_path, {"main.py": code}) == expected


@pytest.mark.parametrize(
    "code",
    [
        "",
        "print('hello')",
        "def Flask(name): ...\napp = Flask('x')",
        "from flask import Flask\ndef main():\n    app = Flask('x')",
        "from flask import Flask\nif __name__ == '__main__':\n    app = Flask('x')\n    app.run()",
        "from flask import Flask\ndef create_app(config):\n    return Flask('x')",
        "from flask import Flask\ndef create_app(*, config):\n    return Flask('x')",
        "from fastapi import FastAPI\nasync def create_app():\n    return FastAPI()",
        "from flask import Flask\nclass A:\n    app = Flask('x')",
        "app = Flask(",
        "app = (" * 5000,
        "from flask import Flask\napp = Flask(\0)",
    ],
)
def test_object_that_cannot_be_imported_is_not_found(tmp_path: Path, code: str) -> None:
    assert find_apps(tmp_path, {"main.py": code}) == ()


def test_app_is_not_imported(tmp_path: Path) -> None:
    files = {"app.py": f"{FLASK}open({str(tmp_path / 'ran')!r}, 'w')"}

    assert target(tmp_path, files) == ("Flask", "app:app", "")
    assert not (tmp_path / "ran").exists()


def test_framework_that_is_not_installed_is_ignored(tmp_path: Path) -> None:
    files = {"app.py": FLASK, "main.py": FASTAPI}

    assert target(tmp_path, files, {"fastapi"}) == ("FastAPI", "main:app", "")
    assert find_apps(tmp_path, {}, {"pyramid"}) == ()


def test_entry_point_modules_come_first(tmp_path: Path) -> None:
    files = {"app.py": FLASK, "wsgi.py": "from app import app as application\n"}
    results = find_apps(tmp_path, files, {"flask"})

    assert [str(result.targets[0]) for result in results] == ["wsgi:application", "app:app"]


def test_imported_object_has_the_installed_framework(tmp_path: Path) -> None:
    files = {"wsgi.py": "from shop import create_app\napp = create_app()\n"}

    assert target(tmp_path, files, {"flask", "boto3"}) == ("Flask", "wsgi:app", "")
    assert target(tmp_path, files, {"fastapi", "starlette"}) == ("FastAPI", "wsgi:app", "")
    assert target(tmp_path, files, {"flask", "fastapi"}) == ("", "", "")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"app/__init__.py": "", "app/main.py": FASTAPI}, ("FastAPI", "app.main:app", "")),
        ({"app/main.py": f"{FASTAPI}from app.routes import r"}, ("FastAPI", "app.main:app", "")),
        ({"app/main.py": f"{FASTAPI}from . import routes"}, ("FastAPI", "app.main:app", "")),
        ({"app/main.py": FASTAPI}, ("FastAPI", "main:app", "app")),
        ({"my-api/main.py": FASTAPI}, ("FastAPI", "main:app", "my-api")),
        ({"flaskr/__init__.py": FACTORY}, ("Flask", "flaskr:create_app()", "")),
        ({"src/main.py": FASTAPI}, ("FastAPI", "main:app", "src")),
        ({"src/main.py": f"{FASTAPI}from src.routes import r"}, ("FastAPI", "src.main:app", "")),
        ({"src/main.py": f"{FASTAPI}from . import routes"}, ("FastAPI", "src.main:app", "")),
        ({"src/shop/__init__.py": "", "src/shop/app.py": FLASK}, ("Flask", "shop.app:app", "src")),
        (
            {
                "api/__init__.py": "",
                "api/models.py": "",
                "api/main.py": f"{FASTAPI}from models import User",
            },
            ("FastAPI", "main:app", "api"),
        ),
    ],
)
def test_target_has_the_importable_module_name(
    tmp_path: Path, files: Files, expected: tuple[str, str, str]
) -> None:
    assert target(tmp_path, files) == expected


@pytest.mark.parametrize(
    "directory",
    [".hidden", "venv", "node_modules", "tests", "docs", "a/b/c/d", "src/a/b/c"],
)
def test_directories_of_dependencies_are_skipped(tmp_path: Path, directory: str) -> None:
    assert find_apps(tmp_path, {f"{directory}/app.py": FLASK}) == ()


def test_virtual_environment_of_any_name_is_skipped(tmp_path: Path) -> None:
    assert find_apps(tmp_path, {"mine/pyvenv.cfg": "", "mine/app.py": FLASK}) == ()


def test_links_pipes_and_huge_files_are_skipped(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", {"main.py": FLASK, "api.py": FLASK + "#" * 600_000})
    (app / "again").symlink_to(app)
    (app / "loop").symlink_to("loop")
    (app / "server.py").symlink_to("nowhere")
    (app / "wsgi.py").mkdir()
    os.mkfifo(app / "app.py")

    assert [result.file for result in find(app, dict.fromkeys(ALL, "1.0"))] == ["main.py"]


def test_large_repository_is_searched_within_limits(tmp_path: Path) -> None:
    files = {f"package{number:04}/app.py": "x = 1" for number in range(300)}

    assert find_apps(tmp_path, files | {"application.py": FLASK})[0].file == "application.py"


def test_file_and_line_are_reported(tmp_path: Path) -> None:
    (result,) = find_apps(tmp_path, {"src/shop/app.py": f"\n\n{FLASK}"})

    assert (result.file, result.line) == ("src/shop/app.py", 4)


def test_invalid_escape_prints_no_warning(tmp_path: Path) -> None:
    assert target(tmp_path, {"app.py": f'{FLASK}pattern = "\\d"\n'}) == ("Flask", "app:app", "")


def test_module_in_another_encoding_is_read(tmp_path: Path) -> None:
    code = f"# -*- coding: latin-1 -*-\n{FLASK}name = 'é'\n".encode("latin-1")

    assert target(tmp_path, {"app.py": code}) == ("Flask", "app:app", "")


@pytest.mark.parametrize(
    "code",
    [
        f"{FLASK}if 1:\n  x = 1\n" + "elif 1:\n  x = 1\n" * 2000,
        f"{FLASK}x = {'a.' * 20_000}b()\n",
        f"{FLASK}x = a{'()' * 5_000}\n",
    ],
    ids=["elif", "attributes", "calls"],
)
def test_code_of_any_depth_that_python_reads_is_read(tmp_path: Path, code: str) -> None:
    assert target(tmp_path, {"main.py": code}) == ("Flask", "main:app", "")


@pytest.mark.parametrize(
    "code", ["(" * 5000, f"x = {'not ' * 100_000}1", "x = 1\0", "\x0c" * 1000 + "("]
)
def test_code_that_python_does_not_read_has_no_app(tmp_path: Path, code: str) -> None:
    assert find_apps(tmp_path, {"main.py": code}) == ()


@pytest.mark.parametrize("settings", ["a." * 20_000 + "b", "." * 20_000, "a" * 100_000, "a\0b"])
def test_settings_module_that_cannot_exist_is_none(tmp_path: Path, settings: str) -> None:
    manage = f'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", {settings!r})\n'

    with limited():
        assert find_apps(tmp_path, {"manage.py": manage}) == ()


def test_settings_that_import_from_above_the_top_are_read(tmp_path: Path) -> None:
    files = {
        "manage.py": 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"\n',
        "shop/settings.py": f"from {'.' * 50}a import *\nWSGI_APPLICATION = 'shop.wsgi.app'\n",
        "shop/wsgi.py": "",
    }

    assert target(tmp_path, files)[1] == "shop.wsgi:app"


def test_application_of_settings_that_is_no_name_is_ignored(tmp_path: Path) -> None:
    files = {
        "manage.py": 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"\n',
        "shop/settings.py": """WSGI_APPLICATION = "shop.wsgi.a'b"\n""",
        "shop/wsgi.py": "",
    }

    assert target(tmp_path, files)[1] == "shop.wsgi:application"
