"""Shared libraries that packages need when the app runs, and that do not exist.

Separate from `provision/native_libraries`, since an error and its message have one home.
"""

from typing import NamedTuple, Self, override

from cnb_python.errors.base import AppError, Message, listed

_SETTING = "BP_PYTHON_LIBRARIES=warn"


class MissingLibrary(NamedTuple):
    """A library that importing a package certainly needs."""

    package: str
    library: str
    version: str
    """What the library has to define and does not; empty: there is no such library."""
    file: str
    """The file that is linked with it; empty: the package loads it by name."""
    debian: str
    """Debian's package that contains it; empty: unknown."""
    ubuntu: str
    instead: str
    """A package that needs no such library; empty: unknown."""

    @property
    def sentence(self) -> str:
        """Return what needs the library, and what contains it."""
        by = f" ({self.file} is linked with it)" if self.file else " (it loads it by name)"
        if self.version:
            return f"{self.package} needs {self.version} of {self.library}{by}."
        return f"{self.package} needs {self.library}{by}.{_held(self.debian, self.ubuntu)}"


class MissingLibraries(AppError):
    """Importing installed packages fails, since shared libraries do not exist."""

    missing: tuple[MissingLibrary, ...]
    system_packages: tuple[str, ...]
    """The value of the setting that adds them; empty if no package is known."""

    @override
    def describe(self) -> Message:
        names = listed(dict.fromkeys(each.package for each in self.missing))
        kinds = {each.version or each.library for each in self.missing}
        what = f"{min(kinds)} is" if len(kinds) == 1 else "shared libraries are"
        return Message(
            title=f"{names} cannot be imported: {what} missing",
            body=(
                *(each.sentence for each in self.missing),
                "Neither the app's packages nor the build image contain what is missing.",
            ),
            fixes=(
                *_instead(self.missing),
                *_line_to_add(self.system_packages),
                _images(self.missing),
                (
                    f"If the app does not import the package, or only the run image has the library, "
                    f"set {_SETTING}."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            (
                MissingLibrary(
                    "opencv-python",
                    "libGL.so.1",
                    "",
                    "cv2/cv2.abi3.so",
                    "libgl1",
                    "libgl1",
                    "opencv-python-headless",
                ),
            ),
            ("libgl1",),
        )


def _held(debian: str, ubuntu: str) -> str:
    if debian == ubuntu:
        return f" Debian and Ubuntu have it in the package {debian}." if debian else ""
    named = ((debian, "Debian 12"), (ubuntu, "Ubuntu 24.04"))
    names = listed((f"{name} ({system})" for name, system in named if name), " and ")
    return f" It is in the package {names}."


def _instead(missing: tuple[MissingLibrary, ...]) -> tuple[str, ...]:
    pairs = dict.fromkeys((each.package, each.instead) for each in missing if each.instead)
    return tuple(f"Use {instead} in place of {package}." for package, instead in pairs)


def _line_to_add(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    quoted = ", ".join(f'"{name}"' for name in names)
    return (
        (
            f"Add the line `system-packages = [{quoted}]` to [tool.cnb-python] in pyproject.toml, "
            f"or set BP_PYTHON_SYSTEM_PACKAGES={','.join(names)}."
        ),
    )


def _images(missing: tuple[MissingLibrary, ...]) -> str:
    if all(each.version for each in missing):
        return "Use a builder and a run image with a newer release of their Linux distribution."
    return "Use a builder and a run image that contain the libraries."
