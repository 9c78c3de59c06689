"""The build phase on one screen: everything is analysed, and refused, before the first write."""

from cnb_python import app_cleanup, summary
from cnb_python.app import App, read_app
from cnb_python.app_steps import hooks
from cnb_python.app_steps.steps import Steps
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import Launch
from cnb_python.config.settings import Settings, effective, read_settings
from cnb_python.launch import processes, report
from cnb_python.layers import previous_image, process_defaults, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.store import BuildRecord
from cnb_python.managers import tool
from cnb_python.managers.registry import last, managers, select
from cnb_python.preflight import check_app, check_environment
from cnb_python.provision import provide
from cnb_python.provision.request import ProvisionRequest, find_build_consumers
from cnb_python.python.mirror import find_inventory
from cnb_python.python.resolver import ResolvedPython, bounds, check_bounds, kept_line, resolve
from cnb_python.python.sources import also_said, asked_for
from cnb_python.python.warnings import disagreements, notices
from cnb_python.system.interface import Output, System
from cnb_python.system.steps import BuildLog

PIN = "To stay with this line when the default moves on: echo {} > .python-version"


def build(context: BuildContext, system: System) -> None:
    """Turn the app of *context* into layers and a launch configuration.

    Raises a leaf of BuildpackError for everything that is not our fault.
    """
    check_environment(context.environ)
    journal = BuildLog(system.output, system.clock, {})
    chosen = read_settings(context.environ, context.app_dir)
    hooks.run_before(context, context.app_dir / chosen.project, journal, system)
    # Again: what runs before may write what is read, too.
    settings = read_settings(context.environ, context.app_dir)
    say_settings(settings, system.output)
    app = read_app(context.app_dir, settings.project)
    manager = select(app, managers(settings), last(settings), settings.decider)
    check_app(app, manager, system.output)
    found = app_cleanup.find_unwanted(context, settings.keep)
    processes.check(app, found.removable)
    build_consumers = find_build_consumers(context, settings)
    steps = Steps(system, hooks.find(app.directory, hooks.POST))
    app_cleanup.remove_before_build(found, context, build_consumers, system.output)

    with journal.step("Python"):
        resolution = choose_python(app, manager.deciding_file, settings, context, system)
        previous_image.remove_leftovers(context.layers_dir)
        runtime = python.find(resolution.release, context, system.output)

    with journal.step("Packages"):
        job = ProvisionRequest(
            app, manager, runtime, settings, context, build_consumers, tool.versions()
        )
        provided = provide.provide(job, system, steps.steps_needing_environment)

    record = provided.close(steps.run(provided, journal))

    with journal.step("Launch"):
        sizes = configure_launch(app, record, context, system)

    app_cleanup.remove_after_build(found, context, build_consumers, system.output)
    sizes = {**record.layer_sizes, **sizes}
    previous = store_layer.recorded_distributions(context.store)
    summary.print_summary(
        record._replace(layer_sizes=sizes), previous, journal, context.layers_dir
    )


def say_settings(settings: Settings, output: Output) -> None:
    """Show what was chosen, and by whom."""
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
    """Return the release that the app gets, saying who asked for it."""
    inventory = find_inventory(settings.mirror, context.buildpack.directory, system.fetch)
    asked = asked_for(app, settings)
    kept = kept_line(context.store, inventory) if settings.sticky else None
    resolution = resolve(asked, inventory, context.target, system.today, kept)
    insisted = bounds(app, deciding_file)
    check_bounds(resolution, insisted, inventory, context.target, system.today)
    system.output.line(f"Python {resolution.release.version}, by {resolution.request.origin}")
    if not asked and not kept:
        system.output.line(PIN.format(resolution.line.minor))
    others = also_said(app, asked)
    for notice in (*notices(resolution, system.today), *disagreements(resolution, others)):
        system.output.warning(notice.title, notice.body)
    return resolution


def configure_launch(
    app: App, record: BuildRecord, context: BuildContext, system: System
) -> dict[str, str]:
    """Write what the image runs, saying why; return the size of its layer, in digits."""
    decision = processes.decide(app, record.distributions)
    for reason in report.reasons(decision):
        system.output.line(reason)
    for message in report.warnings(decision):
        system.output.warning(message.title, (*message.body, *message.steps))
    Launch(decision.processes).write(context.layers_dir, context.buildpack.api)
    single = processes.single(decision, app, record.distributions)
    size = process_defaults.provide(single, context, system.output)
    return {process_defaults.NAME: str(size)}
