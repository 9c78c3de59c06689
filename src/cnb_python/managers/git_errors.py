"""Recognises why Git could not bring a repository, whichever tool had asked it to."""

import re

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.building import MissingForBuild
from cnb_python.errors.network import GitFailed, GitTrouble
from cnb_python.managers.debian_packages import holders

_NO_GIT = re.compile(r"ERROR: Cannot find command '([^']+)'|(Git) executable not found")
# pip's words, then uv's.
_FAILED = re.compile(r"^\s*\S git .+ did not run successfully", re.MULTILINE)
_OF_PIP = re.compile(r"Failed to build '([^']+)'|╰─> (?:from )?(\S+)$", re.MULTILINE)
_OF_UV = re.compile(r"Failed to (?:download and )?build `([^`]+)`")
_URL_OF_UV = re.compile(r"didn't exit successfully: `\S*git .*?'([^'+]\S*?)'")
_SAYS = re.compile(r"^\s*(?:(?:fatal|error|ssh): )(?!subprocess-exited)(.+)$", re.MULTILINE)
# It says so after whatever was the reason.
_NOTHING_NEW = re.compile(r"Could not read from remote repository")
_TROUBLES: tuple[tuple[GitTrouble, re.Pattern[str]], ...] = (
    ("certificate", re.compile(r"certificate|SSL", re.IGNORECASE)),
    (
        "host",
        re.compile(
            r"Could not resolve|Failed to connect|Connection (?:refused|timed out|reset)"
            r"|unable to look up|Network is unreachable|Couldn't connect"
        ),
    ),
    (
        "login",
        re.compile(
            r"could not read (?:Username|Password)|Authentication failed|Permission denied"
            r"|returned error: 40[13]|Host key verification|[Aa]ccess denied"
        ),
    ),
    (
        "revision",
        re.compile(
            r"pathspec|not our ref|find remote ref|unadvertised object|not a tree|bad object"
            r"|Remote branch"
        ),
    ),
    (
        "repository",
        re.compile(r"repository .*(?:not found|does not exist)|not appear to be a git|error: 404"),
    ),
)


def git_failure(output: str) -> BuildpackError | None:
    """Return what kept Git from it, None where it did not fail."""
    if found := _NO_GIT.search(output):
        name = (found[1] or found[2]).lower()
        return MissingForBuild("", "program", name, "", *holders("program", name))
    if failed := _FAILED.search(output):
        asked = _OF_PIP.search(output, failed.end())
        return _failed(asked[1] or asked[2] if asked else "it", output[: failed.start()])
    if "Git operation failed" in output:
        asked, url = _OF_UV.search(output), _URL_OF_UV.search(output)
        return _failed(asked[1] if asked else f"git+{url[1]}" if url else "it", output)
    return None


def _failed(requirement: str, said: str) -> GitFailed:
    lines: list[str] = _SAYS.findall(said)
    telling = [line for line in lines if not _NOTHING_NEW.search(line)]
    problem = (telling or lines or ["nothing; see its output above"])[-1]
    text = "\n".join(lines) if lines else said
    found = (trouble for trouble, pattern in _TROUBLES if pattern.search(text))
    return GitFailed(requirement, next(found, "other"), problem)
