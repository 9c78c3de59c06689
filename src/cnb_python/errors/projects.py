"""Projects in the app's own directories that cannot be built as packages, by reason.

Separate from `managers/project_errors`, since an error and its message have one home.
"""

from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message

type ProjectReason = Literal[
    "several packages",
    "no files",
    "missing file",
    "setuptools-scm",
    "pbr",
    "Git",
    "specifier",
    "parse_requirements",
    "removed module",
    "undeclared module",
    "pyproject",
    "Python 2",
    "refusal",
    "other",
]

_DEPENDENCIES_ALONE = (
    "If the app needs no installation, have only its dependencies installed: `package = false` "
    "below [tool.uv] in pyproject.toml, then `uv lock` if there is a uv.lock."
)
# The reason, with {0} for the detail, and what may fix it.
_REASONS: dict[ProjectReason, tuple[str, ...]] = {
    "several packages": (
        "setuptools finds several directories or modules to install ({0}), and does not choose.",
        (
            "Name those to install in pyproject.toml: `packages = [{0}]` below [tool.setuptools], or "
            "`py-modules` for single files."
        ),
        "Install only the dependencies: `py-modules = []` below [tool.setuptools].",
        _DEPENDENCIES_ALONE,
    ),
    "no files": (
        (
            "the build backend finds nothing to install: no directory or module has the name of the "
            "project."
        ),
        (
            'Name the directory in pyproject.toml. hatchling: `packages = ["api"]` below '
            "[tool.hatch.build.targets.wheel]; uv: `module-name` and `module-root` below "
            "[tool.uv.build-backend]; Poetry: `packages` below [tool.poetry]; flit: `name` below "
            "[tool.flit.module]."
        ),
        _DEPENDENCIES_ALONE,
    ),
    "missing file": (
        "the file {0} is missing.",
        "Add {0} to the repository, and check that no .gitignore or project.toml excludes it.",
        "Remove its name from pyproject.toml or setup.py.",
    ),
    "setuptools-scm": (
        "its version comes from Git, but a build gets the files without the directory .git.",
        "Set the version for the build: pack build --env SETUPTOOLS_SCM_PRETEND_VERSION=1.0",
        (
            'Give it a version for builds without Git in pyproject.toml: `fallback_version = "0"` '
            'below [tool.setuptools_scm], or `fallback-version = "0"` below [tool.hatch.version].'
        ),
    ),
    "pbr": (
        "its version comes from Git, but a build gets the files without the directory .git.",
        "Set the version for the build: pack build --env PBR_VERSION=1.0",
    ),
    "Git": (
        "it runs git, but a build gets the files without the directory .git.",
        "Write a fixed version into pyproject.toml or setup.py.",
        "Read the version from a variable, and set that for the build: pack build --env NAME=1.0",
    ),
    "specifier": (
        "a range of versions in pyproject.toml is not valid: {0}",
        (
            'Write ranges with operators: requires-python = ">=3.12", or "==3.12.*" for one '
            "release line."
        ),
    ),
    "parse_requirements": (
        "setup.py imports {0}, which is no interface of pip, and not installed for builds.",
        "Read the file in setup.py: install_requires=open('requirements.txt').read().splitlines()",
        "Move the requirements to `dependencies` below [project] in pyproject.toml.",
    ),
    "removed module": (
        "its build imports {0}, which current releases of Python or setuptools no longer have.",
        "Remove the import of {0} from setup.py.",
        (
            "If it is pkg_resources, use an older setuptools, in pyproject.toml: "
            '`requires = ["setuptools<82"]` below [build-system].'
        ),
    ),
    "undeclared module": (
        (
            "its build imports {0}, which is not installed for builds. Builds are isolated: they have "
            "only what [build-system] requires."
        ),
        "Do not import {0}, or modules of the app that do, in setup.py.",
        (
            "If the build needs {0}, add the package to `requires` below [build-system] in "
            "pyproject.toml."
        ),
    ),
    "pyproject": (
        "pyproject.toml is not valid: {0}",
        (
            "Correct pyproject.toml. With [build-system], it needs at least "
            '`requires = ["setuptools"]`.'
        ),
    ),
    "Python 2": (
        "its code is written for Python 2: {0}",
        "Convert setup.py, or the file that the output above names, to Python 3.",
    ),
    "refusal": (
        "its setup.py ended the build with: {0}",
        "Do what the message says.",
        "Remove the check from setup.py.",
    ),
    "other": (
        "{0}",
        (
            "Correct it in setup.py or pyproject.toml, and try it on your machine: pip wheel --no-deps "
            "{1}"
        ),
    ),
}


class ProjectNotBuildable(AppError):
    """A project of the app cannot be built as a package."""

    project: str
    """Its path in the app; empty: the app itself."""
    reason: ProjectReason
    detail: str
    """The packages, file, module or line of the reason; may be empty."""

    @override
    def describe(self) -> Message:
        reason, *fixes = _REASONS[self.reason]
        values = (self.detail, self.project or ".")
        return Message(
            title=f"{self.project or 'The app'} cannot be built as a package",
            body=(
                f"Its build failed: {reason.format(*values)}",
                "The complete output of the build is above.",
            ),
            fixes=tuple(fix.format(*values) for fix in fixes),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("", "several packages", "'web', 'api'")


class OwnNameRequired(AppError):
    """A project requires a package of its own name, which installers take for the project."""

    file: str
    name: str
    requirement: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The project {self.name} requires itself",
            body=(
                f"Found:    {self.requirement!r} in the dependencies of {self.file}.",
                (
                    "Expected: another name for the project. Installers take the requirement for the "
                    "project itself, so the package would be missing in the image."
                ),
            ),
            fixes=(
                (
                    f"If the app needs the package {self.name}, rename the project: "
                    f'name = "{self.name}-app"'
                ),
                f"If it does not, remove the requirement from {self.file}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pyproject.toml", "shop", "Shop>=1")
