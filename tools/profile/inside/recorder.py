"""Stands in for `bin/start.py`: runs it, and records the functions of the package it calls.

Beside it are the original, `start.plain.py`, and `recorder.mode`: `times` measures, `marks` asks
the kernel about paths below `MARKS` instead, which a trace of system calls shows. Writes to
`OUTPUT`.

Imports as little as it can, since the first importer of a module is charged for its time.
"""

import _posixsubprocess
import _thread
import os
import sys
import time
from collections.abc import Callable
from types import CodeType
from typing import Any

OUTPUT = "/cnb-python-profile"
MARKS = "/.cnb-python-mark/"
PACKAGE = "/cnb_python/"
# A function that is called more often is no step: its time is that of its callers.
MOST_CALLS = 400
MAIN, THREADS, PROCESS = "bin/build", "in other threads", "process: "
WORKER = f"{PROCESS}forked worker"
_GENERATORS = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
_PR_SET_DUMPABLE = 4
_EXIT = os._exit
_TOOL = sys.monitoring.PROFILER_ID
_DISABLE = sys.monitoring.DISABLE


class Node:
    """A step below another one."""

    __slots__ = ("calls", "children", "cpu", "name", "wall")

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.wall = self.cpu = 0.0
        self.children: dict[str, Node] = {}

    def child(self, name: str) -> Node:
        """Return the step *name* below this one; make it if it is missing."""
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = Node(name)
        return found

    def facts(self, frequent: set[str]) -> dict[str, Any]:
        """Return the step and those below it, without the functions *frequent*."""
        return {
            "name": self.name,
            "calls": self.calls,
            "wall_s": self.wall,
            "cpu_s": self.cpu,
            "steps": [
                node.facts(frequent)
                for name, node in self.children.items()
                if name not in frequent
            ],
        }


type Entry = tuple[Node, CodeType | None, float, float]
"""A step that runs: its node, its code, and when it began by the clock and by the CPU."""


class Recorder:
    """The steps of this process, and the processes that it started."""

    def __init__(self, mode: str) -> None:
        self.marks = mode == "marks"
        self.root = Node(MAIN)
        self.threads = Node(THREADS)
        self.main = _thread.get_ident()
        self.local = _thread._local()  # noqa: SLF001 - importing threading takes time
        self.names: dict[CodeType, str] = {}
        self.counts: dict[CodeType, int] = {}
        self.children: dict[int, tuple[Node, float]] = {}

    def stack(self) -> list[Entry]:
        """Return the steps that run in this thread, the innermost last."""
        try:
            entries: list[Entry] = self.local.entries
        except AttributeError:
            root = self.root if _thread.get_ident() == self.main else self.threads
            entries = self.local.entries = [(root, None, 0.0, 0.0)]
        return entries

    def started(self, code: CodeType, _offset: int) -> object:
        """Begin a step (the event `PY_START`)."""
        name = self.names.get(code)
        if name is None:
            name = self.names[code] = _name(code)
        count = self.counts[code] = self.counts.get(code, 0) + 1
        if not name or count > MOST_CALLS:
            return _DISABLE
        entries = self.stack()
        if any(entry[1] is code for entry in entries):
            # It calls itself: its time counts once.
            entries.append((entries[-1][0], code, 0.0, 0.0))
            return None
        node = entries[-1][0].child(name)
        node.calls += 1
        if self.marks:
            os.access(f"{MARKS}+{name}", os.F_OK)
            entries.append((node, code, 1.0, 0.0))
        else:
            entries.append((node, code, time.perf_counter(), time.thread_time()))
        return None

    def returned(self, code: CodeType, _offset: int, _value: object) -> object:
        """End a step (the events `PY_RETURN` and `PY_UNWIND`)."""
        entries = self.stack()
        node, current, wall, cpu = entries[-1]
        if current is not code:
            return None
        entries.pop()
        if wall and self.marks:
            os.access(f"{MARKS}-", os.F_OK)
        elif wall:
            node.wall += time.perf_counter() - wall
            node.cpu += time.thread_time() - cpu
        return None

    def unwound(self, code: CodeType, offset: int, error: BaseException) -> object:
        """End a step that raises. This event cannot be turned off for a function."""
        self.returned(code, offset, error)
        return None

    def starts_process(self, title: str) -> Node:
        """Return the step of a process that the current step is about to start."""
        node = self.stack()[-1][0].child(title)
        node.calls += 1
        if self.marks:
            os.access(f"{MARKS}*{title}", os.F_OK)
        return node

    def wait(self, pid: int, options: int) -> tuple[int, int]:
        """Wait for a process as `os.waitpid` does, and record what it used."""
        ended, status, used = os.wait4(pid, options)
        if ended and ended in self.children:
            node, began = self.children.pop(ended)
            node.wall += time.perf_counter() - began
            node.cpu += used.ru_utime + used.ru_stime
        return ended, status

    def begin(self) -> None:
        """Record from now on."""
        self.counts_processes()
        if self.marks:
            _stay_readable()
        monitoring, events = sys.monitoring, sys.monitoring.events
        monitoring.use_tool_id(_TOOL, "cnb-python profile")
        monitoring.register_callback(_TOOL, events.PY_START, self.started)
        monitoring.register_callback(_TOOL, events.PY_RETURN, self.returned)
        monitoring.register_callback(_TOOL, events.PY_UNWIND, self.unwound)
        monitoring.set_events(_TOOL, events.PY_START | events.PY_RETURN | events.PY_UNWIND)

    def counts_processes(self) -> None:
        """Put functions in front of those that start processes and wait for them."""
        fork_exec, spawn, fork = _posixsubprocess.fork_exec, os.posix_spawn, os.fork

        def forking_exec(*arguments: Any) -> int:  # noqa: ANN401 - those of the original
            return self.tracked(_title(arguments[0]), lambda: fork_exec(*arguments))

        def spawning(path: Any, argv: Any, env: Any, **options: Any) -> int:  # noqa: ANN401 - as above
            return self.tracked(_title(argv), lambda: spawn(path, argv, env, **options))

        def forking() -> int:
            return self.tracked(WORKER, fork)

        vars(_posixsubprocess)["fork_exec"] = forking_exec
        vars(os).update(posix_spawn=spawning, fork=forking, waitpid=self.wait)

    def tracked(self, title: str, start: Callable[[], int]) -> int:
        """Start a process, and return its id; 0 in the process itself."""
        node, began = self.starts_process(title), time.perf_counter()
        pid = start()
        if pid:
            self.children[pid] = node, began
        else:
            self.begin_worker()
        return pid

    def begin_worker(self) -> None:
        """Record the steps of a forked process apart, until it ends."""
        self.root, self.threads = Node(WORKER), Node(THREADS)
        self.main = _thread.get_ident()
        self.local = _thread._local()  # noqa: SLF001 - as above
        self.children = {}

        def leaving(code: int) -> None:
            self.write(f"worker-{os.getpid()}.json", 0.0)
            _EXIT(code)

        vars(os)["_exit"] = leaving

    def write(self, name: str, start: float) -> None:
        """Write everything to a file of `OUTPUT`; *start*: seconds until the recording began."""
        sys.monitoring.set_events(_TOOL, 0)
        import json  # noqa: PLC0415 - see above

        counts = self.counts.items()
        frequent = {self.names[code] for code, count in counts if count > MOST_CALLS}
        facts = {
            "start_s": start,
            "steps": self.root.facts(frequent)["steps"],
            "threads": self.threads.facts(frequent)["steps"],
        }
        with open(f"{OUTPUT}/{name}", "w") as file:  # noqa: PTH123 - pathlib takes time
            json.dump(facts, file)


