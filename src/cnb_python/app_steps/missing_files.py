"""Asks the buildpack for files of packages before they are read. For the app's Python.

Not every file is on disk while collectstatic runs: only those that its previous run read. The
recorder of reads calls this for each read, so that a file is there before Python looks for it.

Separate from `read_recorder`, which records the same reads if every file is on disk.
"""

# mypy: ignore-errors
# It runs in older Pythons.

import json
import os
import threading

_STAT, _READ, _WRITE, _EXIT = os.stat, os.read, os.write, os._exit
_NOTHING, _WRITTEN = b"0", b"1"
_SUFFIXES = (".py", "/__init__.py")
# The buildpack prints why.
_FAILED = 70


class MissingFiles:
    """The files of the layers directory that are not on disk yet."""

    def __init__(self, layers, requests, answers):
        self._layers = f"{os.path.realpath(layers)}/"
        self._python = f"{self._layers}python/"
        self._requests = os.open(requests, os.O_WRONLY)
        self._answers = os.open(answers, os.O_RDONLY)
        self._lock = threading.RLock()
        self._asked = set()
        self._has_all = False

    def need_path(self, path):
        """Get what belongs at *path*; return whether there was anything."""
        if not self._is_of_package(path) or _exists(path):
            return False
        return self._ask("path", path)

    def need_listing(self, path):
        """Get every entry of the directory *path*; return whether there was anything."""
        return self._is_of_package(path) and self._ask("listing", path)

    def need_module(self, directory, name):
        """Get the module *name* of *directory*, whose path has no links."""
        suffixes = _SUFFIXES if self._is_of_package(directory) else ()
        if suffixes and not any(_exists(f"{directory}/{name}{suffix}") for suffix in suffixes):
            self._ask("module", directory, name)

    def need_native(self, path):
        """Get everything, unless the extension module at *path* is known to read no files."""
        self._ask("native", path)

    def need_everything(self):
        """Get everything, before something reads unnoticed."""
        if not self._has_all:
            self._ask("all")
            self._has_all = True

    def _is_of_package(self, path):
        is_in_layer = path.startswith(self._layers) and not path.startswith(self._python)
        return is_in_layer and not self._has_all

    def _ask(self, *request):
        with self._lock:
            if self._has_all or request in self._asked:
                return False
            _WRITE(self._requests, json.dumps(request).encode("ascii") + b"\n")
            answer = _READ(self._answers, 1)
            if answer not in (_NOTHING, _WRITTEN):
                _EXIT(_FAILED)
            self._asked.add(request)
            return answer == _WRITTEN


def _exists(path):
    # With links followed: those of the environment exist before what they lead to.
    try:
        _STAT(path)
    except (OSError, ValueError) as _:
        return False
    return True
