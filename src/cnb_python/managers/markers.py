"""The values of environment markers in the app's interpreter, without starting it.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from packaging.markers import Marker

# About the machine that builds, which is not the one that runs the image.
_MACHINE = re.compile(r"\bplatform[._](release|version|node)\b")
_PATCH = re.compile(r"\b(python_full_version|implementation_version)\b")
_TOO_DEEP = "it is nested too deeply"
_UNKNOWN = "it has the unknown variable {}"
# More patch releases than any line has had.
_PATCHES = 40


def environment(python: str, processor: str) -> dict[str, str]:
    """Return the value of every marker variable in CPython *python* on Linux.

    *python* is a release such as `3.14.6` or `3.15.0b2`, *processor* the machine's name for its
    own: `x86_64`.
    """
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": processor,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python,
        "python_version": release_line(python),
        "sys_platform": "linux",
    }


def release_line(python: str) -> str:
    """Return the release line of *python*: `3.14` of `3.14.6`."""
    return ".".join(python.split(".")[:2])


class UnusableMarker(ValueError):
    """A marker that cannot be read or evaluated: the message says why."""


def applies(marker: Marker | str, python: str, processor: str, extra: str = "") -> bool:
    """Whether *marker* is true, if *extra* is requested. Raises UnusableMarker."""
    with refusing_odd_markers():
        parsed = Marker(marker) if isinstance(marker, str) else marker
        return parsed.evaluate({**environment(python, processor), "extra": extra})


@contextmanager
def refusing_odd_markers() -> Iterator[None]:
    """Raise UnusableMarker for each way in which `packaging` refuses a marker.

    It cannot compare `sys_platform ~= 'x'`, knows some variables only in lock files, and follows
    brackets in brackets in ... until Python stops it.
    """
    try:
        yield
    except RecursionError as error:
        raise UnusableMarker(_TOO_DEEP) from error
    except KeyError as error:
        raise UnusableMarker(_UNKNOWN.format(error.args[0])) from error
    except ValueError as error:
        raise UnusableMarker(str(error).partition("\n")[0]) from error


def depends_on_machine(marker: Marker | str) -> bool:
    """Whether *marker* depends on the machine that runs the image."""
    return bool(_MACHINE.search(str(marker)))


def marker_depends_on_patch(marker: Marker, python: str, processor: str, extra: str = "") -> bool:
    """Whether *marker* may have another value in another patch release of *python*."""
    text = str(marker)
    return (
        bool(_PATCH.search(text))
        and _names_release_line(text, python)
        and _depends_on_patch(lambda patch: applies(marker, patch, processor, extra), python)
    )


def range_depends_on_patch(text: str, contains: Callable[[str], bool], python: str) -> bool:
    """Whether the range *text* contains only some patch releases of the line of *python*."""
    return _names_release_line(text, python) and _depends_on_patch(contains, python)


def _depends_on_patch(test: Callable[[str], bool], python: str) -> bool:
    line, expected = release_line(python), test(python)
    return any(test(f"{line}.{patch}") != expected for patch in range(_PATCHES))


def _names_release_line(text: str, python: str) -> bool:
    """Whether *text* names the release line; if not, the text treats all its releases alike."""
    major, minor = release_line(python).split(".")
    return bool(re.search(rf"\b0*{major}\.0*{minor}(?!\d)", text))
