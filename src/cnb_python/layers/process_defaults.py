"""Layer `defaults`: what processes start with that depends on the container, or on the process.

A layer of its own, so that neither a line of a Procfile nor a newer program touches the packages.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.env import EnvDelta, process_scope
from cnb_python.cnb.layer import LayerTypes, layer_of
from cnb_python.layers.bundled_tools import find_defaults
from cnb_python.layers.cache_keys import LayerKey, Rebuild, decide, part
from cnb_python.system.interface import Output

NAME = "defaults"
# To be raised with every change of what the layer holds besides the program.
_FORMAT = "1"
_PROGRAM = "defaults"
# Read by the program, in execd/defaults.go.
_LOG = "BPL_PYTHON_LOG"
_CONCURRENCY = "WEB_CONCURRENCY"
_WEB = "web"


@dataclass(frozen=True, slots=True)
class _Key(LayerKey):
    format: str = part("form of the start-up defaults")
    program: str = part("digest of the program that sets them")
    single: str = part("list of processes that start with one worker")


def provide(single: Iterable[str], context: BuildContext, output: Output) -> int:
    """Bring the layer to what this build asks for; return the bytes it holds.

    *single* names the process types that do not start several workers unless their user says so.
    Raises IncompleteBuildpack.
    """
    program = find_defaults(context.buildpack.directory).read_bytes()
    types = tuple(sorted(single))
    key = _Key(_FORMAT, hashlib.sha256(program).hexdigest(), " ".join(types))
    layer = layer_of(context.layers_dir, NAME)
    state = decide(layer.state(), key)
    if isinstance(state, Rebuild):
        for reason in state.reasons:
            output.line(f"Making the start-up defaults anew: {reason}")
        layer.begin()
        layer.finish(
            LayerTypes(launch=True), key.metadata(), _env(types), exec_d={_PROGRAM: program}
        )
    else:
        layer.reuse_from_image(key.metadata())
    return len(program)


def _env(single: tuple[str, ...]) -> tuple[EnvDelta, ...]:
    # Defaults: they give way to the user's own values.
    return (
        EnvDelta(process_scope(_WEB), _LOG, "default", "1"),
        *(EnvDelta(process_scope(kind), _CONCURRENCY, "default", "1") for kind in single),
    )
