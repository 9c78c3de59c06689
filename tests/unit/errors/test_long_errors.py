"""Errors stay short, whatever files contain: each is made with huge lists and with huge names."""

import io
from annotationlib import Format, get_annotations
from collections.abc import Callable, Iterator
from math import isqrt
from pathlib import Path
from typing import Literal, TypeAliasType, get_args, get_origin

import pytest

from cnb_python.errors.base import Failure, listed
from cnb_python.system.output import Console
from tools.docs.reference import all_errors

MANY = 10_000
HUGE = 1_000_000
# A terminal shows about 50 lines; a build's log is kept for years.
MOST_CHARACTERS = 15_000


def is_closed(annotation: object) -> bool:
    """Whether *annotation* lists all values."""
    if isinstance(annotation, TypeAliasType):
        annotation = annotation.__value__
    return get_origin(annotation) is Literal


def replaced(value: object, annotation: object, text: Callable[[str], str], count: int) -> object:
    """Return *value* with each text replaced, and with *count* items in each list."""
    if is_closed(annotation):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Path):
        return Path(text(str(value)))
    if isinstance(value, tuple):
        return replaced_tuple(value, annotation, text, count)
    return value


def replaced_tuple(
    value: tuple[object, ...], annotation: object, text: Callable[[str], str], count: int
) -> object:
    if hasattr(value, "_fields"):
        kind: Callable[..., object] = type(value)
        annotations = get_annotations(kind, format=Format.FORWARDREF)
        names = zip(value._fields, value, strict=True)
        return kind(*(replaced(item, annotations[name], text, count) for name, item in names))
    arguments = get_args(annotation)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        items = list(value) or (["x"] if arguments[0] is str else [])
        repeated = (items * (count // len(items) + 1))[: max(count, len(items))] if items else []
        # Lists inside lists are shorter, or their product would be a hundred million items.
        within = isqrt(count)
        return tuple(replaced(item, arguments[0], text, within) for item in repeated)
    return tuple(
        replaced(item, each, text, count) for item, each in zip(value, arguments, strict=True)
    )


def made(error: type[Failure], text: Callable[[str], str], count: int) -> Failure:
    annotations = get_annotations(error, format=Format.FORWARDREF)
    values = vars(error.example())
    fields = {
        name: replaced(values[name], annotation, text, count)
        for name, annotation in annotations.items()
    }
    return error(**fields)


def printed(failure: Failure) -> str:
    stream = io.StringIO()
    Console(stream).error(failure.describe(), failure.link())
    return stream.getvalue()


def numbered() -> Callable[[str], str]:
    numbers: Iterator[int] = iter(range(10**9))
    return lambda value: f"{value}{next(numbers)}"


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_error_with_thousands_of_items_is_short(error: type[Failure]) -> None:
    text = printed(made(error, numbered(), MANY))

    assert len(text) < MOST_CHARACTERS
    assert text.count("\n") < 120


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_error_with_a_megabyte_in_each_name_is_short(error: type[Failure]) -> None:
    failure = made(error, lambda value: value + "a" * HUGE, 0)
    text = printed(failure)

    assert len(text) < MOST_CHARACTERS
    assert failure.link() in text


def test_list_in_a_sentence_has_ten_items() -> None:
    assert listed("abc") == "a, b, c"
    assert listed(map(str, range(1, 12)), " or ") == (
        "1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 or 10 and 1 more"
    )
    assert listed((), "") == ""
