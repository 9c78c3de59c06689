"""The limit on upload times, in the forms that pip and uv accept.

https://pip.pypa.io/en/stable/user_guide/#filtering-by-upload-time
https://docs.astral.sh/uv/reference/settings/#exclude-newer
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.managers.tool_settings import (
    pip_variable_name,
    read_pip_settings,
    uv_exclude_newer,
)

PIP_VARIABLE, UV_VARIABLE = "PIP_UPLOADED_PRIOR_TO", "UV_EXCLUDE_NEWER"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DAYS_OF_PIP = re.compile(r"P([0-9]{1,7})D")
# uv also accepts minutes, and the ISO form with several units. It ignores signs.
_ISO_OF_UV = re.compile(
    r"[-+]?P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.IGNORECASE,
)
_WORD_OF_UV = re.compile(r"(\d{1,6}) *(weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m)\b")
_BETWEEN_WORDS = re.compile(r"[-+]?(?:[\s,]|ago\b)*")
_UNITS: Mapping[str, timedelta] = MappingProxyType(
    {
        "w": timedelta(weeks=1),
        "d": timedelta(days=1),
        "h": timedelta(hours=1),
        "m": timedelta(minutes=1),
    }
)


class LimitedVariables(NamedTuple):
    """Environment variables with which pip and uv leave out releases."""

    environ: Mapping[str, str]
    latest: str
    """The earlier of the two limits, for messages: `2026-11-23T00:00:00Z`."""
    notes: tuple[str, ...]
    """Lines for the log: which limit applies to a tool for which the user has set one too."""


class UploadLimit(NamedTuple):
    """A time before which releases must have been uploaded, except those of some packages."""

    latest: datetime
    moment: datetime
    """The time of the build, to which durations in the user's settings are relative."""
    excepted: frozenset[str] = frozenset()
    """Normalized names."""

    def applied(self, environ: Mapping[str, str], app_dir: Path) -> LimitedVariables:
        """Return *environ* with this limit, or the user's own one where that is earlier.

        *app_dir*: a directory in which uv looks for its configuration files.
        """
        of_pip = read_pip_settings(environ).options.get("uploaded-prior-to", "")
        of_uv = environ.get(UV_VARIABLE) or uv_exclude_newer(environ, app_dir)
        pip, uv = pip_time(of_pip, self.moment), uv_time(of_uv, self.moment)
        limits = {
            PIP_VARIABLE: min(pip or self.latest, self.latest),
            UV_VARIABLE: min(uv or self.latest, self.latest),
        }
        texts = {name: _written(limit) for name, limit in limits.items()}
        kept = {
            name: value for name, value in environ.items() if pip_variable_name(name) not in texts
        }
        notes = (
            *self._notes("pip", f"{PIP_VARIABLE}={of_pip}" if of_pip else "", pip),
            *self._notes("uv", f"{UV_VARIABLE}={of_uv}" if of_uv else "", uv),
        )
        return LimitedVariables({**kept, **texts}, min(texts.values()), notes)

    def _notes(self, tool: str, setting: str, own: datetime | None) -> Iterator[str]:
        """Yield a line about the limit of *tool*; nothing if the user's *setting* is empty."""
        if not setting:
            return
        latest = _written(self.latest)
        if own is None:
            # The value may be anything, and long.
            name = setting.partition("=")[0]
            yield f"{name} is not a time, so {tool} leaves out releases since {latest} (cooldown)"
        elif own < self.latest:
            reason = f"{setting}; cooldown: {latest}"
            yield f"{tool} leaves out releases since {_written(own)} ({reason})"
        else:
            yield f"{tool} leaves out releases since {latest} (cooldown; {setting} is not earlier)"


def pip_time(text: str, moment: datetime) -> datetime | None:
    """Return the time that *text* means to pip at *moment*, in UTC; None if it is not a time.

    >>> str(pip_time("P2D", datetime(2026, 11, 30, tzinfo=UTC)))
    '2026-11-28 00:00:00+00:00'
    """
    if days := _DAYS_OF_PIP.fullmatch(text):
        return _before(moment, timedelta(days=int(days[1])))
    return _parsed(text)


def uv_time(text: str, moment: datetime) -> datetime | None:
    """Return the time that *text* means to uv at *moment*, in UTC; None if it is not a time.

    A date includes the whole day. Durations may have several units: `1 week, 2 days`, `PT36H`.

    >>> str(uv_time("2026-11-20", datetime(2026, 11, 30, tzinfo=UTC)))
    '2026-11-21 00:00:00+00:00'
    """
    iso = _ISO_OF_UV.fullmatch(text)
    if iso and any(iso.groups()):
        parts = {name: int(value) for name, value in iso.groupdict(default="0").items()}
        return _before(moment, timedelta(**parts))
    words = _WORD_OF_UV.findall(text)
    if words and _BETWEEN_WORDS.fullmatch(_WORD_OF_UV.sub("", text)):
        durations = (int(number) * _UNITS[unit[0]] for number, unit in words)
        try:
            return _before(moment, sum(durations, timedelta()))
        except OverflowError:
            return None
    time = _parsed(text)
    return time + timedelta(days=1) if time and _DATE.fullmatch(text) else time


def _written(time: datetime) -> str:
    return f"{time.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _before(moment: datetime, duration: timedelta) -> datetime | None:
    try:
        return moment - duration
    except OverflowError:
        return None


def _parsed(text: str) -> datetime | None:
    try:
        # As in both tools, a time without an offset is in the time zone of the machine.
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError, OverflowError:
        return None
