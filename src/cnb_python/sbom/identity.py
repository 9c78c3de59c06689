"""Names by which documents and components are identified, the same in each build."""

import hashlib
import re
from uuid import NAMESPACE_URL, UUID, uuid5

HOME = "https://github.com/cnb-python/cnb-python"

TOOL = "cnb-python/python"
"""The program that writes the SBOM. Without a version: a new release changes no SBOM."""

_NOT_IN_SPDX_ID = re.compile(r"[^A-Za-z0-9.-]+")


def identifier(content: bytes) -> UUID:
    """Return a UUID that depends on *content* alone."""
    return uuid5(NAMESPACE_URL, f"{HOME}#sbom-{hashlib.sha256(content).hexdigest()}")


def inside(owner: str, name: str) -> str:
    """Return the `ref` of what is inside the component *owner*.

    syft reads every reference that begins with `pkg:` as the package URL of its component.
    """
    return f"in:{owner}#{name}"


def spdx_id(ref: str, name: str) -> str:
    """Return the SPDX identifier of the component *ref*, with its *name* for readers.

    https://spdx.github.io/spdx-spec/v2.3/package-information/#72-package-spdx-identifier-field

    >>> spdx_id("pkg:pypi/ruamel-yaml@0.18", "ruamel-yaml")
    'SPDXRef-Package-ruamel-yaml-5c78041b4ba0'
    """
    digest = hashlib.sha256(ref.encode()).hexdigest()[:12]
    return f"SPDXRef-Package-{_NOT_IN_SPDX_ID.sub('-', name)}-{digest}"
