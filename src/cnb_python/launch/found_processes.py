"""Finds every process of the app in its code: `web`, workers, `release` and `console`.

Separate from `processes`, which prefers settings and the Procfile to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from cnb_python.app import App
from cnb_python.launch.background.background_processes import (
    find_background,
    find_console,
    find_release,
)
from cnb_python.launch.background.bots import bots_apart
from cnb_python.launch.code.definitions import find_definitions
from cnb_python.launch.code.source_files import ModuleFile, SourceFiles, read_source_files
from cnb_python.launch.discovery import find_apps, importable
from cnb_python.launch.django_project import find_django_projects
from cnb_python.launch.launch_plan import Evidence, FoundProcess
from cnb_python.launch.tables.frameworks import DetectedApp
from cnb_python.launch.web_process import choose_web


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
    web, workers = bots_apart(web, background, files, installed, as_module)
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
