"""The severity of a record, as a word: the database's own, or that of a CVSS vector.

Separate from `osv`, since CVSS is a standard of its own.
"""

from collections.abc import Iterable

from cnb_python.config.settings import SEVERITIES
from cnb_python.system.json_text import JsonValue

UNKNOWN = ""
_WORDS = {**{word: word for word in SEVERITIES}, "moderate": "medium", "important": "high"}


def severity_of(record: dict[str, JsonValue]) -> str:
    """Return the severity of an OSV *record*: one of `SEVERITIES`; empty: unknown.

    https://ossf.github.io/osv-schema/#severity-field
    """
    specific = record.get("database_specific")
    word = specific.get("severity") if isinstance(specific, dict) else None
    if isinstance(word, str) and word.lower() in _WORDS:
        return _WORDS[word.lower()]
    scores = record.get("severity")
    rows = [each for each in scores if isinstance(each, dict)] if isinstance(scores, list) else []
    return worst(of_vector(str(each.get("type")), str(each.get("score"))) for each in rows)


def worst(severities: Iterable[str]) -> str:
    """Return the highest of *severities*; empty: all are unknown."""
    words = [each for each in severities if each in SEVERITIES]
    return max(words, key=SEVERITIES.index, default=UNKNOWN)


def of_vector(kind: str, vector: str) -> str:
    """Return the severity of a CVSS *vector*; *kind*: the type that OSV gives it.

    Empty if *vector* is invalid or *kind* is unknown, or if the base score is 0.

    >>> of_vector("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    'critical'
    """
    # Few records need it, and importing it takes longer than reading them. It has no types.
    from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # type: ignore[import-untyped] # noqa: PLC0415 - see above

    parsers = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
    try:
        parsed = parsers[kind](vector)
    except KeyError, CVSSError:
        return UNKNOWN
    # The base score comes first. CVSS 2 calls a score of 0 low.
    word = str(parsed.severities()[0]).lower()
    return word if word in SEVERITIES and parsed.scores()[0] else UNKNOWN
