"""Settings, service bindings and Procfiles that cannot be used."""

from collections.abc import Mapping
from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message, OutsideError, Whole, listed

type ProcfileProblem = Literal[
    "no colon", "type", "no command", "twice", "open quote", "control character"
]

_PROBLEMS: dict[ProcfileProblem, str] = {
    "no colon": "no colon between process type and command",
    "type": "a process type may only have letters, digits, '.', '_' and '-'",
    "no command": "no command after the colon",
    "twice": "this process type is defined twice",
    "open quote": "a quotation mark or backslash without its counterpart",
    "control character": "the line contains invisible characters",
}
_SHOWN = 60


class BadArguments(OutsideError):
    """A command of the buildpack got an argument that it does not have."""

    argument: str
    usage: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The argument {self.argument} cannot be used",
            body=(f"Expected: {self.usage}",),
            fixes=("Correct the argument. APP must be the directory of an app.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("--jsn", "bin/explain [--json] [--previous FILE] [APP]")


class BadProcfile(AppError):
    """Lines of the Procfile are not valid."""

    problems: tuple[tuple[int, str, ProcfileProblem], ...]
    """Number from 1, text and problem of each line."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The Procfile is not valid",
            body=(
                "Found:",
                *(
                    f"  line {number}: {_PROBLEMS[problem]}: {_shown(text)}"
                    for number, text, problem in self.problems
                ),
                (
                    "Expected: one process per line, as in `web: gunicorn --bind 0.0.0.0:$PORT "
                    "app:app`. Comments start with # at the beginning of a line."
                ),
            ),
            fixes=("Correct these lines.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(((2, "gunicorn app", "no colon"),))


class CommandNeedsQuotes(AppError):
    """A shell cannot run commands of processes, because quotes are missing or misplaced."""

    commands: tuple[tuple[str, str, str], ...]
    """Origin, process type with its command, and what to write in its place."""

    @override
    def describe(self) -> Message:
        return Message(
            title="Commands of processes cannot start",
            body=(
                "Found:",
                *(f"  {origin}: {_shown(text)}" for origin, text, _ in self.commands),
                (
                    "Expected: quotes around an argument with parentheses, such as "
                    "'app:create_app()', and no quotes around a command as a whole."
                ),
            ),
            fixes=tuple(f"Write in {origin}: {line}" for origin, _, line in self.commands),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        command = "web: gunicorn app:create_app()"
        return cls((("Procfile, line 1", command, "web: gunicorn 'app:create_app()'"),))


class ProcessInEnvironment(AppError):
    """Processes start programs of a virtual environment that is not in the image."""

    references: tuple[tuple[str, str, str, str], ...]
    """Origin, process type, the path in the virtual environment, and its program."""

    @override
    def describe(self) -> Message:
        paths = {path: program for *_, path, program in self.references}
        activate = [path for path, program in paths.items() if program == "activate"]
        return Message(
            title="A process uses a virtual environment that is not in the image",
            body=(
                "Found:",
                *(f"  {origin}: {kind} uses {path}" for origin, kind, path, _ in self.references),
                (
                    "Expected: names of programs, since the programs of the image's own environment "
                    "are on PATH."
                ),
            ),
            steps=(
                *(
                    f"Replace `{path}` with `{program}`."
                    for path, program in paths.items()
                    if program != "activate"
                ),
                *(["Remove `activate`: it is not needed."] if activate else []),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls((("Procfile, line 1", "web", ".venv/bin/gunicorn", "gunicorn"),))


def _shown(text: str) -> str:
    visible = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return visible if len(visible) <= _SHOWN else f"{visible[:_SHOWN]}…"


class BadSettings(AppError):
    """Settings have values that are not allowed."""

    wrong: tuple[tuple[str, str, str, str], ...]
    """Name, origin, value as written, and what is expected as a noun phrase."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.wrong[0][0]} has a value that is not allowed"
            if len(self.wrong) == 1
            else f"{len(self.wrong)} settings have values that are not allowed",
            body=tuple(
                line
                for name, origin, value, expected in self.wrong
                for line in (
                    f"{name} ({origin}):",
                    f"  Found:    {value}",
                    f"  Expected: {expected}",
                )
            ),
            fixes=("Correct the value.", "Remove the setting to use its default."),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls((("layout", "BP_PYTHON_LAYOUT", "Merge", "one of linked, merged"),))


class UnknownSettings(AppError):
    """Settings do not exist."""

    unknown: tuple[tuple[str, str, str], ...]
    """Name, origin, and the most similar setting; empty: none is similar."""
    settings: tuple[tuple[str, str], ...]
    """Every setting, with its variable."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"There is no setting {self.unknown[0][0]}"
            if len(self.unknown) == 1
            else f"{len(self.unknown)} settings do not exist",
            body=(
                "Found:",
                *(
                    f"  - {name}{'' if name == origin else f' ({origin})'}"
                    + (f": did you mean {likely}?" if likely else "")
                    for name, origin, likely in self.unknown
                ),
                "Expected: one of these, in [tool.cnb-python] of pyproject.toml or as a variable:",
                *(Whole(f"  {name:<26}{variable}") for name, variable in self.settings),
            ),
            fixes=("Correct the name.", "Remove it: it has no effect."),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        names = (
            *("sticky", "manager", "poetry", "pipenv", "pdm", "requirements", "groups", "extras"),
            *("exec_env", "dev_groups", "dev_extras", "dev_requirements"),
            *("project", "installer", "layout", "build", "full", "system_packages", "libraries"),
            *(
                "collectstatic",
                "collectstatic_env",
                "collectstatic_secret_key",
                "collectstatic_record",
                "collectstatic_on_demand",
                "commands",
                "start",
                "processes",
                "health",
                "safe_path",
                "keep",
                "idle_timeout",
                "timeout",
                "cooldown",
                "cooldown_except",
                "audit",
                "audit_severity",
                "vex",
                "mirror",
            ),
        )
        return cls(
            (
                ("BP_PYTHON_INSTALER", "BP_PYTHON_INSTALER", "BP_PYTHON_INSTALLER"),
                ("layuot", "pyproject.toml, line 2", "layout"),
            ),
            (
                ("python", "BP_PYTHON_VERSION"),
                *((name, f"BP_PYTHON_{name.upper()}") for name in names),
            ),
        )


class NoSuchRequirements(AppError):
    """A setting names requirements files that the app does not have."""

    missing: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files and directories of another name at the top of the app."""

    @override
    def describe(self) -> Message:
        variants = tuple(f"  - {name}" for name in self.variants)
        return Message(
            title=f"The app has no {listed(self.missing, ' and no ')}",
            body=(
                (
                    "The settings requirements and dev_requirements name files that pip reads, "
                    "relative to the app."
                ),
                *(("The app has:", *variants) if variants else ()),
            ),
            fixes=(
                (
                    "Correct the setting: BP_PYTHON_REQUIREMENTS or BP_PYTHON_DEV_REQUIREMENTS, or "
                    "its key in [tool.cnb-python] of pyproject.toml."
                ),
                (
                    "If you have the file on your machine, check that it is in the repository, and "
                    "that no .gitignore or project.toml excludes it."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("api/prod.txt",), ("requirements",))


class NoSuchProject(AppError):
    """The setting `project` names a directory that does not exist."""

    project: str
    candidates: tuple[str, ...]
    """Directories that seem to contain an app."""

    @override
    def describe(self) -> Message:
        candidates = tuple(f"  - {path}" for path in self.candidates)
        return Message(
            title=f"There is no directory {self.project}",
            body=(
                (
                    f"The setting project names {self.project}, which does not exist in the "
                    "directory that is built, or is a link that leads out of it."
                ),
                *(("Directories that contain a Python app:", *candidates) if candidates else ()),
            ),
            fixes=(
                (
                    "Correct BP_PYTHON_PROJECT, or project in [tool.cnb-python] of pyproject.toml: a "
                    "path from the top of the repository, such as services/api."
                ),
                "Build from the top of the repository, if you built from a directory in it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("apy", ("api",))


type BindingProblem = Literal[
    "unknown key",
    "missing key",
    "several keys",
    "not an address",
    "no name",
    "not one line",
    "unreadable",
    "no certificate",
    "private key",
]

_TITLES: Mapping[BindingProblem, str] = {
    "unknown key": "has the unknown key {key}",
    "missing key": "has no key {key}",
    "several keys": "has two keys for the same value",
    "not an address": "has no address in {key}",
    "no name": "has an empty {key}",
    "not one line": "has no usable {key}",
    "unreadable": "has a {key} that cannot be read",
    "no certificate": "has no certificate in {key}",
    "private key": "has a private key in {key}",
}

_EXPECTED: Mapping[BindingProblem, str] = {
    "not an address": "Expected: an address such as https://HOST/simple/",
    "no name": "Expected: the name of an index in the app's files",
    "not one line": "Expected: a single line of text",
    "no certificate": "Expected: a text file in PEM form, -----BEGIN CERTIFICATE-----",
    "private key": "Expected: certificates alone. The build does not need the private key of an "
    "authority, and must not have it.",
}

_FIXES: Mapping[BindingProblem, str] = {
    "unknown key": "Rename the file {key} of the binding, or remove it.",
    "missing key": "Add a file {key} to the binding.",
    "several keys": "Keep one of {keys}.",
    "private key": "Remove the private key from {key}, and keep the certificate.",
}


class BadBinding(OutsideError):
    """A service binding has a wrong key, or a value that cannot be used."""

    name: str
    type: str
    key: str
    problem: BindingProblem
    details: tuple[str, ...]
    """The keys that are allowed, or what is wrong with a file that cannot be read; no values."""

    @override
    def describe(self) -> Message:
        words = {"key": self.key, "type": self.type, "keys": listed(self.details)}
        fix = _FIXES.get(self.problem, "Correct the file {key} of the binding.").format(**words)
        return Message(
            title=f"Service binding {self.name} {_TITLES[self.problem].format(**words)}",
            body=(
                f"It is a binding of type {self.type}.",
                *_reasons(self),
                (
                    f"A binding is a directory with a file type that contains {self.type}, and a file "
                    f"for each key: --volume /path/to/{self.name}:/platform/bindings/{self.name}"
                ),
                "On Cloud Foundry, it is a service whose credentials have these keys.",
            ),
            fixes=(fix,),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("company", "pypi", "usrname", "unknown key", ("url", "username", "password"))


class SeveralBindings(OutsideError):
    """Several service bindings set what can only be set once."""

    type: str
    names: tuple[str, ...]
    key: str

    @override
    def describe(self) -> Message:
        is_index = self.type == "pypi"
        title = f"{len(self.names)} service bindings of type {self.type} cannot be combined"
        names = f"Found:    {listed(self.names, ' and ')}, which each have a {self.key}."
        if not is_index:
            return Message(
                title=title,
                body=(names, f"Expected: one {self.key}, since {self.type} reads only one."),
                fixes=(f"Merge them into one binding with one {self.key}.",),
            )
        return Message(
            title=title,
            body=(names, "Expected: one, since there is one default index."),
            fixes=(
                "Keep the key url in one of them, and rename it to extra-index-url in the others.",
                (
                    "If a binding is only the login of an index in the app's files, replace url with "
                    "the key name: the index's name in these files."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pip", ("company", "team"), "pip.conf")


def _reasons(failure: BadBinding) -> tuple[str, ...]:
    keys = listed(failure.details)
    match failure.problem:
        case "unknown key":
            from difflib import get_close_matches  # noqa: PLC0415 - for misspelt keys

            near = get_close_matches(failure.key.lower(), failure.details, n=1, cutoff=0.5)
            meant = (f"Did you mean {near[0]}?",) if near else ()
            return (f"Expected: one of the keys {keys}", *meant)
        case "missing key":
            return (f"Expected: {'one of the keys' if len(failure.details) > 1 else 'a'} {keys}",)
        case "several keys":
            return (f"Expected: one of the keys {keys}",)
        case "unreadable":
            return tuple(f"Found:    {detail}" for detail in failure.details)
        case _:
            return (_EXPECTED[failure.problem],)
