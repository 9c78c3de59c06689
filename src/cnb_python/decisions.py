"""What a build decides from the app's files and the settings, as values.

Separate from `build`, which acts on them.
"""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cnb_python import app_cleanup
from cnb_python.app import App, read_app
from cnb_python.app_cleanup import UnwantedFiles
from cnb_python.cnb.context import EXEC_ENVS, PRODUCTION, BuildContext
from cnb_python.config.settings import Settings
from cnb_python.errors.base import Message
from cnb_python.errors.choosing import UnknownExecutionEnvironment
from cnb_python.launch import (
    command_checks,
    launch_report,
    processes,
    single_worker,
    unstartable,
)
from cnb_python.launch.launch_plan import LaunchPlan
from cnb_python.launch.named_processes import NamedProcess, in_settings
from cnb_python.managers.base import Manager
from cnb_python.managers.registry import (
    fallbacks,
    how_to_add,
    managers,
    select,
    with_development,
)
from cnb_python.preflight import check_app
from cnb_python.provision.request import find_build_consumers
from cnb_python.python.mirror import find_inventory
from cnb_python.python.origin import Origin
from cnb_python.python.resolver import (
    ResolvedPython,
    check_manager_requests,
    contradictions,
    manager_requests,
    release_warnings,
    resolve,
    sticky_line,
)
from cnb_python.python.sources import python_requests, unreadable_range, unused_requests
from cnb_python.supply_chain import fips
from cnb_python.system.interface import Output, System

KEEP_LINE = "To stay on Python {0} when the default changes: echo {0} > .python-version"
DEFAULT = "default"


class Decisions(NamedTuple):
    """What the app's files and the settings decide."""

    settings: Settings
    app: App
    manager: Manager
    unwanted: UnwantedFiles
    """What does not belong in the image."""
    given: Mapping[str, NamedProcess]
    """The processes that settings name, by their types."""
    build_consumers: str
    """What needs Python during the build, as a phrase; else empty."""
    exec_env: str = PRODUCTION
    """What the image is for."""
    added: tuple[str, ...] = ()
    """What names the packages for tests and development: `group dev`."""

    @property
    def added_packages(self) -> tuple[str, ...]:
        """Log lines on the packages that the image has besides those of production."""
        if self.exec_env == PRODUCTION:
            return ()
        if self.added:
            return (f"Adding the packages for {self.exec_env}: {', '.join(self.added)}",)
        return (f"The app names no packages for {self.exec_env}, such as a group dev or test",)


def execution_environment(context: BuildContext, settings: Settings) -> str:
    """Return what the image is for: by the setting, else as the platform has it.

    Raises UnknownExecutionEnvironment for a value of the platform that is not known.
    """
    chosen = settings.exec_env or context.exec_env
    if chosen not in EXEC_ENVS:
        raise UnknownExecutionEnvironment(chosen, EXEC_ENVS)
    return chosen


def decide(
    context: BuildContext, settings: Settings, output: Output, most_entries: int | None = None
) -> Decisions:
    """Return what the app of *context* is, and print warnings about its files.

    *most_entries* limits the search for files that do not belong in the image; None: no limit.
    Raises AppError for an app that cannot be built.
    """
    app = read_app(context.app_dir, settings.project)
    manager = select(app, managers(settings), fallbacks(settings), settings.decider)
    added: tuple[str, ...] = ()
    if context.exec_env != PRODUCTION:
        manager, added = with_development(manager, app)
    check_app(app, manager, output)
    unwanted = app_cleanup.find_unwanted(context, settings.keep, most_entries)
    given = in_settings(settings, app)
    command_checks.check_commands(app, unwanted.removable, given)
    consumers = find_build_consumers(context, settings)
    return Decisions(settings, app, manager, unwanted, given, consumers, context.exec_env, added)


def choose_python(decisions: Decisions, context: BuildContext, system: System) -> ResolvedPython:
    """Return the release that the app gets; print it with the file or setting that chose it."""
    app, settings = decisions.app, decisions.settings
    inventory = find_inventory(settings.mirror, context.buildpack.directory, system.fetch)
    requests = python_requests(app, settings)
    sticky = sticky_line(context.store, inventory) if settings.sticky else None
    required = manager_requests(app, decisions.manager.deciding_file)
    resolved = resolve(requests, inventory, context.target, system.today, sticky, required)
    check_manager_requests(resolved, required, inventory, context.target, system.today)
    is_default = not requests and not sticky
    origin = DEFAULT if is_default else resolved.request.origin
    system.output.line(f"Using Python {resolved.release.version} ({origin})")
    if is_default:
        system.output.line(KEEP_LINE.format(resolved.line.minor))
    unused = unused_requests(app, requests)
    warnings = (*release_warnings(resolved, system.today), *contradictions(resolved, unused))
    unreadable = unreadable_range(app)
    for message in (*warnings, *filter(None, (unreadable,))):
        system.output.warning(message.title, message.body)
    fips.warn(resolved.release.version, system)
    return resolved


def file_of(origin: Origin, app_dir: Path) -> tuple[str, int | None]:
    """Return the file of the app that *origin* names, empty if it names none, and the line."""
    is_file = (app_dir / origin.name).is_file()
    return origin.name if is_file else "", origin.line


def decide_launch(
    decisions: Decisions,
    distributions: Mapping[str, str],
    earlier: frozenset[str],
    context: BuildContext,
    programs: Collection[str] | None = None,
    of_system: Collection[str] | None = None,
) -> tuple[LaunchPlan, tuple[Message, ...]]:
    """Return the processes of the image, and warnings about them.

    *distributions* are those of the environment, versions by name; *earlier* has the types of the
    processes that earlier buildpacks have written; *programs* are those that the distributions
    install, and *of_system* those of system packages, each None if they are not known.
    """
    app = decisions.app
    adding = partial(how_to_add, decisions.manager, app)
    plan = processes.plan_launch(
        app, distributions, decisions.given, adding, earlier, decisions.exec_env
    )
    available = unstartable.programs(
        programs,
        context.environ.get("PATH", ""),
        distributions,
        single_worker.own_programs(app),
        of_system if decisions.settings.system_packages else (),
    )
    return plan, (
        *launch_report.warnings(plan, adding),
        *launch_report.command_warnings(plan, app, available),
    )
