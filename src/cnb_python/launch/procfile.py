"""Reads `Procfile`, and turns its commands into what the launcher executes.

The format is Heroku's (https://devcenter.heroku.com/articles/procfile): one `type: command` per
line. A type may have all characters that the CNB specification allows.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from cnb_python.errors.config import BadProcfile, ProcfileProblem

NAME = "Procfile"
WEB = "web"
_RELEASE = "release"
# Misspelt names. `Procfile.dev` and `Procfile.windows` are for other tools.
_MISNAMED = frozenset({"procfile", "procfile.txt", "procfile.yml", "procfile.yaml", "procfiles"})
_LINE_END = re.compile(r"\r\n|\r|\n")
# Letters, digits, `.`, `_`, `-` (buildpack.md, launch.toml); also a file name in the image.
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

SHELL = "/bin/sh"
_BASH = "/bin/bash"
SHELLS = (SHELL, _BASH)

# https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_03
_TOKEN = re.compile(
    r"""
    (?P<space>     \s+ )
  | (?P<quoted>    '[^']*' | \\. )
  | (?P<double>    "(?:\\.|[^"\\])*" )
  | (?P<expansion> \$\( (?: [^()] | \( (?: [^()] | \([^()]*\) )* \) )* \)
                 | \$\{[^{}]*\} | \$[\w?\#@*!$-]? | `[^`]*` )
  | (?P<redirect>  \d*(?:<{1,3}|>{1,2})(?:&[\d-]*)? | &>>? )
  | (?P<chain>     && | \|\| | ; )
  | (?P<operator>  [|&()] )
  | (?P<plain>     [^\s'"\\$`<>|&;()]+ )
  | (?P<open>      . )
    """,
    re.VERBOSE,
)
# They handle SIGTERM and collect their processes, so they can be process 1 (pid_namespaces(7)).
_FIT_FOR_PROCESS_1 = frozenset(
    {"gunicorn", "uvicorn", "hypercorn", "granian", "daphne", "celery"}
    | {"tini", "dumb-init", "catatonit", "supervisord"}
)
# Builtins that take no time, during which a shell could miss SIGTERM.
_INSTANT = frozenset({"cd", "export", "set", "unset", "umask", "ulimit", "test", "[", ":", "true"})
_IN_WORDS = frozenset({"quoted", "double", "expansion", "plain"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# A command in quotes, which a shell takes for the name of a program.
_WHOLE = re.compile(r"""(["'])\s*([^"'\s]+\s[^"']*)\1""")
# `app:create_app()`, `app:create_app("production", debug=False)`.
_CALL = re.compile(r"[^\s'\"()$`;&|<>]++\([^()$`;&|<>]*\)(?=\s|$)")
_EXEC = re.compile(r"(?:\s*+exec\s++(?=[^-\s]))++")
_KEYWORD = re.compile(
    r"if|then|else|elif|fi|for|while|until|do|done|case|esac|select|function|time|[{}!]|\[\["
)
_BUILTIN = re.compile(
    r"[.:]|alias|bg|break|cd|command|continue|declare|eval|exec|exit|export|fg|jobs|local|popd|pushd"
    r"|read|readonly|return|set|shift|shopt|source|times|trap|type|ulimit|umask|unset|wait"
)
# Syntax of bash: `[[`, `source`, `time`, here-strings, `<(`, `$'`, `&>`, ${x//a/b}, {a,b}.
_BASHISM = re.compile(
    r"(?:^|[\s;&|(])(?:\[\[|source|shopt|declare|pushd|function)\s|(?:^|[;&|(])\s*time\s"
    r"|<<<|[<>]\(|\$'|&>|\$\{\w+(?:\[|[/^,]|:\d)|\{(?=[^\s{}]*(?:,|\.\.))[^\s{}]*+\}"
)


class OpenQuote(Exception):
    """A command has an unclosed quotation mark, or ends with a backslash."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as the launcher executes it."""

    argv: tuple[str, ...]
    program: str
    """The program that finally runs, such as `gunicorn`; empty if it cannot be determined."""
    needs_init: bool = False
    """Whether it must not be process 1: SIGTERM would not end it."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, or a redirection or operator between words."""

    kind: str
    start: int
    text: str

    @property
    def is_assignment(self) -> bool:
        return bool(_ASSIGNMENT.match(self.text))


def parse_command(text: str) -> CommandLine:
    """Return how the launcher executes *text*, the command of a process. Raises OpenQuote.

    >>> parse_command("gunicorn app:app").argv
    ('gunicorn', 'app:app')
    >>> parse_command("gunicorn --bind :$PORT app:app").argv
    ('/bin/sh', '-c', 'exec gunicorn --bind :$PORT app:app "$@"', 'sh')
    """
    text = without_comment(text)
    tokens = tuple(_TOKEN.finditer(text))
    if any(token.lastgroup == "open" for token in tokens):
        raise OpenQuote(text)
    parts = tuple(_parts(tokens))
    if len(parts) == 1 and (redundant_exec := _EXEC.match(text)):
        return parse_command(text[redundant_exec.end() :])
    if len(parts) == 1 and parts[0] and not _needs_shell(tokens, parts[0]):
        argv = tuple(shlex.split(text))
        return CommandLine(argv, argv[0], needs_init(argv[0]))
    program = _replaceable(parts)
    if program is None:
        return CommandLine(_in_shell(text, None), "", needs_init=True)
    is_instant = all(part and part[0].text in _INSTANT for part in parts[:-1])
    waits = not is_instant or needs_init(program.text)
    return CommandLine(_in_shell(text, program), program.text, waits)


def requoted(text: str) -> str:
    """Return how to write a command that cannot start for its quotes, else an empty string.

    >>> requoted("gunicorn app:create_app() --bind :$PORT")
    "gunicorn 'app:create_app()' --bind :$PORT"
    >>> requoted("'gunicorn app:app'")
    'gunicorn app:app'
    """
    if whole := _WHOLE.fullmatch(text):
        return whole[2].strip()
    starts_command = True
    previous: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        kind, is_open = token.lastgroup or "", token[0] == "("
        if is_open and previous and previous.lastgroup == "plain" and not starts_command:
            return _with_quotes(text, token.start())
        if kind in {"chain", "operator"}:
            starts_command = True
        elif kind == "space" and previous and previous.lastgroup in _IN_WORDS:
            # After `then`, `{` or `function` a function may be defined: `run() {`.
            starts_command = starts_command and bool(_KEYWORD.fullmatch(previous[0]))
        previous = token
    return ""


def _with_quotes(text: str, position: int) -> str:
    """Return *text* with quotes around the word that has a parenthesis at *position*.

    Empty if the shell may understand it: `=(` is an array and `@(` a pattern of bash.
    """
    start = max(text.rfind(separator, 0, position) for separator in " \t;&|") + 1
    match = _CALL.match(text, start)
    if match is None or text[position - 1] in "=?*+@!" or match.end() <= position:
        return ""
    word = match[0]
    return f"{text[:start]}{_quoted(word)}{text[match.end() :]}"


def _quoted(word: str) -> str:
    return f'"{word}"' if "'" in word else f"'{word}'"


def without_comment(text: str) -> str:
    """Return *text*, a command, without the comment at its end.

    >>> without_comment("gunicorn app:app  # don't use Flask's server")
    'gunicorn app:app'
    >>> without_comment("celery -A shop#2 worker -Q '#1'")
    "celery -A shop#2 worker -Q '#1'"
    """
    starts_word = True
    for token in _TOKEN.finditer(text):
        if starts_word and token[0].startswith("#"):
            return text[: token.start()].rstrip()
        starts_word = token.lastgroup not in _IN_WORDS
    return text


def needs_init(program: str) -> bool:
    """Return whether *program* may not end as process 1 when it gets SIGTERM."""
    return PurePath(program).name not in _FIT_FOR_PROCESS_1


def in_shell(script: str) -> tuple[str, ...]:
    """Return the arguments that run *script* in a shell; the user's arguments are `"$@"` in it."""
    # The argument after the script becomes $0, the name in the shell's error messages.
    return (SHELL, "-c", script, "sh")


def replaced_by(command: str) -> str:
    """Return a script that replaces the shell by *command*, with the user's arguments."""
    return f'exec {command} "$@"'


def _in_shell(text: str, program: _Word | None) -> tuple[str, ...]:
    script = text
    if program:
        # Passes the arguments of `docker run` to the program, as without a shell.
        script = text[: program.start] + replaced_by(text[program.start :])
    return (_BASH, "-c", script, "bash") if _BASHISM.search(text) else in_shell(script)


def _parts(tokens: Iterable[re.Match[str]]) -> Iterator[tuple[_Word, ...]]:
    """Yield the simple commands that `&&`, `||` and `;` join."""
    words: list[tuple[str, int, list[str]]] = []
    joined = False
    for token in tokens:
        kind, text = token.lastgroup or "", token[0]
        if kind == "chain":
            yield tuple(_Word(of, start, "".join(texts)) for of, start, texts in words)
            words = []
        elif kind in _IN_WORDS and joined:
            words[-1][2].append(text)
        elif kind != "space":
            words.append(("word" if kind in _IN_WORDS else kind, token.start(), [text]))
        joined = kind in _IN_WORDS
    yield tuple(_Word(of, start, "".join(texts)) for of, start, texts in words)


def _needs_shell(tokens: Iterable[re.Match[str]], words: tuple[_Word, ...]) -> bool:
    return (
        bool(_KEYWORD.fullmatch(words[0].text) or _BUILTIN.fullmatch(words[0].text))
        or words[0].is_assignment
        or any(word.text.startswith("~") for word in words)
        or any(_is_special(token.lastgroup or "", token[0]) for token in tokens)
    )


def _is_special(kind: str, text: str) -> bool:
    """Whether the shell would expand or interpret this token."""
    if kind == "double":
        return not {"$", "`"}.isdisjoint(text)
    if kind == "plain":
        return not {"*", "?", "["}.isdisjoint(text) or bool(_BASHISM.search(text))
    return kind not in {"space", "quoted"}


def _replaceable(parts: tuple[tuple[_Word, ...], ...]) -> _Word | None:
    """Return the last program, if `exec` before it changes nothing except which process is 1."""
    words = [word for part in parts for word in part]
    programs = [next((word for word in part if not word.is_assignment), None) for part in parts]
    last = programs[-1]
    if (
        last is None
        or last.kind != "word"
        or _BUILTIN.fullmatch(last.text)
        or any(word.kind == "operator" for word in words)
        or any(program and _KEYWORD.fullmatch(program.text) for program in programs)
    ):
        return None
    return last


@dataclass(frozen=True, slots=True)
class ProcfileEntry:
    """A process that the Procfile names."""

    type: str
    command: str
    """As written in the file, without a comment."""
    line: int
    """From 1."""
    launch: CommandLine


def parse(text: str) -> tuple[ProcfileEntry, ...]:
    """Return the processes in the *text* of a Procfile, in its order.

    Raises `BadProcfile` with every invalid line.
    """
    entries: dict[str, ProcfileEntry] = {}
    problems: list[tuple[int, str, ProcfileProblem]] = []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _parse_line(line.strip(), number)
        if isinstance(entry, ProcfileEntry) and entry.type in entries:
            entry = "twice"
        if isinstance(entry, ProcfileEntry):
            entries[entry.type] = entry
        else:
            problems.append((number, line.strip(), entry))
    if problems:
        raise BadProcfile(tuple(problems))
    return tuple(entries.values())


def default_type(types: Iterable[str]) -> str:
    """Return the default process type of an image with *types*; empty if it has none.

    >>> default_type(["worker", "web"]), default_type(["bot", "release"]), default_type(["a", "b"])
    ('web', 'bot', '')
    """
    names = tuple(types)
    if WEB in names:
        return WEB
    # Platforms run `release` once before the others; it is not what a container is for.
    running = [name for name in names if name != _RELEASE] or names
    return running[0] if len(running) == 1 else ""


def misnamed(names: Iterable[str]) -> tuple[str, ...]:
    """Return those file *names* that were probably meant to be `Procfile`."""
    return tuple(sorted(name for name in names if name != NAME and name.casefold() in _MISNAMED))


def _parse_line(line: str, number: int) -> ProcfileEntry | ProcfileProblem:
    kind, colon, text = (part.strip() for part in line.partition(":"))
    if _CONTROL.search(line):
        return "control character"
    if not colon:
        return "no colon"
    if not _TYPE.fullmatch(kind):
        return "type"
    if not (text := without_comment(text)):
        return "no command"
    try:
        return ProcfileEntry(kind, text, number, parse_command(text))
    except OpenQuote:
        return "open quote"
