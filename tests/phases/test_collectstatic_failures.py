"""A failing collectstatic stops the build, with Django's own words and the likely cause."""

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, Files

GALLERY = fixture("pip_django_static")
SETTINGS = (GALLERY / "site_settings.py").read_text()
TITLE = "Django could not collect the app's static files"


@pytest.fixture(scope="module")
def gallery(builds: Builds, flask: Built) -> Built:
    built = builds.image(GALLERY, flask)
    assert built.code == 0, built.output
    return built


def settings(old: str, new: str) -> Files:
    assert old in SETTINGS
    return {"site_settings.py": SETTINGS.replace(old, new)}


def more(text: str) -> Files:
    return {"site_settings.py": f"{SETTINGS}\n{text}\n"}


READY = """
from django.apps import AppConfig


class Gallery(AppConfig):
    name = "gallery"

    def ready(self):
        from django.contrib.auth.models import User

        list(User.objects.all())
"""
DATABASE = """
INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""


@pytest.mark.parametrize(
    ("files", "traceback", "words"),
    [
        (
            settings('STATIC_ROOT = BASE_DIR / "staticfiles"', ""),
            "ImproperlyConfigured: You're using the staticfiles app without having set",
            (
                "the settings do not say where static files go.",
                "Add it to the settings: STATIC_ROOT = BASE_DIR / 'staticfiles'",
            ),
        ),
        (
            settings('os.environ.get("SECRET_KEY", "only-for-development")', 'os.environ["KEY"]'),
            "KeyError: 'KEY'",
            (
                "the settings need the variable KEY.",
                "Or set it for the build: pack build --env KEY=...",
            ),
        ),
        (
            {"gallery/static/gallery/style.css": "body { background: url(gone.png) }"},
            "The file 'gallery/gone.png' could not be found",
            (
                "a style sheet or script names the file gallery/gone.png, which does not exist.",
                "Correct the url() or import",
            ),
        ),
        (
            more("(BASE_DIR / 'webpack-stats.json').read_text()"),
            "No such file or directory: '/workspace/webpack-stats.json'",
            ("there is no /workspace/webpack-stats.json.", "have that run before"),
        ),
        (
            {**more(DATABASE), "gallery/apps.py": READY},
            "django.db.utils.OperationalError: no such table: auth_user",
            (
                "the app talks to its database as soon as it is loaded: no such table: auth_user",
                "There is no database while an image is built.",
            ),
        ),
        (
            more("INSTALLED_APPS += ['debug_toolbar']"),
            "ModuleNotFoundError: No module named 'debug_toolbar'",
            ("a module cannot be imported: debug_toolbar", "development groups are not installed"),
        ),
        (
            more("X = ("),
            "SyntaxError: '(' was never closed",
            ("the code cannot be read: '(' was never closed", "Correct the line"),
        ),
        (
            settings('STATIC_ROOT = BASE_DIR / "staticfiles"', 'STATIC_ROOT = "/srv/static"'),
            "PermissionError: [Errno 13] Permission denied: '/srv/static'",
            ("/srv/static cannot be written.", "Have the settings write below BASE_DIR only."),
        ),
        (
            more("raise RuntimeError('no')"),
            "RuntimeError: no",
            ("RuntimeError: no", "python manage.py collectstatic"),
        ),
    ],
)
def test_the_likely_cause_comes_last(
    builds: Builds, gallery: Built, app: App, files: Files, traceback: str, words: tuple[str, str]
) -> None:
    built = builds.phases(app(files, based_on=GALLERY), gallery)
    assert built.code
    shown = built.output.partition(f"[Error: {TITLE}]")[0]
    assert "Traceback (most recent call last)" in shown
    assert "asking.py" not in shown
    assert traceback in shown
    assert all(text in built.error for text in words), built.error
    assert "DISABLE_COLLECTSTATIC=1" in built.error
