"""An SBOM as values, whatever its format: the components of a layer and their relations."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

type Kind = Literal["application", "library", "file"]
type Property = tuple[str, str]


class License(NamedTuple):
    """The license of a component, as its author declares it."""

    expression: str = ""
    """An SPDX expression: `MIT OR Apache-2.0`; empty if there is no exact one."""
    text: str = ""
    """What the author wrote, if it is not an SPDX expression: `BSD License`."""
    full: str = ""
    """The text of the license, if the author gives it in place of a name; `text` is then the name
    from a classifier, or the first line."""


NO_LICENSE = License()


class Component(NamedTuple):
    """A part of a layer that has a name: a distribution, a library, a program."""

    ref: str
    """Unique in its document; equal inputs give equal ones."""
    name: str
    version: str = ""
    """Empty: unknown."""
    kind: Kind = "library"
    purl: str = ""
    """https://github.com/package-url/purl-spec"""
    cpe: str = ""
    """CPE 2.3: https://nvlpubs.nist.gov/nistpubs/Legacy/IR/nistir7695.pdf"""
    license: License = NO_LICENSE
    sha256: str = ""
    """In hex, of the file that it was distributed as; empty: unknown."""
    description: str = ""
    homepage: str = ""
    properties: tuple[Property, ...] = ()
    """Facts that the formats have no field for; their names begin with `cnb-python:`."""
    contains: tuple[Component, ...] = ()
    """What is inside it: libraries linked into a program, or copied into a wheel."""
    depends_on: tuple[str, ...] = ()
    """The `ref`s of components of the same document, sorted."""


class Document(NamedTuple):
    """The SBOM of a layer."""

    layer: str
    components: tuple[Component, ...]
    """In the order of their `ref`s."""


def document(layer: str, components: Iterable[Component]) -> Document:
    """Return the SBOM of *layer* with *components*, in the order of their `ref`s."""
    return Document(layer, tuple(sorted(components, key=lambda each: each.ref)))


def with_contents(components: Iterable[Component]) -> Iterator[Component]:
    """Yield *components* and everything that they contain, each before its contents."""
    for component in components:
        yield component
        yield from with_contents(component.contains)
