"""The end of a traceback shows why collectstatic failed."""

from pathlib import Path

import pytest

from cnb_python.app_steps.collectstatic_causes import cause, explain
from cnb_python.system.interface import Command, Outcome
from tests.support.messages import explained
from tests.support.trees import write_files

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
                "environs.exceptions.EnvValidationError: Environment variables invalid: "
                "{'SENTRY': ['Environment variable not set.']}\n"
            ),
            ("variable", "SENTRY"),
        ),
        (
            "envparse.ConfigurationError: Environment variable 'API_KEY' not set.\n",
            ("variable", "API_KEY"),
        ),
        (
            "KeyError: \"Config 'API_KEY' is missing, and has no default.\"\n",
            ("variable", "API_KEY"),
        ),
        (
            "everett.ConfigurationMissingError: API_KEY requires a value parseable by str\n",
            ("variable", "API_KEY"),
        ),
        (
            "RuntimeError: Missing required environment variable: API_KEY\n",
            ("variable", "API_KEY"),
        ),
        (
            f"{OS}    raise KeyError(key) from None\nKeyError: b'API_KEY'\n",
            ("variable", "API_KEY"),
        ),
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
        (
            "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Refused.\n",
            ("service", "Error 111 connecting to localhost:6379. Refused."),
        ),
        (
            "pymongo.errors.ServerSelectionTimeoutError: mongo:27017: [Errno -2] Name unknown\n",
            ("service", "mongo:27017: [Errno -2] Name unknown"),
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
            (
                "ValueError: Value 'SECRET_KEY' is required to be set as the environment variable "
                "'DJANGO_SECRET_KEY'\n"
            ),
            ("variable", "DJANGO_SECRET_KEY"),
        ),
        (
            (
                "django.core.management.base.SystemCheckError: SystemCheckError: System check "
                "identified some issues:\n\nERRORS:\n?: (staticfiles.E002) The STATICFILES_DIRS "
                "setting should not contain the STATIC_ROOT setting.\n\nWARNINGS:\n?: x\n"
            ),
            (
                "check",
                (
                    "?: (staticfiles.E002) The STATICFILES_DIRS setting should not contain the "
                    "STATIC_ROOT setting."
                ),
            ),
        ),
        (
            (
                "pydantic_core._pydantic_core.ValidationError: 2 validation errors for S\n"
                "database_url\n  Field required [type=missing, input_value={}, input_type=dict]\n"
                "    For further information visit https://errors.example.org/2/v/missing\n"
                "api_key\n  Field required [type=missing, input_value={}, input_type=dict]\n"
            ),
            ("fields", "database_url, api_key"),
        ),
        (
            (
                "FileNotFoundError: [Errno 2] No such file or directory: '/workspace/log/a'\n\n"
                "The above exception was the direct cause of the following exception:\n\n"
                f"{STACK}ValueError: Unable to configure handler 'f'\n"
            ),
            ("log directory", "/workspace/log"),
        ),
        (
            "botocore.exceptions.NoCredentialsError: Unable to locate credentials\n",
            ("storage", "NoCredentialsError: Unable to locate credentials"),
        ),
        (
            (
                "django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg "
                "module\n"
            ),
            ("driver", "psycopg[binary]"),
        ),
        (
            (
                "django.core.exceptions.ImproperlyConfigured: Error loading MySQLdb module.\n"
                "Did you install mysqlclient?\n"
            ),
            ("driver", "mysqlclient"),
        ),
        *(
            (
                f"FileNotFoundError: [Errno 2] No such file or directory: '/workspace/{name}'\n",
                ("secret file", f"/workspace/{name}"),
            )
            for name in (
                *("secrets.json", ".env", ".env.production", "config/credentials.yml"),
                *("key.pem", "service-account.json", "gcp_service_account.json"),
            )
        ),
        (
            (
                '  File "/workspace/shop/settings.py", line 7\n    <<<<<<< HEAD\n    ^^\n'
                "SyntaxError: invalid syntax\n"
            ),
            ("conflict", "/workspace/shop/settings.py, line 7"),
        ),
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


