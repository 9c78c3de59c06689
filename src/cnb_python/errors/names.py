"""Requirements whose names stand for something else than a package.

Separate from `managers/misleading_names`, since an error and its message have one home.
"""

from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message

type NameKind = Literal["renamed", "backport", "system", "conda", "interpreter", "module"]

_REMOVE = "Remove the line."
# What a name stands for, with {0} for the requirement and {1} for its replacement; and the fixes.
_NAMES: dict[NameKind, tuple[str, ...]] = {
    "renamed": (
        "{0} is the name of a module to import. The package that contains it is called {1}.",
        "Write {1} in its place.",
    ),
    "backport": (
        "{0} brings modules of newer Pythons to old ones. Every supported Python has them.",
        _REMOVE,
    ),
    "module": ("{0} is a module of the standard library: every Python has it.", _REMOVE),
    "interpreter": (
        "{0} is the interpreter, and no package.",
        (
            "Remove the line, and write the version to .python-version, such as: echo 3.13 > "
            ".python-version"
        ),
    ),
    "system": (
        (
            "{0} belongs to the Python of Debian or Ubuntu, and no index has it. `pip freeze` writes it "
            "outside of a virtual environment."
        ),
        _REMOVE,
        (
            "Write the file in a virtual environment that has only the app's packages: pip freeze > "
            "requirements.txt"
        ),
    ),
    "conda": (
        "{0} belongs to conda, and no index has it.",
        _REMOVE,
        (
            "Write the file in a virtual environment that has only the app's packages: pip freeze > "
            "requirements.txt"
        ),
    ),
}


class MisleadingName(AppError):
    """A requirement names something else than a package."""

    requirement: str
    kind: NameKind
    use: str
    """The package to write in its place; empty: none."""

    @override
    def describe(self) -> Message:
        meaning, *fixes = _NAMES[self.kind]
        return Message(
            title=f"{self.requirement} is not the package that it seems to be",
            body=(meaning.format(self.requirement, self.use),),
            fixes=tuple(fix.format(self.requirement, self.use) for fix in fixes),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("sklearn", "renamed", "scikit-learn")
