"""Where the build image keeps the certificate authorities it trusts, and bundles with more."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from cnb_python.system import regular_file

# Files with all authorities, with the paths and in the order of Go's crypto/x509, which the
# lifecycle uses:
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
    """Return the path of the system's bundle, None if it has none.

    The OpenSSL of python-build-standalone reads a directory of hashed names first. A certificate
    that was only appended to the bundle is missing there.
    """
    return next((path for path in candidates if path.is_file()), None)


def trusting_the_system(
    environ: Mapping[str, str], candidates: Iterable[Path] = BUNDLES
) -> Mapping[str, str]:
    """Return the variables that make a process trust the system's bundle.

    Empty if the user or an earlier buildpack has chosen a bundle, or the system has none.
    """
    bundle = None if environ.get("SSL_CERT_FILE") else system_bundle(candidates)
    return {} if bundle is None else {"SSL_CERT_FILE": str(bundle)}


def certificates_in(text: str) -> tuple[str, ...]:
    """Return the certificates in *text* as PEM; none if one of them cannot be read."""
    import ssl  # noqa: PLC0415 - takes 10 ms, and few builds have certificates

    certificates = tuple(match[0] for match in _PEM.finditer(text))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata="\n".join(certificates)
        )
    except ssl.SSLError, ValueError, TypeError:  # TypeError: not ASCII
        return ()
    return certificates


def bundle_with(
    added: Iterable[str],
    bundles: Iterable[Path],
    environ: Mapping[str, str],
    candidates: Iterable[Path] = BUNDLES,
) -> str:
    """Return the text of a bundle: that of *environ* or the system, then *bundles*, then *added*.

    Missing files are left out.
    """
    chosen = environ.get("SSL_CERT_FILE")
    base = Path(chosen) if chosen else system_bundle(candidates) or Path(certifi_bundle())
    files = [path for path in dict.fromkeys((base, *bundles)) if path.is_file()]
    texts = [regular_file.read(path).decode("utf-8", "replace") for path in files]
    return "\n".join((*texts, *added, ""))


def certifi_bundle() -> str:
    """Return the path of certifi's bundle, for systems without one."""
    import certifi  # noqa: PLC0415 - few systems need it

    return certifi.where()
