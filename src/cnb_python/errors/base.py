"""What all errors have in common: the base classes, the message, and the address in the docs.

The three families say who must act; only their leaves are raised. A leaf is declared like a
dataclass, and behaves like one with `eq=False` that is not frozen: a frozen exception cannot take
its traceback. It is not a dataclass, because detect imports this module on every build, and
creating fifty dataclasses takes 11 ms.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple, Self, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DOCS = "https://github.com/cnb-python/cnb-python/blob/main/docs/errors.md"
"""The page that `make docs` writes from the errors, with a section for each."""
_MOST_LISTED = 10
"""Items of a list in a sentence. `long_messages` bounds lists of lines."""


class Whole(str):
    """A text of a message that is shown whole: the buildpack's own names, such as its settings."""

    __slots__ = ()


class Message(NamedTuple):
    """A text for the user: a title, paragraphs, and how to fix it."""

    title: str
    body: tuple[str, ...]
    fixes: tuple[str, ...] = ()
    """Alternatives, joined by "or" when shown. Each starts with a verb or with If."""
    steps: tuple[str, ...] = ()
    """A sequence, numbered when shown."""


@dataclass_transform(eq_default=False)
class BuildpackError(Exception):
    """Stops the phase."""

    def __init__(self, *values: object, **named: object) -> None:
        """Take the values of the class's annotated names, in their order or by name."""
        super().__init__()
        names = _names(type(self))
        fields = dict(zip(names, values, strict=False)) | named
        if len(values) + len(named) != len(names) or fields.keys() != set(names):
            raise TypeError(names)
        self.__dict__.update(fields)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def listed(items: Iterable[str], between: str = ", ", most: int = _MOST_LISTED) -> str:
    """Return the first of *items*, which may be any number, as one text.

    >>> listed(str(number) for number in range(100))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 90 more'
    """
    texts = [*items]
    more = len(texts) - most
    return between.join(texts[:most]) + (f" and {more:,} more" if more > 0 else "")


def _names(cls: type[BuildpackError]) -> tuple[str, ...]:
    from annotationlib import Format, get_annotations  # noqa: PLC0415 - only errors need it

    return tuple(get_annotations(cls, format=Format.STRING))


class Failure(BuildpackError):
    """An error that is explained to the user."""

    @abstractmethod
    def describe(self) -> Message:
        """Return what happened, what was found, what was expected, and how to fix it."""

    @classmethod
    @abstractmethod
    def example(cls) -> Self:
        """Return an error as a test or a recording produces it, for the docs."""

    @classmethod
    def heading(cls) -> str:
        """Return the heading of the error's section in the docs: `No such package`."""
        from re import sub  # noqa: PLC0415 - only errors need it

        return sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).capitalize()

    @classmethod
    def link(cls) -> str:
        """Return the address of the error's section in the docs."""
        return f"{DOCS}#{cls.heading().lower().replace(' ', '-')}"


class AppError(Failure):
    """A failure whose fix is in the app."""


class OutsideError(Failure):
    """A failure whose fix is outside the app: the network, an index, the machine, the platform."""


class BuildpackBug(BuildpackError):
    """A failure whose fix is in this buildpack: shown with a traceback."""


class ContractBroken(BuildpackBug):
    """The buildpack was about to write what the buildpack specification forbids."""

    document: str
    problem: str


class BytecodeFailed(BuildpackBug):
    """The compiler of bytecode crashed."""

    code: int
    output: str


class IncompleteBuildpack(BuildpackBug):
    """A file that belongs to the buildpack is missing from it."""

    file: str
    buildpack: Path
