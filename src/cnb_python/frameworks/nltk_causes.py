"""Why NLTK's downloader failed, by what it says."""

import re
from typing import Literal

type Cause = Literal["unknown", "network", "index", "damaged", "other"]

_CAUSES: tuple[tuple[Cause, str], ...] = (
    ("unknown", r"not found in index"),
    ("index", r"HTTP Error 404|ParseError|not well-formed"),
    ("damaged", r"(?i)integrity|checksum|mismatch|downloaded zip file|BadZip"),
    ("network", r"(?i)urlopen|HTTP Error|URLError|timed? ?out|connection|SSRF|certificate|host"),
)


def cause(said: str) -> Cause:
    """Return what probably is the matter."""
    return next((name for name, pattern in _CAUSES if re.search(pattern, said)), "other")


def shown(name: str, said: str) -> str:
    """Return *said*, which NLTK repeats names and kinds in, in one short line."""
    text = " ".join(said.split())
    return re.sub(rf"^\w+: (?:Error loading {re.escape(name)}: )?", "", text)
