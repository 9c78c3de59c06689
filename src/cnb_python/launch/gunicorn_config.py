"""Which options the app's own configuration files of gunicorn set.

Separate from `layers.process_defaults`, which is about variables, not about files of the app.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from cnb_python.launch import procfile
from cnb_python.system import regular_file

_DEFAULT_NAME = "gunicorn.conf.py"
_READ_BYTES = 1024 * 1024
# Directories of the app in which gunicorn may be started, and how deep they are.
_MAX_DIRECTORIES = 200
_DEPTH = 2
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env", "static"})
# https://docs.gunicorn.org/en/stable/settings.html#config
_OPTION = re.compile(r"(?:^|\s)(?:-c|--config)(?:\s+|=|(?<=-c))([\"']?)([^\s\"';&|]+)\1")
_COMMAND = re.compile(r"(?:^|[\s/:])gunicorn\s")
_GUNICORN = re.compile(r"(?:^|[\s/])gunicorn(?:\.app\.\w+)?(?=\s|$)")
_VARIABLE = "GUNICORN_CMD_ARGS"
_CD = re.compile(r"(?:^|&&|;)\s*cd\s+([\"']?)([^\s\"';&|]+)\1")
_LOCAL_ADDRESS = r"f?[\"'](?:127(?:\.\d{1,3}){3}|localhost|\[?::1\]?)(?::[^\"'\n]*)?[\"']"
# Each of the addresses is local.
_LOCAL = re.compile(
    rf"^bind\s*=\s*[\[(]?\s*{_LOCAL_ADDRESS}(?:\s*,\s*{_LOCAL_ADDRESS})*(?!\s*,\s*f?[\"'])",
    re.MULTILINE,
)
_PRELOADS = re.compile(r"^preload_app\s*=\s*True\b", re.MULTILINE)
_STAR = re.compile(r"^\s*from\s+\S+\s+import\s+\*", re.MULTILINE)


def local_bind(app_dir: Path, command: str, directory: str = "") -> str:
    """Return the configuration file by which *command* binds gunicorn to 127.0.0.1.

    Empty if its file does not. *directory* is where it is started, relative to the app. Only a
    text as the value counts: `bind = "127.0.0.1:8000"`, and no second value.
    """
    return _file_with(_LOCAL, "bind", app_dir, command, directory)


def preloading(app_dir: Path, command: str, directory: str = "") -> str:
    """Return the configuration file that makes *command* load the app before it starts workers.

    Empty if its file does not do so. The parameters are those of `local_bind`.
    """
    return _file_with(_PRELOADS, "preload_app", app_dir, command, directory)


def _file_with(
    value: re.Pattern[str], option: str, app_dir: Path, command: str, directory: str
) -> str:
    path = _file_of(app_dir / directory, command)
    if path is None or not path.is_relative_to(app_dir) or ".." in path.parts:
        return ""
    text = _text(path)
    has_value = value.search(text) and len(_settings(text, option)) == 1
    return str(path.relative_to(app_dir)) if has_value else ""


def _file_of(directory: Path, command: str) -> Path | None:
    """Return the file that *command* reads if it starts in *directory*; None if it is unknown."""
    server = _GUNICORN.search(command)
    if server is None or _VARIABLE in command:
        return None
    places = [match[2] for match in _CD.finditer(command, 0, server.start())]
    named = [match[2] for match in _OPTION.finditer(command, server.end())]
    parts = (*places, _path(named[-1] if named else ""))
    return None if any(re.search(r"[$~]", part) for part in parts) else Path(directory, *parts)


def _path(option: str) -> str:
    """Return the path that a value of option `-c` means; that of gunicorn without one."""
    name = option.removeprefix("file:")
    if name.startswith("python:"):
        return f"{name.removeprefix('python:').replace('.', '/')}.py"
    return name or _DEFAULT_NAME


def options_set(app_dir: Path, names: tuple[str, ...]) -> frozenset[str]:
    """Return those *names* of options that a configuration file in the app may set.

    These are `gunicorn.conf.py` in each directory of the app, and those that the Procfile names.
    A file that imports everything from another module may set all of them.
    """
    texts = [_text(path) for path in dict.fromkeys(_files(app_dir))]
    if any(_STAR.search(text) for text in texts):
        return frozenset(names)
    return frozenset(name for name in names if any(_settings(text, name) for text in texts))


def _settings(text: str, name: str) -> list[str]:
    """Return the beginnings of the lines that set the option *name*."""
    # Not in a comment; also below `if`, and in `a = b = x`.
    return re.findall(rf"^[^#\n]*\b{name}[ \t]*[:=]", text, re.MULTILINE)


def _files(app_dir: Path) -> Iterator[Path]:
    directories = [app_dir, *_directories(app_dir)]
    yield from (directory / _DEFAULT_NAME for directory in directories)
    for path in _named_files(app_dir):
        yield from (directory / path for directory in directories)


def _named_files(app_dir: Path) -> Iterator[str]:
    """Yield the files that the Procfile names, relative to the app or another directory."""
    yield from map(_path, _named(_text(app_dir / procfile.NAME)))


def _named(text: str) -> Iterator[str]:
    """Yield the values of option `-c` of the commands that start gunicorn."""
    for line in text.splitlines():
        if _COMMAND.search(line) and not line.lstrip().startswith("#"):
            yield from (match[2] for match in _OPTION.finditer(line))


def _directories(top: Path) -> list[Path]:
    directories: list[Path] = []
    level = [top]
    for _ in range(_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        directories += level
    return directories[:_MAX_DIRECTORIES]


def _children(parent: Path) -> list[Path]:
    try:
        entries = sorted(parent.iterdir())
    except OSError:
        return []
    return [
        entry
        for entry in entries
        if not entry.name.startswith(".")
        and entry.name not in _SKIPPED
        and not entry.is_symlink()
        and entry.is_dir()
    ][:_MAX_DIRECTORIES]


def _text(path: Path) -> str:
    try:
        with regular_file.opened(path) as file:
            return file.read(_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
