"""Reads the groups of `[dependency-groups]` in pyproject.toml, beside requirements files.

Other managers' tools read them by themselves. Separate from `groups`, which only knows names.
https://packaging.python.org/en/latest/specifications/dependency-groups/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.choosing import BadDependencyGroup
from cnb_python.errors.locks import UnknownGroup
from cnb_python.managers.requirement_lines import normalized_name

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PYPROJECT = "pyproject.toml"
type _Groups = Mapping[str, Sequence[str | Mapping[str, str]]]

SHOWN = f"[dependency-groups] in {PYPROJECT}"


def declared(directory: Path) -> TomlTable:
    """Return the groups that pyproject.toml in *directory* has. Raises UnreadableToml."""
    file = directory / PYPROJECT
    return toml.table_at(toml.read(file), "dependency-groups") if file.is_file() else {}


def lines(directory: Path, names: Iterable[str]) -> Iterator[tuple[Requirement, str]]:
    """Yield each requirement of the groups *names*, with what they include, and its group.

    Raises BadDependencyGroup, UnknownGroup and UnreadableToml.
    """
    from packaging.dependency_groups import DependencyGroupResolver  # noqa: PLC0415 - images for tests alone

    table = declared(directory)
    available = {normalized_name(name) for name in table}
    for name in names:
        if normalized_name(name) not in available:
            raise UnknownGroup(PYPROJECT, "group", name, tuple(sorted(table)))
        try:
            # It checks the types itself.
            requirements = DependencyGroupResolver(cast("_Groups", table)).resolve(name)
        except (ExceptionGroup, ValueError, LookupError, TypeError, RecursionError) as error:
            raise BadDependencyGroup(name, _problem(error)) from error
        yield from ((requirement, name) for requirement in requirements)


def _problem(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return (str(error) or type(error).__name__).partition("\n")[0]


def text(directory: Path, names: Iterable[str]) -> str:
    """Return the groups *names* as the text of a requirements file. Raises what `lines` does."""
    return "".join(f"{requirement}\n" for requirement, _ in lines(directory, names))
