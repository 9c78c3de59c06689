"""Why `collectstatic` failed, by what its traceback says last."""

import re

from cnb_python.errors.frameworks import CollectstaticCause

type Cause = tuple[CollectstaticCause, str]
"""What it probably is, and the variable, file, module or line it is about."""

# Matched against the end of a traceback: what was raised, from its first line on.
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
# `os.environ["NAME"]` ends so, below a line of os.py.
_KEY_ERROR = re.compile(r"^KeyError: '(?P<detail>\w+)'", re.MULTILINE)
_ENVIRON = re.compile(r"frozen os>|/os\.py\"|environ")
_RAISED = re.compile(
    r"^(?:\w+\.)*\w+(?:Error|Exception|Configured|Interrupt|NotReady)\b", re.MULTILINE
)
_NO_SETTINGS = re.compile(r"No Django settings specified")


def cause(output: str) -> Cause:
    """Return the likely cause that *output* of a failed run tells; `other` with its last line."""
    end = _end(output)
    missing = _KEY_ERROR.search(end)
    if missing and _ENVIRON.search(output):
        return "variable", missing["detail"]
    for name, pattern in _PATTERNS:
        if found := re.search(pattern, end, re.MULTILINE):
            return name, found.groupdict().get("detail") or ""
    lines = [line.strip() for line in end.splitlines() if line.strip()]
    return "other", lines[0] if lines else ""


def _end(output: str) -> str:
    """Return what was raised last, without the traceback before it."""
    raised = [found.start() for found in _RAISED.finditer(output)]
    if raised:
        return output[raised[-1] :]
    return "\n".join(output.splitlines()[-3:])
