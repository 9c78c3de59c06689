"""Images for tests and development that cannot be built.

Separate from `managers/development/manager`, since an error and its message have one home.
"""

from typing import Self, override

from cnb_python.errors.base import AppError, Message


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
                    "If other buildpacks need this one, choose for Python alone: "
                    "BP_PYTHON_EXEC_ENV=production"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("staging", ("production", "test", "development"))


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
                "Tests run with the packages of production, so both have to allow one release.",
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
