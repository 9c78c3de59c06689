"""A requirements file at a URL that only pip can read with its settings."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.index import HOST, Authority
from tests.support.trees import App, write_files
from tests.support.wheels import wheel

# No index settings of this machine: the included file names the index.
UNSET = {"PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing: the output is the test's."""


@contextmanager
def serving(directory: Path, authority: Authority) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(directory))
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        context = index.server_context(authority)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"https://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_index_option_of_an_included_url_is_used_in_every_build(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("alpha", "beta"):
        wheel(packages, name, "1.0", {f"{name}.py": ""})
    authority = index.authority(tmp_path / "authority")
    bindings = write_files(
        tmp_path / "bindings",
        {
            "conf/type": "pip\n",
            "conf/pip.conf": "[global]\ncert = /platform/bindings/ca/company.pem\n",
            "ca/type": "files\n",
            "ca/company.pem": authority.certificate.read_bytes(),
        },
    )
    shared = tmp_path / "shared"
    with index.running(packages, tls=authority) as company, serving(shared, authority) as url:
        write_files(shared, {"base.txt": f"--index-url {company.url}\nalpha\n"})
        source = app({"requirements.txt": f"-r {url}/base.txt\n"})
        first = builds.phases(source, flask, env=UNSET, bindings=bindings)
        write_files(shared, {"base.txt": f"--index-url {company.url}\nalpha\nbeta\n"})
        second = builds.phases(source, first, env=UNSET, bindings=bindings)

    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert "Changed: + beta 1.0" in second.output
