"""Steps that run the app's own code."""

from collections.abc import Sequence
from typing import Literal, override

from cnb_python.errors.base import AppError, Message

_SHOWN = 3

_LIST = "List what the app needs with its other requirements instead of installing it in a script."

_BY_ADDRESS = (
    "What no index has is listed by its address, a model of spaCy for example: "
    "en-core-web-sm @ https://github.com/explosion/spacy-models/releases/download/..."
)

_NO_INSTALLER = (
    "The image has the packages that the app's files list, and nothing installs others afterwards."
)

_AT_BUILD = (
    "The settings are loaded while the image is built, where only the platform's variables for "
    "builds are set."
)

_CAUSES: dict[CollectstaticCause, tuple[str, ...]] = {
    "no settings": (
        "manage.py names no settings module.",
        "Have manage.py set DJANGO_SETTINGS_MODULE, or set it as a variable of the build.",
    ),
    "static root": (
        "the settings do not say where static files go.",
        "Add it to the settings: STATIC_ROOT = BASE_DIR / 'staticfiles'",
        (
            "If the app has no static files at all, remove django.contrib.staticfiles from "
            "INSTALLED_APPS."
        ),
    ),
    "variable": (
        f"the settings need the variable {{0}}. {_AT_BUILD}",
        "Give it a default for builds in the settings: os.environ.get('{0}', 'for-builds-only')",
        "Or set it for the build: pack build --env {0}=...",
    ),
    "secret key": (
        f"SECRET_KEY is empty. {_AT_BUILD}",
        "Give it a default for builds: os.environ.get('SECRET_KEY', 'for-builds-only')",
        "Or set the variable that the settings read: pack build --env SECRET_KEY=...",
    ),
    "manifest": (
        (
            "the app asks for the static file {0} while it is loaded, before its static files "
            "have been collected."
        ),
        (
            "Call static() where a page is made, in a function that is called for a request, not "
            "in the bodies of modules, in settings or in apps.py."
        ),
        "Look whether there is such a file: python manage.py findstatic {0}",
    ),
    "referenced file": (
        "a style sheet or script names the file {0}, which does not exist.",
        "Correct the url() or import that the output above names, or add the file.",
    ),
    "directory": (
        "there is no {0}.",
        "Add it to the repository (Git keeps no empty directories), or correct the settings.",
        (
            "If a front-end build makes it, have that run before: in bin/pre_compile, or in a "
            "buildpack that comes first."
        ),
    ),
    "database": (
        "the app talks to its database as soon as it is loaded: {0}",
        (
            "There is no database while an image is built. Have queries run in functions that are "
            "called later, not in the bodies of modules, in apps.py or in urls.py."
        ),
    ),
    "module": (
        "a module cannot be imported: {0}",
        (
            "If it is a package, list it with the app's requirements: development groups are not "
            "installed."
        ),
        "If it is the app's own, look that it is committed, and that its name is right.",
    ),
    "library": (
        "the library {0} is not in the build image.",
        (
            "Use a builder whose build and run images have it, or add it with a buildpack for "
            "system packages: the app needs it when it runs, too."
        ),
        "Some packages have a form that carries it: psycopg2-binary in place of psycopg2.",
    ),
    "syntax": (
        "the code cannot be read: {0}",
        "Correct the line that the output above names; it may be newer than the app's Python.",
    ),
    "permission": (
        "{0} cannot be written.",
        "Have the settings write below BASE_DIR only.",
    ),
    "settings": (
        "Django does not accept the settings: {0}",
        "Correct the setting.",
    ),
    "other": (
        "{0}",
        "Run it as the build does, in a fresh checkout: python manage.py collectstatic",
    ),
}

_NLTK: dict[str, tuple[str, ...]] = {
    "unknown": (
        "NLTK's index has nothing called {0}.",
        "Correct the name in nltk.txt: one identifier in each line, such as punkt or stopwords.",
        (
            "https://www.nltk.org/nltk_data/ lists what there is. Newer releases of NLTK know "
            "others (punkt_tab) than older ones (punkt)."
        ),
    ),
    "network": (
        "The server of NLTK's data could not be reached.",
        "Build again: it may have been out of order for a moment.",
        (
            "Behind a proxy set HTTP_PROXY and HTTPS_PROXY for the build. NLTK_DOWNLOAD_URL names "
            "the index of a mirror."
        ),
    ),
    "index": (
        "What was fetched as NLTK's index is none.",
        "Check NLTK_DOWNLOAD_URL: it has to be the address of an index.xml.",
    ),
    "damaged": (
        "What was fetched is not the file that NLTK's index describes.",
        "Build again; if it stays so, the server or a proxy on the way serves something else.",
    ),
    "other": (
        "The downloader of NLTK failed; its output is above.",
        "Try it in the same environment: python -m nltk.downloader {0}",
    ),
}


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


