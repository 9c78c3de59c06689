"""What a package manager has decided: which release of which distribution, and by which right."""

from typing import NamedTuple


class Pin(NamedTuple):
    """One distribution of an environment, decided."""

    name: str
    """Normalised (PEP 503): `ruamel-yaml`."""
    version: str
    """Normalised (PEP 440): `5.2.19`."""
    origin: str
    """What besides name and version the bytes depend on, as a digest in hex.

    Over the hashes that are allowed, the archive that was chosen, the commit. Never readable: an
    address may hold a token. Equal pins are the same bytes, so what was kept may be used.
    """
    line: str
    """What installs it and nothing else: a line of a requirements file, hashes included, or a
    `pylock.toml` of that one package, which begins with a comment saying so."""
    keeps: bool = True
    """False for a directory on disk, whose contents change without anyone saying so."""
    extras: tuple[str, ...] = ()


class Decision(NamedTuple):
    """Everything that the environment is to hold."""

    pins: tuple[Pin, ...]
    """In the order of their names."""
    pure: bool
    """The deciding files alone led here: the same files lead here again, without asking."""
    by: str
    """The tool that decided, and installs: `pip`, `uv`."""


class Undecided(NamedTuple):
    """The files alone do not say: a manager has to be asked."""

    reason: str
    """Why, for the log: `line 3 of requirements.txt asks for a range`."""
    inputs: str = ""
    """A SHA-256 in hex over everything that the answer depends on; empty: nobody can tell.

    Where the previous build's was the same, so is the answer, and nobody is asked. Nothing secret
    goes into it: it is noted in the image.
    """
