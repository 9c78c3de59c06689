"""Layer `nltk`: the data that nltk.txt names."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cnb_python.layers.cache_keys import LayerKey, part

NAME = "nltk"
FILE = "nltk.txt"
_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class NltkKey(LayerKey):
    """What the layer depends on. Not the server: a mirror has the same data."""

    format: str = part("form of NLTK's data")
    version: str = part("release of NLTK")
    names: str = part("list of data in nltk.txt")

    @property
    def archive(self) -> str:
        """What the store has the data under."""
        whole = "\0".join(self.metadata().values())
        return f"nltk-{hashlib.sha256(whole.encode()).hexdigest()[:32]}"


def key(version: str, names: Iterable[str]) -> NltkKey:
    """Return the key of the data *names*, from NLTK *version*."""
    return NltkKey(_FORMAT, version, " ".join(sorted(set(names))))
