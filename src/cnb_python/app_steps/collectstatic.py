"""Collects the static files of a Django project, or restores them from the store.

Separate from `steps`, which loads it only for Django apps.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnb_python.app_steps import file_listing, static_files
from cnb_python.app_steps.file_trees import FileTree
from cnb_python.app_steps.read_record import ReadRecord
from cnb_python.app_steps.run import run, variables_in
from cnb_python.app_steps.static_files import StaticFiles
from cnb_python.cnb import disk
from cnb_python.errors.machine import Killed
from cnb_python.install import process_env
from cnb_python.layout.names import VENV
from cnb_python.provision.request import ProvidedEnvironment, ProvisionRequest, StepResults
from cnb_python.system import json_text, regular_file
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system.json_text import InvalidJson

if TYPE_CHECKING:
    from cnb_python.provision.on_demand import ReadBefore

MANAGE = "manage.py"
# Not imported: it runs in the app's interpreter.
_PROGRAM = Path(__file__).with_name("django_runner.py")
SWITCH = "DISABLE_COLLECTSTATIC"
TITLE = "Static files"
SHOWN = "python manage.py collectstatic --noinput"
_STATICFILES = "django.contrib.staticfiles"
_ALWAYS_RUNS = "Every change of the app runs collectstatic again, since its code"
_DEPTH = 3
_SKIPPED = frozenset(
    {"node_modules", "site-packages", "__pycache__", "venv", "env"}
    # The project of an example is not the app.
    | {"tests", "test", "docs", "doc", "examples", "example"}
)
# What is read of a manage.py.
_MAX_BYTES = 64 * 1024


class Skipped(NamedTuple):
    """Collectstatic does not run."""

    reason: str
    is_missing: bool = False


def find(environment: ProvidedEnvironment) -> StaticFiles | Skipped:
    """Return the static files of an app with Django, or why none are collected.

    Files that the store has for exactly this app are put in place. Raises DiskFull and OSError.
    """
    manage = find_command(environment.request)
    if isinstance(manage, Skipped):
        return manage
    return static_files.restore(environment, static_files.describe(environment, manage))


def find_command(request: ProvisionRequest) -> Path | Skipped:
    """Return the `manage.py` that collects the static files of an app with Django, or why not."""
    switch = request.context.environ.get(SWITCH, "")
    if switch not in {"", "0"}:
        return Skipped(f"{SWITCH} is set")
    if not request.settings.collectstatic:
        return Skipped(f"turned off by {request.settings.named('collectstatic')}")
    return find_manage(request.app.directory) or Skipped(f"there is no {MANAGE}")


def find_manage(directory: Path) -> Path | None:
    """Return the topmost `manage.py` of Django in *directory*, at most three levels down."""
    return next((path for path in _candidates(directory) if _is_django(path)), None)


def collect(
    environment: ProvidedEnvironment,
    static: StaticFiles | Skipped,
    defaults: Mapping[str, str],
    system: System,
) -> StepResults:
    """Run `collectstatic` unless the files came from the store.

    *defaults* are variables that the platform may override. Raises CollectstaticFailed with the
    probable cause, Killed, DiskFull and OSError.
    """
    if isinstance(static, Skipped):
        system.output.line(f"Skipping collectstatic: {static.reason}")
        return StepResults()
    if static.restored is not None:
        system.output.line(_restored_message(static.restored))
        return static_files.results(environment, static)
    facts = _run(environment, static, defaults, system)
    if facts.get("unset"):
        _warn_or_refuse(environment, static, facts, system)
    command = facts.get("command")
    if static.reads and static.reads.unknown:
        system.output.line(f"{_ALWAYS_RUNS} {_shown(static.reads.unknown, environment)}")
    if command is None:
        system.output.line(f"Nothing to collect: {_STATICFILES} is not in INSTALLED_APPS")
    _check_random_key(environment, static)
    root = _root_in_app(facts, environment.request.context.app_dir, system)
    if command not in {None, _STATICFILES}:
        return StepResults()
    # The output of another package's command is unknown.
    _remove_undeclared(environment, static, facts, system)
    if command is not None and not root:
        return StepResults()
    return static_files.keep(environment, static)


def _warn_or_refuse(
    environment: ProvidedEnvironment,
    static: StaticFiles,
    facts: Mapping[str, object],
    system: System,
) -> None:
    """Warn that STATIC_ROOT is not set. Raises CollectstaticFailed if something serves it."""
    from cnb_python.app_steps import collectstatic_causes  # noqa: PLC0415 - only for this
    from cnb_python.errors.static_files import no_static_root  # noqa: PLC0415 - as above

    middleware = facts.get("servers")
    server = collectstatic_causes.static_server(
        environment.distributions, middleware if isinstance(middleware, list) else []
    )
    if server:
        environ = environment.request.context.environ
        raise collectstatic_causes.without_root(SHOWN, server, environ, static.manage)
    message = no_static_root()
    system.output.warning(message.title, message.body)


def _shown(reason: str, environment: ProvidedEnvironment) -> str:
    """Return *reason* with paths below the app and the packages."""
    context = environment.request.context
    reason = re.sub(r"/\S+/site-packages/", "", reason)
    return reason.replace(f"{context.app_dir}/", "")


def _restored_message(files: int) -> str:
    noun = "file" if files == 1 else "files"
    message = f"{files} static {noun} from the cache" if files else "Nothing to collect"
    return f"{message} (nothing that collectstatic reads has changed)"


def _candidates(top: Path) -> Iterator[Path]:
    """Yield every `manage.py`, the topmost first."""
    directories = [top]
    for _ in range(_DEPTH + 1):
        yield from (path for directory in directories if (path := directory / MANAGE).is_file())
        directories = [child for directory in directories for child in _subdirectories(directory)]


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
    with regular_file.opened(path) as file:
        content = file.read(_MAX_BYTES).lower()
    # Other frameworks have a manage.py too; that of django-configurations differs from Django's.
    return b"django" in content or b"configurations" in content


def _run(
    environment: ProvidedEnvironment,
    static: StaticFiles,
    defaults: Mapping[str, str],
    system: System,
) -> dict[str, object]:
    """Run the command, set `static.reads`, and return the facts of `django_runner`."""
    request = environment.request
    venv = request.context.layers_dir / VENV
    answer, recording = (
        disk.draft_of(request.context.layers_dir / name) for name in ("answer", "recording")
    )
    records = request.settings.collectstatic_record
    argv = (str(venv / "bin/python"), str(_PROGRAM), str(static.manage), str(answer))
    env = variables_in(environment, defaults, static.variables.environ)
    directory = static.manage.parent
    shown = SHOWN
    if directory != request.context.app_dir:
        shown = f"{SHOWN}` in `{directory.relative_to(request.context.app_dir)}"
    command = Command((*argv, *((str(recording),) if records else ())), env, directory, shown)
    try:
        outcome = _run_with_files(command, environment, system)
        facts = _read_facts(answer)
        static.reads = _reads_of(environment, static, command, recording) if records else None
    finally:
        answer.unlink(missing_ok=True)
        recording.unlink(missing_ok=True)
    if outcome.code < 0:
        raise Killed(SHOWN, -outcome.code)
    if outcome.code:
        from cnb_python.app_steps import collectstatic_causes  # noqa: PLC0415 - only errors need it

        raise collectstatic_causes.explain(command, outcome, static.manage)
    return facts


def _run_with_files(command: Command, environment: ProvidedEnvironment, system: System) -> Outcome:
    """Run *command*, and write files that it needs and that are not on disk yet."""
    layers_dir, on_demand = environment.request.context.layers_dir, environment.on_demand
    if on_demand is None or not on_demand.absent:
        return run(command, layers_dir, system)
    from cnb_python.app_steps import file_requests  # noqa: PLC0415 - only for such a run

    with file_requests.answering(on_demand, layers_dir) as pipes:
        outcome = run(
            replace(command, argv=(*command.argv, str(layers_dir), *pipes)), layers_dir, system
        )
    if on_demand.requested:
        names = ", ".join(sorted(on_demand.requested))
        system.output.line(f"It read other files than before, so they were written too: {names}")
    return outcome


def read_before(environment: ProvidedEnvironment, static: StaticFiles) -> ReadBefore | None:
    """Return what the previous run read of the environment; None if every file may be needed."""
    if static.reads is None or not environment.request.settings.collectstatic_on_demand:
        return None
    from cnb_python.app_steps import file_requests  # noqa: PLC0415 - only before a run

    return file_requests.read_before(static.reads)


def _reads_of(
    environment: ProvidedEnvironment, static: StaticFiles, command: Command, file: Path
) -> ReadRecord:
    from cnb_python.app_steps import recording  # noqa: PLC0415 - only after a run

    context = environment.request.context
    answer = Path(command.argv[3])
    return recording.record_of(
        recording.read(file),
        recording.places_of(context.app_dir, context.layers_dir, (answer, file, _PROGRAM.parent)),
        FileTree(static.files_before, context.app_dir),
        environment.layers,
        environment.installed,
        (*process_env.secrets(command.env, command.cwd), *recording.secret_values(command.env)),
    )


def _read_facts(path: Path) -> dict[str, object]:
    try:
        # What the app's code left in its place may be anything.
        facts = json_text.parse(regular_file.read(path, follow=False))
    except OSError, InvalidJson:
        facts = None
    return dict(facts) if isinstance(facts, dict) else {"command": ""}


def _root_in_app(facts: dict[str, object], app_dir: Path, system: System) -> str:
    """Return STATIC_ROOT if it lies in the app; else empty, with a warning."""
    root = str(facts.get("root") or "")
    if not facts.get("command") or not facts.get("local") or not root:
        return ""
    if Path(root).is_relative_to(app_dir):
        return root
    system.output.warning(
        "Static files were collected outside the app",
        (
            f"STATIC_ROOT is {root}, but the image contains only {app_dir}.",
            "Set it to a directory of the project, such as BASE_DIR / 'staticfiles'.",
        ),
    )
    return ""


def _check_random_key(environment: ProvidedEnvironment, static: StaticFiles) -> None:
    """Raise CollectstaticFailed if a file has the random key, which no other build has."""
    if not (key := static.variables.random_key.encode()):
        return
    app_dir = environment.request.context.app_dir
    after = file_listing.listing(app_dir)
    for path in file_listing.added(static.files_before, after) or ():
        if after[path][0] in "fx" and key in (app_dir / path).read_bytes():
            from cnb_python.app_steps import collectstatic_causes  # noqa: PLC0415 - only errors need it

            raise collectstatic_causes.with_random_key(
                SHOWN, path, environment.request.context.environ, static.manage
            )


def _remove_undeclared(
    environment: ProvidedEnvironment,
    static: StaticFiles,
    facts: Mapping[str, object],
    system: System,
) -> None:
    """Remove what the app's code left in the app outside the directories that *facts* name."""
    app_dir = environment.request.context.app_dir
    declared = {
        prefix
        for name in ("root", "manifest")
        if (path := str(facts.get(name) or ""))
        for prefix in _paths_in(app_dir, Path(path))
    }
    new = file_listing.listing(app_dir).keys() - static.files_before.keys()
    undeclared = sorted(path for path in new if not _is_declared(path, declared))
    for path in undeclared:
        disk.remove(app_dir / path)
    if undeclared:
        from cnb_python.errors import frameworks  # noqa: PLC0415 - only for this warning

        message = frameworks.left_files(undeclared)
        system.output.warning(message.title, message.body)


def _paths_in(app_dir: Path, path: Path) -> Iterator[str]:
    """Yield *path* relative to *app_dir*, with its links and without; nothing if it is outside."""
    for top, each in ((app_dir, path), (app_dir.resolve(), path.resolve())):
        if each.is_relative_to(top):
            relative = str(each.relative_to(top))
            yield "" if relative == "." else relative


def _is_declared(path: str, declared: Collection[str]) -> bool:
    """Whether *path* is one of the directories *declared*, below one or above one."""
    return any(
        not top or path == top or path.startswith(f"{top}/") or top.startswith(f"{path}/")
        for top in declared
    )
