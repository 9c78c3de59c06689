"""Where the build image keeps the certificate authorities it trusts."""

from collections.abc import Iterable, Mapping
from pathlib import Path

# One file with all of them; the order and the paths of Go's crypto/x509, which the lifecycle uses:
# https://go.dev/src/crypto/x509/root_linux.go
BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu, Alpine
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora, RHEL
    Path("/etc/ssl/ca-bundle.pem"),  # SUSE
    Path("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),  # RHEL 7 and later
    Path("/etc/ssl/cert.pem"),
)


def system_bundle(candidates: Iterable[Path] = BUNDLES) -> Path | None:
    """Return the system's bundle of authorities, None where there is none.

    python-build-standalone's OpenSSL looks in a directory of hashed names first, where a
    certificate that was appended to the bundle alone is missing.
    """
    return next((path for path in candidates if path.is_file()), None)


def trusting_the_system(
    environ: Mapping[str, str], candidates: Iterable[Path] = BUNDLES
) -> Mapping[str, str]:
    """Return the variables that make a process trust what the system trusts.

    Empty where the user or an earlier buildpack has chosen a bundle, or there is none.
    """
    bundle = None if environ.get("SSL_CERT_FILE") else system_bundle(candidates)
    return {} if bundle is None else {"SSL_CERT_FILE": str(bundle)}
