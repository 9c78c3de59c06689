"""Recognizes why collectstatic failed by its output: text in, a cause out.

Separate from `collectstatic`, which loads it only after a failure.
"""

import re

from cnb_python.errors.static_files import CollectstaticCause, CollectstaticFailed
from cnb_python.system.interface import Command, Outcome

type Cause = tuple[CollectstaticCause, str]
"""The probable cause, and the variable, file, module or line that it concerns."""

# Matched against the end of a traceback, from the name of the exception on.
_PATTERNS: tuple[tuple[CollectstaticCause, str], ...] = (
    ("static root", r"without having set the STATIC_ROOT"),
    ("secret key", r"The SECRET_KEY setting must not be empty"),
    ("variable", r"Set the (?P<detail>\w+) environment variable"),
    ("variable", r"UndefinedValueError: (?P<detail>\w+) not found"),
    ("variable", r'Environment variable "(?P<detail>\w+)" not set'),
    (
        "variable",
        r"(?P<detail>\b[A-Z][A-Z0-9_]{2,}\b) (?:environment )?variable .*(?:set|missing|req)",
    ),
    ("manifest", r"Missing staticfiles manifest entry for '(?P<detail>[^']*)'"),
    ("referenced file", r"The file '(?P<detail>[^']*)' could not be found"),
    ("database", r"(?:OperationalError|ProgrammingError|InterfaceError)\b.*?: (?P<detail>.*)"),
    ("library", r"(?P<detail>lib[\w.+-]*\.so[\w.]*): cannot open shared object file"),
    ("library", r"Could not find the (?P<detail>\w+) library"),
    ("no settings", r"settings are not configured|No Django settings specified"),
    ("module", r"ModuleNotFoundError: No module named '(?P<detail>[^']*)'"),
    ("module", r"ImportError: (?P<detail>.*)"),
    ("syntax", r"(?:SyntaxError|IndentationError|TabError): (?P<detail>.*)"),
    ("directory", r"(?:FileNotFoundError|NotADirectoryError): .*?'(?P<detail>[^']*)'"),
    ("permission", r"(?:PermissionError|Read-only file system).*?'(?P<detail>[^']*)'"),
    ("settings", r"ImproperlyConfigured: (?P<detail>.*)"),
)
# The last line for `os.environ["NAME"]`, below a line of os.py.
_KEY_ERROR = re.compile(r"^KeyError: '(?P<detail>\w+)'", re.MULTILINE)
_ENVIRON = re.compile(r"frozen os>|/os\.py\"|environ")
_RAISED = re.compile(
    r"^(?:\w+\.)*\w+(?:Error|Exception|Configured|Interrupt|NotReady)\b", re.MULTILINE
)


def explain(command: Command, outcome: Outcome) -> CollectstaticFailed:
    """Return the failure of *command*, with its probable cause."""
    return CollectstaticFailed(command.shown, outcome.code, *cause(outcome.output))


def cause(output: str) -> Cause:
    """Return the probable cause of a failed run that printed *output*.

    The cause `other` has the first line of the exception.
    """
    end = _end(output)
    missing = _KEY_ERROR.search(end)
    if missing and _ENVIRON.search(output):
        return "variable", missing["detail"]
    for name, pattern in _PATTERNS:
        if match := re.search(pattern, end, re.MULTILINE):
            return name, match.groupdict().get("detail") or ""
    lines = [line.strip() for line in end.splitlines() if line.strip()]
    return "other", lines[0] if lines else ""


def _end(output: str) -> str:
    """Return the last exception in *output*, without its traceback."""
    raised = [match.start() for match in _RAISED.finditer(output)]
    if raised:
        return output[raised[-1] :]
    return "\n".join(output.splitlines()[-3:])
