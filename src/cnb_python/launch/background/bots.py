"""Decides whether a program is `web` or a worker: a server, a bot, or both.

Separate from `found_processes`, which finds `web` and workers independently.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from cnb_python.launch.code.program_starts import ProgramStarts, program_starts
from cnb_python.launch.code.source_files import SourceFiles
from cnb_python.launch.launch_plan import FoundProcess
from cnb_python.launch.programs import IsImportable
from cnb_python.launch.tables.background import (
    BOT_PACKAGES,
    BOTS,
    MCP,
    MCP_NOTE,
    WORKER,
    BackgroundTool,
)
from cnb_python.launch.web_process import WebChoice, run_program, without_web

_A_PROGRAM = "a program"
# Servers that start as many processes as WEB_CONCURRENCY sets.
_WITH_WORKERS = frozenset(
    {"gunicorn", "uvicorn", "uvicorn-worker", "hypercorn", "granian", "uwsgi", "pyuwsgi"}
)
_STARTS_BOTH = "Running the program itself: it starts a bot beside the server"
_STARTS_BOT = "Each process of the server also starts a bot: WEB_CONCURRENCY=1 starts the bot once"
_BOT_IMPORT = re.compile(
    rb"^[ \t]*(?:from|import)\s+(?:"
    + b"|".join(sorted(name.encode() for name in BOT_PACKAGES))
    + rb")\b",
    re.MULTILINE,
)
_WEB_IMPORT = re.compile(rb"^[ \t]*(?:from|import)\s+(?:flask|fastapi|aiohttp)\b", re.MULTILINE)

_STDIO = re.compile(rb"\bstdio_server\(")
_OVER_HTTP = re.compile(rb"\buvicorn\.|StreamableHTTP|SseServerTransport|streamable_http_app")

type Background = tuple[tuple[FoundProcess, BackgroundTool], ...]


def bots_apart(
    web: WebChoice,
    background: Background,
    files: SourceFiles,
    installed: Mapping[str, str],
    importable: IsImportable,
) -> tuple[WebChoice, list[FoundProcess]]:
    """Return `web` and the workers: each program is one of them.

    A program that serves is `web`, with its bot. A bot is a worker, even if one of its threads
    answers requests so that a platform keeps the bot running.
    """
    process = web.process
    if process is None:
        return web, [each for each, _ in background]
    kept = [each for each in background if not _is_beside(*each, process)]
    bot = next((each for each, tool in kept if tool.replaces_web), None)
    if process.evidence.subject == _A_PROGRAM:
        return _programs_apart(web, process, kept, files, installed)
    if bot:
        web, is_worker = _with_bot(web, process, bot, files, importable)
        return web, [each for each, _ in kept if each is not bot or is_worker]
    if not BOTS.isdisjoint(installed) and any(files.mentioning(_BOT_IMPORT)):
        web = _with_own_bot(web, process, files, importable)
    return _programs_apart(web, process, kept, files, installed)


def _programs_apart(
    web: WebChoice,
    process: FoundProcess,
    background: list[tuple[FoundProcess, BackgroundTool]],
    files: SourceFiles,
    installed: Mapping[str, str],
) -> tuple[WebChoice, list[FoundProcess]]:
    """Return `web` and the workers, so that no program is both."""
    workers = [each for each, _ in background]
    is_program = process.evidence.subject == _A_PROGRAM
    same = next(
        (
            each
            for each, tool in background
            if not process.title and _is_same(each, process) and (tool.is_program or is_program)
        ),
        None,
    )
    if same is not None:
        if _serves(process, same, files):
            return web, [each for each in workers if each is not same]
        return without_web(web, same), workers
    has_bot = any(tool.replaces_web for _, tool in background)
    is_bot = not BOTS.isdisjoint(installed) and not has_bot and _imports_bot(files)
    if is_program and "mcp" in installed and _uses_only_stdio(files):
        evidence = replace(process.evidence, subject="MCP")
        own = replace(process, type=MCP, evidence=evidence, lines=(MCP_NOTE,))
        return without_web(web, process), [own, *workers]
    if is_bot and is_program:
        if _serves(process, process, files):
            return web, workers
        return without_web(web, process), [replace(process, type=WORKER), *workers]
    return web, workers


def _serves(process: FoundProcess, worker: FoundProcess, files: SourceFiles) -> bool:
    """Whether the program of *process* is a server; in a thread, only if it listens at PORT."""
    server = _starts(process.program, process, worker, files).server
    return server == "program" or (server == "thread" and not process.fixed_port)


def _is_same(worker: FoundProcess, web: FoundProcess) -> bool:
    files = {web.program, web.evidence.file} - {""}
    return worker.program in files or worker.evidence.file == web.evidence.file


def _with_bot(
    web: WebChoice,
    process: FoundProcess,
    bot: FoundProcess,
    files: SourceFiles,
    importable: IsImportable,
) -> tuple[WebChoice, bool]:
    """Return `web`, and whether *bot* is a separate worker."""
    own = process.program or process.evidence.file
    starts = _starts(bot.program, process, bot, files)
    is_bot = starts.server == "thread" and not _reads_port(bot.program, process, files, importable)
    if is_bot or (bot.program == own and not starts.server and starts.bot_blocks):
        # No server can import a program that runs the bot on import.
        return without_web(web, bot), True
    if starts.server:
        return _served(web, process, bot.program, starts, files, importable), False
    if bot.program == own:
        return web, starts.needs_program
    starts = _starts(own, process, bot, files)
    if starts.starts_bot:
        return _served(web, process, own, starts, files, importable), False
    return web, True


def _with_own_bot(
    web: WebChoice, process: FoundProcess, files: SourceFiles, importable: IsImportable
) -> WebChoice:
    """Return *web* with the bot that its file starts: `Thread(target=bot.run)`."""
    own = process.program or process.evidence.file
    starts = _starts(own, process, process, files)
    return _served(web, process, own, starts, files, importable) if starts.starts_bot else web


def _reads_port(
    program: str, process: FoundProcess, files: SourceFiles, importable: IsImportable
) -> bool:
    """Whether a platform can send requests to the thread of *program* that serves."""
    file = files.at(program)
    own = run_program(file, process.evidence, "", files, importable) if file else process
    return not own.fixed_port


def _served(
    web: WebChoice,
    process: FoundProcess,
    program: str,
    starts: ProgramStarts,
    files: SourceFiles,
    importable: IsImportable,
) -> WebChoice:
    """Return *web* so that it starts the server of *process* and the bot beside it."""
    file = files.at(program)
    if not process.title:
        return web
    if not starts.needs_program or file is None:
        lines = (_STARTS_BOT,) if process.words and process.words[0] in _WITH_WORKERS else ()
        return replace(web, process=replace(process, lines=(*process.lines, *lines)))
    return replace(
        web, process=run_program(file, process.evidence, _STARTS_BOTH, files, importable)
    )


def _starts(
    program: str, web: FoundProcess, bot: FoundProcess, files: SourceFiles
) -> ProgramStarts:
    at = files.at
    file = at(program) if program else None
    if file is None:
        return ProgramStarts("", starts_bot=False, bot_blocks=False, needs_program=False)
    is_line = not web.title and web.evidence.file == program
    return program_starts(
        file,
        at(web.evidence.file),
        at(bot.evidence.file),
        line=web.evidence.line if is_line and web.evidence.subject != _A_PROGRAM else 0,
    )


def _is_beside(worker: FoundProcess, tool: BackgroundTool, web: FoundProcess) -> bool:
    """Whether *worker* runs in threads of *web*, from whose file a server gets the app.

    As a program, that file would start the same jobs a second time.
    """
    is_served = bool(web.title) and worker.evidence.file == web.evidence.file
    return is_served and tool.is_program and not tool.replaces_web


def _uses_only_stdio(files: SourceFiles) -> bool:
    """Whether the app is an MCP server over stdin and stdout, without another transport."""
    return any(files.mentioning(_STDIO)) and not any(files.mentioning(_OVER_HTTP))


def _imports_bot(files: SourceFiles) -> bool:
    return any(files.mentioning(_BOT_IMPORT)) or not any(files.mentioning(_WEB_IMPORT))
