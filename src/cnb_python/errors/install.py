"""Requirements and packages that cannot be installed."""

import re
from difflib import get_close_matches
from typing import Self, override

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
_HASH_FIXES = (
    (
        "Write the file with a tool that pins and hashes every package: "
        "pip-compile --generate-hashes, or uv export"
    ),
    "Remove every --hash.",
)


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


class DamagedPackage(AppError):
    """A wheel or an sdist is damaged."""

    package: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} is damaged",
            body=(f"Its file cannot be installed: {self.problem}.",),
            fixes=(
                "Build again: the download may have been incomplete.",
                (
                    "If the repository keeps it with Git LFS, fetch the files before the build: "
                    "git lfs pull"
                ),
                "If it comes from your own index or directory, build it and copy it there again.",
                "If the server sent a login page instead, give the build a login for that server.",
                "Use another version of it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        problem = "unable to locate the end of central directory record"
        return cls("broken-1.0-py3-none-any.whl", problem)


class HashMismatch(AppError):
    """A download does not have any of the expected hashes."""

    requirement: str
    expected: tuple[str, ...]
    got: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.requirement} does not have the expected hash",
            body=(
                f"Found:    {self.got}",
                *(f"Expected: {digest}" for digest in self.expected),
                (
                    "The hashes were not updated with the version, or the index now has another file. "
                    "It was not installed."
                ),
            ),
            fixes=(
                (
                    "If you changed the version, update its hashes: pip-compile --generate-hashes, "
                    "or uv export"
                ),
                "If you did not, find out where the file comes from before you trust it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "itsdangerous==2.2.0",
            (f"sha256 {'0' * 64}",),
            "c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef",
        )


class HashMissing(AppError):
    """Some requirements have hashes and others have none."""

    lines: tuple[str, ...]
    """The requirements without a hash, with the hash they would need."""

    @override
    def describe(self) -> Message:
        return Message(
            title="Some requirements have no hash",
            body=(
                (
                    "If one requirement has a --hash, all need one, including the dependencies of "
                    "packages. Missing:"
                ),
                *(f"  {line}" for line in self.lines),
            ),
            fixes=(
                *_with_unsafe(self.lines),
                *_HASH_FIXES,
                "Add the lines above, if you trust these files.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        digest = "63c132bbbed01578a06712a2d1f497bb62d9c1c0d329b7903a866228027263b2"
        return cls((f"click==8.1.8 --hash=sha256:{digest}",))


class NotPinned(AppError):
    """Requirements with hashes are incomplete or not pinned."""

    requirements: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="Requirements with hashes must be complete and pinned",
            body=(
                (
                    "If one requirement has a --hash, all must be written as name==version, including "
                    "the dependencies of packages. Not pinned:"
                ),
                *(f"  - {requirement}" for requirement in self.requirements),
            ),
            fixes=(*_with_unsafe(self.requirements), *_HASH_FIXES),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("blinker>=1.9.0",))


def _with_unsafe(requirements: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fix for packages that pip-compile leaves out by default."""
    if not any(
        re.match(r"(?:setuptools|pip|distribute)(?![\w.-])", each) for each in requirements
    ):
        return ()
    return (
        "Write the file with setuptools and pip in it: pip-compile --allow-unsafe --generate-hashes",
    )


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


class PathConflict(AppError):
    """Two packages need the same path, one as a file and the other as a directory."""

    path: str
    file_of: str
    directory_of: str

    @override
    def describe(self) -> Message:
        both = f"{self.file_of} and {self.directory_of}"
        return Message(
            title=f"{both} cannot be installed together",
            body=(
                f"{self.file_of} contains the file {self.path}.",
                f"{self.directory_of} needs a directory of that name.",
            ),
            fixes=(
                f"Remove one of {both} from the requirements, or the package that requires it.",
                "Use other versions of them, which do not conflict.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("lib/python3.14/site-packages/x", "cv", "cv-headless")


class InstallFailed(AppError):
    """A package manager failed for an unknown reason."""

    manager: str
    command: str
    code: int
    last_words: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.manager} could not install the app's packages",
            body=(
                f"`{self.command}` ended with exit code {self.code}. Its last lines:",
                *(f"  {line}" for line in self.last_words),
                "The complete output is above. The first error in it is usually the cause.",
            ),
            fixes=("Run the command on your machine, in a new virtual environment.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "pip", "pip install -r requirements.txt", 1, ("ERROR: Operation cancelled by user",)
        )


class UvRefused(AppError):
    """uv failed for an unknown reason."""

    command: str
    code: int
    reasons: tuple[str, ...]
    """As uv reports them."""

    @override
    def describe(self) -> Message:
        return Message(
            title="uv could not install the app's packages",
            body=(
                f"`{self.command}` ended with exit code {self.code}. uv reports:",
                *(f"  {reason}" for reason in self.reasons),
            ),
            fixes=(
                "Correct this in the app's files, or in uv's settings.",
                "If BP_PYTHON_INSTALLER=uv is set for a requirements.txt, remove it to use pip.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "uv export --locked --no-default-groups",
            2,
            ("Failed to parse `uv.lock`", "cause: line 3"),
        )


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
