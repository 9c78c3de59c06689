"""Finds groups of a project that name the project itself.

`uv lock` means the project then, with the extras that stand there. `uv pip compile --group` asks
the index for a package of that name, which may be a stranger's.

Separate from `manager`: only a build that resolves a project loads it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from packaging.requirements import Requirement

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.managers import markers
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.managers.uv.address_variables import in_groups


class OwnReferences(NamedTuple):
    """How groups name the project."""

    override: str
    """The line of a file of overrides that removes these requirements.

    https://docs.astral.sh/uv/concepts/resolution/#dependency-overrides
    """
    extras: tuple[str, ...]
    """Those of the project that they ask for."""


def find(document: TomlTable, groups: Iterable[str], python: str) -> OwnReferences | None:
    """Return how *groups* of the `pyproject.toml` *document* name the project; None: they do not.

    A source of uv, or a URL, may say that a package of the same name is meant.
    """
    project = toml.table_at(document, "project").get("name")
    if not isinstance(project, str):
        return None
    own = [
        each
        for each in _requirements(in_groups(groups, document))
        if normalized_name(each.name) == normalized_name(project)
    ]
    if not own or any(each.url for each in own) or _has_source(document, project):
        return None
    extras = (extra for each in own if _applies(each, python) for extra in sorted(each.extras))
    return OwnReferences(f"{project} ; python_version < '0'", tuple(dict.fromkeys(extras)))


def _requirements(texts: Iterable[str]) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield Requirement(text)
        except ValueError, RecursionError:
            continue  # uv reports it


def _has_source(document: TomlTable, project: str) -> bool:
    sources = toml.table_at(toml.table_at(toml.table_at(document, "tool"), "uv"), "sources")
    return any(
        normalized_name(name) == normalized_name(project) and source != {"workspace": True}
        for name, source in sources.items()
    )


def _applies(requirement: Requirement, python: str) -> bool:
    try:
        return not requirement.marker or markers.applies(requirement.marker, python, "")
    except markers.UnusableMarker:
        return False  # uv reports it
