"""Steps of the build that run the app's own code: hooks, collectstatic and NLTK's downloader."""

from collections.abc import Sequence
from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message

_SHOWN = 3

_LIST = "List the package with the app's other requirements instead of installing it in a script."
_LIST_ADDRESS = (
    "If no index has it, list its address, for example a model of spaCy: "
    "en-core-web-sm @ https://github.com/explosion/spacy-models/releases/download/..."
)
_ONLY_LISTED = (
    "The image contains only packages that the app's files list, so that every build gives the same "
    "image. Scripts cannot install others."
)
_BUILD_VARIABLES = (
    "The settings are loaded during the build, where only the platform's variables for builds "
    "are set."
)

type CollectstaticCause = Literal[
    "no settings",
    "static root",
    "variable",
    "secret key",
    "manifest",
    "referenced file",
    "directory",
    "database",
    "module",
    "library",
    "syntax",
    "permission",
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
        "Add it to the settings: STATIC_ROOT = BASE_DIR / 'staticfiles'",
        "If the app has no static files, remove django.contrib.staticfiles from INSTALLED_APPS.",
    ),
    "variable": (
        f"the settings need the variable {{0}}. {_BUILD_VARIABLES}",
        "Give it a default for builds in the settings: os.environ.get('{0}', 'for-builds-only')",
        "Set it for the build: pack build --env {0}=VALUE",
    ),
    "secret key": (
        f"SECRET_KEY is empty. {_BUILD_VARIABLES}",
        "Give it a default for builds: os.environ.get('SECRET_KEY', 'for-builds-only')",
        "Set the variable that the settings read for the build: pack build --env SECRET_KEY=VALUE",
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
        "Add it to the repository, with a file in it: Git keeps no empty directories.",
        "Correct the settings.",
        (
            "If a front-end build makes it, run that build earlier: in bin/pre_compile, or in an "
            "earlier buildpack."
        ),
    ),
    "database": (
        "the app uses its database while it is loaded, and a build has no database: {0}",
        (
            "Run queries in functions that are called later, not at the top of modules, in "
            "apps.py or in urls.py."
        ),
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
    "permission": (
        "{0} cannot be written.",
        "Change the settings, so that they write only below BASE_DIR.",
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

type NltkCause = Literal["unknown", "network", "index", "damaged", "other"]

_NLTK: dict[NltkCause, tuple[str, ...]] = {
    "unknown": (
        (
            "NLTK's index has no {0}. Newer releases of NLTK need other data (punkt_tab) than "
            "older ones (punkt)."
        ),
        "Correct the name in nltk.txt, to one of https://www.nltk.org/nltk_data/",
    ),
    "network": (
        "The server of NLTK's data could not be reached.",
        "Build again: the failure may have been temporary.",
        "If builds reach the network through a proxy, set HTTP_PROXY and HTTPS_PROXY for them.",
        "Name the index of a mirror in NLTK_DOWNLOAD_URL.",
    ),
    "index": (
        "The download is not an index of NLTK.",
        "Correct NLTK_DOWNLOAD_URL: the address of an index.xml.",
    ),
    "damaged": (
        "The download is not the file that NLTK's index describes.",
        "Build again: the failure may have been temporary.",
        "Find out which server or proxy sends another file.",
    ),
    "other": (
        "NLTK's downloader failed. Its output is above.",
        "Run it on your machine, in the same environment: python -m nltk.downloader {0}",
    ),
}


class PackagesChanged(AppError):
    """The app's code changed files of Python or of installed packages during the build."""

    path: str
    """The first changed file."""
    count: int

    @override
    def describe(self) -> Message:
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        return Message(
            title="The app's code changed installed packages during the build",
            body=(
                f"Changed: {self.path}{more}.",
                (
                    "Packages come from the app's files alone, so that every build gives the same "
                    "image. Changes by collectstatic or the scripts in bin/ would be lost."
                ),
            ),
            fixes=(_LIST, "Change the script, so that it writes below the app's directory."),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("/layers/cnb-python_python/venv/pyvenv.cfg", 1)


class PackagesAdded(AppError):
    """The app's code installed packages during the build."""

    by: str
    """What may have installed them: `bin/post_compile`."""
    names: tuple[str, ...]
    """As in their metadata: `six-1.17.0`."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.by} installed packages",
            body=(
                f"Found: {', '.join(self.names)}, besides the app's own packages.",
                (
                    "The image contains only packages that the app's files list, so that every build "
                    "gives the same image. Others would be lost."
                ),
            ),
            fixes=(_LIST, _LIST_ADDRESS),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("bin/post_compile", ("six-1.17.0",))


class CollectstaticFailed(AppError):
    """Django could not collect the app's static files."""

    command: str
    code: int
    cause: CollectstaticCause
    """The likely cause."""
    detail: str
    """The variable, file, module or line of the cause; may be empty."""

    @override
    def describe(self) -> Message:
        cause, *fixes = _CAUSES[self.cause]
        return Message(
            title="Django could not collect the app's static files",
            body=(
                f"`{self.command}` ended with exit code {self.code}. Its output is above.",
                f"Likely cause: {cause.format(self.detail)}".rstrip(": "),
            ),
            fixes=(
                *(fix.format(self.detail) for fix in fixes),
                (
                    "If the image needs no static files, set DISABLE_COLLECTSTATIC=1, or collectstatic "
                    "= false in [tool.cnb-python] of pyproject.toml."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("python manage.py collectstatic --noinput", 1, "variable", "PAYMENT_KEY")


class HookFailed(AppError):
    """A script of the app failed during the build."""

    script: str
    """`bin/post_compile`."""
    code: int
    """Exit code; negative: the number of the signal that ended it."""
    installer: str
    """The installer that it called, `pip` or `uv`, and that does not exist; empty: none."""

    @override
    def describe(self) -> Message:
        ended = (
            f"ended with exit code {self.code}"
            if self.code > 0
            else f"was ended by signal {-self.code}"
        )
        outcome = f"The app's script {self.script} {ended}. Its output is above."
        if self.installer:
            return Message(
                title=f"{self.script} failed",
                body=(outcome, f"It calls {self.installer}, which is missing. {_ONLY_LISTED}"),
                fixes=(_LIST, _LIST_ADDRESS),
            )
        return Message(
            title=f"{self.script} failed",
            body=(outcome,),
            fixes=(
                "Correct the command that the last lines of its output name.",
                "Add `set -x` at its top, which prints each command before it runs.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("bin/post_compile", 1, "pip")


class HookNotStarted(AppError):
    """A script of the app could not be started during the build."""

    script: str
    program: str
    """The interpreter that its first line names."""
    reason: str

    @override
    def describe(self) -> Message:
        is_windows = self.program.endswith("\r")
        return Message(
            title=f"{self.script} cannot be started",
            body=(
                f"Starting {self.script} failed: {self.reason}.",
                f"Its first line names {self.program!r}."
                if self.program
                else "Its first line names no program.",
                *(("The line ends in \\r, as in text files of Windows.",) if is_windows else ()),
            ),
            fixes=(
                f"Convert it to Unix line endings: dos2unix {self.script}, and `{self.script} "
                "text eol=lf` in .gitattributes"
                if is_windows
                else "Start it with a program of the build image: #!/usr/bin/env bash",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("bin/pre_compile", "/bin/bash\r", "No such file or directory")


class NltkFailed(AppError):
    """Data that `nltk.txt` names could not be downloaded."""

    name: str
    """The first name that failed."""
    cause: NltkCause
    detail: str
    """As NLTK reports it; may be empty."""

    @override
    def describe(self) -> Message:
        cause, *fixes = _NLTK[self.cause]
        return Message(
            title=f"The NLTK data {self.name} could not be downloaded",
            body=(
                cause.format(self.name),
                *((f"NLTK reports: {self.detail}",) if self.detail else ()),
            ),
            fixes=tuple(fix.format(self.name) for fix in fixes),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("stopword", "unknown", "Package 'stopword' not found in index")


def added_files(by: str, paths: Sequence[str]) -> Message:
    """Return a warning that files which were written beside the packages are not in the image."""
    return Message(
        title="Files that were written beside the packages are not in the image",
        body=(
            f"{by} wrote {_first(paths)}.",
            "The image has Python and the packages as they were installed.",
            "Write files that the app needs below its own directory.",
        ),
    )


def added_data(paths: Sequence[str]) -> Message:
    """Return a warning that data which a script downloaded is not in the image."""
    return Message(
        title="NLTK data that nltk.txt does not name is not in the image",
        body=(f"Found: {_first(paths)}.", "Add its name to nltk.txt."),
    )


def no_installer(script: str, installer: str) -> Message:
    """Return a warning that a script called an installer that does not exist, and went on."""
    return Message(
        title=f"{script} calls {installer}, which is missing",
        body=(f"The script went on without it. {_ONLY_LISTED}", _LIST, _LIST_ADDRESS),
    )


def _first(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
