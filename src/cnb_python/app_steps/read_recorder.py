"""Records what the app's code reads while it runs. For the app's Python, 3.10 or newer.

`Recorder.facts()` has these facts. Every path is absolute, without links in its directories, and
the links are listed too.

- `unknown`: why the record is incomplete, and where in the code; empty if it is complete
- `contents`: paths that were opened or changed, or whose size was read; existing or not
- `kinds`: paths of which only the existence or the kind was read
- `listed`: directories whose names and kinds of entries were read; `entries`: also their contents
- `modules`: names of modules by the directory in which they were searched
- `metadata`: names of distributions by the directory in which their metadata was searched; an
  empty name for all of them
- `startup`: directories whose `.pth` files were read
- `links`: paths of which it was read whether they are links
- `created`: paths that were opened as new files; `moved`: paths that were renamed
- `native`: paths of extension modules
- `variables`: names of variables; null if all of them were read

Audit events report most reads (https://docs.python.org/3/library/audit_events.html). Functions
that read without an event, such as `os.stat`, are replaced. Code in C may read files unnoticed:
the reader of the record has to know which extension modules are harmless.

Separate from `django_runner`, which collects static files and does not depend on it.
"""

# mypy: ignore-errors
# It runs in older Pythons.

import os
import sys

_GETCWD, _LSTAT, _READLINK = os.getcwd, os.lstat, os.readlink
_MOST_LINKS = 40
_DIRECTORY = 0o040000
_LINK = 0o120000
_TYPE = 0o170000
# Standard functions that use `os.stat` or `os.lstat` only to see whether, and as what, a path
# exists.
_PREDICATES = frozenset(
    {"exists", "isfile", "isdir", "islink", "lexists", "ismount", "realpath", "_joinrealpath"}
    | {"is_file", "is_dir", "is_symlink", "is_mount", "is_block_device", "is_char_device"}
    | {"is_fifo", "is_socket", "_lexists", "makedirs", "resolve", "_realpath"}
)
_PREDICATE_MODULES = frozenset(
    {"genericpath", "posixpath", "os", "glob", "pathlib", "pathlib._local", "pathlib._abc"}
    | {"pathlib._os", "pathlib.types"}
)
# Standard functions that read names and kinds of a directory's entries, and no more.
_LISTING_MODULES = frozenset(
    {"os", "glob", "pathlib", "pathlib._local", "pathlib._abc", "django.core.files.storage"}
    | {"django.core.files.storage.filesystem"}
)
_IMPORT_MODULES = frozenset({"importlib._bootstrap_external", "_frozen_importlib_external"})
_UNKNOWN_EVENTS = {
    **dict.fromkeys(
        (
            *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"),
            *("os.fork", "os.forkpty", "pty.spawn"),
        ),
        "starts a program",
    ),
    **dict.fromkeys(
        (
            *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
            *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
            "socket.getnameinfo",
        ),
        "uses the network",
    ),
    "sqlite3.connect": "opens an SQLite database",
    "cpython.PyInterpreterState_New": "starts another interpreter",
}
_NATIVE_EVENTS = frozenset(
    {"ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function"}
)
_UNKNOWN_MODULES = {"_dbm": "opens a dbm database", "_gdbm": "opens a dbm database"}
# Events with the paths of what is changed: the position of each path, and of its `dir_fd`.
_CHANGES = {
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.getxattr": ((0, None),),
    "os.listxattr": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
}
_RELINKING = frozenset({"os.symlink", "os.rename", "os.remove", "os.rmdir"})


