"""The environment variables that a layer sets, as values and as files.

https://github.com/buildpacks/spec/blob/main/buildpack.md#environment
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NewType

from cnb_python.cnb import disk
from cnb_python.errors.base import ContractBroken

Scope = NewType("Scope", str)
"""The phase or process that sees a variable: the directory of the layer that holds its file."""

BOTH = Scope("env")
BUILD = Scope("env.build")
LAUNCH = Scope("env.launch")

type Action = Literal["set", "append", "default", "override", "prepend"]
"""`set` is a file without a suffix: it overrides too, but is applied before the other files."""

_DELIMITER = ".delim"


@dataclass(frozen=True, slots=True)
class EnvDelta:
    """One change of one variable."""

    scope: Scope
    name: str
    action: Action
    value: str
    delimiter: str = ""
    """Separates the old value, if there is one, from the appended or prepended one."""

    def __post_init__(self) -> None:
        # The name of the file is the variable up to the first dot; the kernel forbids `=` and NUL.
        if not self.name or set(self.name) & set("=/.\0"):
            raise ContractBroken("environment", f"a variable cannot be called {self.name!r}")
        if "\0" in self.value + self.delimiter:
            raise ContractBroken("environment", f"{self.name} holds a NUL")
        if self.delimiter and self.action not in {"append", "prepend"}:
            raise ContractBroken("environment", f"{self.action} {self.name} has a delimiter")

    @property
    def file_name(self) -> str:
        """The name of its file. The lifecycle applies files in the order of their names."""
        return self.name if self.action == "set" else f"{self.name}.{self.action}"


def process_scope(process: str) -> Scope:
    """Return the scope of the processes of one type."""
    return Scope(f"{LAUNCH}/{process}")


def write(layer: Path, deltas: Iterable[EnvDelta]) -> None:
    """Write *deltas* to *layer*, and remove all other variables there.

    Raises ContractBroken if two of them need the same file with different contents.
    """
    files = _files(deltas)
    for scope in (BOTH, BUILD, LAUNCH):
        disk.remove(layer / scope)
    for name, content in sorted(files.items()):
        if name.endswith(_DELIMITER) and not content:
            continue
        path = layer / name
        for parent in reversed(path.relative_to(layer).parents[:-1]):
            disk.make_directory(layer / parent)
        disk.write(path, content)


def _files(deltas: Iterable[EnvDelta]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for delta in deltas:
        texts = {f"{delta.scope}/{delta.file_name}": delta.value}
        if delta.action in {"append", "prepend"}:
            # Compared even if empty: both actions of a variable share the file.
            texts[f"{delta.scope}/{delta.name}{_DELIMITER}"] = delta.delimiter
        for name, text in texts.items():
            content = text.encode("utf-8", "surrogateescape")
            if files.setdefault(name, content) != content:
                raise ContractBroken("environment", f"two different contents for {name}")
    return files
