"""Bindings of type `ca-certificates`: authorities that the build trusts besides the usual ones.

https://github.com/paketo-buildpacks/ca-certificates has the same type; each key is a PEM file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnb_python.cnb.bindings import Binding
from cnb_python.errors.bindings import BadBinding
from cnb_python.system.certificates import BUNDLES, bundle_with, certificates_in
from cnb_python.system.interface import Output

# Who reads what: OpenSSL and uv, requests (Poetry), curl, Git, Cargo, Node, the tools of AWS.
_VARIABLES = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
    *("CARGO_HTTP_CAINFO", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"),
)
# Stronger than the others where it is set, and pip does without it where it is not.
_PIP = "PIP_CERT"


def trusting(
    bindings: Sequence[Binding],
    environ: Mapping[str, str],
    directory: Path,
    output: Output,
    bundles: tuple[Path, ...] = BUNDLES,
) -> Mapping[str, str]:
    """Return *environ* that trusts *bindings* besides the system or what its variables name.

    Raises BadBinding for what holds no certificate, or a private key.
    """
    if not bindings:
        return environ
    added = []
    for binding in bindings:
        found = [text for key in sorted(binding.secrets) for text in _certificates(binding, key)]
        if not found:
            raise BadBinding(binding.name, binding.type, "ca.pem", "missing key", ("ca.pem",))
        output.line(f"{binding.name}: {_counted(len(found))}")
        added += found
    names = _VARIABLES + ((_PIP,) if environ.get(_PIP) else ())
    others = [Path(environ[name]) for name in names if environ.get(name)]
    file = directory / "ca-certificates.pem"
    file.write_text(bundle_with(added, others, environ, bundles), encoding="utf-8")
    return {**environ, **dict.fromkeys(names, str(file))}


def _certificates(binding: Binding, key: str) -> tuple[str, ...]:
    if key.startswith("."):
        return ()
    text = binding.secret(key)
    if "PRIVATE KEY-----" in text:
        raise BadBinding(binding.name, binding.type, key, "private key", ())
    found = certificates_in(text)
    if not found:
        raise BadBinding(binding.name, binding.type, key, "no certificate", ())
    return found


def _counted(number: int) -> str:
    return (
        f"{number} certificates of authorities"
        if number > 1
        else "the certificate of an authority"
    )
