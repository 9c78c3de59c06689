"""Service bindings: credentials that the platform mounts as files.

https://servicebinding.io/spec/core/1.1.0/#workload-projection
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.errors.inputs import UnreadableInput


class Binding(NamedTuple):
    """One service's credentials; their values are read when asked for and never shown."""

    name: str
    type: str
    """Empty when the binding breaks its specification and has none: then nothing matches it."""
    provider: str
    secrets: Mapping[str, Path]
    """The file that holds each value."""

    def __repr__(self) -> str:
        return f"Binding(name={self.name!r}, type={self.type!r}, provider={self.provider!r})"

    def secret(self, key: str) -> str:
        """Return the value of *key*, without the newline that editors add.

        Raises KeyError when there is no such key, UnreadableInput when its file is unreadable.
        """
        text = _text(self.secrets[key])
        return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def read_bindings(root: Path) -> tuple[Binding, ...]:
    """Return the bindings under *root*, by name; none when there is no such directory.

    Raises UnreadableInput when the build user may not read them.
    """
    return tuple(_binding(path) for path in _visible(root) if path.is_dir())


def of_type(bindings: Iterable[Binding], kind: str) -> tuple[Binding, ...]:
    """Return those of *bindings* whose type is *kind*, in whatever case either is written."""
    wanted = kind.casefold()
    return tuple(binding for binding in bindings if binding.type.casefold() == wanted != "")


def _binding(directory: Path) -> Binding:
    files = {path.name: path for path in _visible(directory, "..") if path.is_file()}
    return Binding(
        name=directory.name,
        type=_said(files.pop("type", None)),
        provider=_said(files.pop("provider", None)),
        secrets=files,
    )


def _said(path: Path | None) -> str:
    # Bindings are for many buildpacks: one that we may not read is none of ours.
    try:
        return _text(path).strip() if path else ""
    except UnreadableInput:
        return ""


def _visible(directory: Path, hidden: str = ".") -> list[Path]:
    # Kubernetes mounts `key -> ..data/key`, `..data -> ..2026_01_01`: links to follow by their
    # visible names only. A key may be called `.netrc`.
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith(hidden))
    except FileNotFoundError, NotADirectoryError:
        return []
    except OSError as error:
        raise UnreadableInput(directory, error.strerror or str(error)) from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from error
