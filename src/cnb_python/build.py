"""The build phase on one screen: it checks everything before it writes anything."""

from collections.abc import Mapping
from pathlib import Path

from cnb_python import app_cleanup, launch_configuration, summary
from cnb_python.app_steps import hooks
from cnb_python.app_steps.steps import Steps
from cnb_python.cnb.context import BuildContext
from cnb_python.config.loading import effective, read_settings
from cnb_python.config.settings import COLLECTSTATIC_ENV, Settings
from cnb_python.decisions import Decisions, choose_python, decide, execution_environment
from cnb_python.layers import previous_image, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.cache_keys import SYSTEM_PACKAGES
from cnb_python.layers.python import Runtime
from cnb_python.layers.store import BuildRecord
from cnb_python.preflight import check_environment
from cnb_python.provision import provide
from cnb_python.provision.request import NoSystemPackages, ProvisionRequest, SystemLayers
from cnb_python.result import build_result
from cnb_python.result.build_result import Observed
from cnb_python.system.interface import Output, System
from cnb_python.system.output import BuildLog


def build(context: BuildContext, system: System, observed: Observed) -> None:
    """Turn the app of *context* into layers and a launch configuration.

    *observed* gets the result and the times of the steps, as far as the build gets. Raises a
    Failure for everything that the user, the network or the machine has to change.
    """
    check_environment(context.environ)
    log = BuildLog(system.output, observed.times)
    settings = read_settings_after_hook(context, log, system)
    system = system.limited(settings.limits)
    context = context_of(settings, context)
    decisions = decide(context, settings, system.output)
    observed.chose_packages(decisions)
    steps = Steps(system, hooks.find(decisions.app.directory, hooks.POST))
    cleanup = decisions.unwanted, context, decisions.build_consumers, system.output
    app_cleanup.remove_before_build(*cleanup)

    with log.step("Python"):
        resolved = choose_python(decisions, context, system)
        observed.chose_python(resolved, context.app_dir)
        previous_image.remove_leftovers(context.layers_dir)
        runtime = python.find_runtime(resolved.release, context, system.output)

    packages = provide_system_packages(decisions, context, system, log)
    context = context._replace(environ=packages.environ)

    with log.step("Packages"):
        request = provision_request(decisions, runtime, packages, context, system.output)
        provided = provide.provide(
            request, system, steps.steps_needing_environment, steps.read_before
        )

    record = provided.finish(steps.run(provided, log))
    packages.finish()

    with log.step("Launch"):
        sizes = configure_launch(decisions, record, packages, observed, context, system)

    app_cleanup.remove_after_build(*cleanup)
    previous = store_layer.recorded_distributions(context.store)
    summary.print_summary(record._replace(layer_sizes=sizes), previous, log, context.layers_dir)


def context_of(settings: Settings, context: BuildContext) -> BuildContext:
    """Return *context* with the execution environment, and without COLLECTSTATIC_ENV."""
    # Only collectstatic gets the variables in it; the settings contain them.
    narrowed = context.without(COLLECTSTATIC_ENV)
    return narrowed._replace(exec_env=execution_environment(narrowed, settings))


def provision_request(
    decisions: Decisions,
    runtime: Runtime,
    packages: SystemLayers,
    context: BuildContext,
    output: Output,
) -> ProvisionRequest:
    """Return what the build has to provide; print the packages that only a test image has."""
    for line in decisions.added_packages:
        output.line(line)
    return ProvisionRequest(
        decisions.app,
        decisions.manager,
        runtime,
        decisions.settings,
        context,
        decisions.build_consumers,
        packages,
    )


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
    decisions: Decisions, context: BuildContext, system: System, log: BuildLog
) -> SystemLayers:
    """Make or reuse the layers of system packages. Raises what `provide` of them raises."""
    settings = decisions.settings
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
    observed: Observed,
    context: BuildContext,
    system: System,
) -> Mapping[str, str]:
    """Write how the image starts, its labels and the findings of an audit.

    Returns the size of each layer in bytes, in digits, by its name. Raises IncompleteBuildpack.
    """
    launch = launch_configuration.configure(decisions, record, packages, context, system)
    observed.made_layers(decisions, record.distributions, launch.sizes, context.layers_dir)
    launch_configuration.write(launch, build_result.of_image(observed.result), context)
    write_audit(record, context.layers_dir)
    return launch.sizes


def write_audit(record: BuildRecord, layers_dir: Path) -> None:
    """Write the findings of *record* beside the SBOMs of the layers, if there was an audit."""
    if record.audited:
        from cnb_python.supply_chain.audit import report  # noqa: PLC0415 - few apps need it

        report.write(record.findings, layers_dir)
