"""Steps of the build that run the app's own code: hooks and NLTK's downloader."""

from collections.abc import Sequence
from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message, listed

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
                f"Found: {listed(self.names)}, besides the app's own packages.",
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


def left_files(paths: Sequence[str]) -> Message:
    """Return a warning that files outside STATIC_ROOT were removed after collectstatic."""
    return Message(
        title="Files that collectstatic left outside STATIC_ROOT are not in the image",
        body=(
            f"Removed: {_first(paths)}.",
            "The app's code made them during the build: a log, a database, or uploads.",
            "In the image they would belong to the build's user.",
            "If the app needs them, make them in bin/post_compile, or when it starts.",
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
    return listed(paths, most=_SHOWN)
