"""A Django project is found by manage.py, its application in the settings."""

from pathlib import Path

import pytest

from cnb_python.launch.discovery import find
from cnb_python.launch.tables.frameworks import DetectedApp
from tests.support.trees import Files, write_files

MANAGE = """\
import os
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")
"""
WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
ASGI = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
SHOP = {
    "manage.py": MANAGE.format(settings="shop.settings"),
    "shop/__init__.py": "",
    "shop/settings.py": "DEBUG = False\nWSGI_APPLICATION = 'shop.wsgi.application'\n",
    "shop/wsgi.py": WSGI,
    "shop/asgi.py": ASGI,
}
DJANGO = frozenset({"django", "gunicorn"})


def find_apps(tmp_path: Path, files: Files) -> tuple[DetectedApp, ...]:
    return find(write_files(tmp_path / "app", files), dict.fromkeys(DJANGO, "1.0"))


def targets(tmp_path: Path, files: Files) -> list[tuple[str, str]]:
    return [(target.interface, str(target)) for target in find_apps(tmp_path, files)[0].targets]


@pytest.mark.parametrize("name", ["manage.py", "manage_prod.py"])
def test_link_to_manage_py_runs_where_its_target_is(tmp_path: Path, name: str) -> None:
    """Python imports from the directory of the target."""
    files = {f"backend/{path}": text for path, text in SHOP.items()}
    files[f"backend/{name}"] = files.pop("backend/manage.py")
    app = write_files(tmp_path / "app", files)
    (app / "manage.py").symlink_to(f"backend/{name}")

    (result,) = find(app, dict.fromkeys(DJANGO, "1.0"))

    assert (result.file, result.directory) == ("backend/shop/settings.py", "backend")


def test_link_to_a_file_outside_of_the_app_counts_as_a_file(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", SHOP)
    (app / "manage.py").rename(tmp_path / "manage.py")
    (app / "manage.py").symlink_to(tmp_path / "manage.py")

    (result,) = find(app, dict.fromkeys(DJANGO, "1.0"))

    assert result.directory == ""


def test_settings_choose_the_application(tmp_path: Path) -> None:
    (result,) = find_apps(tmp_path, SHOP)

    assert result.framework == "Django"
    assert (result.file, result.line, result.sign) == ("shop/settings.py", 2, "WSGI_APPLICATION")
    assert targets(tmp_path, {}) == [
        ("WSGI", "shop.wsgi:application"),
        ("ASGI", "shop.asgi:application"),
    ]


def test_asgi_application_comes_first(tmp_path: Path) -> None:
    settings = "WSGI_APPLICATION = 'shop.wsgi.application'\nASGI_APPLICATION = 'shop.live.app'\n"
    files = SHOP | {"shop/settings.py": settings, "shop/live.py": "app = 1\n"}

    assert targets(tmp_path, files)[0] == ("ASGI", "shop.live:app")


@pytest.mark.parametrize(
    "settings",
    ["", "WSGI_APPLICATION = None\n", "WSGI_APPLICATION = 'gone.wsgi.application'\n", "x = (\n"],
)
def test_wsgi_module_beside_settings_is_used(tmp_path: Path, settings: str) -> None:
    files = SHOP | {"shop/settings.py": settings}

    assert targets(tmp_path, files)[0] == ("WSGI", "shop.wsgi:application")
    assert find_apps(tmp_path, {})[0].file == "manage.py"


def test_settings_package_is_followed(tmp_path: Path) -> None:
    files = {
        "manage.py": MANAGE.format(settings="config.settings.production"),
        "config/settings/__init__.py": "",
        "config/settings/base.py": "WSGI_APPLICATION = 'config.wsgi.application'\n",
        "config/settings/production.py": "from .base import *\nDEBUG = False\n",
        "config/wsgi.py": WSGI,
    }

    assert targets(tmp_path, files)[0] == ("WSGI", "config.wsgi:application")
    assert find_apps(tmp_path, {})[0].file == "config/settings/base.py"


def test_settings_that_import_themselves_end(tmp_path: Path) -> None:
    files = SHOP | {"shop/settings.py": "from shop.settings import *\nfrom ....... import *\n"}

    assert targets(tmp_path, files)[0] == ("WSGI", "shop.wsgi:application")


def test_project_in_a_directory_runs_there(tmp_path: Path) -> None:
    (result,) = find_apps(tmp_path, {f"backend/{name}": text for name, text in SHOP.items()})

    assert result.directory == "backend"
    assert str(result.targets[0]) == "shop.wsgi:application"
    assert result.file == "backend/shop/settings.py"


def test_assigned_settings_variable_is_read(tmp_path: Path) -> None:
    manage = "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"

    assert find_apps(tmp_path, SHOP | {"manage.py": manage})[0].file == "shop/settings.py"


@pytest.mark.parametrize("manage", ["", "import os\nos.environ.setdefault('X', 'y')\n", "def ("])
def test_wsgi_file_is_found_without_settings_module(tmp_path: Path, manage: str) -> None:
    assert targets(tmp_path, SHOP | {"manage.py": manage}) == [("WSGI", "shop.wsgi:application")]


def test_setting_without_dotted_path_is_ignored(tmp_path: Path) -> None:
    files = SHOP | {"shop/settings.py": "WSGI_APPLICATION = '../evil.application'\n"}

    assert targets(tmp_path, files)[0] == ("WSGI", "shop.wsgi:application")


def test_manage_py_without_django_is_ignored(tmp_path: Path) -> None:
    assert find(write_files(tmp_path / "app", SHOP), {"flask": "3"}) == ()
