"""The severity of a record, as a word: the database's own, or from a CVSS 3 vector.

https://www.first.org/cvss/v3.1/specification-document (section 7.1, 7.4)

Separate from `osv`, since CVSS is a standard of its own.
"""

from collections.abc import Iterable
from math import ceil

from cnb_python.config.settings import SEVERITIES
from cnb_python.system.json_text import JsonValue

UNKNOWN = ""
_WORDS = {**{word: word for word in SEVERITIES}, "moderate": "medium", "important": "high"}
# The lowest score of each word.
_SCORES = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
# Privileges weigh more if the scope changes.
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def severity_of(record: dict[str, JsonValue]) -> str:
    """Return the severity of an OSV *record*: one of `SEVERITIES`; empty: unknown.

    https://ossf.github.io/osv-schema/#severity-field
    """
    specific = record.get("database_specific")
    word = specific.get("severity") if isinstance(specific, dict) else None
    if isinstance(word, str) and word.lower() in _WORDS:
        return _WORDS[word.lower()]
    scores = record.get("severity")
    vectors = (
        each.get("score")
        for each in (scores if isinstance(scores, list) else ())
        if isinstance(each, dict) and each.get("type") == "CVSS_V3"
    )
    return worst(of_vector(vector) for vector in vectors if isinstance(vector, str))


def worst(severities: Iterable[str]) -> str:
    """Return the highest of *severities*; empty: all are unknown."""
    words = [each for each in severities if each in SEVERITIES]
    return max(words, key=SEVERITIES.index, default=UNKNOWN)


def of_vector(vector: str) -> str:
    """Return the severity of a CVSS 3 *vector*; empty if it is another text, or its score is 0.

    >>> of_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    'critical'
    """
    score = _base_score(vector)
    return next((word for lowest, word in _SCORES if score >= lowest), UNKNOWN)


def _base_score(vector: str) -> float:
    parts = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    try:
        weights = {name: values[parts[name]] for name, values in _WEIGHTS.items()}
        privileges = _PRIVILEGES[parts["S"]][parts["PR"]]
    except KeyError:
        return 0.0
    changed = parts["S"] == "C"
    subscore = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = (
        7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02) ** 15 if changed else 6.42 * subscore
    )
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weights["AV"] * weights["AC"] * privileges * weights["UI"]
    return _rounded_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10.0))


def _rounded_up(score: float) -> float:
    """Return *score* with one decimal, as appendix A of the specification rounds."""
    number = round(score * 100_000)
    return number / 100_000 if number % 10_000 == 0 else ceil(number / 10_000) / 10
