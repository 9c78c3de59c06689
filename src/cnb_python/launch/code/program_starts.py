"""Finds how a program starts its server and its bot: in a thread, on import, or not at all.

Separate from `importers`, which finds the program.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from cnb_python.launch.code import syntax
from cnb_python.launch.code.importers import module_names
from cnb_python.launch.code.source_files import ModuleFile
from cnb_python.launch.code.tracer import FACTORIES
from cnb_python.launch.tables.background import BOT_PACKAGES
from cnb_python.launch.tables.frameworks import CONSTRUCTORS

type _Kind = Literal["server", "bot"]
type _Function = ast.FunctionDef | ast.AsyncFunctionDef

_SERVER_METHODS = frozenset(
    {"run", "run_server", "run_app", "run_task", "run_async", "serve", "listen", "start"}
)
# Functions that serve an application, and classes of servers.
_SERVER_FUNCTIONS = re.compile(
    r"uvicorn\.(?:run|Config|Server)|hypercorn\.\w+\.serve|(?:waitress|granian)\.\w+"
    r"|(?:aiohttp\.)?web\.(?:_?run_app|AppRunner)|aiohttp\.web\.\w*\.?(?:run_app|AppRunner)"
    r"|werkzeug\.serving\.(?:run_simple|make_server)|wsgiref\.simple_server\.make_server"
    r"|(?:gevent\.)?pywsgi\.WSGIServer|eventlet\.wsgi\.server|cheroot\.wsgi\.Server"
    r"|(?:http\.server\.)?(?:Threading)?HTTPServer|bottle\.run|tornado\.\w+\.HTTPServer"
)
# Methods by which a bot listens for the messages of its service.
_WEBHOOKS = frozenset({"run_webhook", "run_webhooks", "start_webhook"})
_BOT_METHODS = frozenset(
    {"run_polling", "start_polling", "infinity_polling", "polling", "run_until_disconnected"}
)
# Libraries whose bots start with a method that other objects have too. Not python-telegram-bot:
# an app with a webhook also calls the method `start` of its application.
_STARTED_PACKAGES = BOT_PACKAGES - {"telegram", "aiogram", "telebot"}
# Methods that start a bot if their object is one.
_BOT_STARTS = frozenset({"run", "start", "login", "connect", "start_async", "connect_async"})
_BOT_NAME = re.compile(r"(?:\w*[._])?(?:\w*bot|\w*client|dp|dispatcher)", re.IGNORECASE)
# Names of functions that start a server only so that a platform does not end the bot.
_KEEPS_ALIVE = re.compile(r"keep_?alive|(?:run|start)_?(?:web|server|flask|app|api)\w*|awake")
_THREADS = frozenset(
    {"Thread", "Timer", "submit", "run_in_executor", "to_thread", "start_new_thread"}
)
# What these start runs at the same time, but as a part of the program.
_TASKS = frozenset({"create_task", "ensure_future", "run_coroutine_threadsafe", "Process"})
_MAX_NODES = 50_000


@dataclass(frozen=True, slots=True)
class ProgramStarts:
    """How one file starts a server and a bot."""

    server: Literal["", "thread", "program"]
    """Where it starts the server: only in a thread, or in the program; empty: nowhere."""
    starts_bot: bool
    """Whether it starts the bot anywhere."""
    bot_blocks: bool
    """Whether the bot runs when the file is imported, so that no server can import it."""
    needs_program: bool
    """Whether the file has to run as a program: an import of it would start no bot, or block."""


def program_starts(file: ModuleFile, *defining: ModuleFile | None, line: int = 0) -> ProgramStarts:
    """Return how *file* starts a server and a bot, which the files *defining* may define.

    *line* is known to start the server; 0 for none.
    """
    if file.tree is None:
        return ProgramStarts("", starts_bot=False, bot_blocks=False, needs_program=False)
    starts = _FileStarts(file, tuple(each for each in defining if each and each is not file), line)
    servers, bots = starts.nodes("server"), starts.nodes("bot")
    threads = starts.threaded | starts.thread_starts
    guard = starts.reached(starts.guarded, through_threads=True)
    blocking = bots & starts.reached(starts.on_import, through_threads=False)
    return ProgramStarts(
        "" if not servers else "thread" if servers <= threads else "program",
        starts_bot=bool(bots),
        bot_blocks=bool(blocking),
        needs_program=bool(blocking or bots & guard),
    )


def server_lines(file: ModuleFile) -> frozenset[int]:
    """Return the lines on which *file* starts the server of a web application, but no bot."""
    if file.tree is None:
        return frozenset()
    starts = _FileStarts(file, ())
    by_kind = ({starts.lines[node] for node in starts.nodes(kind)} for kind in ("server", "bot"))
    servers, bots = by_kind
    return frozenset(servers - bots)


class _FileStarts:
    """The expressions of a file that start a server or a bot, by the ids of their nodes."""

    def __init__(
        self, file: ModuleFile, defining: tuple[ModuleFile, ...], server_line: int = 0
    ) -> None:
        self._tree = file.tree or ast.Module([], [])
        self._origins = syntax.imports_of(self._tree).origins
        self._others = defining
        self._server_line = server_line
        nodes = [node for node, _ in zip(ast.walk(self._tree), range(_MAX_NODES), strict=False)]
        self._calls = [node for node in nodes if isinstance(node, ast.Call)]
        self._names = [node for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
        self.lines = {id(node): node.end_lineno or node.lineno for node in self._names}
        self._functions: dict[str, list[_Function]] = {}
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._functions.setdefault(_key(node), []).append(node)
        self.apps = frozenset(self._assigned(nodes, self._is_app))
        self._bots = frozenset(self._assigned(nodes, self._is_bot))

    @property
    def guarded(self) -> list[ast.stmt]:
        """The statements under `if __name__ == "__main__":`."""
        return [
            statement
            for each in self._tree.body
            if isinstance(each, ast.If) and syntax.is_main_guard(each.test)
            for statement in each.body
        ]

    @property
    def on_import(self) -> list[ast.stmt]:
        """The statements that run when the file is imported."""
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        statements = syntax.at_module_level(self._tree.body)
        return [each for each in statements if not isinstance(each, definitions)]

    @cached_property
    def threaded(self) -> frozenset[int]:
        """The nodes that run only in threads and processes beside the program."""
        direct = self._reached(_in_threads(self._calls), through_threads=True, follow_names=True)
        started = self._reached([*self.guarded, *self.on_import], through_threads=False)
        return direct - started

    def reached(self, statements: Iterable[ast.AST], *, through_threads: bool) -> frozenset[int]:
        """Return the nodes of *statements* and of the functions that they call.

        Those in threads and tasks count only with *through_threads*.
        """
        return self._reached(statements, through_threads=through_threads)

    def _reached(
        self, roots: Iterable[ast.AST], *, through_threads: bool, follow_names: bool = False
    ) -> frozenset[int]:
        reached: set[int] = set()
        visited: set[str] = set()
        waiting: list[tuple[ast.AST, bool]] = [(root, follow_names) for root in roots]
        while waiting and len(reached) < _MAX_NODES:
            node, names_count = waiting.pop()
            if id(node) in reached:
                continue
            reached.add(id(node))
            if isinstance(node, ast.Call) and _is_beside(node):
                below = [(each, True) for each in ast.iter_child_nodes(node)]
                waiting += below if through_threads else [(node.func, False)]
                continue
            called = _reference(node.func) if isinstance(node, ast.Call) else ""
            if not called and names_count:
                called = _reference(node)
            if called not in visited:
                visited.add(called)
                bodies = (function.body for function in self._functions.get(called, ()))
                waiting += [(each, False) for body in bodies for each in body]
            waiting += [
                (each, names_count)
                for each in ast.iter_child_nodes(node)
                if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                or names_count
            ]
        return frozenset(reached)

    @cached_property
    def thread_starts(self) -> frozenset[int]:
        """The nodes that call a function of another file that starts its server in a thread."""
        names = frozenset(
            f"{module}.{name}"
            for other in self._others
            for name, is_thread in (_FileStarts(other, ()).starters("server"))
            for module in module_names(other)
            if is_thread
        )
        return frozenset(id(node) for node in self._used if self._is_in(node, names))

    def nodes(self, kind: _Kind) -> frozenset[int]:
        """Return the nodes that start a server or a bot, each a function that is called."""
        starters = frozenset(self._starters_of_others(kind))
        named = {id(node) for node in self._used if self._is_in(node, starters)}
        if kind == "bot":
            bots = {id(node) for node in self._used if self._starts_bot(node)}
            return frozenset((bots | named) - self.nodes("server"))
        servers = {id(node) for node in self._used if self._starts_app(node)}
        return frozenset(
            servers | named | {id(each.func) for each in self._calls if self._serves(each)}
        )

    @cached_property
    def _used(self) -> list[ast.Name | ast.Attribute]:
        """The functions that are called, or passed to a thread."""
        called = {id(call.func) for call in self._calls}
        passed = {id(node) for tree in _in_threads(self._calls) for node in ast.walk(tree)}
        return [node for node in self._names if id(node) in called | passed]

    def starters(self, kind: _Kind) -> Iterator[tuple[str, bool]]:
        """Yield the functions that start *kind* for other files, and whether in a thread."""
        nodes = self.nodes(kind)
        for key, functions in self._functions.items():
            name = key.lstrip(".")
            bodies = [each for function in functions for each in function.body]
            started = nodes & self._reached(bodies, through_threads=True)
            direct = nodes & self._reached(bodies, through_threads=False)
            if started or (kind == "server" and _KEEPS_ALIVE.fullmatch(name)):
                yield name, not direct

    def _starters_of_others(self, kind: _Kind) -> Iterator[str]:
        for other in self._others:
            if other.tree:
                names = {name for name, _ in _FileStarts(other, ()).starters(kind)}
                yield from (f"{module}.{name}" for module in module_names(other) for name in names)

    def _is_in(self, node: ast.expr, names: frozenset[str]) -> bool:
        return bool(names) and syntax.dotted(node, self._origins).lstrip(".") in names

    def _starts_app(self, node: ast.Name | ast.Attribute) -> bool:
        name = syntax.dotted(node, self._origins)
        if _SERVER_FUNCTIONS.fullmatch(name) or _name(node) in _WEBHOOKS:
            return True
        if node.lineno <= self._server_line <= (node.end_lineno or node.lineno):
            return True
        return (
            isinstance(node, ast.Attribute)
            and node.attr in _SERVER_METHODS
            and self._holds_app(node.value)
        )

    def _serves(self, call: ast.Call) -> bool:
        """Whether *call* starts a server with an app as an argument: `socketio.run(app)`."""
        return (
            isinstance(call.func, ast.Attribute | ast.Name)
            and _name(call.func) in _SERVER_METHODS
            and any(map(self._holds_app, call.args[:2]))
        )

    def _holds_app(self, value: ast.expr) -> bool:
        text = _text(value)
        return bool(text) and (text in self.apps or self._is_in(value, self._apps_of_others))

    @cached_property
    def _apps_of_others(self) -> frozenset[str]:
        return frozenset(
            f"{module}.{name}"
            for other in self._others
            for name in (_FileStarts(other, ()).apps if other.tree else ())
            for module in module_names(other)
        )

    def _starts_bot(self, node: ast.Name | ast.Attribute) -> bool:
        name = _name(node)
        if name == "start_polling" or (isinstance(node, ast.Attribute) and name in _BOT_METHODS):
            return True
        if not isinstance(node, ast.Attribute) or name not in _BOT_STARTS:
            return False
        return (
            self._is_bot(node.value)
            or _text(node.value) in self._bots
            or (name in {"run", "start"} and _BOT_NAME.fullmatch(_text(node.value)) is not None)
        )

    def _assigned(
        self, nodes: Iterable[ast.AST], is_kind: Callable[[ast.expr], bool]
    ) -> Iterator[str]:
        """Yield the names to which a value of a kind is assigned: `app`, `self.app`."""
        for node in nodes:
            match node:
                case ast.Assign(targets=targets, value=value) if is_kind(value):
                    yield from filter(None, map(_text, targets))
                case ast.AnnAssign(target=target, value=ast.expr() as value) if is_kind(value):
                    yield _text(target)
                case _:
                    pass

    def _is_app(self, value: ast.expr) -> bool:
        return isinstance(value, ast.Call) and (
            syntax.dotted(value.func, self._origins) in CONSTRUCTORS
            or _name(value.func) in FACTORIES
        )

    def _is_bot(self, value: ast.expr) -> bool:
        """Whether *value* is made by a call of a library for bots: `discord.Client()`."""
        if not isinstance(value, ast.Call):
            return False
        root: ast.expr = value
        while isinstance(root, ast.Call | ast.Attribute):
            root = root.func if isinstance(root, ast.Call) else root.value
        return (
            isinstance(root, ast.Name)
            and self._origins.get(root.id, "").partition(".")[0] in _STARTED_PACKAGES
        )


def _in_threads(calls: Iterable[ast.Call]) -> list[ast.expr]:
    """Return the arguments of those of *calls* that start a thread or a process."""
    return [
        argument
        for call in calls
        if _is_thread(call)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    ]


def _is_thread(call: ast.Call) -> bool:
    return _name(call.func) in _THREADS


def _is_beside(call: ast.Call) -> bool:
    """Whether the arguments of *call* run at the same time as the code after it."""
    return _is_thread(call) or _name(call.func) in _TASKS


def _key(function: _Function) -> str:
    """Return the name by which *function* is called: `run`, or `.run` for a method."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    is_method = bool(arguments) and arguments[0].arg in {"self", "cls"}
    return f".{function.name}" if is_method else function.name


def _reference(node: ast.AST) -> str:
    """Return the name that *node* refers to, in the form of `_key`; empty if it is not a name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return f".{name}"
        case _:
            return ""


def _name(node: ast.AST) -> str:
    """Return the last part of a name: `run` of `app.run`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _text(node: ast.expr) -> str:
    """Return a name as it is written: `self.app`; empty for other expressions."""
    return syntax.dotted(node, {})