def frame(line: str) -> str:
    return f'  File "/workspace/shop/settings.py", line 3, in <module>\n    {line}\n    ^^^^^\n'


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (
            'ALLOWED_HOSTS = os.getenv("HOSTS").split(",")',
            "AttributeError: 'NoneType' object has no attribute 'split'",
        ),
        (
            "PORT = int(os.environ.get('HOSTS'))",
            (
                "TypeError: int() argument must be a string, a bytes-like object or a real "
                "number, not 'NoneType'"
            ),
        ),
        (
            'URL = "https://" + os.getenv("HOSTS")',
            'TypeError: can only concatenate str (not "NoneType") to str',
        ),
        (
            'DATABASES = {"default": dj_database_url.parse(os.environ.get("HOSTS"))}',
            "dj_database_url.UnknownSchemeError: Scheme 'b''://' is unknown.",
        ),
        (
            "ALLOWED_HOSTS = hosts.split(',')",
            "AttributeError: 'NoneType' object has no attribute 'x'",
        ),
    ],
)
def test_variable_without_default_is_named(line: str, end: str) -> None:
    library = '  File "/v/site-packages/x.py", line 1, in f\n    os.getenv("NOT_THIS")\n'
    code = 'import os\nhosts: str = os.environ.get("HOSTS")\n'

    output = f"{STACK}{frame(line)}{library}{end}\n"

    assert cause(output, lambda path: code if path == "/workspace/shop/settings.py" else "") == (
        "no default",
        "HOSTS",
    )


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("get('API_KEY')", "django.core.exceptions.ImproperlyConfigured: Set the API_KEY env var"),
        ("raise ValueError(message)", "ValueError: API_KEY must be set"),
        ("VALUES = dotenv_values()['API_KEY']", "KeyError: 'API_KEY'"),
    ],
)
def test_variable_in_the_message_of_the_app_is_named(line: str, end: str) -> None:
    code = "key = os.environ.get('API_KEY')\n"

    assert cause(f"{STACK}{frame(line)}{end}\n", lambda _: code) == ("variable", "API_KEY")


def test_name_that_the_code_does_not_look_up_is_no_variable() -> None:
    end = "django.core.exceptions.ImproperlyConfigured: MIGRATION_MODULES is odd"

    assert cause(f"{STACK}{frame('setup()')}{end}\n", lambda _: "import os")[0] == "settings"


def test_none_of_another_origin_is_quoted() -> None:
    end = "AttributeError: 'NoneType' object has no attribute 'split'"

    assert cause(f"{STACK}{frame('X = f().split()')}{end}\n") == ("other", end)


MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")\n'
NO_TOOLBAR = f"{STACK}ModuleNotFoundError: No module named 'debug_toolbar'\n"


def message(tmp_path: Path, output: str, **environ: str) -> str:
    app = write_files(
        tmp_path,
        {
            "manage.py": MANAGE,
            "config/settings/local.py": "",
            "config/settings/production.py": "",
        },
    )
    command = Command((), environ, app, shown="python manage.py collectstatic")
    return explained(explain(command, Outcome(1, output), app / "manage.py"))


def test_settings_for_production_are_named_beside_local_ones(tmp_path: Path) -> None:
    text = message(tmp_path, NO_TOOLBAR)

    assert "Settings: config.settings.local. The app also has config.settings.production." in text
    assert "pack build --env DJANGO_SETTINGS_MODULE=config.settings.production" in text


def test_settings_for_production_are_not_advised_to_those_who_use_them(tmp_path: Path) -> None:
    text = message(tmp_path, NO_TOOLBAR, DJANGO_SETTINGS_MODULE="config.settings.production")

    assert "Settings: config.settings.production.\n" in text
    assert "--env DJANGO_SETTINGS_MODULE" not in text


def test_missing_settings_module_is_no_missing_package(tmp_path: Path) -> None:
    output = f"{STACK}ModuleNotFoundError: No module named 'config.settings.prod'\n"

    text = message(tmp_path, output, DJANGO_SETTINGS_MODULE="config.settings.prod")

    assert "there is no settings module config.settings.prod" in text
    assert "config.settings.production" in text
    assert "requirements" not in text


def test_missing_variable_gets_two_ways_out_and_a_key_a_third(tmp_path: Path) -> None:
    text = message(tmp_path, f"{STACK}{OS}KeyError: 'SECRET_KEY'\n")

    assert '--env BP_PYTHON_COLLECTSTATIC_ENV="SECRET_KEY=VALUE"' in text
    assert 'collectstatic_env = { SECRET_KEY = "VALUE" } in [tool.cnb-python]' in text
    assert "os.environ.get('SECRET_KEY', 'for-builds-only')" in text
    assert "BP_PYTHON_COLLECTSTATIC_SECRET_KEY=true" in text
    other = message(tmp_path, f"{STACK}{OS}KeyError: 'API_KEY'\n")
    assert '"API_KEY=VALUE"' in other
    assert "COLLECTSTATIC_SECRET_KEY" not in other


def test_variable_of_an_empty_secret_key_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, {"config/settings/prod.py": 'SECRET_KEY = os.getenv("MY_KEY", "")\n'})
    output = f"{STACK}ImproperlyConfigured: The SECRET_KEY setting must not be empty.\n"

    text = message(tmp_path, output, DJANGO_SETTINGS_MODULE="config.settings.prod")

    assert '--env BP_PYTHON_COLLECTSTATIC_ENV="MY_KEY=VALUE"' in text


def test_secret_file_is_not_advised_for_the_repository(tmp_path: Path) -> None:
    end = "FileNotFoundError: [Errno 2] No such file or directory: '/workspace/secrets.json'\n"

    text = message(tmp_path, f"{STACK}{end}")

    assert "Do not add it to the repository" in text
    assert "add it to the repository. Git" not in text
