"""Service bindings that cannot be used."""

from collections.abc import Mapping
from typing import Literal, override

from cnb_python.errors.base import AppError, Message, OutsideError


class BadSettings(AppError):
    """Settings have values that they cannot have."""

    wrong: tuple[tuple[str, str, str, str], ...]
    """Name, who gave it, what it is as written, and what is expected as a noun phrase."""

    @override
    def describe(self) -> Message:
        first = self.wrong[0][0]
        return Message(
            title=f"{first} cannot have this value"
            if len(self.wrong) == 1
            else f"{len(self.wrong)} settings have values that they cannot have",
            body=tuple(
                line
                for name, origin, found, expected in self.wrong
                for line in (
                    f"{name}, by {origin}:",
                    f"  Found:    {found}",
                    f"  Expected: {expected}",
                )
            ),
            steps=("Correct it there, or remove it to have the default.",),
        )


class UnknownSettings(AppError):
    """Settings were given that do not exist."""

    found: tuple[tuple[str, str, str], ...]
    """Name, who gave it, and the one that was probably meant, empty where none is similar."""
    known: tuple[tuple[str, str], ...]
    """Every setting, with its variable."""

    @override
    def describe(self) -> Message:
        first = self.found[0][0]
        return Message(
            title=f"There is no setting {first}"
            if len(self.found) == 1
            else f"{len(self.found)} settings do not exist",
            body=(
                *(
                    f"  - {name}{'' if name == origin else f' ({origin})'}"
                    + (f": did you mean {likely}?" if likely else "")
                    for name, origin, likely in self.found
                ),
                "The settings, as [tool.cnb-python] in pyproject.toml and as variables have them:",
                *(f"  {name:<14}{variable}" for name, variable in self.known),
            ),
            steps=("Correct the name, or remove it: a setting that nobody reads has no effect.",),
        )


class NoSuchRequirements(AppError):
    """Requirements files that a setting names, and the app does not have."""

    missing: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files and directories of another name at the top of the app."""

    @override
    def describe(self) -> Message:
        variants = tuple(f"  - {one}" for one in self.variants)
        return Message(
            title=f"The app has no {' and no '.join(self.missing)}",
            body=(
                "The setting requirements names every file that pip reads, relative to the app.",
                *(("The app has:", *variants) if variants else ()),
            ),
            steps=(
                "Correct BP_PYTHON_REQUIREMENTS, or requirements in [tool.cnb-python].",
                "If you have the file on your machine: is it committed, and in no .gitignore?",
            ),
        )


class NoSuchProject(AppError):
    """The app is said to be in a directory that is none of the repository."""

    project: str
    candidates: tuple[str, ...]
    """Directories that seem to hold an app."""

    @override
    def describe(self) -> Message:
        candidates = tuple(f"  - {one}" for one in self.candidates)
        return Message(
            title=f"The app has no directory {self.project}",
            body=(
                (
                    f"The setting project names {self.project}, which is no directory of what is "
                    "being built, or a link that leads out of it."
                ),
                *(("These hold a Python app:", *candidates) if candidates else ()),
            ),
            steps=(
                (
                    "Correct BP_PYTHON_PROJECT, or project in [tool.cnb-python]: a path from the top "
                    "of the repository, such as services/api."
                ),
                "Build from the top of the repository: what is not there cannot be found.",
            ),
        )


_TITLES: Mapping[BindingProblem, str] = {
    "unknown key": "has the key {key}, which no binding of type {type} has",
    "missing key": "has no {key}",
    "said twice": "says the same twice",
    "no address": "names no index: {key} is no web address",
    "no name": "has an empty {key}",
    "no secret": "has no usable {key}",
    "unreadable": "has a {key} that cannot be read",
    "no certificate": "has no certificate in {key}",
    "private key": "has a private key in {key}",
}

_EXPECTED: Mapping[BindingProblem, str] = {
    "no address": "It has to start with https:// or http://, such as https://HOST/simple/.",
    "no name": "It has to be what the app's files call the index.",
    "no secret": "It has to be one line of text that is not empty.",
    "no certificate": "It has to be a text file in PEM form: -----BEGIN CERTIFICATE----- ...",
    "private key": "Whoever holds it can pose as the authority; nobody needs it to trust one.",
}

_SETTLED: Mapping[BindingProblem, str] = {
    "unknown key": "Remove {key} from the binding, or give it the name that was meant.",
    "missing key": "Add a file called {key} to the binding.",
    "said twice": "Keep one of {keys}.",
    "private key": "Remove the key from the binding, and leave the certificate.",
}


type BindingProblem = Literal[
    "unknown key",
    "missing key",
    "said twice",
    "no address",
    "no name",
    "no secret",
    "unreadable",
    "no certificate",
    "private key",
]


class BadBinding(OutsideError):
    """A service binding does not say what one of its type has to. Never holds what it says."""

    name: str
    type: str
    key: str
    problem: BindingProblem
    details: tuple[str, ...]
    """The keys that would do, or where what cannot be read stands."""

    @override
    def describe(self) -> Message:
        words = {"key": self.key, "type": self.type, "keys": ", ".join(self.details)}
        settled = _SETTLED.get(self.problem, "Correct {key} in the binding.").format(**words)
        return Message(
            title=f"Service binding {self.name} {_TITLES[self.problem].format(**words)}",
            body=(f"It is a binding of type {self.type}.", *_found(self)),
            steps=(settled, _how_to_mount(self.name, self.type)),
        )


class SeveralBindings(OutsideError):
    """Service bindings of which only one can count."""

    type: str
    names: tuple[str, ...]
    key: str

    @override
    def describe(self) -> Message:
        is_index = self.type == "pypi"
        steps = (
            "Let one of them have the key url, and the others extra-index-url in its place.",
            "A login for an index that the app's files name needs no address: give it its name.",
        )
        return Message(
            title=f"{len(self.names)} service bindings of type {self.type} exclude each other",
            body=(
                f"They are {' and '.join(self.names)}.",
                "Each names the usual index, and there is one."
                if is_index
                else f"Each has a {self.key}, and {self.type} reads one.",
            ),
            steps=steps if is_index else (f"Put what they say into one {self.key}.",),
        )


def _found(failure: BadBinding) -> tuple[str, ...]:
    keys = ", ".join(failure.details)
    match failure.problem:
        case "unknown key":
            from difflib import get_close_matches  # noqa: PLC0415 - for misspelt keys

            near = get_close_matches(failure.key.lower(), failure.details, n=1, cutoff=0.5)
            meant = (f"Did you mean {near[0]}?",) if near else ()
            return (f"The keys of that type are: {keys}.", *meant)
        case "missing key":
            return (f"It has to have {'one of ' * (len(failure.details) > 1)}{keys}.",)
        case "said twice":
            return (f"One of these says all: {keys}.",)
        case "unreadable":
            return tuple(f"What is wrong: {detail}." for detail in failure.details)
        case _:
            return (_EXPECTED[failure.problem],)


def _how_to_mount(name: str, kind: str) -> str:
    return (
        f"A binding is a directory with a file for each key, and one called type that says {kind}:"
        f" pack build --volume /path/to/{name}:/platform/bindings/{name} ..."
    )
