"""The keys of package archives that Debian's own packages do not have."""

import hashlib
import urllib.request
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools import cache
from tools.processes import fail, run

WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Archive:
    """A package archive, of `builder/bases.toml`."""

    mirror: str
    """Its address."""
    keys: str
    """The path of the package that has its keys, below the address."""
    sha256: str
    """The digest of that package, which is what makes the keys trusted."""
    keyring: str
    """The path of the keyring in the package."""


def keyring(distro: str, archive: Archive) -> Path:
    """Return the keyring file of *archive*, downloaded the first time. Raises `Unavailable`."""
    title = f"Downloading the keys of the archive of {distro}"
    pins = cache.digest(repr(archive))
    return cache.entry(f"keyring-{distro}", pins, title, partial(_make, archive)) / archive.keyring


def _make(archive: Archive, into: Path) -> None:
    address = f"{archive.mirror}/{archive.keys}"
    try:
        with urllib.request.urlopen(address, timeout=WAIT_SECONDS) as response:  # noqa: S310 - of bases.toml
            content = response.read()
    except OSError as error:
        fail(f"{address} cannot be downloaded: {error}")
    if (digest := hashlib.sha256(content).hexdigest()) != archive.sha256:
        fail(f"{address} has the SHA-256 {digest}, not the one in builder/bases.toml.")
    package = into / "keys.deb"
    package.write_bytes(content)
    run("dpkg-deb", "--extract", package, into)
