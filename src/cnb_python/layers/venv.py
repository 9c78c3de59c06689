"""Layer `venv`: the app's environment, made anew by each build."""

from dataclasses import replace

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.env import LAUNCH, EnvDelta
from cnb_python.cnb.layer import LayerTypes, layer_of
from cnb_python.environment.fill import fill
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.system.outside import System

# Sorts after `python`: the lifecycle puts the alphabetically last layer first on PATH.
NAME = "venv"


def install(request: EnvironmentRequest, context: BuildContext, system: System) -> Environment:
    """Fill the layer as *request* says, whose `directory` is given by the layer.

    Raises what `environment.fill` raises.
    """
    layer = layer_of(context.layers_dir, NAME)
    made = fill(replace(request, directory=layer.begin_in_place()), system)
    layer.finish(
        LayerTypes(launch=True),
        {"python": request.python},
        env=(
            # What a process prints is lost when it dies with a full buffer.
            EnvDelta(LAUNCH, "PYTHONUNBUFFERED", "default", "1"),
            EnvDelta(LAUNCH, "VIRTUAL_ENV", "default", str(layer.path)),
        ),
    )
    return made
