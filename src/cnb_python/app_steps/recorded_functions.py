"""Replaces functions that read files or variables, so that a `Recorder` notes what they read.

`start(output)` records what this process reads from now on, for the app's Python, 3.10 or newer.

Separate from `read_recorder`, which does not change the process that it runs in.
"""

# mypy: ignore-errors
# It replaces functions of the standard library, and runs in older Pythons.

import atexit
import importlib
import importlib.machinery
import json
import os
import posix
import site
import sys
from functools import partial

# In the directory of this program, which Python puts on sys.path.
from read_recorder import Recorder

# The line of setuptools reads this variable, and imports its own module.
_KNOWN_STARTUP_LINE = "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; "
_KNOWN_STARTUP_VARIABLE = "SETUPTOOLS_USE_DISTUTILS"


class _Noted:
    """A function that calls *note* first. Like a built-in function, it is never a method."""

    def __init__(self, function, note):
        self.__wrapped__ = function
        self._note = note
        self.__name__ = self.__qualname__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *args, **options):
        self._note(args, options)
        return self.__wrapped__(*args, **options)


def _safely(recorder, note):
    """Return *note* as a function that never raises, and does nothing after the end."""

    def safe_note(args, options):
        if recorder.stopped:
            return
        try:
            note(args, options)
        except Exception as error:  # noqa: BLE001 - the function itself reports wrong arguments
            recorder.give_up(f"does something that cannot be recorded ({type(error).__name__})")

    return safe_note


def _replace_functions(recorder):
    """Replace the functions of `os` that read without an audit event."""

    def note_stat(args, options):
        recorder.note_status(args, options, sys._getframe(3), follow=True)

    def note_lstat(args, options):
        recorder.note_status(args, options, sys._getframe(3), follow=False)

    def note_access(args, options):
        recorder.note(recorder.kinds, args[0] if args else options["path"], options.get("dir_fd"))

    def note_readlink(args, options):
        path = args[0] if args else options["path"]
        dir_fd = options.get("dir_fd")
        recorder.links.add(recorder.note(recorder.contents, path, dir_fd, follow=False))

    def note_open(args, options):
        if options.get("dir_fd") is not None:
            path = args[0] if args else options["path"]
            recorder.note(recorder.contents, path, options["dir_fd"])

    notes = {
        "stat": note_stat,
        "lstat": note_lstat,
        "access": note_access,
        "readlink": note_readlink,
        "open": note_open,
    }
    # The import system keeps the original functions: what it searches is recorded elsewhere.
    importlib.machinery.FileFinder.find_spec.__globals__["_os"] = _Originals(posix)
    for name, note in notes.items():
        _replace(name, _Noted(getattr(posix, name), _safely(recorder, note)))


class _Originals:
    """The functions of a module as they are now."""

    def __init__(self, module):
        self.__dict__.update(vars(module))


def _replace(name, noted):
    for supported in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if noted.__wrapped__ in supported:
            supported.add(noted)
    if noted.__wrapped__ in os.supports_effective_ids:
        os.supports_effective_ids.add(noted)
    setattr(os, name, noted)
    setattr(posix, name, noted)
    # Python 3.10 keeps functions of `os` in a class.
    accessor = getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)
    if accessor is not None and getattr(accessor, name, None) is noted.__wrapped__:
        setattr(accessor, name, noted)


def _replace_module_search(recorder):
    """Record the modules that are searched, in place of whole directories."""
    finder = importlib.machinery.FileFinder
    find_spec = finder.find_spec

    def noted_find_spec(self, fullname, target=None):
        recorder.note_module(self.path, fullname)
        spec = find_spec(self, fullname, target)
        recorder.note_spec(spec)
        return spec

    finder.find_spec = noted_find_spec


def _replace_metadata_search(recorder, metadata):
    search = metadata.FastPath.search

    def noted_search(self, name):
        recorder.note_metadata(self.root, name)
        return search(self, name)

    metadata.FastPath.search = noted_search


def _replace_starts(recorder):
    """Replace the functions that start programs and interpreters without an audit event."""
    for module_name, name, reason in (
        ("_posixsubprocess", "fork_exec", "starts a program"),
        ("_interpreters", "create", "starts another interpreter"),
    ):
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        note = partial(_give_up, recorder, reason)
        setattr(module, name, _Noted(getattr(module, name), note))


