"""One build's access to what is not public: the variables of its tools, and where these point.

What tools read in files lies in one temporary directory that nobody else may enter and that is
gone when the build ends: never below the layers, the app or the home of the build's user.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cnb_python.bindings.schema import KINDS, checked
from cnb_python.cnb import disk
from cnb_python.cnb.bindings import Binding, of_type
from cnb_python.cnb.context import BuildContext
from cnb_python.system.interface import Output

# One file with the certificate and its key, under the names that pip and uv have for it.
_CLIENT_CERTIFICATES = ("PIP_CLIENT_CERT", "SSL_CLIENT_CERT")


@contextmanager
def granted(context: BuildContext, output: Output) -> Iterator[BuildContext]:
    """Give *context* with the variables that its service bindings mean, for as long as they do.

    Raises BadBinding or SeveralBindings for what does not say what it should.
    """
    ours = {kind: of_type(context.platform.bindings, kind) for kind in KINDS}
    environ = _client_certificate(context.environ)
    if not any(ours.values()):
        yield context._replace(environ=environ)
        return
    for binding in (one for kind in ours.values() for one in kind):
        checked(binding)
    output.step("Service bindings")
    with _directory(context) as directory:
        yield context._replace(environ=_with(ours, environ, directory, output))


@contextmanager
def _directory(context: BuildContext) -> Iterator[Path]:
    """Make the build's own directory, under the same name in each build of an image.

    What depends on all variables, which name it, would never be used again otherwise. Builds that
    share a machine's directory for temporary files differ in that of their layers.
    """
    from tempfile import gettempdir  # noqa: PLC0415 - most builds have no bindings

    name = hashlib.sha256(str(context.layers_dir).encode(errors="surrogateescape")).hexdigest()
    directory = Path(gettempdir(), f"cnb-python-{name[:12]}")
    disk.remove(directory)  # of a build that was killed
    directory.mkdir(mode=0o700)
    try:
        yield directory
    finally:
        disk.remove(directory)


def _with(
    ours: Mapping[str, tuple[Binding, ...]],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
) -> Mapping[str, str]:
    from cnb_python.bindings import config_files, indexes  # noqa: PLC0415 - most builds have none

    found = indexes.read(ours["pypi"])
    environ = indexes.variables(found, environ, output)
    environ = config_files.configured(ours["pip"], ours["uv"], environ, directory, output)
    environ = config_files.with_logins(ours["netrc"], found, environ, directory, output)
    environ = config_files.trusting_bindings(ours["ca-certificates"], environ, directory, output)
    return _client_certificate(environ)


def _client_certificate(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return *environ* with one client certificate for every tool, where it has any."""
    chosen = next(filter(None, map(environ.get, _CLIENT_CERTIFICATES)), "")
    missing = [name for name in _CLIENT_CERTIFICATES if not environ.get(name)]
    return {**environ, **dict.fromkeys(missing, chosen)} if chosen and missing else environ
