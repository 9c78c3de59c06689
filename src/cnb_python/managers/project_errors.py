"""Recognizes why pip or uv could not build a project in the app's own directories.

Separate from `build_errors`, which explains packages of an index: another version of a package may
be the answer there, and never here.
"""

import re

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.building import (
    MissingBuildModule,
    MissingForBuild,
    Python2OnlyPackage,
    SourceBuildFailed,
    UndefinedSymbol,
)
from cnb_python.errors.packages.finding import Alternative, UnfitVersion, WrongPython
from cnb_python.errors.projects import ProjectNotBuildable, ProjectReason

_REASONS: tuple[tuple[ProjectReason, str], ...] = (
    (
        "several packages",
        r"Multiple top-level (?:packages|modules) discovered in a flat-layout: \[([^\]]*)\]",
    ),
    (
        "no files",
        (
            r"Unable to determine which files to ship|No file/folder found for (?:module|package)"
            r"|Expected a Python module at: "
        ),
    ),
    ("missing file", r"(?:Readme|License) file does not exist: (\S+)"),
    ("setuptools-scm", r"was unable to detect version"),
    ("pbr", r"Versioning for this project requires"),
    ("Git", r"fatal: not a git repository|Command '\[?'git'"),
    ("missing file", r"FileNotFoundError: .*No such file or directory: '([^']+\.\w+)'"),
    ("parse_requirements", r"No module named '(pip\b[\w.]*)"),
    ("specifier", r"(Invalid specifier: '.+')|Failed to parse version: (.+)"),
    (
        "pyproject",
        (
            r"This package has an invalid (.+)|invalid pyproject\.toml config: (.+)"
            r"|(configuration error: .+)"
            r"|`pyproject\.toml` does not match the required schema"
        ),
    ),
)
_UV = re.compile(r"Failed to (?:download and )?build `[^`]* @ (file:[^`]*)`")
_PIP = re.compile(r"^(?:Obtaining|Processing) (file:\S*|\.\S*|/\S*)", re.MULTILINE)
_ARCHIVE = re.compile(r"\.(?:whl|zip|tgz|tar\.\w+)$")


def local_project(package: str, output: str) -> str:
    """Return the path of the project that failed to build, relative to the app; empty: no project.

    *package*: as the tool names what failed; empty: the app itself. Paths in *output* are relative
    to the app, apart from that of the app itself.
    """
    if match := _UV.search(output):
        return _path(match[1])
    if not package:
        return "."
    if package.startswith("file:"):
        return _path(package)
    if re.search(rf"^Collecting {re.escape(package)}\b", output, re.MULTILINE | re.IGNORECASE):
        return ""
    directories = [path for path in _PIP.findall(output) if not _ARCHIVE.search(path)]
    return _path(directories[0]) if len(directories) == 1 else package if directories else ""


def _path(address: str) -> str:
    """Return the path in *address* relative to the app; empty: it is an archive."""
    path = address.removeprefix("file://").removeprefix("./").partition("#")[0]
    if _ARCHIVE.search(path):
        return ""
    # The app's own directory is written in full, those below it are not.
    return "." if path.startswith("/") or path in {"", "."} else path


def of_project(project: str, failure: UnfitVersion, written: str) -> BuildpackError:
    """Return *failure*, which explains a package of an index, as one of a *project* of the app.

    *written* is the output of the build.
    """
    if isinstance(failure, MissingForBuild | UndefinedSymbol | WrongPython):
        return failure.suggesting(Alternative(is_local=True))
    path = "" if project == "." else project
    for reason, pattern in _REASONS:
        if matches := list(re.finditer(pattern, written, re.MULTILINE)):
            detail = next(filter(None, matches[-1].groups()), "") or written.splitlines()[-1]
            return ProjectNotBuildable(path, reason, detail.strip())
    return ProjectNotBuildable(path, *_reason_of(failure, written))


def _reason_of(failure: UnfitVersion, written: str) -> tuple[ProjectReason, str]:
    if isinstance(failure, Python2OnlyPackage):
        return "Python 2", failure.sign
    if isinstance(failure, MissingBuildModule):
        return ("removed module" if failure.removed else "undeclared module"), failure.module
    problem = failure.problem if isinstance(failure, SourceBuildFailed) else ""
    is_refusal = written.strip() and "Traceback" not in written
    return ("refusal" if is_refusal else "other"), problem
