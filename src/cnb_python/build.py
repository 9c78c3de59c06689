"""The build phase on one screen: it checks everything before it writes anything."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cnb_python import app_cleanup, summary
from cnb_python.app_steps import hooks
from cnb_python.app_steps.steps import Steps
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import Launch, earlier_process_types
from cnb_python.config.loading import effective, read_settings
from cnb_python.config.settings import COLLECTSTATIC_ENV, Settings
from cnb_python.decisions import (
    Decisions,
    choose_python,
    decide,
    decide_launch,
    execution_environment,
)
from cnb_python.errors.base import Message
from cnb_python.launch import launch_report, listening, processes, single_worker
from cnb_python.launch.launch_plan import LaunchPlan
from cnb_python.layers import (
    package_directories,
    previous_image,
    process_defaults,
    python,
    safe_path,
)
from cnb_python.layers import store as store_layer
from cnb_python.layers.cache_keys import SYSTEM_PACKAGES
from cnb_python.layers.process_defaults import Defaults
from cnb_python.layers.safe_path import SafeTypes
from cnb_python.layers.store import BuildRecord
from cnb_python.preflight import check_environment
from cnb_python.provision import libraries, provide
from cnb_python.provision.request import (
    NoSystemPackages,
    ProvisionRequest,
    SystemLayers,
)
from cnb_python.result import build_result
from cnb_python.result.build_result import BuildResult, Observed
from cnb_python.system.interface import Output, System
from cnb_python.system.output import BuildLog


def build(context: BuildContext, system: System, observed: Observed) -> None:
    """Turn the app of *context* into layers and a launch configuration.

    *observed* gets the result and the times of the steps, as far as the build gets. Raises a
    Failure for everything that the user, the network or the machine has to change.
    """
    check_environment(context.environ)
    log, result = BuildLog(system.output, observed.times), observed.result
    settings = read_settings_after_hook(context, log, system)
    system = system.limited(settings.limits)
    # It is for one command alone, which the settings name.
    context = context.without(COLLECTSTATIC_ENV)
    context = context._replace(exec_env=execution_environment(context, settings))
    decisions = decide(context, settings, system.output)
    result["packages"] = build_result.chosen_packages(decisions, None)
    app, unwanted, build_consumers = decisions.app, decisions.unwanted, decisions.build_consumers
    steps = Steps(system, hooks.find(app.directory, hooks.POST))
    app_cleanup.remove_before_build(unwanted, context, build_consumers, system.output)

    with log.step("Python"):
        resolved = choose_python(decisions, context, system)
        result["python"] = build_result.chosen_python(resolved, context.app_dir)
        previous_image.remove_leftovers(context.layers_dir)
        runtime = python.find_runtime(resolved.release, context, system.output)

    packages = provide_system_packages(decisions, settings, context, system, log)
    context = context._replace(environ=packages.environ)

    with log.step("Packages"):
        request = ProvisionRequest(
            app,
            decisions.manager,
            runtime,
            settings,
            context,
            build_consumers,
            packages,
        )
        for line in decisions.added_packages:
            system.output.line(line)
        provided = provide.provide(
            request, system, steps.steps_needing_environment, steps.read_before
        )

    record = provided.finish(steps.run(provided, log))
    packages.finish()

    with log.step("Launch"):
        sizes = configure_launch(decisions, record, packages, result, context, system)

    app_cleanup.remove_after_build(unwanted, context, build_consumers, system.output)
    previous = store_layer.recorded_distributions(context.store)
    summary.print_summary(record._replace(layer_sizes=sizes), previous, log, context.layers_dir)


def read_settings_after_hook(context: BuildContext, log: BuildLog, system: System) -> Settings:
    """Run the hook, which may write `pyproject.toml`; return the settings, and print them."""
    before = read_settings(context.environ, context.app_dir)
    own = context.without(COLLECTSTATIC_ENV)
    limited = system.limited(before.limits)
    hooks.run_pre_compile(own, context.app_dir / before.project, log, limited)
    settings = read_settings(context.environ, context.app_dir)
    print_settings(settings, system.output)
    return settings


def provide_system_packages(
    decisions: Decisions,
    settings: Settings,
    context: BuildContext,
    system: System,
    log: BuildLog,
) -> SystemLayers:
    """Make or reuse the layers of system packages. Raises what `provide` of them raises."""
    restored = context.layers_dir.glob(f"{SYSTEM_PACKAGES}*.toml")
    if not settings.system_packages and not any(restored):
        return NoSystemPackages(context.environ)
    from cnb_python.system_packages import provide as system_packages  # noqa: PLC0415 - few apps need it

    with log.step("System packages"):
        return system_packages.provide(
            settings, context, system, build=bool(decisions.build_consumers)
        )


def print_settings(settings: Settings, output: Output) -> None:
    """Print the settings that differ from their defaults, and where each was set."""
    if lines := effective(settings):
        output.step("Settings")
        for line in lines:
            output.line(line)


def configure_launch(
    decisions: Decisions,
    record: BuildRecord,
    packages: SystemLayers,
    result: BuildResult,
    context: BuildContext,
    system: System,
) -> Mapping[str, str]:
    """Write the processes of the image and its labels, and print why; complete *result*.

    Returns the size of each layer in bytes, in digits, by its name.
    """
    earlier = earlier_process_types(context.layers_dir)
    plan, warnings = decide_launch(
        decisions, record.distributions, earlier, context, record.programs, packages.programs
    )
    print_plan(plan, warnings, system.output)
    app = decisions.app
    health = decisions.settings.health
    init = process_defaults.find_init(context.layers_dir)
    shells = process_defaults.find_shells(context.layers_dir)
    in_image = processes.in_image(plan, init, shells)
    if health:
        program = process_defaults.find_health(context.layers_dir)
        for line in processes.health_lines(in_image, health, program):
            system.output.line(line)
        in_image = processes.with_health(in_image, program)
    safe = find_safe_types(decisions, plan, record, system.output)
    defaults = Defaults(
        frozenset(single_worker.single_worker_types(plan, app, record.distributions)),
        listening.variables(app.directory, record.distributions, plan.named),
        package_directories.rows(app.directory, record.distributions),
        health,
        safe.safe,
    )
    size = process_defaults.provide_defaults(defaults, context, system.output)
    for message in libraries.warnings(record.libraries or {}, decisions.settings):
        system.output.warning(message.title, message.body)
    sizes = {**record.layer_sizes, process_defaults.NAME: str(size), **packages.layers}
    result["packages"] = build_result.chosen_packages(decisions, len(record.distributions))
    result["layers"] = build_result.layers_of(sizes, context.layers_dir)
    labels = {**libraries.labels(record.libraries or {}), **build_result.of_image(result)}
    Launch(in_image, labels).write(context.layers_dir, context.buildpack.api)
    write_audit(record, context.layers_dir)
    return sizes


def write_audit(record: BuildRecord, layers_dir: Path) -> None:
    """Write the findings of *record* beside the SBOMs of the layers, if there was an audit."""
    if record.audited:
        from cnb_python.supply_chain.audit import report  # noqa: PLC0415 - few apps need it

        report.write(record.findings, layers_dir)


def print_plan(plan: LaunchPlan, warnings: Iterable[Message], output: Output) -> None:
    """Print the processes of the image with the reason for each, and *warnings* about them."""
    for reason in launch_report.reasons(plan):
        output.line(reason)
    for message in warnings:
        output.warning(message.title, (*message.body, *message.steps))


def find_safe_types(
    decisions: Decisions, plan: LaunchPlan, record: BuildRecord, output: Output
) -> SafeTypes:
    """Return the processes that the setting `safe_path` is for; warn of the others."""
    if not decisions.settings.safe_path:
        return SafeTypes(frozenset(), ())
    safe = safe_path.safe_types(plan, decisions.app, record.distributions)
    if warning := safe_path.warning(safe):
        output.warning(warning.title, warning.body)
    return safe
