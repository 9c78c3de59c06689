"""Static files of Django that cannot be collected, by cause.

Separate from `app_steps/collectstatic_causes`, since an error and its message have one home.
"""

from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message

_BUILD_VARIABLES = (
    "The settings are loaded during the build, where only the platform's variables for builds "
    "are set."
)

_FOR_COLLECTSTATIC = (
    'Set it for collectstatic alone: pack build --env BP_PYTHON_COLLECTSTATIC_ENV="{0}=VALUE". '
    'A value that is not secret can be in pyproject.toml: collectstatic_env = {{ {0} = "VALUE" }} '
    "in [tool.cnb-python]."
)
_RANDOM_KEY = (
    "Give collectstatic a random SECRET_KEY: set BP_PYTHON_COLLECTSTATIC_SECRET_KEY=true, or "
    "collectstatic_secret_key = true in [tool.cnb-python] of pyproject.toml."
)

_SET_ROOT = "Add it to the settings: STATIC_ROOT = BASE_DIR / 'staticfiles'"

type CollectstaticCause = Literal[
    "no settings",
    "static root",
    "static server",
    "settings module",
    "variable",
    "no default",
    "fields",
    "secret key",
    "random key",
    "manifest",
    "referenced file",
    "directory",
    "log directory",
    "secret file",
    "storage",
    "driver",
    "database",
    "service",
    "module",
    "library",
    "syntax",
    "conflict",
    "permission",
    "check",
    "settings",
    "other",
]

# The cause, with {0} for the detail, and what may fix it.
_CAUSES: dict[CollectstaticCause, tuple[str, ...]] = {
    "no settings": (
        "manage.py names no settings module.",
        "Set DJANGO_SETTINGS_MODULE in manage.py.",
        "Set DJANGO_SETTINGS_MODULE as a variable of the build.",
    ),
    "static root": (
        "the settings do not set STATIC_ROOT.",
        _SET_ROOT,
        "If the app has no static files, remove django.contrib.staticfiles from INSTALLED_APPS.",
    ),
    "static server": (
        "the settings do not set STATIC_ROOT, the directory of the files that {0} serves.",
        _SET_ROOT,
        "If the app has no static files, remove {0} from it.",
    ),
    "variable": (
        f"the settings need the variable {{0}}. {_BUILD_VARIABLES}",
        _FOR_COLLECTSTATIC,
        "Give it a default in the settings: os.environ.get('{0}', 'for-builds-only')",
    ),
    "settings module": (
        "there is no settings module {0}.",
        "Correct DJANGO_SETTINGS_MODULE in manage.py.",
        "If it is set as a variable of the build, correct that.",
    ),
    "no default": (
        f"the settings use the variable {{0}}, which is not set. {_BUILD_VARIABLES}",
        _FOR_COLLECTSTATIC,
        (
            "Give it a default in the settings, in a form that the code accepts: "
            "os.environ.get('{0}', DEFAULT)"
        ),
    ),
    "fields": (
        f"the settings class has no values for these fields: {{0}}. {_BUILD_VARIABLES}",
        (
            "Set a variable for each field, for collectstatic alone: pack build --env "
            'BP_PYTHON_COLLECTSTATIC_ENV="NAME=VALUE NAME=VALUE". It has the field\'s name, with the '
            "class's env_prefix in front. Values that are not secret can be in pyproject.toml: "
            'collectstatic_env = {{ NAME = "VALUE" }} in [tool.cnb-python].'
        ),
        "Give the fields defaults in the class.",
    ),
    "secret key": (
        f"SECRET_KEY is empty. {_BUILD_VARIABLES}",
        _FOR_COLLECTSTATIC,
        "Give it a default in the settings: os.environ.get('{0}', 'for-builds-only')",
    ),
    "random key": (
        (
            "the static file {0} contains the random SECRET_KEY. The key differs in each build, so "
            "equal builds would give different images, and every visitor could read it."
        ),
        "Change the code so that no static file depends on SECRET_KEY.",
    ),
    "manifest": (
        (
            "the app asks for the static file {0} while it is loaded, before static files are "
            "collected."
        ),
        (
            "Call static() in functions that handle requests, not at the top of modules, in "
            "settings or in apps.py."
        ),
        "Check that the file exists: python manage.py findstatic {0}",
    ),
    "referenced file": (
        "a style sheet or script names the file {0}, which does not exist.",
        "Correct the url() or import that the output above names.",
        "Add the file.",
    ),
    "directory": (
        "there is no {0}.",
        "Correct the settings.",
        (
            "If it holds no secrets, add it to the repository. Git keeps no empty directories: put a "
            "file in them."
        ),
        (
            "If a front-end build makes it, run that build earlier: in bin/pre_compile, or in an "
            "earlier buildpack."
        ),
    ),
    "log directory": (
        "the settings write a log file to {0}, which does not exist.",
        (
            "Log to the console instead, as containers do: "
            '{{"class": "logging.StreamHandler"}} in LOGGING'
        ),
        "Add the directory to the repository, with a file in it: Git keeps no empty directories.",
    ),
    "secret file": (
        "the settings read {0}, which is not in the image.",
        "Read it only if it exists, and give its values defaults for builds.",
        "Read its values from variables: os.environ.get('NAME', 'for-builds-only')",
        (
            "Give it to the containers alone, as a mounted secret or service binding. Do not add it "
            "to the repository: everybody who gets the image could read it."
        ),
    ),
    "storage": (
        "the static files go to a storage service, which the build cannot use: {0}",
        (
            "Run collectstatic when you release, where the credentials are, and turn it off for "
            "builds: DISABLE_COLLECTSTATIC=1"
        ),
        (
            "Give the build the credentials, such as: pack build --env AWS_ACCESS_KEY_ID=ID "
            "--env AWS_SECRET_ACCESS_KEY=KEY"
        ),
    ),
    "driver": (
        "the driver of the database is not installed.",
        "Add it to the app's requirements: {0}",
        "If builds need no database, name another ENGINE for them: django.db.backends.sqlite3",
    ),
    "database": (
        "the app uses its database while it is loaded, and a build has no database: {0}",
        (
            "Run queries in functions that are called later, not at the top of modules, in "
            "apps.py or in urls.py."
        ),
    ),
    "service": (
        "the app connects to a server while it is loaded, and a build has no such server: {0}",
        "Connect in functions that are called later, not at the top of modules or in settings.",
    ),
    "module": (
        "a module cannot be imported: {0}",
        (
            "If it is a package, add it to the app's requirements: development groups are not "
            "installed."
        ),
        "If it is the app's own, check its name, and that it is in the repository.",
    ),
    "library": (
        "the library {0} is not in the build image.",
        "Use a builder whose build and run images have it, since the app needs it at run time too.",
        "Add it with a buildpack for system packages.",
        "Use a package that includes it, such as psycopg2-binary in place of psycopg2.",
    ),
    "syntax": (
        "the code has a syntax error: {0}",
        "Correct the line that the output above names.",
        "Use a newer Python, if the code needs one.",
    ),
    "conflict": (
        "the code has markers of a merge conflict: {0}",
        "Choose one of the versions between <<<<<<< and >>>>>>>, and remove the markers.",
    ),
    "permission": (
        "{0} cannot be written.",
        "Change the settings, so that they write only below BASE_DIR.",
    ),
    "check": (
        "Django's checks found an error: {0}",
        "Correct the setting that it names.",
    ),
    "settings": (
        "Django does not accept the settings: {0}",
        "Correct the setting.",
    ),
    "other": (
        "{0}",
        "Run it as the build does, in a new checkout: python manage.py collectstatic",
    ),
}


