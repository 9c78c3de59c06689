"""The kinds of settings: what values each may have, as text in a variable and in TOML.

Separate from `settings`, which is the table alone.
"""

import re
from typing import NamedTuple, Protocol

from cnb_python.cnb.toml import TomlValue
from cnb_python.config.build_commands import BuildCommand
from cnb_python.system.redaction import shown
from cnb_python.system.secret_values import shell_words


class Variable(NamedTuple):
    """An environment variable for one command."""

    name: str
    value: str
    """It may be a secret, so it is never displayed."""


type Value = str | bool | int | tuple[str, ...] | tuple[Variable, ...] | tuple[BuildCommand, ...]

# Letters, digits, `.`, `_`, `-` (buildpack.md, launch.toml), a colon, and a command.
_COMMAND = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*:\s*(?:[^\s\x00-\x1f\x7f#][^\x00-\x08\x0a-\x1f\x7f]*)?"
)

# As Go reads booleans, and with it most platforms' settings.
_BOOLEANS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

_HOURS = {"h": 1, "d": 24, "w": 24 * 7}
# A number of hours that dates can be computed with.
_AGE = re.compile(r"(?P<number>[0-9]{1,5}) *(?P<unit>h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
_ISO_AGE = re.compile(
    r"P(?:(?=[0-9]+[DW])|T(?=[0-9]+H))(?P<number>[0-9]{1,5})(?P<unit>[DWH])", re.IGNORECASE
)
_DIGITS = re.compile(r"[0-9]{1,9}")
_MOST_SECONDS = 10**9 - 1
# The name and the value of a variable. https://pubs.opengroup.org/onlinepubs/9799919799/
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^\x00]*)")

# A URL, or the login of one without a scheme.
_URL_PATH = re.compile(r"/[!-~]*")
_URL = re.compile(r"://|[^\s/]:[^\s]*@")


class SettingOrigin(NamedTuple):
    """The variable, or the file and line, that a value comes from."""

    name: str
    """The variable, or the file relative to the top of the app."""
    line: int | None = None
    """From 1; None for a variable, and if the line is not recognised."""

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}, line {self.line}"


class Kind(Protocol):
    """What a value may be. The methods return None for a value that is not allowed."""

    @property
    def in_toml(self) -> str:
        """What is expected in TOML, as a noun phrase."""
        ...

    @property
    def in_variable(self) -> str:
        """What is expected in a variable, as a noun phrase."""
        ...

    def from_toml(self, value: TomlValue) -> Value | None:
        """Return the value that *value* stands for."""
        ...

    def from_text(self, text: str) -> Value | None:
        """Return the value that *text*, stripped and not empty, stands for."""
        ...


class Setting(NamedTuple):
    """A setting: its names, its kind and its meaning."""

    name: str
    """The key in `[tool.cnb-python]`, and the field of `Settings`."""
    variable: str
    kind: Kind
    meaning: str
    """A sentence or two for the documentation."""


class OneOf(NamedTuple):
    """One of a few words, in upper or lower case."""

    words: tuple[str, ...]

    @property
    def in_toml(self) -> str:
        """Return the choice, quoted."""
        return f"one of {', '.join(f'"{word}"' for word in self.words)}"

    @property
    def in_variable(self) -> str:
        """Return the choice."""
        return f"one of {', '.join(self.words)}"

    def from_toml(self, value: TomlValue) -> str | None:
        """Return the word in lower case."""
        return self.from_text(value) if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return the word in lower case."""
        word = text.strip().lower()
        return word if word in self.words else None


class Flag(NamedTuple):
    """Yes or no."""

    in_toml: str = "true or false, without quotes"
    in_variable: str = f"one of {', '.join(_BOOLEANS)}"

    def from_toml(self, value: TomlValue) -> bool | None:
        """Return *value* if it is a boolean."""
        return value if isinstance(value, bool) else None

    def from_text(self, text: str) -> bool | None:
        """Return whether *text* means yes."""
        return _BOOLEANS.get(text.lower())


class Seconds(NamedTuple):
    """A time; 0 has a meaning of its own, which the setting describes."""

    example: int

    @property
    def in_toml(self) -> str:
        """Return an example."""
        return f"a whole number of seconds without quotes, such as {self.example}"

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"a whole number of seconds, such as {self.example}"

    def from_toml(self, value: TomlValue) -> int | None:
        """Return *value* if it is a number that is not negative, and not too large to wait."""
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if 0 <= value <= _MOST_SECONDS else None

    def from_text(self, text: str) -> int | None:
        """Return the number in *text*."""
        return self.from_toml(int(text)) if _DIGITS.fullmatch(text) else None


class Age(NamedTuple):
    """A number of hours, days or weeks, as uv (`7 days`) and ISO 8601 (`P7D`) write it.

    The value is the same in its usual form: `7 days`.
    """

    example: str

    @property
    def in_toml(self) -> str:
        """Return an example, quoted."""
        return f'a number of hours, days or weeks in quotes, such as "{self.example}"'

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"a number of hours, days or weeks, such as {self.example}"

    def from_toml(self, value: TomlValue) -> str | None:
        """Return *value* as `from_text` does."""
        return self.from_text(value.strip()) if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return *text* in its usual form: `7 days`, `36 hours`; empty: no age."""
        if not text:
            return ""
        match = _AGE.fullmatch(text) or _ISO_AGE.fullmatch(text)
        if not match:
            return None
        number, unit = int(match["number"]), match["unit"][0].lower()
        hours = number * _HOURS[unit]
        count, name = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
        return f"{count} {name}{'' if count == 1 else 's'}" if count else ""


