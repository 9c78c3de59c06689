"""Package URLs (purl) of the packages and programs in an image, in normalized form.

Separate from `distributions`, and without packageurl-python: importing it takes 20 ms, and even an
unchanged build lists its materials. https://github.com/package-url/purl-spec
"""

from collections.abc import Mapping
from urllib.parse import quote

_NO_QUALIFIERS: Mapping[str, str] = {}


def pypi(name: str, version: str = "") -> str:
    """Return the package URL of a distribution, by its normalized name.

    https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md

    >>> pypi("torch", "2.9+cpu")
    'pkg:pypi/torch@2.9%2Bcpu'
    """
    return _purl("pypi", name, version)


def deb(name: str, version: str, arch: str, distribution: str) -> str:
    """Return the package URL of a Debian package.

    *distribution*: `debian 12`, the ID and VERSION_ID of os-release(5).
    https://github.com/package-url/purl-spec/blob/main/types-doc/deb-definition.md
    """
    vendor = distribution.partition(" ")[0]
    qualifiers = {"arch": arch, "distro": distribution.replace(" ", "-")}
    return _purl(f"deb/{_quoted(vendor)}", name, version, qualifiers)


def golang(module: str, version: str) -> str:
    """Return the package URL of a Go module, or of `stdlib`.

    https://github.com/package-url/purl-spec/blob/main/types-doc/golang-definition.md
    """
    namespace, _, name = module.lower().rpartition("/")
    parts = ("golang", *map(_quoted, filter(None, namespace.split("/"))))
    return _purl("/".join(parts), name, version)


def generic(name: str, version: str = "", qualifiers: Mapping[str, str] = _NO_QUALIFIERS) -> str:
    """Return the package URL of software that no package manager distributes."""
    return _purl("generic", name, version, qualifiers)


def _purl(
    start: str, name: str, version: str, qualifiers: Mapping[str, str] = _NO_QUALIFIERS
) -> str:
    text = f"pkg:{start}/{_quoted(name)}"
    if version:
        text += f"@{_quoted(version)}"
    if qualifiers:
        text += "?" + "&".join(f"{key}={_quoted(qualifiers[key])}" for key in sorted(qualifiers))
    return text


def _quoted(text: str) -> str:
    return quote(text, safe=":")
