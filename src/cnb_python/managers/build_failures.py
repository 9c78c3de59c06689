"""Recognises why a package could not be built from source, whichever manager asked for it."""

import re
from typing import Literal

from cnb_python.errors import (
    BuildpackError,
    DiskFull,
    GitFailed,
    Killed,
    MissingForBuild,
    SourceBuildFailed,
)

type Kind = Literal["header", "library", "program"]

# How pip names the package whose build failed.
_PACKAGE = (
    re.compile(r"Failed building (?:wheel|editable) for (\S+)"),
    re.compile(r"Failed to build '([^']+)'"),
    re.compile(r"error: metadata-generation-failed\s+\S .*\s+╰─> (?:from )?(\S+)"),
)
# What compilers, linkers and build tools say they miss; the first that matches is the reason.
_MISSING: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("header", re.compile(r"fatal error: ([\w./+-]+): No such file or directory")),
    ("header", re.compile(r"fatal error: '([\w./+-]+)' file not found")),
    (
        "library",
        re.compile(
            r"\bld(?:\.\w+)?: (?:error: )?(?:cannot|unable to) find (?:library )?-l(\S+?):?\s"
        ),
    ),
    ("program", re.compile(r"(pg_config) executable not found")),
    ("library", re.compile(r"Specify (\w+)_CFLAGS and \w+_LDFLAGS env vars")),  # mysqlclient
    ("program", re.compile(r"Did not find (pkg-config|CMake)")),
    ("program", re.compile(r"Unknown compiler\(s\): \[+'([^']+)'")),
    ("program", re.compile(r"(Rust) not found|can't find (Rust) compiler", re.IGNORECASE)),
    ("program", re.compile(r"rror: \[Errno 2\] No such file or directory: '([^'/ ]+)'")),
    ("program", re.compile(r"error: command '([^'/]+)' failed: No such file or directory")),
    ("program", re.compile(r"\bsh: (?:line )?\d+: ([\w.+-]+): (?:command )?not found")),
)
_GIT = re.compile(r"^\s*\S git .+ did not run successfully", re.MULTILINE)
_GIT_SAYS = re.compile(r"^\s*(?:fatal|error): (?!subprocess-exited)(.+)$", re.MULTILINE)
_OUT_OF_MEMORY = re.compile(r"fatal error: Killed signal terminated program (\S+)")
_DISK_FULL = re.compile(r"No space left on device|\[Errno 28\]|Disk quota exceeded|\[Errno 122\]")
_OUTPUT = re.compile(r"╰─> \[\d+ lines? of output\]\n(.*?)\n\s*\[end of output\]", re.DOTALL)
_SIGKILL = 9


def machine_failure(code: int, output: str, program: str) -> BuildpackError | None:
    """Return what the machine refused: space or memory. Those explain whatever else is said."""
    if _DISK_FULL.search(output):
        return DiskFull("installing the app's packages")
    if found := _OUT_OF_MEMORY.search(output):
        return Killed(found[1], _SIGKILL)
    if code < 0:
        return Killed(program, -code)
    return None


def build_failure(output: str, python: str) -> BuildpackError | None:
    """Return why a package could not be built, None where no build failed."""
    package = _first(_PACKAGE, output)
    if package is None:
        return None
    if found := _GIT.search(output):
        return GitFailed(package, _git_s_words(output, found.start()))
    told = "\n".join(_OUTPUT.findall(output))
    for kind, pattern in _MISSING:
        if name := _first((pattern,), told):
            return MissingForBuild(package, kind, name, python)
    return SourceBuildFailed(package, _problem(told), python)


def _git_s_words(output: str, failed: int) -> str:
    """Return the last complaint of the Git command that had *failed* at this place of *output*."""
    said: list[str] = _GIT_SAYS.findall(output, 0, failed)
    return said[-1] if said else "nothing; see its output above"


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str | None:
    for pattern in patterns:
        if found := pattern.search(text):
            return next(group for group in found.groups() if group)
    return None


def _problem(told: str) -> str:
    """Return the line that says most: the last error, or else the last line."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception)\b|error: ", line)]
    return (errors or lines or ["it gave no reason"])[-1]
