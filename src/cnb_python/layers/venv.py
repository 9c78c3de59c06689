"""Layer `venv`: the app's environment, made anew on every build."""

from pathlib import Path

from cnb_python.cnb.env import BOTH, EnvDelta
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.environment.fill import fill
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.system.outside import System

_NAME = "venv"


def install(
    layers_dir: Path, request: EnvironmentRequest, types: LayerTypes, system: System
) -> Environment:
    """Make the layer for those that *types* says. Raises what `fill` raises; no layer then."""
    layer = layer_of(layers_dir, _NAME)
    # Its name is free and without a `.toml` while it is being filled: scripts name the interpreter
    # by its path, so it is filled where it will stay, and what a killed build leaves is no layer.
    layer.drop()
    environment = fill(request, layer.path, system)
    _adopt(layer)
    layer.finish(
        types,
        {"manager": request.manager.name, "python": request.python},
        env=(EnvDelta(BOTH, "VIRTUAL_ENV", "override", str(layer.path)),),
    )
    return environment


def _adopt(layer: Layer) -> None:
    """Hand over what was filled in place as what was begun."""
    staging = layer.begin()
    staging.rmdir()
    layer.path.rename(staging)
