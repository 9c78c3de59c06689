"""The explain phase: what a build would choose and reuse, from the code that a build runs.

It writes nothing into the app and runs nothing of it. What only a build can find out, such as the
versions that a range resolves to, is described as such.

Separate from `command`, which prints.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Literal, NamedTuple

from cnb_python.app_steps import hooks
from cnb_python.app_steps.collectstatic import Skipped, find_command
from cnb_python.cnb.context import BuildContext
from cnb_python.config.kinds import displayed
from cnb_python.config.loading import read_settings
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.decisions import (
    Decisions,
    choose_python,
    decide,
    decide_launch,
    execution_environment,
    file_of,
)
from cnb_python.detect import recognises
from cnb_python.errors.base import Failure, Message
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.explain.declared_packages import declared_packages, known_requirements
from cnb_python.explain.explanation import (
    AppStep,
    ChosenPackages,
    ChosenProcess,
    ChosenPython,
    ChosenSystemPackages,
    Explanation,
    GivenSetting,
    Note,
    OtherApp,
    ReusedParts,
)
from cnb_python.explain.recorded_output import RecordedOutput
from cnb_python.launch import incompatible
from cnb_python.launch.launch_plan import HEALTH, LaunchPlan
from cnb_python.launch.launch_report import also_found
from cnb_python.launch.processes import with_health
from cnb_python.layers import cache_keys, process_defaults, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.python import Runtime
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.managers.base import NeedsResolving, Resolution
from cnb_python.provision import freshness, python_parts
from cnb_python.provision.request import ProvisionRequest
from cnb_python.python.origin import Origin
from cnb_python.python.resolver import ResolvedPython
from cnb_python.summary import changed_packages
from cnb_python.system.interface import Command, Fetch, Outcome, System
from cnb_python.system_packages import provide as system_packages

_LINE = re.compile(r"(.+), line (\d+)")
MOST_ENTRIES = 30_000
"""How many files and directories are searched for those that do not belong in the image."""

type _KnownFrom = Literal["files", "previous build", "unresolved files"]


def explain(
    context: BuildContext, fetch: Fetch, today: date, most_entries: int = MOST_ENTRIES
) -> Explanation:
    """Return what a build of the app in *context* would do.

    *fetch* is used only for the table of a mirror of Pythons. What would stop the build is
    `Explanation.error`. *most_entries* limits the search for files that do not belong in the
    image.
    """
    explanation = Explanation(
        str(context.app_dir), f"{context.buildpack.id} {context.buildpack.version}"
    )
    output = RecordedOutput()
    try:
        _fill(
            explanation, context, System(_run_nothing, fetch, output, today, cpus=1), most_entries
        )
    except Failure as error:
        explanation.error = _note(error.describe())
    explanation.warnings = tuple(output.warnings)
    return explanation


def _run_nothing(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    """Refuse to run *command*: `explain` runs no program."""
    del on_line
    raise ProgramNotStarted(command.argv[0], "nothing is run for an explanation")


def _note(message: Message) -> Note:
    return Note(message.title, message.body, (*message.fixes, *message.steps))


def _fill(
    explanation: Explanation, context: BuildContext, system: System, most_entries: int
) -> None:
    """Fill in *explanation* from top to bottom; raises the failure that stops the build."""
    reasons: list[str] = []
    explanation.detected = recognises(context.app_dir, context.environ, reasons.append)
    explanation.detection = tuple(reasons)
    if not explanation.detected:
        return
    settings = read_settings(context.environ, context.app_dir)
    explanation.settings = tuple(_given(settings))
    context = context._replace(exec_env=execution_environment(context, settings))
    decisions = decide(context, settings, system.output, most_entries)
    unwanted = decisions.unwanted
    repositories = () if decisions.build_consumers else unwanted.repositories
    explanation.removed = (*unwanted.removable, *unwanted.caches, *repositories)
    explanation.removed_is_partial = unwanted.is_partial
    resolved = choose_python(decisions, context, system)
    explanation.system_packages = _system_packages(settings, context)
    provided = _provided(decisions, resolved, context)
    explanation.python = _python(resolved, provided, context)
    explanation.packages = _packages(provided, decisions.added)
    explanation.reuse = _reuse(provided)
    versions = explanation.packages.versions | _assumed(explanation.packages, provided.request)
    explanation.steps = tuple(_steps(provided.request, versions))
    plan, warnings = decide_launch(decisions, versions, frozenset(), context)
    explanation.processes = (*_processes(plan), *_health(plan, settings, context))
    explanation.also_found = tuple(
        OtherApp(each.subject, each.file, each.line or None) for each in also_found(plan)
    )
    together = incompatible.warnings(versions, resolved.line.minor)
    for message in (*warnings, *together):
        system.output.warning(message.title, (*message.body, *message.steps))


def _given(settings: Settings) -> Iterator[GivenSetting]:
    defaults = DEFAULTS._asdict()
    for name, value in settings._asdict().items():
        if name != "origins" and value != defaults[name]:
            yield GivenSetting(name, displayed(value), str(settings.origins.get(name, "")))


class _ProvisionInputs(NamedTuple):
    """What provisioning would start from."""

    request: ProvisionRequest
    runtime: Runtime
    new_python: tuple[str, ...]
    """Why the previous build's Python is not reused."""
    previous: PreviousBuild
    from_files: Resolution | NeedsResolving
    reasons: tuple[str, ...]
    """Why the previous build's environment is not this one's."""

    @property
    def unchanged(self) -> BuildRecord | None:
        """The previous build's record if all of its environment is reused."""
        return None if self.reasons else self.previous.record


