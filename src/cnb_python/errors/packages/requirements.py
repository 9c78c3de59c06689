"""Requirements that cannot be used: lines that are not valid, and names that are not packages.

Separate from `managers/misleading_names`, since an error and its message have one home.
"""

import re
from difflib import get_close_matches
from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message, listed

# The directories in which conda builds its packages: they appear in the output of `pip freeze`.
_CONDA = re.compile(r"/croot/|/feedstock_root/|/home/conda/|/tmp/build/\d")
_CONDA_FIX = (
    "Write names and versions in place of conda's paths, which exist only on the machine that "
    "built the package: pip list --format=freeze > requirements.txt"
)
# The form of a line that is not valid, and the fix.
_FORMS: tuple[tuple[str, str], ...] = (
    (
        r"^\s*(?:<{7}|={7}|>{7})",
        (
            "Resolve the merge conflict: choose one of the versions between <<<<<<< and >>>>>>>, and "
            "remove the markers."
        ),
    ),
    (
        r"--hash[= ]\s*(md5|sha1)\b",
        "Use SHA-256, which pip and uv accept: pip-compile --generate-hashes",
    ),
    (
        r"^[\w.\[\]-]+=[\w.]+=\w+$",
        (
            "Write name==version: the form name=version=build is conda's. To convert all lines: "
            "pip list --format=freeze > requirements.txt"
        ),
    ),
    (r"^pip3?\s+install\b", "Write only the package: the line is a command of a shell."),
    (
        r"^[\w.\[\]\"'-]+\s*=\s*[\"'{\[]",
        'Write it as pip reads it: name>=3.0,<4. The form name = "^3.0" is that of Poetry and Pipenv.',
    ),
    (r"^[\"']", "Remove the quotation marks."),
    (r"^(?://|;|--\s)", "Start comments with #."),
    (
        r"^(?:git\+)?git@",
        "Write the address with ssh://, such as name @ git+ssh://git@github.com/x/y",
    ),
    (r"==\s*(?:latest|\*)", "Remove the version: without one, the newest release is installed."),
    (
        r"^[\w.\[\]-]+\s*(?:\^|~(?!=))",
        "Write the range as pip reads it: name>=3.0,<4. The operators ^ and ~ are Poetry's.",
    ),
    (
        r"^[\w.\[\]-]+(?:[=<>~!]+[\w.*]+)?(?:\s+|\s*,\s*)[A-Za-z][\w.-]*(?:$|[=<>~!\s,])",
        "Write each package in a line of its own.",
    ),
    (r"^[\w.\[\]-]+\s+v?\d", "Write two equals signs: name==version"),
    (r"^[\w.\[\]-]+\s*=[^=<>~!]", "Write two equals signs: name==version"),
    (r"=[<>]", "Write >= and <= with the equals sign last."),
    (r"[<>=]\s*[\d.]+\s*[<>=]", "Separate ranges with a comma: name>=2.0,<3"),
    (r"==\s*\d[\d.]*\.x\b", "Write the range with a star: name==3.0.*"),
)

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
        "{0} is the interpreter, not a package.",
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


class BadRequirement(AppError):
    """A line of a requirements file is not valid."""

    text: str
    origin: str
    """`line 3 of requirements.txt`; empty: unknown."""
    problem: str

    @override
    def describe(self) -> Message:
        origin = self.origin or "requirements.txt"
        is_conda = bool(_CONDA.search(self.text))
        forms = [fix for form, fix in _FORMS if re.search(form, self.text)]
        return Message(
            title=f"A line of {origin.rpartition(' ')[2]} is not valid",
            body=(
                f"Found:    {self.text} ({origin})",
                "Expected: a name and, usually, a version, such as flask==3.1.2",
                *((f"Reason:   {self.problem}",) if self.problem else ()),
            ),
            fixes=(
                *((_CONDA_FIX,) if is_conda else ()),
                *forms[:1],
                "Correct the line.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        problem = "Expected semicolon (after name with no version specifier) or end"
        return cls("flask=>3.1", "line 1 of requirements.txt", problem)


class BadPipOption(AppError):
    """An option of pip has a value that is not allowed."""

    option: str
    """As in pip's configuration files: `default-timeout`."""
    value: str
    expected: str

    @override
    def describe(self) -> Message:
        variable = f"PIP_{self.option.upper().replace('-', '_')}"
        return Message(
            title=f"pip's option {self.option} has a value that is not allowed",
            body=(f"Found:    {self.value!r}.", f"Expected: {self.expected}."),
            fixes=(
                (
                    f"Correct the variable {variable}, or {self.option} in the pip.conf of a service "
                    "binding or of the build image."
                ),
                "Remove it to use pip's default.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("index-url", "nonsense", "an address, which begins with https://")


class IncludeMissing(AppError):
    """A requirements file includes a file that cannot be opened."""

    file: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} is included but cannot be opened",
            body=(
                f"A line with -r or -c names {self.file}: {self.problem}.",
                "Such paths are relative to the file that includes them.",
            ),
            fixes=(
                *(("Write / in place of \\ in the path.",) if "\\" in self.file else ()),
                "Correct the path.",
                "Remove the line.",
                (
                    "If you have the file on your machine, check that it is in the repository, and "
                    "that no .gitignore or project.toml excludes it."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("/workspace/prod.txt", "No such file or directory")


class NotAPackage(AppError):
    """A path to install is not a Python project."""

    path: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.path} is not a Python project",
            body=(
                f"Found:    the requirement {self.path}.",
                "Expected: a directory with pyproject.toml or setup.py.",
            ),
            fixes=(
                "Add a pyproject.toml to it.",
                "If it is a Git submodule, fetch it before the build: git submodule update --init",
                "Remove the line: the app can import its own modules without installing them.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("./libs")


class BadConstraint(AppError):
    """A line of a constraints file has a form that constraints must not have."""

    problem: str
    """As pip reports it."""

    @override
    def describe(self) -> Message:
        return Message(
            title="A line of a constraints file is not valid",
            body=(
                f"Reason:   {self.problem}.",
                "Expected: a name and a range of versions, without extras, such as requests<3",
            ),
            fixes=(
                "Remove the extras in brackets from the lines of the file.",
                (
                    "If pip-compile writes the file, let it leave them out: pip-compile "
                    "--strip-extras"
                ),
                "Read it as requirements: -r in place of -c.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Constraints cannot have extras")


class MisleadingName(AppError):
    """A requirement names something other than a package."""

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


def no_such_extra(name: str, version: str, extra: str, provided: tuple[str, ...]) -> Message:
    """Return the warning that release *version* of *name* has no *extra*, as pip has it.

    *provided*: the extras that it has.
    """
    nearest = next(iter(get_close_matches(extra, provided, n=1)), "")
    advice = (f"Did you mean {name}[{nearest}]?",) if nearest else ()
    extras = f"It has {listed(provided)}." if provided else "It has no extras."
    return Message(
        title=f"{name} {version} does not provide the extra {extra}",
        body=(f"Nothing is installed for {name}[{extra}]. {extras}", *advice),
    )
