"""Recognizes why collectstatic failed by its output: text in, a cause out.

Separate from `collectstatic`, which loads it only after a failure.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path

from cnb_python.errors.static_files import CollectstaticCause, CollectstaticFailed
from cnb_python.system import regular_file
from cnb_python.system.interface import Command, Outcome

type Cause = tuple[CollectstaticCause, str]
"""The probable cause, and the variable, file, module or line that it concerns."""
type Read = Callable[[str], str]
"""Returns the text of the file at a path; empty if it cannot be read."""

_MAX_BYTES = 256 * 1024
# Matched against the end of a traceback, from the name of the exception on.
_PATTERNS: tuple[tuple[CollectstaticCause, str], ...] = (
    ("static root", r"without having set the STATIC_ROOT"),
    ("secret key", r"The SECRET_KEY setting must not be empty"),
    ("variable", r"Set the (?P<detail>\w+) environment variable"),
    ("variable", r"UndefinedValueError: (?P<detail>\w+) not found"),
    ("variable", r'Environment variable "(?P<detail>\w+)" not set'),
    ("variable", r"(?i:environment) variable '(?P<detail>\w+)'"),
    ("variable", r"(?i:environment) variables?:? (?P<detail>[A-Z][A-Z0-9_]+)\b"),
    ("variable", r"'(?P<detail>\w+)': \['Environment variable not set"),
    ("variable", r"ConfigurationMissingError: (?:.* )?(?P<detail>\w+) requires a value"),
    ("variable", r"Config '(?P<detail>\w+)' is missing, and has no default"),
    ("variable", r"ValidationError: (?P<detail>\w+) is required in env"),
    (
        "variable",
        r"(?P<detail>\b[A-Z][A-Z0-9_]{2,}\b) (?:environment )?variable .*(?:set|missing|req)",
    ),
    ("check", r"System check identified some issues:\s+(?:CRITICALS|ERRORS):\n(?P<detail>.+)"),
    ("manifest", r"Missing staticfiles manifest entry for '(?P<detail>[^']*)'"),
    ("referenced file", r"The file '(?P<detail>[^']*)' could not be found"),
    (
        "storage",
        (
            r"(?P<detail>(?:(?:No|Partial|Default)CredentialsError|CredentialUnavailableError"
            r"|ProfileNotFound|NoRegionError|ClientError|EndpointConnectionError"
            r"|ClientAuthenticationError)\b.*)"
        ),
    ),
    ("driver", r"Error loading (?P<detail>psycopg|MySQLdb|oracledb|cx_Oracle)"),
    ("database", r"(?:OperationalError|ProgrammingError|InterfaceError)\b.*?: (?P<detail>.*)"),
    (
        "service",
        (
            r"\b(?:ConnectionError|ConnectionRefusedError|ConnectionFailure|ConnectError"
            r"|ConnectTimeout|ServerSelectionTimeoutError|gaierror|URLError): (?P<detail>.*)"
        ),
    ),
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
_KEY_ERROR = re.compile(r"^KeyError: b?'(?P<detail>\w+)'", re.MULTILINE)
_ENVIRON = re.compile(r"frozen os>|/os\.py\"|environ")
_RAISED = re.compile(
    r"^(?:\w+\.)*\w+(?:Error|Exception|Configured|Interrupt|NotReady|NotFound|ProfileNotFound)\b",
    re.MULTILINE,
)
# A value is None, or an address empty, because a variable is not set.
_UNSET = re.compile(r"NoneType|^AssertionError$|UnknownSchemeError: Scheme 'b''")
# The name of a variable in an exception that the app's own code raises.
_NAME = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b")
_GET = r"(?:getenv|environ\.get)\(\s*['\"](\w+)['\"]\s*\)"
_SECRET_KEY = re.compile(
    r"^SECRET_KEY\s*(?::[^=\n]*)?=[^=\n#]*?['\"]([A-Za-z_]\w*)['\"]", re.MULTILINE
)
_FRAME = re.compile(r'^ *File "([^"<]+)", line (\d+), in .*\n((?: {4,}.*\n)*)', re.MULTILINE)
_OF_PYDANTIC = re.compile(r"^(\w+)\n +Field required \[type=missing", re.MULTILINE)
_HANDLER = re.compile(r"Unable to configure handler")
_NO_FILE = re.compile(r"FileNotFoundError: .*?'([^']+)'")
_CONFLICT = re.compile(r"^ *(?:<{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_SYNTAX_AT = re.compile(r'File "([^"]+)", line (\d+)\s')
_SECRET_FILE = re.compile(
    r"(?:^|/)(?:\.env(?:\.\w+)?|[^/]*(?:secret|credential|password|token|service[-_]?account)[^/]*"
    r"|[^/]*\.(?:pem|key|p12|pfx|jks)|id_[a-z0-9]+)$",
    re.IGNORECASE,
)
_DRIVERS = {"psycopg": "psycopg[binary]", "MySQLdb": "mysqlclient"}
_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)['\"]")
# Packages that serve the files in STATIC_ROOT, or write into it.
_STATIC_SERVERS = (
    *("whitenoise", "servestatic", "blacknoise", "dj-static", "static3"),
    *("django-compressor", "django-pipeline"),
)
_FOR_PRODUCTION = ("production", "prod", "live", "deploy", "heroku")


def explain(command: Command, outcome: Outcome, manage: Path) -> CollectstaticFailed:
    """Return the failure of *command*, which ran *manage*, with its probable cause."""
    name, detail = cause(outcome.output, _read)
    loaded = settings_module(command.env, _read(str(manage)))
    if name == "secret key":
        detail = _secret_key_variable(loaded, manage.parent)
    for_production = settings_for_production(loaded, manage.parent)
    if name == "module" and detail == loaded:
        name = "settings module"
    return CollectstaticFailed(command.shown, outcome.code, name, detail, loaded, for_production)


def static_server(distributions: Collection[str], middleware: Sequence[str]) -> str:
    """Return the middleware, or else the package, that serves STATIC_ROOT; empty: none.

    *distributions*: the normalized names of all packages. *middleware*: its dotted names.
    """
    packages = (name for name in _STATIC_SERVERS if name in distributions)
    return next(chain(middleware, packages), "")


def with_random_key(
    shown: str, path: str, environ: Mapping[str, str], manage: Path
) -> CollectstaticFailed:
    """Return the failure of an app whose static file *path* contains the random SECRET_KEY."""
    loaded = settings_module(environ, _read(str(manage)))
    return CollectstaticFailed(shown, 0, "random key", path, loaded, "")


def without_root(
    shown: str, server: str, environ: Mapping[str, str], manage: Path
) -> CollectstaticFailed:
    """Return the failure of an app without STATIC_ROOT, the directory that *server* serves."""
    loaded = settings_module(environ, _read(str(manage)))
    for_production = settings_for_production(loaded, manage.parent)
    return CollectstaticFailed(shown, 1, "static server", server, loaded, for_production)


def cause(output: str, read: Read = lambda _: "") -> Cause:
    """Return the probable cause of a failed run that printed *output*.

    *read* returns files of the app that the traceback names. The cause `other` has the first line
    of the exception.
    """
    end = _end(output)
    if earlier := _cause_beyond_the_end(output, end, read):
        return earlier
    for name, pattern in _PATTERNS:
        match = re.search(pattern, end, re.MULTILINE)
        if match and (name != "settings" or not _variable_in_message(end, output, read)):
            return _refined(name, match.groupdict().get("detail") or "", output)
    if variable := _variable_in_message(end, output, read):
        return "variable", variable
    lines = [line.strip() for line in end.splitlines() if line.strip()]
    return "other", lines[0] if lines else ""


def _cause_beyond_the_end(output: str, end: str, read: Read) -> Cause | None:
    """Return a cause that the last exception alone does not show."""
    missing = _KEY_ERROR.search(end)
    if missing and _ENVIRON.search(output):
        return "variable", missing["detail"]
    if _UNSET.search(end) and (name := _unset_variable(output, read)):
        return "no default", name
    if fields := _OF_PYDANTIC.findall(end):
        return "fields", ", ".join(fields)
    if _HANDLER.search(end) and (files := _NO_FILE.findall(output)):
        return "log directory", str(Path(files[-1]).parent)
    return None


def _unset_variable(output: str, read: Read) -> str:
    """Return the variable whose value is None in the last traceback; empty: not found.

    It stands in a line of the traceback, or where the name in such a line gets its value.
    """
    for path, code in _app_frames(output):
        if names := re.findall(_GET, code):
            return str(names[-1])
        text = read(path)
        for name in re.findall(r"\b[A-Za-z_]\w*\b", code):
            if assigned := re.search(rf"^\s*{name}\b[^=\n]*=[^=\n].*?{_GET}", text, re.MULTILINE):
                return assigned[1]
    return ""


def _variable_in_message(end: str, output: str, read: Read) -> str:
    """Return the name in the exception *end* that the app's code looks up; empty without one."""
    frames = _app_frames(output)
    for name in _NAME.findall(end.partition("\n")[0]):
        quoted = (f"'{name}'", f'"{name}"')
        if any(text in code for _, code in frames for text in quoted):
            return str(name)
        if frames and any(text in read(frames[0][0]) for text in quoted):
            return str(name)
    return ""


