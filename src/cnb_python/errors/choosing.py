"""Requirements, lock files and package managers that are missing or contradict each other."""

from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message, OutsideError, listed

_SHOWN_NAMES = 30
_SETTING = "BP_PYTHON_MANAGER"


class NoRequirements(AppError):
    """The app has no file that says which packages to install."""

    misspelt: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files for another purpose: `requirements-dev.txt`, `requirements`."""
    names: tuple[str, ...]
    """The files and directories at the top of the app."""
    elsewhere: tuple[str, ...]
    """Directories below it that contain an app."""

    @override
    def describe(self) -> Message:
        if self.misspelt:
            return _misspelt(self.misspelt)
        if self.variants:
            return _variants(self.variants)
        return _nothing(self.names, self.elsewhere)

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(misspelt=(), variants=(), names=("README.md", "main.py"), elsewhere=())


type UnreadForm = Literal["pip-tools", "setup.cfg", "conda", "pixi", "script"]

# What the file, {0}, is, and what may fix it.
_FORMS: dict[UnreadForm, tuple[str, ...]] = {
    "pip-tools": (
        "the source that pip-compile or uv makes requirements.txt from",
        "Pin the packages, and commit the result: uv pip compile {0} -o requirements.txt",
        "If each build should install the newest releases, set BP_PYTHON_REQUIREMENTS={0}",
    ),
    "setup.cfg": (
        "the metadata of a project for setuptools, which tools read only next to a pyproject.toml",
        (
            'Add a pyproject.toml with the lines [build-system], requires = ["setuptools"] and '
            'build-backend = "setuptools.build_meta"'
        ),
    ),
    "conda": (
        "an environment of conda, which this buildpack does not support",
        (
            "List the packages in requirements.txt by their names on PyPI. Those below `pip:` have "
            "them already."
        ),
        "If the app needs packages that only conda has, use another buildpack or a Dockerfile.",
    ),
    "pixi": (
        "a workspace of pixi, which this buildpack does not support",
        (
            "List the packages in requirements.txt by their names on PyPI. Those of "
            "[pypi-dependencies] have them already."
        ),
        "If the app needs packages that only conda has, use another buildpack or a Dockerfile.",
    ),
    "script": (
        "a script with its own list of packages (PEP 723)",
        "Pin the packages, and commit the result: uv export --script {0} -o requirements.txt",
    ),
}


class DeclarationNotRead(AppError):
    """The only file that names the app's packages has a form that no package manager installs."""

    file: str
    form: UnreadForm

    @override
    def describe(self) -> Message:
        form, *fixes = _FORMS[self.form]
        file = _visible(self.file)
        return Message(
            title=f"The packages in {file} are not installed",
            body=(
                f"Found:    {file}, {form}.",
                "Expected: requirements.txt, a lock file, pyproject.toml or setup.py.",
            ),
            fixes=tuple(fix.format(file) for fix in fixes),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("environment.yml", "conda")


class SeveralManagers(AppError):
    """The app has the files of more than one package manager."""

    files: tuple[tuple[str, str], ...]
    """File and manager, in a fixed order."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The app has the files of more than one package manager",
            body=(
                "Found:",
                *(f"  - {file} ({manager})" for file, manager in self.files),
                "Each would install its own set of packages, so one of them has to be chosen.",
            ),
            fixes=(
                "Keep the file of the manager that you use, and delete the others.",
                f"Keep all files, and choose the manager: {_SETTING}={self.files[0][1]}",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls((("requirements.txt", "pip"), ("uv.lock", "uv")))


class ChosenManagerMissing(AppError):
    """The app has no file of the package manager that the user chose."""

    chosen: str
    expected: str
    """The file of that manager; empty: the buildpack does not know the manager."""
    files: tuple[tuple[str, str], ...]
    """File and manager of those that the app has."""

    @override
    def describe(self) -> Message:
        files = tuple(f"  - {file} ({manager})" for file, manager in self.files)
        correct = f"Change or remove the setting {_SETTING}."
        return Message(
            title=f"{_SETTING}={self.chosen}, but the app has no {self.expected}"
            if self.expected
            else f"{_SETTING}={self.chosen}, which is not a package manager of this buildpack",
            body=("The app has:", *files)
            if files
            else ("The app has no file of a package manager.",),
            fixes=(f"Add {self.expected} to the app.", correct) if self.expected else (correct,),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("uv", "uv.lock", (("requirements.txt", "pip"),))


class ForbiddenVariables(OutsideError):
    """Environment variables are set that the build does not support."""

    variables: tuple[tuple[str, str], ...]
    """Name and effect."""

    @override
    def describe(self) -> Message:
        return Message(
            title="Unsupported environment variables are set",
            body=(
                "Found:",
                *(f"  - {name}: {effect}" for name, effect in self.variables),
                (
                    "With them, packages would be missing in the image or made for another Python, or "
                    "the variable would have no effect."
                ),
            ),
            fixes=(
                (
                    "Remove them from the environment of the build (`--env`, project.toml, the "
                    "platform)."
                ),
                "If you did not set them, find the earlier buildpack that does.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            (
                ("PIP_TARGET", "pip would install outside the app's environment"),
                ("PIP_USER", "pip would install to the home of the build's user"),
            )
        )


class ForbiddenPipOptions(OutsideError):
    """A configuration file of pip sets options that the build does not support."""

    file: str
    options: tuple[tuple[str, str], ...]
    """Name, as in the file, and effect."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} sets unsupported options",
            body=(
                f"pip reads {self.file}, which sets for `pip install`:",
                *(f"  - {name}: {effect}" for name, effect in self.options),
                "With them, packages would be missing in the image.",
            ),
            fixes=(
                f"Remove these lines from {self.file}. Indexes, proxies and certificates may stay.",
                (
                    "If you cannot change the file, set PIP_CONFIG_FILE=/dev/null for the build, or "
                    "the path of another file."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "/etc/pip.conf",
            (("target", "pip would install outside the app's environment"),),
        )


class UnreadablePipConfig(OutsideError):
    """A configuration file of pip, which may name an index, cannot be read."""

    file: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} cannot be read",
            body=(
                "Found:    a file that pip cannot read as its configuration.",
                "Expected: sections with options, such as [global] and index-url = https://...",
                "The file may name an index. Without it, the build would ask the public one.",
            ),
            fixes=(
                f"Correct {self.file}, and test it on your machine: pip config debug",
                (
                    "If the build does not need it, set PIP_CONFIG_FILE for the build to /dev/null, "
                    "or to the path of another file."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("/etc/pip.conf")


class DevelopmentConflict(AppError):
    """The app's packages for development need another release of a package of production."""

    package: str
    production: str
    """The release that production has."""
    production_file: str
    development: str
    """What development needs: `django<5`, `django==4.2.1`."""
    development_file: str
    """With the line, if it is known."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The packages for tests contradict those of production: {self.package}",
            body=(
                f"Production:  {self.package}=={self.production}, from {self.production_file}",
                f"Tests:       {self.development}, from {self.development_file}",
                "Tests run with the packages of production, so both have to allow the same release.",
            ),
            fixes=(
                f"Change or remove {self.development} in {self.development_file}.",
                f"Change the release of {self.package} in {self.production_file}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("flask", "3.1.2", "requirements.txt", "flask<3", "requirements-dev.txt, line 2")


class BadDependencyGroup(AppError):
    """A group of `[dependency-groups]` cannot be read."""

    group: str
    problem: str
    """As the library `packaging` reports it."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The dependency group {self.group} cannot be read",
            body=(
                f"[dependency-groups] in pyproject.toml: {self.problem}",
                'A group is a list of requirements, such as "pytest>=8", and of other groups:',
                '    dev = ["pytest>=8", { include-group = "lint" }]',
            ),
            fixes=(f"Correct the group {self.group}, and the groups that it includes.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("dev", "Dependency group 'lint' not found")


class UnknownExecutionEnvironment(AppError):
    """The platform names an execution environment that this buildpack does not know."""

    value: str
    """Of `CNB_EXEC_ENV`."""
    available: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The execution environment {self.value} is not known",
            body=(
                f"Found:    CNB_EXEC_ENV={self.value}, set by the platform.",
                f"Expected: one of {', '.join(self.available)}",
            ),
            fixes=(
                "Choose one of these: pack build --exec-env test",
                (
                    "If other buildpacks need this value, choose another one for Python alone: "
                    "BP_PYTHON_EXEC_ENV=production"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("staging", ("production", "test", "development"))


def _misspelt(names: tuple[str, ...]) -> Message:
    names = tuple(map(_visible, names))
    return Message(
        title=f"No requirements.txt, but {names[0]}",
        body=(
            f"Found:    {listed(names, ' and ')}, which no tool reads.",
            "Expected: requirements.txt, in lower-case letters.",
        ),
        fixes=(f"Rename it: git mv '{names[0]}' requirements.txt",),
    )


def _variants(names: tuple[str, ...]) -> Message:
    file = names[0] if names[0].endswith(".txt") else f"{names[0]}/production.txt"
    return Message(
        title="No requirements.txt at the top of the app",
        body=(
            f"Found:    {listed(names, ' and ')}, which may be for another purpose.",
            "Expected: requirements.txt, with the packages that the image needs.",
        ),
        fixes=(
            f"Name the file in a setting: BP_PYTHON_REQUIREMENTS={file}",
            f"Create requirements.txt with a line for each file that the image needs: -r {file}",
        ),
    )


def _nothing(names: tuple[str, ...], elsewhere: tuple[str, ...]) -> Message:
    shown = listed(map(_visible, names), most=_SHOWN_NAMES)
    declare = (
        "Declare the packages in pyproject.toml: it has neither [project] nor [build-system]."
        if "pyproject.toml" in names
        else "Create requirements.txt at the top of the app, one package per line: flask==3.1.2"
    )
    return Message(
        title="No requirements.txt",
        body=(
            "This looks like a Python app, but no file says which packages it needs.",
            f"The top of the app contains {shown}.",
            *((f"Apps in directories below it: {listed(elsewhere)}",) if elsewhere else ()),
        ),
        fixes=(
            *(f"Choose the app's directory: BP_PYTHON_PROJECT={name}" for name in elsewhere[:1]),
            declare,
            "If the app needs no packages, create an empty file: touch requirements.txt",
            (
                "If you have the file on your machine, check that it is in the repository, and that "
                "no .gitignore or project.toml excludes it."
            ),
        ),
    )


def _visible(name: str) -> str:
    """Return a file's *name* on one line: a line break in it could imitate a line of the log."""
    return "".join(
        char
        if char.isprintable()
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in name
    )
