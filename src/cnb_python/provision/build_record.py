"""The record of a rebuild: what the next build compares with, and what the log names.

Separate from `rebuild`, which makes the layers.
"""

from collections.abc import Iterable

from cnb_python.distributions.model import Distribution
from cnb_python.install.request import InstallResult
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.layers.venv_and_shards import Layers
from cnb_python.managers.base import NeedsResolving, Resolution
from cnb_python.provision import freshness, python_parts
from cnb_python.provision.request import ProvisionRequest, env_digest

# How many of the largest distributions the record names.
_LARGEST = 5
_BIN = "bin/"


def of_install(
    request: ProvisionRequest,
    install_result: InstallResult,
    layers: Layers,
    from_files: Resolution | NeedsResolving,
    previous: PreviousBuild,
) -> BuildRecord:
    """Return the record of this build, as far as it is known before the app steps."""
    resolution, from_files_alone = freshness.recorded_resolution(install_result, previous)
    by_size = sorted(install_result.distributions, key=lambda item: (-item.size, item.name))
    # Files that installing wrote into the app are in no layer: the next build has to install too.
    manager_inputs = (
        from_files.fingerprint
        if isinstance(from_files, NeedsResolving) and not install_result.written
        else ""
    )
    return BuildRecord(
        package_key=request.package_key.metadata(),
        environment_key=request.environment_key.metadata(),
        resolution=resolution,
        from_files_alone=from_files_alone,
        python_patch=install_result.python_patch,
        env=env_digest(layers.env),
        distributions={item.name: item.version for item in install_result.distributions},
        layers=layers.digests,
        layer_sizes={name: str(size) for name, size in layers.sizes().items()},
        largest={item.name: str(item.size) for item in by_size[:_LARGEST]},
        embedding=tuple(
            item.name
            for item in install_result.distributions
            if python_parts.is_linked(item.libpython, python_parts.release_line(request))
        ),
        programs=_programs(install_result.distributions),
        development=tuple(sorted(install_result.development)),
        manager_inputs=manager_inputs,
        known_missing=freshness.recorded_known_missing(
            request, install_result, previous, from_files
        ),
    )


def _programs(distributions: Iterable[Distribution]) -> tuple[str, ...]:
    """Return the names of the programs that *distributions* install, sorted."""
    paths = (file.path for each in distributions for file in each.files)
    return tuple(sorted({path.removeprefix(_BIN) for path in paths if path.startswith(_BIN)}))
