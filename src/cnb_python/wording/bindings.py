"""The words for service bindings that do not say what they have to; never what they do say."""

from collections.abc import Mapping
from difflib import get_close_matches

from cnb_python.errors.bindings import BadBinding, BindingProblem, SeveralBindings
from cnb_python.wording.message import Message

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


def bad_binding(failure: BadBinding) -> Message:
    """Name the binding and the key."""
    words = {"key": failure.key, "type": failure.type, "keys": ", ".join(failure.details)}
    settled = _SETTLED.get(failure.problem, "Correct {key} in the binding.").format(**words)
    return Message(
        title=f"Service binding {failure.name} {_TITLES[failure.problem].format(**words)}",
        body=(f"It is a binding of type {failure.type}.", *_found(failure)),
        steps=(settled, _how_to_mount(failure.name, failure.type)),
    )


def several_bindings(failure: SeveralBindings) -> Message:
    """One would hide the others without a word."""
    is_index = failure.type == "pypi"
    steps = (
        "Let one of them have the key url, and the others extra-index-url in its place.",
        "A login for an index that the app's files name needs no address: give it its name.",
    )
    return Message(
        title=f"{len(failure.names)} service bindings of type {failure.type} exclude each other",
        body=(
            f"They are {' and '.join(failure.names)}.",
            "Each names the usual index, and there is one."
            if is_index
            else f"Each has a {failure.key}, and {failure.type} reads one.",
        ),
        steps=steps if is_index else (f"Put what they say into one {failure.key}.",),
    )


def _found(failure: BadBinding) -> tuple[str, ...]:
    keys = ", ".join(failure.details)
    match failure.problem:
        case "unknown key":
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
