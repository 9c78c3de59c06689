"""Reads `Procfile`: one `type: command` to a line.

The format is Heroku's (https://devcenter.heroku.com/articles/procfile); a type may be whatever the
buildpack specification allows.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cnb_python.errors.launch import BadProcfile, ProcfileProblem
from cnb_python.launch import command
from cnb_python.launch.command import CommandLine

NAME = "Procfile"
WEB = "web"
_LINE_END = re.compile(r"\r\n|\r|\n")
# Letters, digits, `.`, `_`, `-` (buildpack.md, launch.toml); it names a file of the image too.
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What people save it as by mistake. `Procfile.dev` and `Procfile.windows` are for other tools.
_MISNAMED = frozenset({"procfile", "procfile.txt", "procfile.yml", "procfile.yaml", "procfiles"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A process that the Procfile names."""

    type: str
    command: str
    """As it is written."""
    line: int
    """From 1."""
    launch: CommandLine


def parse(text: str) -> tuple[Entry, ...]:
    """Return the processes of a Procfile's *text*, in its order.

    Raises `BadProcfile` with every line that is wrong.
    """
    entries: dict[str, Entry] = {}
    problems: list[tuple[int, str, ProcfileProblem]] = []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _entry(line.strip(), number)
        if isinstance(entry, Entry) and entry.type in entries:
            entry = "twice"
        if isinstance(entry, Entry):
            entries[entry.type] = entry
        else:
            problems.append((number, line.strip(), entry))
    if problems:
        raise BadProcfile(tuple(problems))
    return tuple(entries.values())


def default_type(types: Iterable[str]) -> str:
    """Return the process that the image runs when none is asked for; empty: there is none.

    >>> default_type(["worker", "web"]), default_type(["bot"]), default_type(["a", "b"])
    ('web', 'bot', '')
    """
    names = tuple(types)
    if WEB in names:
        return WEB
    return names[0] if len(names) == 1 else ""


def misnamed(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the file *names* that were probably meant to be `Procfile`."""
    return tuple(sorted(name for name in names if name != NAME and name.casefold() in _MISNAMED))


def _entry(line: str, number: int) -> Entry | ProcfileProblem:
    kind, colon, text = (part.strip() for part in line.partition(":"))
    if _CONTROL.search(line):
        return "control character"
    if not colon:
        return "no colon"
    if not _TYPE.fullmatch(kind):
        return "type"
    if not text or text.startswith("#"):
        return "no command"
    try:
        return Entry(kind, text, number, command.parse(text))
    except command.OpenQuote:
        return "open quote"
