"""Service bindings that cannot be used."""

from collections.abc import Mapping
from typing import Literal, override

from cnb_python.errors.base import OutsideError
from cnb_python.errors.message import Message

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