def _provided(
    decisions: Decisions, resolved: ResolvedPython, context: BuildContext
) -> _ProvisionInputs:
    log = RecordedOutput()
    runtime = python.find_runtime(resolved.release, context, log)
    request = ProvisionRequest(
        decisions.app,
        decisions.manager,
        runtime,
        decisions.settings,
        context,
        decisions.build_consumers,
    )
    previous = store_layer.read_previous(context, request.package_key, request.environment_key)
    from_files = decisions.manager.resolve_from_files(
        decisions.app, resolved.release.version, context.environ
    )
    reasons = tuple(freshness.changes(request, previous, from_files))
    if decisions.build_consumers and not reasons:
        reasons = (f"all packages are written to disk for {decisions.build_consumers}",)
    return _ProvisionInputs(request, runtime, tuple(log.lines), previous, from_files, reasons)


def _python(
    resolved: ResolvedPython, provided: _ProvisionInputs, context: BuildContext
) -> ChosenPython:
    origin: Origin = resolved.request.origin
    runtime, record = provided.runtime, provided.unchanged
    reused = (
        runtime.is_in_image(python_parts.needed_parts(provided.request, record).parts)
        if record
        else runtime.parts_in_image is not None
    )
    file, line = file_of(origin, context.app_dir)
    return ChosenPython(
        resolved.release.version, str(origin), file, line, reused, provided.new_python
    )


def _system_packages(settings: Settings, context: BuildContext) -> ChosenSystemPackages | None:
    """Return the system packages that *settings* list. Raises BadSystemPackages."""
    if not settings.system_packages:
        return None
    requested = system_packages.requested_by(settings)
    return ChosenSystemPackages(
        tuple(map(str, requested)),
        system_packages.is_list_of_previous_image(requested, context.layers_dir),
    )


def _packages(provided: _ProvisionInputs, added: tuple[str, ...]) -> ChosenPackages:
    request, settings = provided.request, provided.request.settings
    known_from, reason, versions = _versions(provided)
    return ChosenPackages(
        manager=request.manager.name,
        files=settings.requirements or request.manager.deciding_files(request.app),
        groups=(*settings.groups, *settings.extras, *added),
        known_from=known_from,
        reason=reason,
        versions=versions,
    )


def _versions(provided: _ProvisionInputs) -> tuple[_KnownFrom, str, dict[str, str]]:
    """Return where the versions are known from, why the build has to resolve, and the versions."""
    from_files, request = provided.from_files, provided.request
    if isinstance(from_files, Resolution):
        return "files", "", {pin.name: pin.version for pin in from_files.pins}
    if provided.unchanged:
        return "previous build", "", dict(provided.unchanged.distributions)
    declared = declared_packages(
        request.app, request.manager, request.settings, request.context.environ
    )
    return "unresolved files", from_files.reason, declared


