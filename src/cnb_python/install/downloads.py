"""Reads from a workshop what a manager downloaded: the files' names, addresses and digests.

uv keeps a small file in its cache for each wheel and sdist that it downloads, with the SHA-256
that it computed meanwhile. pip leaves the wheels themselves. Separate from `install/staging`,
which runs the managers.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from cnb_python.distributions.model import Material
from cnb_python.managers.base import Pin
from cnb_python.system import regular_file
from cnb_python.system.redaction import redact, shown

# By the kind of the source: PyPI, another index, an address. uv writes these files for downloads
# alone; for what it takes from a directory there are others, without a digest.
_WHEELS = ("pypi/*/*.http", "index/*/*/*.http", "url/*/*/*.http")
_SDISTS = ("pypi/*/*/revision.http", "index/*/*/*/revision.http", "url/*/revision.http")
# MessagePack: the name of the algorithm, then 64 characters. The address is within what HTTP's
# rules for caches need, without a mark at its end.
_SHA256 = re.compile(rb"Sha256\xd9@([0-9a-f]{64})")
_ADDRESS = re.compile(rb"https?://[!-~]{1,2000}?\.(?:whl|zip|tar\.(?:gz|bz2|xz)|tgz|tbz)")
_LARGEST = 1 << 16
# More than any build needs: an image has a label with all, and code of packages may add files.
_MOST_OF_BUILD = 500
_HASH = re.compile(r"sha256\s*[:=]\s*[\"']?([0-9a-fA-F]{64})")
_SDIST_NAME = re.compile(r"(.+)-[^-]+")


def fetched(cache: Path, secrets: tuple[str, ...] = ()) -> dict[str, Material]:
    """Return the wheels that uv downloaded into *cache*, by the name of the unpacked directory."""
    wheels: dict[str, Material] = {}
    for path, content in _contents(cache, "wheels-v*", _WHEELS):
        # Beside each of these files is a link to what was unpacked.
        link = path.with_name(path.name.removesuffix(".http"))
        if link.is_symlink() and (material := _material(content, secrets)):
            wheels[link.readlink().name] = material
    return wheels


def of_build(cache: Path, name: str, secrets: tuple[str, ...] = ()) -> tuple[Material, ...]:
    """Return what uv downloaded into *cache* to build the distribution *name*, sorted.

    Its own sdist or wheel, and with `builds` what that needed. Code of the package ran meanwhile,
    so this is as trustworthy as the package. pip keeps nothing that shows what it downloaded.
    """
    files = chain(_contents(cache, "sdists-v*", _SDISTS), _contents(cache, "wheels-v*", _WHEELS))
    read = islice(files, _MOST_OF_BUILD)
    materials = {_material(content, secrets) for _, content in read}
    return tuple(
        sorted(
            each._replace(builds=_distribution_of(each.name) != name) for each in materials if each
        )
    )


def of_pin(pin: Pin, file: Path | None, secrets: tuple[str, ...] = ()) -> Material | None:
    """Return the file of *pin*; None if its digest is not known.

    The digest is the pin's only hash, which the tool compared, or that of the downloaded *file*.
    Raises OSError.
    """
    hashes = {each.lower() for each in _HASH.findall(pin.line)}
    if len(hashes) == 1:
        (digest,) = hashes
    elif file:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    else:
        return None
    address = redact(shown(pin.address), secrets) if pin.address else ""
    names = (file.name if file else "", unquote(address.rpartition("/")[2]), *pin.files)
    return Material(next(filter(None, names), pin.name), address, f"sha256:{digest}")


def _contents(cache: Path, version: str, patterns: Iterable[str]) -> Iterator[tuple[Path, bytes]]:
    for pattern in patterns:
        for path in sorted(cache.glob(f"{version}/{pattern}")):
            try:
                yield path, regular_file.read(path, _LARGEST, follow=False)
            except OSError:
                continue  # code of a package may have put anything there


def _material(content: bytes, secrets: tuple[str, ...]) -> Material | None:
    digest, address = _SHA256.search(content), _ADDRESS.search(content)
    if not digest or not address:
        return None
    url = redact(shown(address[0].decode("ascii")), secrets)
    return Material(unquote(url.rpartition("/")[2]), url, f"sha256:{digest[1].decode()}")


def _distribution_of(file: str) -> str:
    """Return the normalized name of the distribution in *file*, a wheel or an sdist."""
    if file.endswith(".whl"):
        return canonicalize_name(file.partition("-")[0])
    stem = _SDIST_NAME.match(file)
    return canonicalize_name(stem[1]) if stem else ""
