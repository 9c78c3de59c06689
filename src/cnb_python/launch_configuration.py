"""The launch step of a build: it decides, prints and writes how the image starts.

Separate from `decisions`, whose functions write nothing.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import Launch, Process, earlier_process_types
from cnb_python.decisions import Decisions, decide_launch
from cnb_python.errors.base import Message
from cnb_python.launch import incompatible, launch_report, listening, processes, single_worker
from cnb_python.launch.launch_plan import LaunchPlan
from cnb_python.layers import package_directories, process_defaults, safe_path
from cnb_python.layers.process_defaults import Defaults
from cnb_python.layers.safe_path import SafeTypes
from cnb_python.layers.store import BuildRecord
from cnb_python.provision import libraries
from cnb_python.provision.request import SystemLayers
from cnb_python.system.interface import Output, System


class LaunchConfiguration(NamedTuple):
    """How the image starts, and how large it is."""

    processes: tuple[Process, ...]
    sizes: Mapping[str, str]
    """The size of each layer in bytes, in digits, by its name."""
    labels: Mapping[str, str]
    """What the image needs from its run image."""


def configure(
    decisions: Decisions,
    record: BuildRecord,
    packages: SystemLayers,
    context: BuildContext,
    system: System,
) -> LaunchConfiguration:
    """Decide how the image starts, print why, and make layer `defaults`.

    *packages*: the system packages. Raises IncompleteBuildpack.
    """
    output = system.output
    plan = plan_launch(decisions, record, packages, context, output)
    in_image = processes_of_image(plan, decisions.settings.health, context.layers_dir, output)
    defaults = defaults_of(decisions, plan, record, output)
    size = process_defaults.provide_defaults(defaults, context, output)
    needed = record.libraries or {}
    print_warnings(libraries.warnings(needed, decisions.settings), output)
    sizes = {**record.layer_sizes, process_defaults.NAME: str(size), **packages.layers}
    return LaunchConfiguration(in_image, sizes, libraries.labels(needed))


def write(
    configuration: LaunchConfiguration, labels: Mapping[str, str], context: BuildContext
) -> None:
    """Write the processes of the image and its labels; *labels* are added."""
    launch = Launch(configuration.processes, {**configuration.labels, **labels})
    launch.write(context.layers_dir, context.buildpack.api)


def plan_launch(
    decisions: Decisions,
    record: BuildRecord,
    packages: SystemLayers,
    context: BuildContext,
    output: Output,
) -> LaunchPlan:
    """Return the processes of the image; print the reason for each, and warnings about them."""
    earlier = earlier_process_types(context.layers_dir)
    plan, warnings = decide_launch(
        decisions, record.distributions, earlier, context, record.programs, packages.programs
    )
    together = incompatible.warnings(record.distributions, record.package_key["python"])
    for reason in launch_report.reasons(plan):
        output.line(reason)
    print_warnings((*warnings, *together), output)
    return plan


def processes_of_image(
    plan: LaunchPlan, health: str, layers_dir: Path, output: Output
) -> tuple[Process, ...]:
    """Return the processes of *plan* as the image runs them: by programs of layer `defaults`.

    *health*: the path of the health check; empty for none.
    """
    init = process_defaults.find_init(layers_dir)
    shells = process_defaults.find_shells(layers_dir)
    in_image = processes.in_image(plan, init, shells)
    if not health:
        return in_image
    program = process_defaults.find_health(layers_dir)
    for line in processes.health_lines(in_image, health, program):
        output.line(line)
    return processes.with_health(in_image, program)


def defaults_of(
    decisions: Decisions, plan: LaunchPlan, record: BuildRecord, output: Output
) -> Defaults:
    """Return what the build has to write to layer `defaults` for the app."""
    app, installed = decisions.app, record.distributions
    return Defaults(
        frozenset(single_worker.single_worker_types(plan, app, installed)),
        listening.variables(app.directory, installed, plan.named),
        package_directories.rows(app.directory, installed),
        decisions.settings.health,
        find_safe_types(decisions, plan, record, output).safe,
    )


def find_safe_types(
    decisions: Decisions, plan: LaunchPlan, record: BuildRecord, output: Output
) -> SafeTypes:
    """Return the processes that the setting `safe_path` applies to; warn about the others."""
    if not decisions.settings.safe_path:
        return SafeTypes(frozenset(), ())
    safe = safe_path.safe_types(plan, decisions.app, record.distributions)
    if warning := safe_path.warning(safe):
        output.warning(warning.title, warning.body)
    return safe


def print_warnings(warnings: Iterable[Message], output: Output) -> None:
    """Print *warnings*, each with its steps."""
    for message in warnings:
        output.warning(message.title, (*message.body, *message.steps))