def _assumed(packages: ChosenPackages, request: ProvisionRequest) -> dict[str, str]:
    """Return the packages that a build probably installs besides those that the files name."""
    if packages.known_from != "unresolved files":
        return {}
    app, manager = request.app, request.manager
    required = known_requirements(app, manager, request.settings, request.context.environ)
    return dict.fromkeys(required - packages.versions.keys(), "")


def _reuse(provided: _ProvisionInputs) -> ReusedParts:
    record = provided.previous.record
    changes = ""
    if record and isinstance(provided.from_files, Resolution):
        versions = {pin.name: pin.version for pin in provided.from_files.pins}
        changes = changed_packages(record.distributions, versions)
    return ReusedParts(
        record is not None, provided.unchanged is not None, provided.reasons, changes
    )


def _steps(request: ProvisionRequest, versions: Mapping[str, str]) -> Iterator[AppStep]:
    """Yield the app steps, in the order in which a build runs them."""
    app = request.app
    if hooks.find(app.directory, hooks.PRE):
        reason = "the app has it; it runs first, and may change what is explained here"
        yield AppStep(hooks.PRE, runs=True, reason=reason)
    if cache_keys.NLTK_FILE in app.names:
        installed = cache_keys.NLTK in versions
        reason = f"{cache_keys.NLTK_FILE} lists data" if installed else "NLTK is not installed"
        yield AppStep("NLTK's downloader", runs=installed, reason=reason)
    for command in request.settings.commands:
        reason = f"`{command.run}`, as {request.settings.named('commands')} asks"
        yield AppStep(f"the command {command.name}", runs=True, reason=reason)
    if "django" in versions:
        manage = find_command(request)
        if isinstance(manage, Skipped):
            yield AppStep("collectstatic", runs=False, reason=manage.reason)
        else:
            shown = manage.relative_to(request.context.app_dir)
            yield AppStep("collectstatic", runs=True, reason=f"with {shown}")
    if hooks.find(app.directory, hooks.POST):
        yield AppStep(hooks.POST, runs=True, reason="the app has it")


def _processes(plan: LaunchPlan) -> Iterator[ChosenProcess]:
    named_by = dict(_named_by(plan))
    for process in plan.processes:
        source = named_by.get(
            process.type, _NamedBy("", "no process was found: it prints what to add")
        )
        yield ChosenProcess(process.type, source.command, process.default, *source[1:])


def _health(
    plan: LaunchPlan, settings: Settings, context: BuildContext
) -> Iterator[ChosenProcess]:
    """Yield the health check that the settings ask for, if the app has no process of that type."""
    program = process_defaults.find_health(context.layers_dir)
    if settings.health and len(with_health(plan.processes, program)) > len(plan.processes):
        origin = str(settings.origins.get("health", ""))
        command = f"GET {settings.health}, by /cnb/process/{HEALTH}"
        yield ChosenProcess(HEALTH, command, False, origin, *_file_and_line(origin))  # noqa: FBT003 - it is never the default


class _NamedBy(NamedTuple):
    """What names a process, with its command."""

    command: str
    origin: str
    file: str = ""
    line: int | None = None


def _named_by(plan: LaunchPlan) -> Iterator[tuple[str, _NamedBy]]:
    """Yield the type of each process and what names it; the last one of a type counts."""
    for process in plan.discovered:
        evidence = process.evidence
        origin = str(evidence) if evidence.file else ""
        source = _NamedBy(process.command, origin, evidence.file, evidence.line or None)
        yield process.type, source
    for named in (*plan.entries, *plan.given):
        yield named.type, _NamedBy(named.command, named.origin, *_file_and_line(named.origin))


def _file_and_line(origin: str) -> tuple[str, int | None]:
    """Return the file and line in *origin*: `Procfile, line 2`; nothing for a variable."""
    match = _LINE.fullmatch(origin)
    return (match[1], int(match[2])) if match else ("", None)
