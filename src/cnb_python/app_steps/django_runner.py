"""Collects the static files of a Django project if it has any. A program for the app's Python.

`django_runner.py MANAGE ANSWER` runs the file MANAGE as `python manage.py collectstatic --noinput`
does.
Once its settings are loaded, Django itself is asked what is in use, and the answer written to
ANSWER, as JSON: `{"command", "local", "root"}`. `command` is the package that the command comes
from, or null: there is none, and nothing is done; `local`, whether the files go to a directory,
and `root`, which that is. There is no answer when `manage.py` never got that far.

The order in which directories list their files, which machines do not agree on, decides the order
in a manifest of static files; so it is made one that they do.
"""

# mypy: ignore-errors
# It speaks with the app's Django, which is nowhere else.

import json
import runpy
import sys
import traceback
from pathlib import Path
from types import TracebackType

COMMAND = "collectstatic"
ARGUMENTS = ("collectstatic", "--noinput", "--traceback")


class _Nothing:
    """A command that does nothing."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Do nothing."""


def _facts() -> dict[str, object]:
    from django.core.management import get_commands

    owner = get_commands().get(COMMAND)
    if owner is None:
        return {"command": None, "local": False, "root": ""}
    name = owner if isinstance(owner, str) else type(owner).__module__
    return {"command": name, **_place()}


def _place() -> dict[str, object]:
    try:
        from django.contrib.staticfiles.storage import staticfiles_storage
        from django.core.files.storage import FileSystemStorage

        local = isinstance(staticfiles_storage, FileSystemStorage)
        root = staticfiles_storage.location if local else ""
    except Exception:  # noqa: BLE001 - the command itself will say what is wrong
        return {"local": False, "root": ""}
    return {"local": local, "root": str(root or "")}


def _ask(answer: str) -> None:
    from django.core import management

    fetch = management.ManagementUtility.fetch_command

    def fetch_command(self: object, name: str) -> object:
        from django.conf import settings

        # Without settings there are no apps: Django says what is wrong with them.
        if name != COMMAND or not settings.configured:
            return fetch(self, name)
        facts = _facts()
        Path(answer).write_text(json.dumps(facts), encoding="utf-8")
        if facts["command"] is None:
            return _Nothing()
        _list_in_order()
        return fetch(self, name)

    management.ManagementUtility.fetch_command = fetch_command


def _list_in_order() -> None:
    from django.core.files.storage import FileSystemStorage

    listdir = FileSystemStorage.listdir

    def ordered(self: object, path: str) -> tuple[list[str], list[str]]:
        directories, files = listdir(self, path)
        return sorted(directories), sorted(files)

    FileSystemStorage.listdir = ordered


def _without_us(trace: TracebackType, manage: str) -> TracebackType:
    """Return *trace* from the first line of *manage* on."""
    found = trace
    while found is not None and found.tb_frame.f_code.co_filename != manage:
        found = found.tb_next
    return found or trace


def _print(error: Exception, manage: str) -> None:
    """Show *error* as Python would, without what is ours in between."""
    trace = _without_us(error.__traceback__, manage)
    shown = traceback.TracebackException(type(error), error, trace)
    chained = shown
    while chained is not None:
        app_s = [frame for frame in chained.stack if frame.filename != __file__]
        chained.stack = traceback.StackSummary.from_list(app_s)
        chained = chained.__cause__ or chained.__context__
    sys.stderr.write("".join(shown.format()))


def main(manage: str, answer: str) -> None:
    """Run *manage* as a program."""
    sys.argv = [Path(manage).name, *ARGUMENTS]
    sys.path[:1] = [str(Path(manage).parent)]
    _ask(answer)
    try:
        runpy.run_path(manage, run_name="__main__")
    except Exception as error:  # noqa: BLE001 - of the app, shown whole
        _print(error, manage)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
