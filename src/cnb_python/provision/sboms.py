"""The SBOMs of layer `python` and of the environment's layers, for a rebuild.

Everything in them is read while the files are still where they were installed, and before steps of
the app run. Writing them takes longer, so it is done beside those steps.

Separate from `rebuild`, which makes the layers.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import starmap

from cnb_python.config.settings import PIP
from cnb_python.distributions.model import Distribution
from cnb_python.errors.machine import DamagedStore
from cnb_python.install.request import InstallResult
from cnb_python.layers import python, sbom_files
from cnb_python.layers.sbom_files import Sboms
from cnb_python.layers.venv_and_shards import Layers
from cnb_python.managers import tool
from cnb_python.provision.request import ProvisionRequest
from cnb_python.python.origin import toml_of
from cnb_python.sbom import distributions, interpreter, purl
from cnb_python.sbom.declared import declared
from cnb_python.sbom.distributions import Described, MarkerValues
from cnb_python.sbom.documents import of_layers
from cnb_python.sbom.identity import inside
from cnb_python.sbom.model import Component, Document, document
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Store
from cnb_python.system import regular_file
from cnb_python.system.interface import Command, System

type Programs = Mapping[str, Iterable[tuple[str, str]]]
_PYPROJECT, _PIPENV, _PIPFILE = "pyproject.toml", "pipenv", "Pipfile"


def libraries_of_python(request: ProvisionRequest, system: System) -> tuple[Component, ...]:
    """Return the libraries that are linked into the app's Python, which is on disk.

    Starts it, so no foreign code may have run since it was verified. Raises OSError and
    ProgramNotStarted.
    """
    program = request.runtime.interpreter.path
    command = Command(
        argv=(str(program), "-I", "-B", "-S", "-c", interpreter.probe()),
        env={},
        cwd=request.runtime.interpreter.layer,
    )
    return interpreter.linked_libraries(system.run(command).output, program)


def of_python(request: ProvisionRequest, libraries: Iterable[Component]) -> Document:
    """Return the SBOM of layer `python`."""
    release = request.release
    return document(
        python.NAME, [interpreter.component(release.version, release.sha256, libraries)]
    )


def of_tools(tools: str, programs: Programs) -> Document:
    """Return the SBOM of the build: the tools that it used, which are in no layer.

    *tools*: names and versions of those that the buildpack contains, `pip 26.3, uv 0.13.8`.
    *programs*: the distributions of each package manager's program, by the program's name.
    """
    bundled = [_tool(*each.split(" ", 1)) for each in tools.split(", ")]
    return document(sbom_files.BUILD, [*bundled, *starmap(_program, programs.items())])


def _tool(name: str, version: str) -> Component:
    ref = purl.pypi(name, version)
    return Component(ref, name, version, kind="application", purl=ref)


def _program(name: str, packages: Iterable[tuple[str, str]]) -> Component:
    """Return the program *name*, one of *packages*, with the others inside."""
    versions = dict(packages)
    program = _tool(name, versions.pop(name, ""))
    # Some programs depend on pip or uv, in a release of their own.
    return program._replace(
        contains=tuple(
            each._replace(ref=inside(program.ref, each.purl), kind="library")
            for each in starmap(_tool, versions.items())
        )
    )


def described(
    install_result: InstallResult,
    cached: Mapping[str, StoreEntry],
    metadata: Callable[[str], bytes],
    store: Store,
) -> list[Described]:
    """Return every distribution with its METADATA and the SBOMs that are in its wheel.

    An SBOM that cannot be read is empty. So are those of a wheel that exceed its size limit.
    """

    def read(name: str, path: str) -> bytes:
        try:
            if root := install_result.roots.get(name):
                return regular_file.read(root / path, follow=False)
            return store.small_file(cached[name], path)
        except OSError, KeyError, DamagedStore:
            return b""

    return [
        Described(
            each,
            metadata(each.name),
            _within_limit(
                (path.rpartition("/")[2], partial(read, each.name, path))
                for path in _sbom_paths(each)
            ),
        )
        for each in install_result.distributions
    ]


def _within_limit(files: Iterable[tuple[str, Callable[[], bytes]]]) -> dict[str, bytes]:
    """Return the contents of *files* by name; empty from the one that exceeds the total limit."""
    contents: dict[str, bytes] = {}
    remaining = regular_file.LIMIT
    for name, read in files:
        content = read() if remaining else b""
        contents[name] = content if len(content) <= remaining else b""
        remaining = max(remaining - len(content), 0)
    return contents


def _sbom_paths(distribution: Distribution) -> Iterator[str]:
    for file in distribution.files:
        if distributions.SBOMS in file.path and not file.target:
            yield file.path


def documents(
    request: ProvisionRequest,
    libraries: Iterable[Component],
    environment: Sequence[Described],
    programs: Programs,
    layers: Layers,
) -> tuple[Document, ...]:
    """Return the SBOM of layer `python`, and of each of *layers* that holds distributions.

    *libraries*: those that are linked into Python; *environment*: all distributions; *programs*:
    as in `of_tools`. In the linked layout, layer `venv` holds links and copies of files of
    other layers, so it has no SBOM.
    """
    components = distributions.components(
        environment,
        MarkerValues(request.release.version, os.uname().machine),
        _declared(request),
    )
    names = {shard.name: shard.distributions for shard in layers.shards if shard.distributions}
    layers_of_packages = of_layers(components, names)
    return (
        of_python(request, libraries),
        *layers_of_packages,
        of_tools(tool.versions(), programs),
    )


def _declared(request: ProvisionRequest) -> frozenset[str]:
    """Return the packages that the app's project names; none for requirements files.

    Those may list everything, also what other packages require.
    """
    manager, app = request.manager.name, request.app
    if manager == PIP:
        return frozenset()
    # Only what the manager has read: another file may not even be TOML.
    return declared(
        toml_of(app, _PYPROJECT) if manager != _PIPENV else {},
        toml_of(app, _PIPFILE) if manager == _PIPENV else {},
    )


def start(listed: Sequence[Document]) -> Future[Sboms]:
    """Start to write *listed* in both formats, in a thread."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(sbom_files.rendered, listed)
    finally:
        pool.shutdown(wait=False)