class Recorder:
    """What the process has read so far."""

    def __init__(self):
        self.stopped = False
        self.unknown = ""
        self.contents, self.kinds, self.listed, self.entries = set(), set(), set(), set()
        self.links, self.created, self.moved, self.native = set(), set(), set(), set()
        self.startup = set()
        self.modules, self.metadata = {}, {}
        self.variables, self.has_all_variables = set(), False
        self._directories = {}
        self.missing = None
        """Gets files that are not on disk yet, before they are read; None if all of them are."""
        self.on_metadata_search = _do_nothing
        """Called with `importlib.metadata` before its first search."""

    def facts(self):
        """Return everything, ready for JSON."""
        names = ("contents", "kinds", "listed", "entries", "links", "created", "moved", "native")
        return {
            "unknown": self.unknown,
            **{name: sorted(getattr(self, name)) for name in (*names, "startup")},
            "modules": {path: sorted(tails) for path, tails in sorted(self.modules.items())},
            "metadata": {path: sorted(tails) for path, tails in sorted(self.metadata.items())},
            "variables": None if self.has_all_variables else sorted(self.variables),
        }

    def give_up(self, reason):
        """Record that this record is incomplete, for the first reason and with its location."""
        if self.missing is not None:
            self.missing.need_everything()
        if not self.unknown:
            self.unknown = f"{reason}{_location()}"

    def on_event(self, event, args):
        """Record an audit event."""
        if self.stopped:
            return
        try:
            self._record(event, args)
        except Exception as error:  # noqa: BLE001 - must not change how the app runs
            self.give_up(f"does something that cannot be recorded ({type(error).__name__})")

    def _record(self, event, args):
        if event == "open":
            self._record_open(args[0], args[2])
        elif event == "import":
            self._record_import(args[0], args[1])
        elif event in ("os.listdir", "os.scandir"):
            self._record_listing(event, args[0], sys._getframe(3))
        elif event in _CHANGES:
            self._record_change(event, args)
        elif event in _UNKNOWN_EVENTS:
            self.give_up(_UNKNOWN_EVENTS[event])
        elif event in _NATIVE_EVENTS and not _is_import_of_ctypes(sys._getframe(3)):
            self.give_up("calls a native library")

    def _record_open(self, path, flags):
        if isinstance(path, int):
            return
        resolved = self.note(self.contents, path)
        if isinstance(flags, int) and flags & os.O_EXCL:
            self.created.add(resolved)

    def _record_import(self, name, filename):
        if filename is not None:
            path = self.note(self.contents, filename)
            self.native.add(path)
            if self.missing is not None:
                self.missing.need_native(path)
        elif name in _UNKNOWN_MODULES:
            self.give_up(_UNKNOWN_MODULES[name])

    def _record_listing(self, event, path, frame):
        module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if function == "_fill_cache" and module in _IMPORT_MODULES:
            return  # `FileFinder.find_spec` is recorded
        if function == "children" and module == "importlib.metadata":
            self._record_metadata(path, frame)
            return
        is_plain = event == "os.listdir" or module in _LISTING_MODULES
        resolved = self.note(self.listed if is_plain else self.entries, path or ".")
        if self.missing is not None:
            self.missing.need_listing(resolved)
        if event == "os.scandir":
            self.links.add(f"{resolved}/")

    def _record_metadata(self, path, frame):
        """Record the first search of `importlib.metadata`; the next ones list no directory."""
        while frame is not None and frame.f_code.co_name != "search":
            frame = frame.f_back
        if frame is None:
            self.note(self.listed, path or ".")
        else:
            self.note_metadata(path, frame.f_locals.get("name"))
        self.on_metadata_search(sys.modules["importlib.metadata"])
        self.on_metadata_search = _do_nothing

    def _record_change(self, event, args):
        if event in _RELINKING:
            self._directories.clear()
        for at, dir_fd_at in _CHANGES[event]:
            if isinstance(args[at], int):
                continue
            dir_fd = args[dir_fd_at] if dir_fd_at is not None and dir_fd_at < len(args) else -1
            resolved = self.note(self.contents, args[at], dir_fd, follow=False)
            self.note(self.contents, args[at], dir_fd)
            if event == "os.rename" and at == 0:
                self.moved.add(resolved)

    def note_status(self, args, options, frame, *, follow):
        """Record a call of `os.stat` or `os.lstat` from *frame*."""
        path = args[0] if args else options.get("path")
        if isinstance(path, int):
            return
        follow = follow and options.get("follow_symlinks", True)
        is_predicate = _is_predicate(frame)
        kind = self.kinds if is_predicate else self.contents
        resolved = self.note(kind, path, options.get("dir_fd"), follow=follow)
        if not follow:
            self.links.add(resolved)

    def note_module(self, directory, fullname):
        """Record that a module is searched in *directory*."""
        if not self.stopped:
            name = fullname.rpartition(".")[2]
            resolved = self._add_name(self.modules, directory or ".", name)
            if self.missing is not None:
                self.missing.need_module(resolved, name)

    def note_spec(self, spec):
        """Record the files of the module *spec*: Python does not open a source with bytecode."""
        for path in (getattr(spec, "origin", None), getattr(spec, "cached", None)):
            if path and path.startswith("/") and not self.stopped:
                self.note(self.contents, path)

    def note_metadata(self, directory, prepared):
        """Record that `importlib.metadata` searches a distribution, or all, in *directory*."""
        if self.stopped:
            return
        self._add_name(self.metadata, directory or ".", getattr(prepared, "normalized", "") or "")

    def note_variable(self, name):
        """Record that the variable *name*, or with None every variable, is read."""
        if self.stopped:
            return
        if name is None:
            self.has_all_variables = True
        else:
            self.variables.add(os.fsdecode(name) if isinstance(name, bytes) else str(name))

    def _add_name(self, names, directory, name):
        resolved = self.note(self.kinds, directory)
        names.setdefault(resolved, set()).add(name)
        return resolved

    def note(self, kind, path, dir_fd=None, *, follow=True):
        """Add *path* to the set *kind*, and the links on its way to `contents`; return it.

        What is added and returned has no links in its directories; with *follow*, and if it
        exists, it is no link itself.
        """
        absolute = _absolute(path, dir_fd)
        resolved = self._resolved(absolute, follow=follow)
        if self.missing is not None and self.missing.need_path(resolved):
            self._directories.clear()
            resolved = self._resolved(absolute, follow=follow)
        kind.add(resolved)
        return resolved

    def _resolved(self, path, *, follow):
        for _ in range(_MOST_LINKS):
            parent, _, name = path.rstrip("/").rpartition("/")
            directory = self._directory(parent)
            if name in ("", "."):
                return directory or "/"
            if name == "..":
                return directory.rpartition("/")[0] or "/"
            path = f"{directory}/{name}"
            target = _target(path) if follow else None
            if target is None:
                return path
            self.contents.add(path)
            path = target if target.startswith("/") else f"{directory}/{target}"
        return path

    def _directory(self, path):
        """Return the directory *path* without links and without a slash at its end."""
        if path in ("", "/"):
            return ""
        resolved = self._directories.get(path)
        if resolved is None:
            resolved = self._resolved(path, follow=True).rstrip("/")
            self._directories[path] = resolved
        return resolved


