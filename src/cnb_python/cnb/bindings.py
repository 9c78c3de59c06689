"""Service bindings: directories with credentials that the platform mounts.

https://servicebinding.io/spec/core/1.1.0/#workload-projection
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.errors.inputs import UnreadableInput
from cnb_python.system import regular_file


class Binding(NamedTuple):
    """A service binding; its values are read on use and never shown."""

    name: str
    type: str
    """Empty if the binding has none, against its specification: then no type matches it."""
    provider: str
    secrets: Mapping[str, Path]
    """The file with each value, by key."""

    def __repr__(self) -> str:
        return f"Binding(name={self.name!r}, type={self.type!r}, provider={self.provider!r})"

    def secret(self, key: str) -> str:
        """Return the value of *key*, without the newline that editors add.

        Raises KeyError if there is no such key, UnreadableInput if its file cannot be read.
        """
        text = _text(self.secrets[key])
        return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def read_bindings(root: Path) -> tuple[Binding, ...]:
    """Return the bindings below *root*, sorted by name; none if there is no such directory.

    Raises UnreadableInput if the build user cannot list them.
    """
    return tuple(_binding(path) for path in _visible(root) if path.is_dir())


def of_type(bindings: Iterable[Binding], kind: str) -> tuple[Binding, ...]:
    """Return those of *bindings* whose type is *kind*, in upper or lower case."""
    folded = kind.casefold()
    return tuple(binding for binding in bindings if binding.type.casefold() == folded != "")


def _binding(directory: Path) -> Binding:
    files = {path.name: path for path in _visible(directory, "..") if path.is_file()}
    return Binding(
        name=directory.name,
        type=_text_or_empty(files.pop("type", None)),
        provider=_text_or_empty(files.pop("provider", None)),
        secrets=files,
    )


def _text_or_empty(path: Path | None) -> str:
    # Bindings are for many buildpacks: one that cannot be read is for another one.
    try:
        return _text(path).strip() if path else ""
    except UnreadableInput:
        return ""


def _visible(directory: Path, hidden: str = ".") -> list[Path]:
    # Kubernetes mounts `key -> ..data/key` and `..data -> ..2026_01_01`: only the visible names
    # are keys. A key may be called `.netrc`.
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith(hidden))
    except FileNotFoundError, NotADirectoryError:
        return []
    except OSError as error:
        raise UnreadableInput(directory, error.strerror or str(error)) from error


def _text(path: Path) -> str:
    try:
        content = regular_file.read(path, regular_file.SECRET_LIMIT)
        return content.decode("utf-8", "surrogateescape")
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from error
