"""Reads sections of CHANGELOG.md, and adds entries to the one of the next release."""

import re
from collections.abc import Iterable
from datetime import date

UNRELEASED = "Unreleased"
_HEADING = re.compile(r"^## (?P<title>\S+)(?: \((?P<date>[^)]*)\))?$", re.MULTILINE)
_WIDTH = 120
_PYTHONS = "New releases of Python:"
_PYTHONS_ENTRY = re.compile(rf"^- {_PYTHONS}((?:.|\n(?!- |#|\n))*)", re.MULTILINE)
_NUMBER = re.compile(r"\d+\.\d+\.\d+")


def section(text: str, title: str) -> str:
    """Return what the changelog *text* has below the heading *title*; empty without it."""
    for match, end in _sections(text):
        if match["title"] == title:
            return text[match.end() : end].strip() + "\n"
    return ""


def problems(text: str, version: str) -> list[str]:
    """Return why the changelog *text* is not ready for the release of *version*."""
    headings = {match["title"]: match["date"] for match, _ in _sections(text)}
    if section(text, UNRELEASED).strip():
        return [f"CHANGELOG.md: rename `## {UNRELEASED}` to `## {version} (YYYY-MM-DD)`"]
    if not section(text, version).strip():
        return [f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)` with entries"]
    if not _is_date(headings[version] or ""):
        return [f"CHANGELOG.md: the heading of {version} needs its date: `(YYYY-MM-DD)`"]
    return []


def with_pythons(text: str, versions: Iterable[str]) -> str:
    """Return the changelog *text* with an entry about new Python releases, those of *versions*.

    An entry of an earlier run, since the last release, has its releases in the new one too.
    """
    listed = _PYTHONS_ENTRY.search(section(text, UNRELEASED))
    known = _NUMBER.findall(listed[1]) if listed else []
    merged = sorted({*known, *versions}, key=_by_number, reverse=True)
    if not merged or set(merged) == set(known):
        return text
    return with_entry(text, "Added", _PYTHONS, f"{_PYTHONS} {', '.join(merged)}.")


def with_entry(text: str, kind: str, start: str, entry: str) -> str:
    """Return *text* with *entry* below `### <kind>` of the next release.

    An entry there that begins with *start* is replaced. Headings that are missing are added.
    """
    text = _with_headings(text, kind)
    begin = text.index(f"### {kind}\n", text.index(f"## {UNRELEASED}\n"))
    top = text.index("\n", begin) + 2
    following = re.compile(r"^#|\Z", re.MULTILINE).search(text, top)
    end = following.start() if following else len(text)
    entries = [each for each in re.split(r"^(?=- )", text[top:end], flags=re.MULTILINE) if each]
    kept = [each for each in entries if not " ".join(each.split()).startswith(f"- {start}")]
    return text[:top] + _wrapped(entry) + ("".join(kept) or "\n") + text[end:]


def _with_headings(text: str, kind: str) -> str:
    if f"## {UNRELEASED}\n" not in text:
        first = _HEADING.search(text)
        at = first.start() if first else len(text)
        text = f"{text[:at]}## {UNRELEASED}\n\n{text[at:]}"
    at = text.index("\n", text.index(f"## {UNRELEASED}\n")) + 2
    if f"### {kind}\n" not in section(text, UNRELEASED):
        text = f"{text[:at]}### {kind}\n\n{text[at:]}"
    return text


def _wrapped(entry: str) -> str:
    lines, line = [], "-"
    for word in entry.split():
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = " "
        line = f"{line} {word}"
    return "\n".join([*lines, line]) + "\n"


def _sections(text: str) -> list[tuple[re.Match[str], int]]:
    """Return the heading of each release, and where its section ends."""
    headings = list(_HEADING.finditer(text))
    ends = [each.start() for each in headings] + [len(text)]
    return list(zip(headings, ends[1:], strict=True))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _by_number(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
