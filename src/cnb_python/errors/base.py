"""What every way to stop has in common.

Three families say who must act; only their leaves are raised. A leaf is declared like a dataclass
and behaves like one with `eq=False` that is not frozen: a frozen exception cannot take its
traceback. It is none, since detection imports this module on every build, and making fifty
dataclasses takes it 11 ms.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple, dataclass_transform

if TYPE_CHECKING:
    from pathlib import Path


class Message(NamedTuple):
    """A titled explanation: paragraphs first, then steps."""

    title: str
    body: tuple[str, ...]
    steps: tuple[str, ...] = ()


@dataclass_transform(eq_default=False)
class BuildpackError(Exception):
    """The phase stops here and the user is told why."""

    def __init__(self, *values: object, **named: object) -> None:
        """Take the values of the class's annotated names, in their order or by name."""
        super().__init__()
        names = _names(type(self))
        given = dict(zip(names, values, strict=False)) | named
        if len(values) + len(named) != len(names) or given.keys() != set(names):
            raise TypeError(names)
        self.__dict__.update(given)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def _names(cls: type[BuildpackError]) -> tuple[str, ...]:
    from annotationlib import Format, get_annotations  # noqa: PLC0415 - only errors need it

    return tuple(get_annotations(cls, format=Format.STRING))


class Failure(BuildpackError):
    """A failure that the user is shown an explanation of."""

    @abstractmethod
    def describe(self) -> Message:
        """Return what happened, what was found, what is expected, and how to fix it."""


class AppError(Failure):
    """The app's author can mend it."""


class OutsideError(Failure):
    """The network, an index, the machine or the platform is at fault."""


class BuildpackBug(BuildpackError):
    """We are at fault: shown with a traceback."""


class ContractBroken(BuildpackBug):
    """We were about to write what the buildpack specification forbids."""

    document: str
    problem: str


class BytecodeFailed(BuildpackBug):
    """The compiler of bytecode did not survive."""

    code: int
    output: str


class IncompleteBuildpack(BuildpackBug):
    """A file that belongs to the buildpack is missing from it."""

    file: str
    buildpack: Path
