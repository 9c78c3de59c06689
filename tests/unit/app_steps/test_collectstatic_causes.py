"""The end of a traceback shows why collectstatic failed."""

import pytest

from cnb_python.app_steps.collectstatic_causes import cause

STACK = 'Traceback (most recent call last):\n  File "/workspace/manage.py", line 11, in <module>\n'
OS = '  File "<frozen os>", line 717, in __getitem__\n'


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (
            (
                "django.core.exceptions.ImproperlyConfigured: You're using the staticfiles app "
                "without having set the STATIC_ROOT setting to a filesystem path.\n"
            ),
            ("static root", ""),
        ),
        (
            f"{OS}    raise KeyError(key) from None\nKeyError: 'STRIPE_KEY'\n",
            ("variable", "STRIPE_KEY"),
        ),
        (
            (
                "django.core.exceptions.ImproperlyConfigured: Set the DATABASE_URL environment "
                "variable\n"
            ),
            ("variable", "DATABASE_URL"),
        ),
        (
            (
                "decouple.UndefinedValueError: API_KEY not found. Declare it as envvar or define "
                "a default value.\n"
            ),
            ("variable", "API_KEY"),
        ),
        ('environs.EnvError: Environment variable "SENTRY" not set\n', ("variable", "SENTRY")),
        (
            (
                "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be "
                "empty.\n"
            ),
            ("secret key", ""),
        ),
        (
            "ValueError: Missing staticfiles manifest entry for 'shop/app.js'\n",
            ("manifest", "shop/app.js"),
        ),
        (
            (
                "whitenoise.storage.MissingFileError: The file 'img/a.png' could not be found "
                "with <whitenoise.storage.CompressedManifestStaticFilesStorage object at 0x7f>.\n"
            ),
            ("referenced file", "img/a.png"),
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/workspace/assets'\n",
            ("directory", "/workspace/assets"),
        ),
        (
            'psycopg.OperationalError: connection failed: connection to server at "127.0.0.1"\n\n'
            "The above exception was the direct cause of the following exception:\n\n"
            + STACK
            + "django.db.utils.OperationalError: connection failed: refused\n",
            ("database", "connection failed: refused"),
        ),
        ("ModuleNotFoundError: No module named 'debug_toolbar'\n", ("module", "debug_toolbar")),
        (
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n",
            ("library", "libGL.so.1"),
        ),
        (
            (
                "django.core.exceptions.ImproperlyConfigured: Could not find the GDAL library "
                '(tried "gdal"). Is GDAL installed?\n'
            ),
            ("library", "GDAL"),
        ),
        (
            (
                '  File "/workspace/shop/settings.py", line 3\n    X = (\n        ^\n'
                "SyntaxError: '(' was never closed\n"
            ),
            ("syntax", "'(' was never closed"),
        ),
        (
            "PermissionError: [Errno 13] Permission denied: '/var/www/static'\n",
            ("permission", "/var/www/static"),
        ),
        (
            (
                "django.core.exceptions.ImproperlyConfigured: The STATICFILES_DIRS setting is not "
                "a tuple or list.\n"
            ),
            ("settings", "The STATICFILES_DIRS setting is not a tuple or list."),
        ),
        ("KeyError: 'default'\n", ("other", "KeyError: 'default'")),
        (
            "ZeroDivisionError: division by zero\n",
            ("other", "ZeroDivisionError: division by zero"),
        ),
    ],
)
def test_cause_comes_from_the_last_exception(end: str, expected: tuple[str, str]) -> None:
    assert cause(f"{STACK}{end}") == expected


def test_missing_settings_are_recognized() -> None:
    output = (
        "No Django settings specified.\nUnknown command: 'collectstatic'\nType 'manage.py help'\n"
    )
    assert cause(output) == ("no settings", "")


def test_run_without_output_has_cause_other() -> None:
    assert cause("") == ("other", "")
