"""Finds what needs the app itself to be installed as a package, besides its code being there.

Separate from `poetry/export`, since it reads the app's code, not the files of a manager.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.system import regular_file

_PROCFILE = "Procfile"
_PROCESS = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$", re.MULTILINE)
# In front of the program of a command.
_PREFIXES = re.compile(r"(?:exec\s+|env\s+|\w+=\S*\s+)*")
_SKIPPED = re.compile(r"\..*|venv|node_modules|__pycache__|.*\.egg-info")
_METADATA = re.compile(
    rb"\b(?:version|distribution|metadata|files|requires|get_distribution|require)"
    rb"\(\s*['\"]([\w.-]+)['\"]"
)
_READERS = (b"importlib.metadata", b"importlib_metadata", b"pkg_resources")
# Code that names these goes on without the metadata.
_FALL_BACKS = (b"PackageNotFoundError", b"DistributionNotFound", b"ModuleNotFoundError")


def needed_by(app_dir: Path, name: str, scripts: Collection[str]) -> str:
    """Return what needs the app to be installed under *name*, as a sentence; empty: nothing.

    That is a process which runs one of its *scripts*, or code that reads its metadata.
    """
    for process, command in _PROCESS.findall(_read(app_dir / _PROCFILE).decode(errors="replace")):
        program = _PREFIXES.sub("", command, count=1).split()[:1]
        if set(program) & set(scripts):
            return f"the process {process} of the {_PROCFILE} runs {program[0]}, a script of it"
    for path in _modules(app_dir):
        content = _read(path)
        is_reader = any(word in content for word in _READERS)
        if is_reader and not any(word in content for word in _FALL_BACKS):
            for match in _METADATA.finditer(content):
                if normalized_name(match[1].decode()) == normalized_name(name):
                    return f"{path.relative_to(app_dir)} reads its metadata: {match[0].decode()})"
    return ""


def _modules(app_dir: Path) -> Iterator[Path]:
    for parent, directories, names in app_dir.walk():
        directories[:] = sorted(each for each in directories if not _SKIPPED.fullmatch(each))
        yield from (parent / each for each in sorted(names) if each.endswith(".py"))


def _read(path: Path) -> bytes:
    try:
        return regular_file.read(path)
    except OSError:
        return b""