def _do_nothing(metadata):
    """Ignore a search of `importlib.metadata`."""
    del metadata


def _absolute(path, dir_fd):
    if isinstance(path, int):
        return _READLINK(f"/proc/self/fd/{path}")
    text = os.fsdecode(path)
    if text.startswith("/"):
        return text
    has_directory = isinstance(dir_fd, int) and dir_fd >= 0
    directory = _READLINK(f"/proc/self/fd/{dir_fd}") if has_directory else _GETCWD()
    return f"{directory}/{text}"


def _target(path):
    """Return the target of the link *path*; None if it is no link."""
    try:
        is_link = _LSTAT(path).st_mode & _TYPE == _LINK
        return _READLINK(path) if is_link else None
    except (OSError, ValueError) as _:
        return None


def _location():
    """Return the innermost frame outside of the standard library, as ` in FILE, line N`."""
    standard = os.path.dirname(os.__file__)
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        is_standard = name.startswith(standard) and "/site-packages/" not in name
        if not (is_standard or name.startswith("<") or name == __file__):
            return f" in {name}, line {frame.f_lineno}"
        frame = frame.f_back
    return ""


def _is_predicate(frame):
    while frame is not None and frame.f_globals.get("__name__") in _PREDICATE_MODULES:
        if frame.f_code.co_name in _PREDICATES:
            return True
        frame = frame.f_back
    return False


def _is_import_of_ctypes(frame):
    """Whether *frame* belongs to the import of `ctypes`, which calls the C library itself."""
    while frame is not None and frame.f_globals.get("__name__", "").startswith("ctypes"):
        if frame.f_code.co_name == "<module>":
            return True
        frame = frame.f_back
    return False
