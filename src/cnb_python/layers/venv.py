"""Layer `venv`: the app's environment, made anew on every build."""

from collections.abc import Callable
from pathlib import Path

from cnb_python.cnb.env import EnvDelta
from cnb_python.cnb.layer import LayerTypes, layer_of
from cnb_python.environment.fill import fill
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.system.outside import System

# Sorts after `python`: the lifecycle puts the alphabetically last layer first on PATH.
NAME = "venv"


def install(
    layers_dir: Path,
    request: EnvironmentRequest,
    env: Callable[[Environment], tuple[EnvDelta, ...]],
    system: System,
) -> Environment:
    """Make the layer, with the variables that *env* derives from what was installed.

    Raises what `fill` raises; there is no layer then.
    """
    layer = layer_of(layers_dir, NAME)
    environment = fill(request, layer.begin_in_place(), system)
    layer.finish(
        LayerTypes(launch=True),
        {"manager": request.manager.name, "python": request.python},
        env=env(environment),
    )
    return environment
