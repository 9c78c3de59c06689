"""Applies service bindings to a build: variables for its tools, and the files that they name.

The files are in a temporary directory that only the build user can enter and that is removed at
the end of the build. It is never in the layers, the app or the home of the build user.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cnb_python.bindings.schema import KINDS, SERVICES, SERVICES_FILE, checked
from cnb_python.cnb import disk
from cnb_python.cnb.bindings import Binding, of_type
from cnb_python.cnb.context import BuildContext
from cnb_python.system.interface import Output

# The variables of pip and uv for one file with a client certificate and its key.
_CLIENT_CERTIFICATES = ("PIP_CLIENT_CERT", "SSL_CLIENT_CERT")


@contextmanager
def apply_bindings(context: BuildContext, output: Output) -> Iterator[BuildContext]:
    """Yield *context* with the variables of its service bindings, valid inside the block.

    Without bindings, the services of Cloud Foundry are the bindings. Raises BadBinding,
    SeveralBindings and BadServices.
    """
    context = context._replace(environ=_client_certificate(context.environ))
    has_services = any(map(context.environ.get, (SERVICES, SERVICES_FILE)))
    if not (_applied(context) if context.platform.bindings else has_services):
        yield context
        return
    with _directory(context) as directory:
        context = _with_services(context, directory)
        bindings = _applied(context)
        if bindings:
            output.step("Service bindings")
            context = context._replace(environ=_with(bindings, context.environ, directory, output))
        yield context


def _applied(context: BuildContext) -> Mapping[str, tuple[Binding, ...]]:
    """Return the bindings that set variables, by type; empty without any. Raises BadBinding."""
    bindings = {kind: of_type(context.platform.bindings, kind) for kind in KINDS}
    for binding in itertools.chain(*bindings.values()):
        checked(binding)
    return bindings if any(bindings.values()) else {}


def _with_services(context: BuildContext, directory: Path) -> BuildContext:
    if context.platform.bindings:
        return context
    from cnb_python.bindings.cloud_foundry import service_bindings  # noqa: PLC0415 - see there

    services = service_bindings(context.environ, directory / "services")
    return context._replace(platform=context.platform._replace(bindings=services))


@contextmanager
def _directory(context: BuildContext) -> Iterator[Path]:
    """Make a directory for the build, with the same name in each build of an image.

    Variables name it, so another name would invalidate everything that depends on all variables.
    Builds on one machine that share its temporary directory have different layers directories.
    """
    from tempfile import gettempdir  # noqa: PLC0415 - most builds have no bindings

    name = hashlib.sha256(str(context.layers_dir).encode(errors="surrogateescape")).hexdigest()
    directory = Path(gettempdir(), f"cnb-python-{name[:12]}")
    disk.remove(directory)  # left by a killed build
    directory.mkdir(mode=0o700)
    try:
        yield directory
    finally:
        disk.remove(directory)


def _with(
    bindings: Mapping[str, tuple[Binding, ...]],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
) -> Mapping[str, str]:
    from cnb_python.bindings import config_files, indexes  # noqa: PLC0415 - most builds have none

    bound = indexes.read_indexes(bindings["pypi"])
    environ = indexes.index_variables(bound, environ, output)
    environ = config_files.link_config_files(
        bindings["pip"], bindings["uv"], environ, directory, output
    )
    environ = config_files.add_logins(bindings["netrc"], bound, environ, directory, output)
    environ = config_files.trust_certificates(
        bindings["ca-certificates"], environ, directory, output
    )
    return _client_certificate(environ)


def _client_certificate(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return *environ* with its client certificate in the variables of all tools."""
    chosen = next(filter(None, map(environ.get, _CLIENT_CERTIFICATES)), "")
    missing = [name for name in _CLIENT_CERTIFICATES if not environ.get(name)]
    return {**environ, **dict.fromkeys(missing, chosen)} if chosen and missing else environ