class _Prctl:
    """The function `prctl`, which leaves it to others to read this process's memory."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401 - a function of ctypes
        self.real = real
        self.argtypes = real.argtypes

    def __call__(self, option: int, *arguments: int) -> int:
        if option == _PR_SET_DUMPABLE:
            return 0
        self.real.argtypes = self.argtypes
        result: int = self.real(option, *arguments)
        return result


def _stay_readable() -> None:
    """Let a tracer of the same user go on reading the paths in system calls, such as marks."""
    import ctypes  # noqa: PLC0415 - a trace measures no time

    class Library(ctypes.CDLL):
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a function of ctypes
            function = super().__getattr__(name)
            return _Prctl(function) if name == "prctl" else function

    vars(ctypes)["CDLL"] = Library


def _name(code: CodeType) -> str:
    """Return the step's name, `install.installer._unpack`; empty for other functions."""
    _, mark, module = code.co_filename.rpartition(PACKAGE)
    if not mark or code.co_flags & _GENERATORS:
        return ""
    dotted = module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    if code.co_name == "<module>":
        return f"import {dotted}"
    return f"{dotted}.{code.co_qualname.replace('.<locals>', '')}"


def _title(argv: Any) -> str:  # noqa: ANN401 - texts, bytes or paths
    """Return a short form of a command: `process: uv pip install`."""
    words = [os.fsdecode(word) for word in argv]
    kept = [word.rpartition("/")[2] for word in words[:1]]
    for word in words[1:]:
        if len(kept) == 3:
            break
        if not word.startswith("-") and len(word) < 200:
            kept.append(word.rpartition("/")[2])
    return PROCESS + " ".join(kept).replace("\n", " ")


def _since_start() -> float:
    """Return the seconds since this process started, to 10 ms."""
    with open("/proc/self/stat") as file:  # noqa: PTH123 - pathlib takes time
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run `start.plain.py` as if it had been started; record the build phase."""
    here = __file__.rpartition("/")[0]
    original = f"{here}/start.plain.py"
    with open(original) as file:  # noqa: PTH123 - pathlib takes time
        program = compile(file.read(), original, "exec")
    names = {"__name__": "__main__", "__file__": original}
    if sys.argv[1] != "build":
        exec(program, names)  # noqa: S102 - the buildpack's own program
        return
    start = _since_start()
    with open(f"{here}/recorder.mode") as file:  # noqa: PTH123 - as above
        recorder = Recorder(file.read().strip())
    recorder.begin()
    # A successful build ends at once; here it must return.
    vars(os)["_exit"] = sys.exit
    try:
        exec(program, names)  # noqa: S102 - as above
    finally:
        recorder.write("build.json", start)


if __name__ == "__main__":
    main()