def age_in_hours(text: str) -> int:
    """Return the hours of an age in its usual form.

    >>> age_in_hours("7 days"), age_in_hours("36 hours"), age_in_hours("")
    (168, 36, 0)
    """
    number, _, unit = text.partition(" ")
    return int(number) * _HOURS[unit[0]] if number else 0


class Text(NamedTuple):
    """Any text; the code that uses it checks it."""

    example: str

    @property
    def in_toml(self) -> str:
        """Return an example, quoted."""
        return f'text in quotes, such as "{self.example}"'

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"text, such as {self.example}"

    def from_toml(self, value: TomlValue) -> str | None:
        """Return *value* if it is text."""
        return value.strip() if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return *text*."""
        return text


class UrlPath(NamedTuple):
    """The path of a URL, perhaps with a query: `/healthz`."""

    example: str

    @property
    def in_toml(self) -> str:
        """Return an example, quoted."""
        return f'a path that starts with /, such as "{self.example}"'

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"a path that starts with /, such as {self.example}"

    def from_toml(self, value: TomlValue) -> str | None:
        """Return *value* if it is a path."""
        return self.from_text(value.strip()) if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return *text* if it is a path; RFC 3986 allows visible ASCII only."""
        return text if not text or _URL_PATH.fullmatch(text) else None


class Names(NamedTuple):
    """Any number of names, each once, in the order in which they were given."""

    example: tuple[str, ...]

    @property
    def in_toml(self) -> str:
        """Return an example as a list."""
        return f"a list of texts, such as [{', '.join(f'"{name}"' for name in self.example)}]"

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"names separated by commas or spaces, such as {','.join(self.example)}"

    def from_toml(self, value: TomlValue) -> tuple[str, ...] | None:
        """Return *value* if it is a list of texts that are not empty."""
        if not isinstance(value, list):
            return None
        texts = [text.strip() for text in value if isinstance(text, str) and text.strip()]
        return tuple(dict.fromkeys(texts)) if len(texts) == len(value) else None

    def from_text(self, text: str) -> tuple[str, ...]:
        """Return the names in *text*."""
        return tuple(dict.fromkeys(text.replace(",", " ").split()))


class Commands(NamedTuple):
    """Commands by process type, each as a line of a Procfile has it: `web: gunicorn app:app`."""

    in_toml: str = 'a table of process types and commands, such as { web = "gunicorn app:app" }'
    in_variable: str = "lines such as web: gunicorn app:app"

    def from_toml(self, value: TomlValue) -> tuple[str, ...] | None:
        """Return the lines of the table *value*."""
        if not isinstance(value, dict) or not all(
            isinstance(each, str) for each in value.values()
        ):
            return None
        return _lines_of_commands([f"{name}: {command}" for name, command in value.items()])

    def from_text(self, text: str) -> tuple[str, ...] | None:
        """Return the lines of *text*."""
        return _lines_of_commands(text.splitlines())


def _lines_of_commands(lines: list[str]) -> tuple[str, ...] | None:
    """Return *lines* without spaces around them; None if one is no process type and command."""
    stripped = [line.strip() for line in lines if line.strip()]
    matches = [_COMMAND.fullmatch(line) for line in stripped]
    types = {match[1] for match in matches if match}
    return tuple(stripped) if len(types) == len(stripped) else None


class EnvironmentVariables(NamedTuple):
    """Environment variables, each once, as a shell has them: `DEBUG=no NAME="a b"`."""

    in_toml: str = 'a table of variables and texts, such as { SECRET_KEY = "for-builds-only" }'
    in_variable: str = "words such as SECRET_KEY=for-builds-only, in quotes if they have spaces"

    def from_toml(self, value: TomlValue) -> tuple[Variable, ...] | None:
        """Return the variables of the table *value*."""
        if not isinstance(value, dict) or not all(
            isinstance(text, str) and _VARIABLE.fullmatch(f"{name}={text}")
            for name, text in value.items()
        ):
            return None
        return tuple(Variable(name, str(text)) for name, text in value.items())

    def from_text(self, text: str) -> tuple[Variable, ...] | None:
        """Return the variables in *text*, words of a shell."""
        matches = [_VARIABLE.fullmatch(word) for word in shell_words(text) or ("",)]
        variables = {match[1]: match[2] for match in matches if match}
        return (
            tuple(map(Variable._make, variables.items()))
            if len(variables) == len(matches)
            else None
        )


class Directory(NamedTuple):
    """A directory of the app, relative to its top, with `/` between names; empty: the top."""

    example: str

    @property
    def in_toml(self) -> str:
        """Return an example, quoted."""
        return f'a directory below the top of the app, such as "{self.example}"'

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"a directory below the top of the app, such as {self.example}"

    def from_toml(self, value: TomlValue) -> str | None:
        """Return *value* as `from_text` does."""
        return self.from_text(value.strip()) if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return *text* without needless dots and slashes; None if it leads out of the app."""
        parts = [part for part in text.split("/") if part not in {"", "."}]
        leaves = text.startswith("/") or ".." in parts or "\\" in text or "\0" in text
        return None if leaves else "/".join(parts)


def displayed(value: Value) -> str:
    """Return *value* as the log shows it: URLs without credentials."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(each if isinstance(each, str) else each.name for each in value)
        case int():
            return str(value)
        case _:
            return shown(value) if _URL.search(value) else value


def as_toml(value: TomlValue) -> str:
    """Return *value* nearly as TOML has it, for messages about values of the wrong kind."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case list():
            return f"[{', '.join(map(as_toml, value))}]"
        case dict():
            return "a table"
        case _:
            return str(value)
