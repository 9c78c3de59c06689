"""The SBOM of each layer of the environment, from what is in the environment as a whole.

Separate from `distributions`, which describes them without layers.
"""

from collections.abc import Iterable, Mapping

from cnb_python.sbom.model import Component, Document, document

_REQUIRES = "cnb-python:requires"


def of_layers(
    components: Mapping[str, Component], layers: Mapping[str, Iterable[str]]
) -> tuple[Document, ...]:
    """Return the SBOM of each of *layers*, which map their names to those of distributions.

    *components*: one for each distribution of the environment, by name. A document can only relate
    what is in it, so requirements in other layers become properties.
    """
    return tuple(
        document(layer, _within([components[name] for name in names]))
        for layer, names in sorted(layers.items())
    )


def _within(components: Iterable[Component]) -> Iterable[Component]:
    listed = list(components)
    refs = {each.ref for each in listed}
    for each in listed:
        outside = tuple((_REQUIRES, ref) for ref in each.depends_on if ref not in refs)
        yield each._replace(
            depends_on=tuple(ref for ref in each.depends_on if ref in refs),
            properties=(*each.properties, *outside),
        )
