"""Where the build image keeps the certificate authorities it trusts, and bundles with more."""

import re
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
# https://www.rfc-editor.org/rfc/rfc7468#section-5
_PEM = re.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


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


def certificates_in(text: str) -> tuple[str, ...]:
    """Return the certificates of *text* as PEM, none where one of them cannot be read."""
    import ssl  # noqa: PLC0415 - takes 10 ms, and few builds have any to look at

    found = tuple(match[0] for match in _PEM.finditer(text))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found))
    except ssl.SSLError, ValueError:
        return ()
    return found


def bundle_with(
    added: Iterable[str],
    others: Iterable[Path],
    environ: Mapping[str, str],
    candidates: Iterable[Path] = BUNDLES,
) -> str:
    """Return a bundle of what *environ* or else the system trusts, of *others* and of *added*.

    A file that is not there has nothing to give.
    """
    chosen = environ.get("SSL_CERT_FILE")
    base = Path(chosen) if chosen else system_bundle(candidates) or Path(certifi_bundle())
    files = [path for path in dict.fromkeys((base, *others)) if path.is_file()]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    return "\n".join((*texts, *added, ""))


def certifi_bundle() -> str:
    """Return the path of the bundle that travels with us, for images without a system store."""
    import certifi  # noqa: PLC0415 - only where the system has no store

    return certifi.where()
