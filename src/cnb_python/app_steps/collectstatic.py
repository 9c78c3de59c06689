"""Collects the static files of a Django project, or has the store give what it has of them."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.app_steps import file_listing
from cnb_python.app_steps.file_listing import Listing
from cnb_python.app_steps.run import run, variables_digest, variables_in
from cnb_python.cnb import disk
from cnb_python.errors.frameworks import CollectstaticCause, CollectstaticFailed
from cnb_python.errors.machine import DamagedStore, Killed
from cnb_python.layout.names import VENV
from cnb_python.provision.environment import ProvidedEnvironment, StepResults
from cnb_python.system.interface import Command, System

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


MANAGE = "manage.py"
# Not imported: it is for another interpreter.
_PROGRAM = Path(__file__).with_name("django_runner.py")
SWITCH = "DISABLE_COLLECTSTATIC"
TITLE = "Static files"
SHOWN = "python manage.py collectstatic --noinput"
_STATICFILES = "django.contrib.staticfiles"
_DEPTH = 3
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})
# Sizes of a generated file and of a salt.
_MOST_BYTES = 64 * 1024
_SALT_BYTES = 16
# To be raised when the same app gives other files by our doing.
_FORMAT = "1"


class Off(NamedTuple):
    """Nothing is collected."""

    reason: str
    is_missing: bool = False


@dataclass(slots=True)
class Static:
    """The static files of one build."""

    manage: Path
    before: Listing
    """The app as it was before anything ran."""
    noted: str
    """What to note when the files come of exactly this app: `<salt> <digest>`, in hex."""
    brought: int | None = None
    """How many files came from the store; None: it does not have them."""

    @property
    def is_missing(self) -> bool:
        """Whether Django itself has to be run."""
        return self.brought is None

    @property
    def key(self) -> str:
        """What the store has them under."""
        return f"static-{self.noted.partition(' ')[2]}"


def find(environment: ProvidedEnvironment) -> Static | Off:
    """Return what there is to collect for an app with Django.

    What the store has of exactly this app is put in its place. Raises DiskFull and OSError.
    """
    request = environment.request
    switch = request.context.environ.get(SWITCH, "")
    if switch not in {"", "0"}:
        return Off(f"None are collected: {SWITCH} is set")
    if not request.settings.collectstatic:
        return Off(f"None are collected: so says {request.settings.named('collectstatic')}")
    manage = find_manage(request.app.directory)
    if manage is None:
        return Off(f"None are collected: there is no {MANAGE}")
    return _brought(environment, _static(environment, manage))


def find_manage(directory: Path) -> Path | None:
    """Return the highest `manage.py` of Django in *directory*, at most three levels down."""
    return next((path for path in _candidates(directory) if _is_django(path)), None)


def collect(
    environment: ProvidedEnvironment, static: Static | Off, more: Mapping[str, str], system: System
) -> StepResults:
    """Run `collectstatic` where the store did not have the files already.

    *more* are variables that yield to the platform's.

    Raises CollectstaticFailed with the likely cause, Killed, DiskFull and OSError.
    """
    if isinstance(static, Off):
        system.output.line(static.reason)
        return StepResults()
    if static.brought is not None:
        system.output.line(f"{_counted(static.brought)}: so are the app and its variables")
        return StepResults(trees=frozenset({static.key}), static_files_key=static.noted)
    answer = _run(environment, static, more, system)
    command = answer.get("command")
    if command is None:
        system.output.line(f"Nothing to collect: {_STATICFILES} is not in INSTALLED_APPS")
    root = _shown_root(answer, environment.request.context.app_dir, system)
    if command in {None, _STATICFILES} and (command is None or root):
        return _keep(environment, static)
    return StepResults()


def _counted(files: int) -> str:
    return f"{files} static files as they were" if files else "Nothing to collect, as before"


def _candidates(directory: Path) -> Iterator[Path]:
    """Yield every `manage.py`, the highest first."""
    level = [directory]
    for _ in range(_DEPTH + 1):
        yield from (found for one in level if (found := one / MANAGE).is_file())
        level = [below for one in level for below in _subdirectories(one)]


def _subdirectories(directory: Path) -> list[Path]:
    with os.scandir(directory) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and entry.name not in _SKIPPED
            and not entry.name.startswith(".")
        )
    return [directory / name for name in names]


def _is_django(path: Path) -> bool:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES).lower()
    # Those of other frameworks are called so, too; django-configurations has its own.
    return b"django" in content or b"configurations" in content


def _static(environment: ProvidedEnvironment, manage: Path) -> Static:
    context = environment.request.context
    before = file_listing.listing(context.app_dir)
    salt = environment.static_files_key.partition(" ")[0]
    salt = salt if _is_salt(salt) else os.urandom(_SALT_BYTES).hex()
    rest = "\0".join(
        (
            _FORMAT,
            environment.request.release.version,
            environment.request.release.flavour,
            *(f"{name} {digest}" for name, digest in sorted(environment.layers.items())),
            *(context.target.os, context.target.arch, context.target.distro),
            str(manage.relative_to(context.app_dir)),
            file_listing.digest(before),
        )
    )
    found = variables_digest(context.environ, rest, bytes.fromhex(salt))
    return Static(manage, before, f"{salt} {found}")


def _is_salt(text: str) -> bool:
    return len(text) == 2 * _SALT_BYTES and all(char in "0123456789abcdef" for char in text)


def _brought(environment: ProvidedEnvironment, static: Static) -> Static:
    if static.noted != environment.static_files_key:
        return static
    store = environment.store()
    if store.has_tree(static.key):
        try:
            static.brought = store.unpack_tree(static.key, environment.request.context.app_dir)
        except DamagedStore:
            return static
    return static


def _run(
    environment: ProvidedEnvironment, static: Static, more: Mapping[str, str], system: System
) -> dict[str, object]:
    request = environment.request
    venv = request.context.layers_dir / VENV
    answer = disk.draft_of(request.context.layers_dir / "answer")
    argv = (str(venv / "bin/python"), str(_PROGRAM), str(static.manage), str(answer))
    env = variables_in(environment, more)
    directory = static.manage.parent
    shown = SHOWN
    if directory != request.context.app_dir:
        shown = f"{SHOWN}` in `{directory.relative_to(request.context.app_dir)}"
    try:
        outcome = run(Command(argv, env, directory, shown), system)
        found = _answer(answer)
    finally:
        answer.unlink(missing_ok=True)
    if outcome.code < 0:
        raise Killed(SHOWN, -outcome.code)
    if outcome.code:
        raise CollectstaticFailed(SHOWN, outcome.code, *cause(outcome.output))
    return found


def _answer(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError, ValueError:
        return {"command": ""}
    return found if isinstance(found, dict) else {"command": ""}


def _shown_root(answer: dict[str, object], app_dir: Path, system: System) -> str:
    """Return where the files are in the app; empty, with a reason, when they are not there."""
    root = str(answer.get("root") or "")
    if not answer.get("command") or not answer.get("local") or not root:
        return ""
    if Path(root).is_relative_to(app_dir):
        return root
    system.output.warning(
        "Static files were collected outside the app",
        (
            f"STATIC_ROOT is {root}, and the image has {app_dir} only: they are lost.",
            "Set it to a directory of the project: BASE_DIR / 'staticfiles'.",
        ),
    )
    return ""


def _keep(environment: ProvidedEnvironment, static: Static) -> StepResults:
    """Put what is new in the app into the store, unless something is gone that was there."""
    app_dir = environment.request.context.app_dir
    paths = file_listing.added(static.before, file_listing.listing(app_dir))
    if paths is None:
        return StepResults()
    file_listing.normalize(app_dir, paths)
    environment.store().put_tree(static.key, app_dir, frozenset(paths))
    return StepResults(trees=frozenset({static.key}), static_files_key=static.noted)
