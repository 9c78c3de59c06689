"""The build phase on one screen: everything is analysed, and refused, before the first write."""

from cnb_python.checks import check_environment, check_project
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import Launch
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.launch import explain, processes
from cnb_python.launch.environment import launch_environment
from cnb_python.layers import deps, pip, python, venv
from cnb_python.layers.python import Interpreter
from cnb_python.managers.manager import Manager
from cnb_python.managers.select import select
from cnb_python.project import Project, read_project
from cnb_python.system.outside import System
from cnb_python.version.mirror import find_inventory
from cnb_python.version.notices import notices
from cnb_python.version.resolve import Resolution, resolve
from cnb_python.version.sources import asked_for


def build(context: BuildContext, system: System) -> None:
    """Turn the app of *context* into layers and a launch configuration.

    Raises a leaf of BuildpackError for everything that is not our fault.
    """
    check_environment(context.environ)
    project = read_project(context.app_dir)
    manager = select(project)
    check_project(project, manager, system.output)
    processes.check(project)

    system.output.step("Python")
    resolution = choose_python(project, context, system)
    interpreter = python.install(resolution.release, context, system)

    system.output.step("Packages")
    environment = install_packages(project, manager, interpreter, context, system)

    system.output.step("Launch")
    configure_launch(project, environment, context, system)


def choose_python(project: Project, context: BuildContext, system: System) -> Resolution:
    """Return the release that the app gets, saying who asked for it."""
    inventory = find_inventory(context.environ, context.buildpack.directory, system.fetch)
    asked = asked_for(project, context.environ)
    resolution = resolve(asked, inventory, context.target, system.today)
    system.output.line(f"Python {resolution.release.version}, by {resolution.request.origin}")
    for notice in notices(resolution, system.today):
        system.output.warning(notice.title, notice.body)
    return resolution


def install_packages(
    project: Project,
    manager: Manager,
    interpreter: Interpreter,
    context: BuildContext,
    system: System,
) -> Environment:
    """Fill layer `venv`, keeping in `deps` what the next build can use."""
    line = interpreter.version.rpartition(".")[0]
    key = deps.cache_key(line, context.target)
    cache = deps.open_cache(context.layers_dir, key, system.output)
    request = EnvironmentRequest(
        project=project,
        manager=manager,
        interpreter=interpreter.path,
        python=interpreter.version,
        tool=pip.find_pip(context.buildpack.directory),
        cache=cache,
        environ=context.environ,
    )
    environment = venv.install(
        context.layers_dir,
        request,
        lambda made: launch_environment(context.app_dir, made.directory, made.distributions),
        system,
    )
    deps.close_cache(context.layers_dir, key)
    return environment


def configure_launch(
    project: Project, environment: Environment, context: BuildContext, system: System
) -> None:
    """Write what the image runs, saying why."""
    decision = processes.decide(project, environment.distributions)
    for reason in explain.reasons(decision):
        system.output.line(reason)
    for message in explain.warnings(decision):
        system.output.warning(message.title, (*message.body, *message.steps))
    Launch(decision.processes).write(context.layers_dir, context.buildpack.api)
