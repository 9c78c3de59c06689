"""Collects the static files of a Django project if it has any. A program for the app's Python.

`django_runner.py MANAGE ANSWER [READS [LAYERS REQUESTS ANSWERS]]` runs MANAGE as
`python manage.py collectstatic --noinput` does. What it reads is recorded in READS, as
`read_recorder` describes. If not every file in LAYERS is on disk, `missing_files` asks for them
through the pipes REQUESTS and ANSWERS. Once the settings are
loaded, it writes these facts to ANSWER, as JSON:

- `command`: the package that the command comes from; null if there is no such command, so nothing
  runs
- `local`: whether the files are stored in a directory
- `root`: that directory
- `manifest`: the directory of the manifest of these files, if it is another one; else empty
- `unset`: the settings do not set STATIC_ROOT, so that the files were not collected; the exit code
  is 0 then
- `servers`: the middleware that seems to serve these files

ANSWER is not written if `manage.py` fails earlier.

Directories are listed in alphabetical order: Django writes its manifest of static files in the
order of the listing, which differs between machines.
"""

# mypy: ignore-errors
# It uses the app's Django, which is not installed here.

import json
import runpy
import sys
import traceback
from pathlib import Path
from types import TracebackType

COMMAND = "collectstatic"
ARGUMENTS = ("collectstatic", "--noinput", "--traceback")


class _EmptyCommand:
    """A command that does nothing."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Do nothing."""


def _facts() -> dict[str, object]:
    from django.core.management import get_commands

    owner = get_commands().get(COMMAND)
    if owner is None:
        return {"command": None, "local": False, "root": "", "manifest": ""}
    name = owner if isinstance(owner, str) else type(owner).__module__
    return {"command": name, **_static_root(), "servers": _servers()}


def _servers() -> list[str]:
    from django.conf import settings

    names = [str(name) for name in getattr(settings, "MIDDLEWARE", None) or ()]
    return [name for name in names if "noise" in name.lower() or "static" in name.lower()]


def _static_root() -> dict[str, object]:
    try:
        from django.contrib.staticfiles.storage import staticfiles_storage
        from django.core.files.storage import FileSystemStorage

        local = isinstance(staticfiles_storage, FileSystemStorage)
        root = staticfiles_storage.location if local else ""
        manifest_storage = getattr(staticfiles_storage, "manifest_storage", None)
        manifest = getattr(manifest_storage, "location", None)
    except Exception:  # noqa: BLE001 - the command itself reports the error
        return {"local": False, "root": "", "manifest": ""}
    return {"local": local, "root": str(root or ""), "manifest": str(manifest or "")}


def _record_facts(answer: str) -> None:
    from django.core import management

    fetch = management.ManagementUtility.fetch_command

    def fetch_command(self: object, name: str) -> object:
        from django.conf import settings

        # Without settings there are no apps; Django reports what is wrong.
        if name != COMMAND or not settings.configured:
            return fetch(self, name)
        facts = _facts()
        _write(answer, facts)
        if facts["command"] is None:
            return _EmptyCommand()
        _list_in_order()
        return fetch(self, name)

    management.ManagementUtility.fetch_command = fetch_command


def _write(answer: str, facts: dict[str, object]) -> None:
    Path(answer).write_text(json.dumps(facts), encoding="utf-8")


def _lacks_root(error: Exception, answer: str) -> bool:
    """Whether *error* is Django's about a missing STATIC_ROOT; recorded in *answer* then."""
    if type(error).__name__ != "ImproperlyConfigured" or "STATIC_ROOT" not in str(error):
        return False
    try:
        facts = json.loads(Path(answer).read_text(encoding="utf-8"))
    except OSError:
        return False
    if facts["command"] != "django.contrib.staticfiles" or facts["root"] or not facts["local"]:
        return False
    _write(answer, {**facts, "unset": True})
    return True


def _list_in_order() -> None:
    from django.core.files.storage import FileSystemStorage

    listdir = FileSystemStorage.listdir

    def ordered(self: object, path: str) -> tuple[list[str], list[str]]:
        directories, files = listdir(self, path)
        return sorted(directories), sorted(files)

    FileSystemStorage.listdir = ordered


def _app_trace(trace: TracebackType, manage: str) -> TracebackType:
    """Return *trace* from the first frame in *manage* on."""
    entry = trace
    while entry is not None and entry.tb_frame.f_code.co_filename != manage:
        entry = entry.tb_next
    return entry or trace


def _print(error: Exception, manage: str) -> None:
    """Print *error* as Python does, without the frames of this program."""
    trace = _app_trace(error.__traceback__, manage)
    report = traceback.TracebackException(type(error), error, trace)
    chained = report
    while chained is not None:
        app_frames = [frame for frame in chained.stack if frame.filename != __file__]
        chained.stack = traceback.StackSummary.from_list(app_frames)
        chained = chained.__cause__ or chained.__context__
    sys.stderr.write("".join(report.format()))


def _missing_files(layers: str, requests: str, answers: str) -> object:
    import missing_files

    return missing_files.MissingFiles(layers, requests, answers)


def main(manage: str, answer: str, reads: str = "", *pipes: str) -> None:
    """Run *manage* as a program."""
    if reads:
        # In the directory of this program, which Python puts on sys.path.
        import recorded_functions

        recorded_functions.start(reads, _missing_files(*pipes) if pipes else None)
    sys.argv = [Path(manage).name, *ARGUMENTS]
    # Of a link, Python puts the directory of its target there.
    sys.path[:1] = [str(Path(manage).resolve().parent)]
    _record_facts(answer)
    try:
        runpy.run_path(manage, run_name="__main__")
    except Exception as error:  # noqa: BLE001 - of the app, printed in full
        if _lacks_root(error, answer):
            return
        _print(error, manage)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
