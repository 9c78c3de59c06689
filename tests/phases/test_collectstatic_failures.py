"""A failed collectstatic fails the build, with Django's output and the probable cause."""

import subprocess
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, Files, linked_copy

GALLERY = fixture("pip_django_static")
SETTINGS = (GALLERY / "site_settings.py").read_text()
TITLE = "Django could not collect the app's static files"


# With packages that read settings from variables.
REQUIREMENTS = f"""{(GALLERY / "requirements.txt").read_text()}
django-environ==0.14.0
python-decouple==3.8
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    changes: Files = {"requirements.txt": REQUIREMENTS}
    return linked_copy(GALLERY, tmp_path_factory.mktemp("gallery") / "app", changes)


@pytest.fixture(scope="module")
def gallery(builds: Builds, flask: Built, source: Path) -> Built:
    """The image whose environment all tests use."""
    source.chmod(0o755)
    built = builds.image(source, flask)
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
"""
QUERY = f"""{READY}
        from django.contrib.auth.models import User

        list(User.objects.all())
"""
# Before collectstatic, no file has a name with a digest.
NAMED = f"""{READY}
        from django.templatetags.static import static

        static("gallery/style.css")
"""
DATABASE = """
INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""


@pytest.mark.parametrize(
    ("files", "traceback", "words"),
    [
        (
            settings('os.environ.get("SECRET_KEY", "only-for-development")', 'os.environ["KEY"]'),
            "KeyError: 'KEY'",
            (
                "the settings need the variable KEY.",
                'collectstatic alone: pack build --env BP_PYTHON_COLLECTSTATIC_ENV="KEY=VALUE"',
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
            {"gallery/apps.py": NAMED},
            "ValueError: Missing staticfiles manifest entry for 'gallery/style.css'",
            (
                "the app asks for the static file gallery/style.css while it is loaded",
                "in functions that handle requests",
            ),
        ),
        (
            more("import decouple\nKEY = decouple.config('PAYMENT_KEY')"),
            "decouple.UndefinedValueError: PAYMENT_KEY not found",
            (
                "the settings need the variable PAYMENT_KEY.",
                'BP_PYTHON_COLLECTSTATIC_ENV="PAYMENT_KEY=VALUE"',
            ),
        ),
        (
            more("import environ\nKEY = environ.Env()('PAYMENT_KEY')"),
            "ImproperlyConfigured: Set the PAYMENT_KEY environment variable",
            (
                "the settings need the variable PAYMENT_KEY.",
                'BP_PYTHON_COLLECTSTATIC_ENV="PAYMENT_KEY=VALUE"',
            ),
        ),
        (
            more("(BASE_DIR / 'webpack-stats.json').read_text()"),
            "No such file or directory: '/workspace/webpack-stats.json'",
            ("there is no /workspace/webpack-stats.json.", "run that build earlier"),
        ),
        (
            {**more(DATABASE), "gallery/apps.py": QUERY},
            "django.db.utils.OperationalError: no such table: auth_user",
            (
                "a build has no database: no such table: auth_user",
                "Run queries in functions",
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
            ("the code has a syntax error: '(' was never closed", "Correct the line"),
        ),
        (
            settings('STATIC_ROOT = BASE_DIR / "staticfiles"', 'STATIC_ROOT = "/srv/static"'),
            "PermissionError: [Errno 13] Permission denied: '/srv/static'",
            ("/srv/static cannot be written.", "write only below BASE_DIR"),
        ),
        (
            more("ALLOWED_HOSTS = os.getenv('HOSTS').split(',')"),
            "AttributeError: 'NoneType' object has no attribute 'split'",
            (
                "the settings use the variable HOSTS, which is not set.",
                'BP_PYTHON_COLLECTSTATIC_ENV="HOSTS=VALUE"',
            ),
        ),
        (
            more("(BASE_DIR / 'secrets.json').read_text()"),
            "No such file or directory: '/workspace/secrets.json'",
            ("which is not in the image", "Do not add it to the repository"),
        ),
        (
            more("STATICFILES_DIRS = [STATIC_ROOT]"),
            "(staticfiles.E002)",
            ("should not contain the STATIC_ROOT setting.", "Settings: site_settings."),
        ),
        (
            {**more("import debug_toolbar"), "prod.py": "from site_settings import *"},
            "No module named 'debug_toolbar'",
            ("The app also has prod.", "--env DJANGO_SETTINGS_MODULE=prod"),
        ),
        (
            more("raise RuntimeError('no')"),
            "RuntimeError: no",
            ("RuntimeError: no", "python manage.py collectstatic"),
        ),
    ],
)
def test_probable_cause_is_the_last_exception(  # noqa: PLR0913 - fixtures
    builds: Builds,
    gallery: Built,
    source: Path,
    app: App,
    *,
    files: Files,
    traceback: str,
    words: tuple[str, str],
) -> None:
    explained(builds.phases(app(files, based_on=source), gallery), traceback, words)


def without_root(more: str = "") -> Files:
    text = SETTINGS.replace("ManifestStaticFilesStorage", "StaticFilesStorage")
    return {"site_settings.py": text.replace("STATIC_ROOT =", "# ") + more}


def test_settings_without_static_root_are_a_warning(
    builds: Builds, gallery: Built, source: Path, app: App
) -> None:
    built = builds.phases(app(without_root(), based_on=source), gallery)

    assert built.code == 0, built.output
    assert "[Warning: Static files are not in the image: the settings do not set" in built.output
    assert "STATIC_ROOT = BASE_DIR / 'staticfiles'" in built.output
    assert "Traceback" not in built.output


def test_settings_without_static_root_fail_where_middleware_serves_it(
    builds: Builds, gallery: Built, source: Path, app: App
) -> None:
    files = without_root("MIDDLEWARE = ['shop.WhiteNoise']\n")
    built = builds.phases(app(files, based_on=source), gallery)

    assert built.code
    assert "the directory of the files that shop.WhiteNoise serves" in built.error


@pytest.mark.thorough
def test_settings_that_wait_without_end_are_ended(
    builds: Builds, gallery: Built, source: Path, app: App
) -> None:
    files = more("import time\nwhile True: print('waiting', flush=True); time.sleep(0.5)")
    env = {"BP_PYTHON_IDLE_TIMEOUT": "1"}
    built = builds.phases(app(files, based_on=source), gallery, env=env)

    assert built.code
    assert built.error.startswith(
        "python manage.py collectstatic --noinput made no progress for 8 s\n"
    )


def test_missing_system_library_is_named(
    builds: Builds, gallery: Built, source: Path, app: App, tmp_path: Path
) -> None:
    files = {
        "gallery/native.so": needing(tmp_path, "libgdal.so.34"),
        **more("import gallery.native"),
    }
    built = builds.phases(app(files, based_on=source), gallery)
    explained(
        built,
        "ImportError: libgdal.so.34: cannot open shared object file: No such file or directory",
        (
            "the library libgdal.so.34 is not in the build image.",
            "Use a builder whose build and run images have it",
        ),
    )


def explained(built: Built, traceback: str, words: tuple[str, str]) -> None:
    assert built.code
    shown = built.output.partition(f"[Error: {TITLE}]")[0]
    assert "Traceback (most recent call last)" in shown
    assert "django_runner.py" not in shown
    assert traceback in shown
    assert all(text in built.error for text in words), built.error
    assert "DISABLE_COLLECTSTATIC=1" in built.error


def needing(directory: Path, library: str) -> bytes:
    """Return a module in C that is linked with *library*, which is then removed."""
    missing, module = directory / library, directory / "native.so"
    link = ("gcc", "-shared", "-nostdlib", "-o")
    named = (f"-Wl,-soname,{library}", "-x", "c", "/dev/null")
    subprocess.run((*link, missing, *named), check=True)
    subprocess.run((*link, module, "-Wl,--no-as-needed", missing), check=True)
    return module.read_bytes()
