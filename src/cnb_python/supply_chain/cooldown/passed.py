"""What a build records about the ages that it checked. An unchanged build reads it.

Releases only get older, so what passed once stays passed.

Separate from `check`, which an unchanged build does not load.
"""

from collections.abc import Collection

from cnb_python.config.kinds import age_in_hours
from cnb_python.config.settings import Settings
from cnb_python.managers.requirement_lines import normalized_name


def excepted_names(settings: Settings) -> frozenset[str]:
    """Return the normalized names of the packages that may have any age."""
    return frozenset(map(normalized_name, settings.cooldown_except))


def recorded(settings: Settings, unchecked: Collection[str]) -> str:
    """Return what to record: the age in hours, and the names that were not checked.

    Empty: no age was required.
    """
    if not settings.cooldown:
        return ""
    return " ".join((str(age_in_hours(settings.cooldown)), *sorted(unchecked)))


def reason_to_check(settings: Settings, record: str) -> str:
    """Return why packages with this *record* have to be checked; empty if they have passed."""
    if not settings.cooldown:
        return ""
    hours, *unchecked = record.split() or ["0"]
    if not hours.isdecimal() or int(hours) < age_in_hours(settings.cooldown):
        return f"{settings.named('cooldown')} requires {settings.cooldown}"
    if missing := sorted(set(unchecked) - excepted_names(settings)):
        return f"{settings.named('cooldown_except')} no longer names {', '.join(missing)}"
    return ""