class PackagesChanged(AppError):
    """What the app runs while it is built has changed files of Python or of its packages."""

    path: str
    """The first of them."""
    count: int

    @override
    def describe(self) -> Message:
        more = f", and {self.count - 1} more," if self.count > 1 else ""
        return Message(
            title="What was installed has been changed while the app's own code ran",
            body=(
                f"{self.path}{more} is not as it was installed any more.",
                (
                    "Packages come from the app's files alone, so that every build gives the same "
                    "image. What collectstatic and the scripts in bin/ change there would be lost."
                ),
            ),
            steps=(_LIST, "Have the script write below the app's own directory."),
        )


class PackagesAdded(AppError):
    """What the app runs while it is built has installed packages."""

    by: str
    """Who may have: `bin/post_compile`."""
    names: tuple[str, ...]
    """As their metadata is called: `six-1.17.0`."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.by} has installed packages",
            body=(
                f"Beside the app's own packages there are now: {', '.join(self.names)}.",
                (
                    "The image has what the app's files list, so that every build gives the same one. "
                    "What else is installed while it is built would be lost."
                ),
            ),
            steps=(_LIST, _BY_ADDRESS),
        )


class CollectstaticFailed(AppError):
    """Django could not collect the app's static files."""

    command: str
    code: int
    cause: CollectstaticCause
    """What it probably is."""
    detail: str
    """The variable, file, module or line that it is about; may be empty."""

    @override
    def describe(self) -> Message:
        found, *steps = _CAUSES[self.cause]
        detail = self.detail
        return Message(
            title="Django could not collect the app's static files",
            body=(
                f"`{self.command}` ended with code {self.code}; its output is above.",
                f"Likely cause: {found.format(detail)}".rstrip(": "),
            ),
            steps=(
                *(step.format(detail) for step in steps),
                (
                    "An app that needs no static files in its image can do without: set "
                    "DISABLE_COLLECTSTATIC=1, or collectstatic = false in [tool.cnb-python] of "
                    "pyproject.toml."
                ),
            ),
        )


class HookFailed(AppError):
    """A script of the app that runs while it is built ended with an error."""

    script: str
    """`bin/post_compile`."""
    code: int
    """Its exit code; negative: the number of the signal that ended it."""
    installer: str
    """What it called and is not there, `pip` or `uv`; empty: nothing of the kind."""

    @override
    def describe(self) -> Message:
        ended = (
            f"ended with code {self.code}"
            if self.code > 0
            else f"was ended by signal {-self.code}"
        )
        said = f"The app's own script {self.script} {ended}; its output is above."
        if self.installer:
            return Message(
                title=f"{self.script} failed",
                body=(said, f"It calls {self.installer}, which is not there. {_NO_INSTALLER}"),
                steps=(_LIST, _BY_ADDRESS),
            )
        return Message(
            title=f"{self.script} failed",
            body=(said,),
            steps=(
                "Correct what the last lines of its output name.",
                "`set -x` near its top shows each command before it runs.",
            ),
        )


class HookNotStarted(AppError):
    """A script of the app that runs while it is built could not be started."""

    script: str
    program: str
    """What its first line names."""
    reason: str

    @override
    def describe(self) -> Message:
        program = self.program
        reads = (
            f"Its first line has it read by {program!r}." if program else "It names no program."
        )
        steps = (
            (
                "The line ends as Windows ends lines. Save the file with Unix line endings: "
                f"dos2unix {self.script}, and `{self.script} text eol=lf` in .gitattributes."
                if program.endswith("\r")
                else "Start it with a line that the build image understands: #!/usr/bin/env bash"
            ),
        )
        return Message(
            title=f"{self.script} cannot be started",
            body=(f"Starting {self.script} failed: {self.reason}.", reads),
            steps=steps,
        )


class NltkFailed(AppError):
    """Data that nltk.txt names could not be had."""

    name: str
    """The first such name."""
    cause: Literal["unknown", "network", "index", "damaged", "other"]
    detail: str
    """What NLTK says."""

    @override
    def describe(self) -> Message:
        found, *steps = _NLTK[self.cause]
        return Message(
            title=f"The NLTK data {self.name} could not be had",
            body=(
                found.format(self.name),
                *((f"NLTK says: {self.detail}",) * bool(self.detail)),
            ),
            steps=tuple(step.format(self.name) for step in steps),
        )


def added_files(by: str, paths: Sequence[str]) -> Message:
    """Say that files which somebody wrote beside the packages are in no image."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return Message(
        title="Files that were written beside the packages are not in the image",
        body=(
            f"{by} wrote {', '.join(paths[:_SHOWN])}{more}.",
            "The image has Python and the packages as they were installed, nothing beside them.",
            "What the app needs belongs into its own directory.",
        ),
    )


def added_data(paths: Sequence[str]) -> Message:
    """Say that data which a script fetched is in no image."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return Message(
        title="NLTK data that nltk.txt does not name is not in the image",
        body=(
            f"Written beside it: {', '.join(paths[:_SHOWN])}{more}.",
            "Add its name to nltk.txt.",
        ),
    )


def no_installer(script: str, installer: str) -> Message:
    """Say that a script called an installer, and went on without."""
    return Message(
        title=f"{script} calls {installer}, which is not there",
        body=(f"It went on without. {_NO_INSTALLER}", _LIST, _BY_ADDRESS),
    )