class CollectstaticFailed(AppError):
    """Django could not collect the app's static files."""

    command: str
    code: int
    cause: CollectstaticCause
    """The likely cause."""
    detail: str
    """The variable, file, module or line of the cause; may be empty."""
    settings: str
    """The settings module; empty: unknown."""
    settings_for_production: str
    """The module for production beside it; empty: none."""

    @override
    def describe(self) -> Message:
        cause, *fixes = _CAUSES[self.cause]
        return Message(
            title="Django could not collect the app's static files",
            body=(
                f"`{self.command}` ended with exit code {self.code}. Its output is above.",
                f"Likely cause: {cause.format(self.detail)}".rstrip(": "),
                *_which_settings(self),
            ),
            fixes=(
                *_use_production(self),
                *(fix.format(self.detail) for fix in fixes),
                *((_RANDOM_KEY,) if _is_secret_key(self) else ()),
                (
                    "If the image needs no static files, set DISABLE_COLLECTSTATIC=1, or collectstatic "
                    "= false in [tool.cnb-python] of pyproject.toml."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            *("python manage.py collectstatic --noinput", 1, "variable", "PAYMENT_KEY"),
            *("site_settings", ""),
        )


def no_static_root() -> Message:
    """Return a warning that STATIC_ROOT is not set, in an app where nothing serves it."""
    return Message(
        title="Static files are not in the image: the settings do not set STATIC_ROOT",
        body=(
            (
                "Django collects nothing without it. No package of the app serves static files, so "
                "the build goes on."
            ),
            _SET_ROOT,
            (
                "To serve them from the app itself, add the package whitenoise: "
                "https://whitenoise.readthedocs.io/en/stable/django.html"
            ),
        ),
    )


def no_node_build(script: str) -> Message:
    """Return a warning that the *script* of package.json did not run: Node.js is missing."""
    return Message(
        title=f"package.json has a script {script}, and no buildpack for Node.js took part",
        body=(
            "What the script makes is not in the image, unless it is in the repository.",
            (
                "To run it, put a Node.js buildpack before this one, such as: pack build shop "
                "--buildpack heroku/nodejs --buildpack cnb-python/python"
            ),
            "collectstatic and the commands of [tool.cnb-python] then find what it made.",
        ),
    )


def _is_secret_key(failure: CollectstaticFailed) -> bool:
    """Whether the variable SECRET_KEY is missing, which may have any value."""
    is_missing = failure.cause in {"variable", "no default", "secret key"}
    return is_missing and failure.detail == "SECRET_KEY"


def _which_settings(failure: CollectstaticFailed) -> tuple[str, ...]:
    if not failure.settings:
        return ()
    other = failure.settings_for_production
    beside = f" The app also has {other}." if other else ""
    return (f"Settings: {failure.settings}.{beside}",)


def _use_production(failure: CollectstaticFailed) -> tuple[str, ...]:
    other = failure.settings_for_production
    if not other:
        return ()
    return (
        (
            "If the image is for production, use those settings: pack build "
            f"--env DJANGO_SETTINGS_MODULE={other}, and the same variable for the containers."
        ),
    )
