"""What environment markers see in the app's interpreter, without starting it.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
"""

import re
from collections.abc import Callable

from packaging.markers import Marker

# About the machine that builds, which is not the one that runs.
_OF_THE_MACHINE = re.compile(r"\bplatform[._](release|version|node)\b")
_OF_THE_PATCH = re.compile(r"\b(python_full_version|implementation_version)\b")
# More than any line has had.
_PATCHES = 40


def environment(python: str, processor: str) -> dict[str, str]:
    """Return the value of every marker variable in CPython *python* on Linux.

    *python* is a release such as `3.14.6` or `3.15.0b2`, *processor* what the machine
    calls its own: `x86_64`.
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
        "python_version": line_of(python),
        "sys_platform": "linux",
    }


def line_of(python: str) -> str:
    """Return the release line of *python*: `3.14` of `3.14.6`."""
    return ".".join(python.split(".")[:2])


def applies(marker: Marker | str, python: str, processor: str, extra: str = "") -> bool:
    """Whether a requirement with *marker* counts where *extra* is asked for."""
    read = Marker(marker) if isinstance(marker, str) else marker
    return read.evaluate({**environment(python, processor), "extra": extra})


def asks_the_machine(marker: Marker | str) -> bool:
    """Whether *marker* depends on what only the machine knows that runs it."""
    return bool(_OF_THE_MACHINE.search(str(marker)))


def marker_is_sensitive(marker: Marker, python: str, processor: str, extra: str = "") -> bool:
    """Whether another patch release of *python* may answer *marker* differently."""
    text = str(marker)
    return (
        bool(_OF_THE_PATCH.search(text))
        and _names_the_line(text, python)
        and is_sensitive(lambda one: applies(marker, one, processor, extra), python)
    )


def range_is_sensitive(text: str, contains: Callable[[str], bool], python: str) -> bool:
    """Whether another patch release of *python* may be on the other side of the range *text*."""
    return _names_the_line(text, python) and is_sensitive(contains, python)


def is_sensitive(test: Callable[[str], bool], python: str) -> bool:
    """Whether *test* answers differently for another patch release of the line of *python*."""
    line, expected = line_of(python), test(python)
    return any(test(f"{line}.{patch}") != expected for patch in range(_PATCHES))


def _names_the_line(text: str, python: str) -> bool:
    """Whether *text* names the line at all; all of its releases are alike where it does not."""
    major, minor = line_of(python).split(".")
    return bool(re.search(rf"\b0*{major}\.0*{minor}(?!\d)", text))