def _give_up(recorder, reason, args, options):
    del args, options
    recorder.give_up(reason)


def _replace_certificate_readers(recorder):
    """OpenSSL reads files without an audit event."""
    try:
        import ssl
    except ImportError:
        return
    for name in ("load_verify_locations", "load_cert_chain", "load_dh_params"):
        setattr(ssl.SSLContext, name, _noted_reader(recorder, getattr(ssl.SSLContext, name)))


def _noted_reader(recorder, function):
    def noted(self, *args, **options):
        paths = (*args, *(options.get(each) for each in ("cafile", "capath", "certfile")))
        for path in (*paths, options.get("keyfile"), options.get("path")):
            if isinstance(path, (str, bytes, os.PathLike)):
                resolved = recorder.note(recorder.contents, path)
                recorder.entries.add(resolved)
        return function(self, *args, **options)

    return noted


class _Variables(dict):
    """Variables in place of the dictionary inside `os.environ`; reading them is recorded."""

    recorder = None

    def __getitem__(self, name):
        self.recorder.note_variable(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self.recorder.note_variable(name)
        return super().__contains__(name)

    def get(self, name, default=None):
        """Return the value of *name*."""
        self.recorder.note_variable(name)
        return super().get(name, default)

    def pop(self, name, *default):
        """Remove *name* and return its value."""
        self.recorder.note_variable(name)
        return super().pop(name, *default)

    def setdefault(self, name, default=None):
        """Return the value of *name*, and set it first if it has none."""
        self.recorder.note_variable(name)
        return super().setdefault(name, default)

    def __delitem__(self, name):
        self.recorder.note_variable(name)
        super().__delitem__(name)


def _reading_all(name):
    method = getattr(dict, name)

    def noted(self, *args):
        self.recorder.note_variable(None)
        return method(self, *args)

    noted.__name__ = name
    return noted


for _name in (
    *("__iter__", "__len__", "__eq__", "__ne__", "__repr__", "__or__", "__ror__", "__reversed__"),
    *("keys", "items", "values", "copy", "popitem"),
):
    setattr(_Variables, _name, _reading_all(_name))


def _replace_variables(recorder):
    data = os.environ._data
    variables = _Variables(dict.items(data))
    variables.recorder = recorder
    os.environ._data = os.environb._data = variables
    posix.environ = variables


def _record_start(recorder):
    """Record what the interpreter has read before this program, without audit hooks."""
    if "sitecustomize" in sys.modules or "usercustomize" in sys.modules:
        recorder.give_up("has a module sitecustomize or usercustomize, which runs before it")
    names = {name.partition(".")[0] for name in sys.modules}
    for directory in sys.path:
        for name in (*names, "sitecustomize", "usercustomize"):
            recorder.note_module(directory, name)
    for module in list(sys.modules.values()):
        recorder.note_spec(getattr(module, "__spec__", None))
    for directory in site.getsitepackages():
        recorder.startup.add(recorder.note(recorder.kinds, directory))
        _check_startup_lines(recorder, directory)


def _check_startup_lines(recorder, directory):
    try:
        names = [name for name in os.listdir(directory) if name.endswith(".pth")]
    except OSError:
        return
    for name in names:
        with open(f"{directory}/{name}", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(_KNOWN_STARTUP_LINE):
                    recorder.note_variable(_KNOWN_STARTUP_VARIABLE)
                elif line.startswith(("import ", "import\t")):
                    recorder.give_up(f"is preceded by the code in {name}")


def start(output, missing=None):
    """Record everything that this process reads from now on; write it to *output* at its end.

    *missing* gets files that are not on disk yet.
    """
    recorder = Recorder()
    recorder.missing = missing
    recorder.on_metadata_search = partial(_replace_metadata_search, recorder)
    _record_start(recorder)
    # Registered first, so it runs after the functions that the app registers.
    atexit.register(_finish, recorder, output)
    _replace_starts(recorder)
    _replace_certificate_readers(recorder)
    _replace_functions(recorder)
    _replace_module_search(recorder)
    _replace_variables(recorder)

    def hook(event, args):
        recorder.on_event(event, args)

    sys.addaudithook(hook)


def _finish(recorder, output):
    recorder.stopped = True
    with open(output, "w", encoding="ascii") as file:
        json.dump(recorder.facts(), file)