def _app_frames(output: str) -> list[tuple[str, str]]:
    """Return the path and the code of each frame of the app, the last call first."""
    frames = _FRAME.findall(output.rpartition("Traceback (most recent call last)")[2])
    return [(path, code) for path, _, code in reversed(frames) if "site-packages" not in path]


def _refined(name: CollectstaticCause, detail: str, output: str) -> Cause:
    """Return the cause *name* in more detail, as far as *detail* and *output* allow it."""
    if name == "driver":
        return name, _DRIVERS.get(detail, "oracledb")
    if name == "directory" and _SECRET_FILE.search(detail):
        return "secret file", detail
    if name == "syntax" and _CONFLICT.search(output):
        places = _SYNTAX_AT.findall(output)
        return "conflict", f"{places[-1][0]}, line {places[-1][1]}" if places else detail
    return name, detail


def _end(output: str) -> str:
    """Return the last exception in *output*, without its traceback."""
    raised = [match.start() for match in _RAISED.finditer(output)]
    if raised:
        return output[raised[-1] :]
    return "\n".join(output.splitlines()[-3:])


def settings_module(environ: Mapping[str, str], manage: str) -> str:
    """Return the settings module that Django loads, by *environ* and the text of *manage*.

    Empty: not found.
    """
    named = _SETTINGS.search(manage)
    return environ.get("DJANGO_SETTINGS_MODULE") or (named[1] if named else "")


def _secret_key_variable(loaded: str, directory: Path) -> str:
    """Return the variable that SECRET_KEY comes from in the settings module *loaded*."""
    path = directory.joinpath(*loaded.split("."))
    text = _read(f"{path}.py") or _read(f"{path}/__init__.py")
    named = _SECRET_KEY.search(text)
    return named[1] if named else "SECRET_KEY"


def settings_for_production(loaded: str, directory: Path) -> str:
    """Return the module for production beside the settings module *loaded*; empty: none.

    *directory*: that of `manage.py`.
    """
    package, _, last = loaded.rpartition(".")
    beside = directory.joinpath(*package.split(".")) if package else directory
    if last in _FOR_PRODUCTION and (beside / f"{last}.py").is_file():
        return ""
    candidates = (name for name in _FOR_PRODUCTION if (beside / f"{name}.py").is_file())
    name = next(candidates, "")
    return f"{package}.{name}".removeprefix(".") if name and loaded else ""


def _read(path: str) -> str:
    try:
        with regular_file.opened(Path(path)) as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
