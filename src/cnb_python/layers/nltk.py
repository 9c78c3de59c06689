"""Layer `nltk`: its name and its cache key. Light, for apps that need no NLTK data."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cnb_python.layers.cache_keys import LayerKey, part

NAME = "nltk"
FILE = "nltk.txt"
_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class NltkKey(LayerKey):
    """What the layer depends on. Not the server: a mirror serves the same data."""

    format: str = part("format of the NLTK data layer")
    version: str = part("NLTK version")
    names: str = part("list of data in nltk.txt")

    @property
    def archive(self) -> str:
        """The key of the data's archive in the store."""
        values = "\0".join(self.metadata().values())
        return f"nltk-{hashlib.sha256(values.encode()).hexdigest()[:32]}"


def nltk_key(version: str, names: Iterable[str]) -> NltkKey:
    """Return the key of the data *names* for NLTK *version*."""
    return NltkKey(_FORMAT, version, " ".join(sorted(set(names))))
