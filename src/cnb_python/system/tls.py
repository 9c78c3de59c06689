"""What the build's own connections trust."""

import os
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from cnb_python.system.certificates import BUNDLES, certifi_bundle, system_bundle


def tls_context(
    environ: Mapping[str, str], candidates: Iterable[Path] = BUNDLES
) -> ssl.SSLContext:
    """Return a context that trusts SSL_CERT_FILE, else the system's bundle, else certifi's.

    SSL_CERT_DIR (one or more, separated by colons) is trusted besides; SSL_CLIENT_CERT, one file
    with a certificate and its key as for uv, is shown to servers that ask. Raises OSError, which
    ssl.SSLError is, for a choice of the user's that cannot be read.
    """
    chosen = environ.get("SSL_CERT_FILE")
    bundle = Path(chosen) if chosen else system_bundle(candidates)
    context = ssl.create_default_context(cafile=bundle or certifi_bundle())
    # Companies' authorities often lack an extension that Python has asked for since 3.13, and that
    # pip and uv do without: https://docs.python.org/3/whatsnew/3.13.html#ssl
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    for directory in environ.get("SSL_CERT_DIR", "").split(os.pathsep):
        if directory:
            context.load_verify_locations(capath=directory)
    if client := environ.get("SSL_CLIENT_CERT"):
        context.load_cert_chain(client)
    return context
