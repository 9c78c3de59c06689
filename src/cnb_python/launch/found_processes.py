"""Finds every process of the app in its code: `web`, workers, `release` and `console`.

Separate from `processes`, which prefers settings and the Procfile to it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from cnb_python.app import App
from cnb_python.launch.background_processes import find_background, find_console, find_release
from cnb_python.launch.code.definitions import find_definitions
from cnb_python.launch.code.source_files import ModuleFile, SourceFiles, read_source_files
from cnb_python.launch.discovery import find_apps, importable
from cnb_python.launch.django_project import find_django_projects
from cnb_python.launch.launch_plan import Evidence, FoundProcess
from cnb_python.launch.tables.background import BOT_PACKAGES, BOTS, WORKER, BackgroundTool
from cnb_python.launch.tables.frameworks import DetectedApp
from cnb_python.launch.web_process import WebChoice, choose_web, without_web


@dataclass(frozen=True, slots=True)
class FoundProcesses:
    """The processes that the app's code shows."""

    processes: tuple[FoundProcess, ...]
    """`web` first, if there is one, and `console` last."""
    also_found: tuple[Evidence, ...]
    """Further apps that could be served."""
    unserved: DetectedApp | None
    """The app that no installed package can serve."""


def find_processes(app: App, installed: Mapping[str, str]) -> FoundProcesses:
    """Return the processes that the code of *app* shows.

    *installed* maps the normalized names of the installed distributions to versions. Raises what
    reading `pyproject.toml` raises.
    """
    files = read_source_files(app.directory)
    as_module = partial(_importable, files)
    projects = find_django_projects(files, installed)
    apps = find_apps(files, projects, installed)
    web = choose_web(app, files, projects, apps, installed, as_module)
    background = find_background(files, projects, installed, as_module)
    web, workers = _bots_apart(web, background, files, installed)
    release = find_release(files, projects, apps, installed)
    console = find_console(projects, apps)
    everything = (web.process, *workers, release, console)
    return FoundProcesses(
        tuple(process for process in everything if process), web.also_found, web.unserved
    )


def _importable(files: SourceFiles, file: ModuleFile) -> tuple[str, str]:
    module = find_definitions(file.tree) if file.tree else None
    if module is None:
        return "/".join(file.parts[:-1]), file.stem
    return importable(files.directory, file, module)


def _bots_apart(
    web: WebChoice,
    background: tuple[tuple[FoundProcess, BackgroundTool], ...],
    files: SourceFiles,
    installed: Mapping[str, str],
) -> tuple[WebChoice, list[FoundProcess]]:
    """Return `web` and the workers: the program of a bot is a worker and not `web`."""
    process = web.process
    workers = [
        each for each, tool in background if not (process and _is_beside(each, tool, process))
    ]
    bot = next((each for each, tool in background if tool.replaces_web), None)
    if process is None or process.title:
        if bot and process and _is_part_of(process, bot, files):
            return without_web(web, bot), workers
        return web, workers
    if any(process.evidence.file == each.evidence.file for each in workers):
        # The program is one of the workers: it is found once.
        return without_web(web, workers[0]), workers
    is_bot = not BOTS.isdisjoint(installed) and not bot and _imports_bot(files)
    if is_bot and process.evidence.subject == "a program":
        return without_web(web, process), [replace(process, type=WORKER), *workers]
    return web, workers


def _is_beside(worker: FoundProcess, tool: BackgroundTool, web: FoundProcess) -> bool:
    """Whether *worker* runs in threads of *web*, from whose file a server gets the app.

    As a program, that file would start the same jobs a second time.
    """
    is_served = bool(web.title) and worker.evidence.file == web.evidence.file
    return is_served and tool.is_program and not tool.replaces_web


def _is_part_of(web: FoundProcess, bot: FoundProcess, files: SourceFiles) -> bool:
    """Whether the program of *bot* starts the app of *web* itself, as `keep_alive.py` is."""
    file = files.at(bot.evidence.file)
    name = web.evidence.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return web.evidence.file == bot.evidence.file or (
        file is not None
        and re.search(rb"\b(?:from|import)\s+\.?" + name.encode() + rb"\b", file.content)
        is not None
    )


def _imports_bot(files: SourceFiles) -> bool:
    names = b"|".join(sorted(name.encode() for name in BOT_PACKAGES))
    pattern = re.compile(rb"^[ \t]*(?:from|import)\s+(?:" + names + rb")\b", re.MULTILINE)
    web = re.compile(rb"^[ \t]*(?:from|import)\s+(?:flask|fastapi|aiohttp)\b", re.MULTILINE)
    return any(files.mentioning(pattern)) or not any(files.mentioning(web))
