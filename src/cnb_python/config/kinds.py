"""What a setting is: its names, what it may be, and how variables and TOML say that."""

from typing import NamedTuple, Protocol

from cnb_python.cnb.toml import TomlValue
from cnb_python.system.redaction import shown

type Value = str | bool | tuple[str, ...]

# As Go reads booleans, and with it most platforms' settings.
_BOOLEANS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class SettingOrigin(NamedTuple):
    """Who gave a value."""

    name: str
    """A variable, or a file relative to the app."""
    line: int | None = None
    """Of the file, from 1; None for a variable, and where it is written in an unusual way."""

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}, line {self.line}"


class Kind(Protocol):
    """What a value may be. `None` stands for a value that is none of the kind."""

    @property
    def in_toml(self) -> str:
        """What is expected in TOML, as a noun phrase."""
        ...

    @property
    def in_variable(self) -> str:
        """What is expected in a variable, as a noun phrase."""
        ...

    def from_toml(self, value: TomlValue) -> Value | None:
        """Return what *value* says."""
        ...

    def from_text(self, text: str) -> Value | None:
        """Return what *text*, stripped and not empty, says."""
        ...


class Setting(NamedTuple):
    """One thing to choose."""

    name: str
    """The key in `[tool.cnb-python]`, and the field of `Settings`."""
    variable: str
    kind: Kind
    meaning: str
    """A sentence or two for the documentation."""


class OneOf(NamedTuple):
    """One of a few words; case does not count."""

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
        """Return the word that *value* is."""
        return self.from_text(value) if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return the word that *text* is."""
        word = text.strip().lower()
        return word if word in self.words else None


class Flag(NamedTuple):
    """Yes or no."""

    in_toml: str = "true or false, without quotes"
    in_variable: str = f"one of {', '.join(_BOOLEANS)}"

    def from_toml(self, value: TomlValue) -> bool | None:
        """Return *value* if it is one."""
        return value if isinstance(value, bool) else None

    def from_text(self, text: str) -> bool | None:
        """Return what *text* says."""
        return _BOOLEANS.get(text.lower())


class Text(NamedTuple):
    """Text that whoever uses it understands."""

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


class Names(NamedTuple):
    """Any number of names, each once, in the order in which they were given."""

    example: tuple[str, ...]

    @property
    def in_toml(self) -> str:
        """Return an example as a list."""
        return f"a list of texts, such as [{', '.join(f'"{one}"' for one in self.example)}]"

    @property
    def in_variable(self) -> str:
        """Return an example."""
        return f"names separated by commas or spaces, such as {','.join(self.example)}"

    def from_toml(self, value: TomlValue) -> tuple[str, ...] | None:
        """Return *value* if it is a list of texts; none of them may be empty."""
        if not isinstance(value, list):
            return None
        texts = [one.strip() for one in value if isinstance(one, str) and one.strip()]
        return tuple(dict.fromkeys(texts)) if len(texts) == len(value) else None

    def from_text(self, text: str) -> tuple[str, ...]:
        """Return the names in *text*."""
        return tuple(dict.fromkeys(text.replace(",", " ").split()))


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
        """Return *value* if it is a path that does not leave the app."""
        return self.from_text(value.strip()) if isinstance(value, str) else None

    def from_text(self, text: str) -> str | None:
        """Return *text* without needless dots and slashes, unless it leaves the app."""
        parts = [part for part in text.split("/") if part not in {"", "."}]
        leaves = text.startswith("/") or ".." in parts or "\\" in text or "\0" in text
        return None if leaves else "/".join(parts)


def displayed(value: Value) -> str:
    """Return *value* for the log; of addresses what is no secret."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value)
        case _:
            return shown(value) if "://" in value else value


def written(value: TomlValue) -> str:
    """Return *value* as TOML has it, or nearly: for messages about values of a wrong kind."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            return "a table"
        case _:
            return str(value)
