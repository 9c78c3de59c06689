"""The build phase on one screen: it checks everything before it writes anything."""

from collections.abc import Collection, Mapping
from functools import partial

from cnb_python import app_cleanup, summary
from cnb_python.app import App, read_app
from cnb_python.app_steps import hooks
from cnb_python.app_steps.steps import Steps
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import Launch, earlier_process_types
from cnb_python.config.settings import Settings, effective, read_settings
from cnb_python.launch import incompatible, launch_report, listening, processes, unstartable
from cnb_python.launch.given_processes import given_processes
from cnb_python.launch.launch_plan import GivenProcess
from cnb_python.layers import previous_image, process_defaults, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.store import BuildRecord
from cnb_python.layout.names import VENV
from cnb_python.managers import tool
from cnb_python.managers.base import Manager
from cnb_python.managers.registry import fallbacks, how_to_add, managers, select
from cnb_python.preflight import check_app, check_environment
from cnb_python.provision import libraries, provide
from cnb_python.provision.request import ProvisionRequest, find_build_consumers
from cnb_python.python.mirror import find_inventory
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
from cnb_python.system.interface import Output, System
from cnb_python.system.output import BuildLog

KEEP_LINE = "To stay on Python {0} when the default changes: echo {0} > .python-version"


def build(context: BuildContext, system: System) -> None:
    """Turn the app of *context* into layers and a launch configuration.

    Raises a Failure for everything that the user, the network or the machine has to change.
    """
    check_environment(context.environ)
    log = BuildLog(system.output, system.clock, {})
    settings = read_settings(context.environ, context.app_dir)
    hooks.run_pre_compile(context, context.app_dir / settings.project, log, system)
    # Again: the hook may have written pyproject.toml.
    settings = read_settings(context.environ, context.app_dir)
    print_settings(settings, system.output)
    app = read_app(context.app_dir, settings.project)
    manager = select(app, managers(settings), fallbacks(settings), settings.decider)
    check_app(app, manager, system.output)
    unwanted = app_cleanup.find_unwanted(context, settings.keep)
    given = check_launch(app, settings, unwanted.removable)
    build_consumers = find_build_consumers(context, settings)
    steps = Steps(system, hooks.find(app.directory, hooks.POST))
    app_cleanup.remove_before_build(unwanted, context, build_consumers, system.output)

    with log.step("Python"):
        resolved = choose_python(app, manager.deciding_file, settings, context, system)
        previous_image.remove_leftovers(context.layers_dir)
        runtime = python.find_runtime(resolved.release, context, system.output)

    with log.step("Packages"):
        request = ProvisionRequest(
            app, manager, runtime, settings, context, build_consumers, tool.versions()
        )
        provided = provide.provide(
            request, system, steps.steps_needing_environment, steps.read_before
        )

    record = provided.finish(steps.run(provided, log))

    with log.step("Launch"):
        sizes = configure_launch(app, manager, record, given, context, system)
        for message in libraries.warnings(record.libraries or {}, settings):
            system.output.warning(message.title, message.body)

    app_cleanup.remove_after_build(unwanted, context, build_consumers, system.output)
    record = record._replace(layer_sizes={**record.layer_sizes, **sizes})
    previous = store_layer.recorded_distributions(context.store)
    summary.print_summary(record, previous, log, context.layers_dir)


def print_settings(settings: Settings, output: Output) -> None:
    """Print the settings that differ from their defaults, and where each was set."""
    if lines := effective(settings):
        output.step("Settings")
        for line in lines:
            output.line(line)


def choose_python(
    app: App,
    deciding_file: str,
    settings: Settings,
    context: BuildContext,
    system: System,
) -> ResolvedPython:
    """Return the release that the app gets; print it with the file or setting that chose it."""
    inventory = find_inventory(settings.mirror, context.buildpack.directory, system.fetch)
    requests = python_requests(app, settings)
    sticky = sticky_line(context.store, inventory) if settings.sticky else None
    required = manager_requests(app, deciding_file)
    resolved = resolve(requests, inventory, context.target, system.today, sticky, required)
    check_manager_requests(resolved, required, inventory, context.target, system.today)
    is_default = not requests and not sticky
    origin = "default" if is_default else resolved.request.origin
    system.output.line(f"Using Python {resolved.release.version} ({origin})")
    if is_default:
        system.output.line(KEEP_LINE.format(resolved.line.minor))
    unused = unused_requests(app, requests)
    warnings = (*release_warnings(resolved, system.today), *contradictions(resolved, unused))
    unreadable = unreadable_range(app)
    for message in (*warnings, *filter(None, (unreadable,))):
        system.output.warning(message.title, message.body)
    return resolved


def check_launch(
    app: App, settings: Settings, removed: Collection[str]
) -> Mapping[str, GivenProcess]:
    """Check the processes of the Procfile and of *settings*; return the latter by their types.

    *removed* are the virtual environments that the image does not contain.
    """
    processes.check_procfile(app, removed)
    return given_processes(settings, app)


def configure_launch(
    app: App,
    manager: Manager,
    record: BuildRecord,
    given: Mapping[str, GivenProcess],
    context: BuildContext,
    system: System,
) -> dict[str, str]:
    """Write the processes of the image and print why; return the size of the layer by its name.

    Sizes are bytes, in digits.
    """
    adding = partial(how_to_add, manager, app)
    earlier = earlier_process_types(context.layers_dir)
    plan = processes.plan_launch(app, record.distributions, given, adding, earlier)
    for reason in launch_report.reasons(plan):
        system.output.line(reason)
    messages = launch_report.warnings(plan, adding)
    available = unstartable.programs(
        context.layers_dir / VENV,
        context.environ.get("PATH", ""),
        record.distributions,
        processes.own_programs(app),
    )
    unable = unstartable.warnings(plan.entries, app.directory, available)
    local = listening.warnings(plan.entries)
    for message in (*messages, *unable, *local, *incompatible.warnings(record.distributions)):
        system.output.warning(message.title, (*message.body, *message.steps))
    init = process_defaults.find_init(context.layers_dir)
    labels = libraries.labels(record.libraries or {})
    launch = Launch(processes.under_init(plan, init), labels)
    launch.write(context.layers_dir, context.buildpack.api)
    single_worker = processes.single_worker_types(plan, app, record.distributions)
    variables = listening.variables(app.directory, record.distributions, plan.entries)
    size = process_defaults.provide_defaults(single_worker, variables, context, system.output)
    return {process_defaults.NAME: str(size)}
