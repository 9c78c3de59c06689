"""Checks the ages of resolved packages, with requests to their indexes where necessary.

Separate from `checks`, which joins it with the audit.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cnb_python.config.kinds import age_in_hours
from cnb_python.config.settings import Settings
from cnb_python.errors.supply_chain.cooldown import (
    AgesUnknown,
    ReleasesTooYoung,
    UnknownAge,
    YoungRelease,
)
from cnb_python.managers.base import PackageIndexes, Pin
from cnb_python.supply_chain.cooldown import passed
from cnb_python.supply_chain.cooldown.ages import age_of, chosen_files, newest_older
from cnb_python.supply_chain.cooldown.index_pages import IndexPages, Page
from cnb_python.supply_chain.cooldown.release_files import (
    ReleaseFile,
    WheelTarget,
    allowed_hashes,
    in_lock,
    index_in_lock,
    is_of_index,
)
from cnb_python.system.interface import System
from cnb_python.system.redaction import shown

# Requests wait for the index, not for this machine.
_REQUESTS = 16
# Times are shown in whole minutes.
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Cooldown:
    """The check of one build."""

    settings: Settings
    python: str
    """The release of the app's interpreter."""
    system: System
    processor: str = field(default_factory=lambda: os.uname().machine)
    unchecked: set[str] = field(default_factory=set)
    """The names of the packages that the setting excepts, or that come from no index."""
    _passed: set[Pin] = field(default_factory=set)

    @property
    def _age(self) -> timedelta:
        return timedelta(hours=age_in_hours(self.settings.cooldown))

    def check(
        self, pins: Iterable[Pin], new: Iterable[Pin], indexes: Callable[[], PackageIndexes]
    ) -> None:
        """Raise ReleasesTooYoung or AgesUnknown if one of *new* must not be installed yet.

        *pins*: all of the resolution; those that are not new passed in an earlier build. Raises
        IndexRefused and DownloadFailed.
        """
        excepted = passed.excepted_names(self.settings)
        self.unchecked = {pin.name for pin in pins if pin.name in excepted}
        elsewhere = [pin.name for pin in new if not is_of_index(pin)]
        if elsewhere:
            names = ", ".join(elsewhere)
            self.system.output.line(f"Without an upload time, since no index has them: {names}")
        waiting = [
            pin
            for pin in new
            if pin not in self._passed and pin.name not in excepted and is_of_index(pin)
        ]
        if waiting:
            self._check_all(waiting, indexes())
            self._passed.update(waiting)

    def _check_all(self, pins: Sequence[Pin], indexes: PackageIndexes) -> None:
        with self.system.fetch_many() as fetch, IndexPages(fetch, indexes.network) as pages:
            target, hours = WheelTarget(self.python, self.processor), self._age
            judge = _Judge(target, hours, self.system.moment - hours, indexes, pages)
            with ThreadPoolExecutor(_REQUESTS) as pool:
                verdicts = [each for each in pool.map(judge.verdict, pins) if each]
        setting = self.settings.named("cooldown")
        young = tuple(each for each in verdicts if isinstance(each, YoungRelease))
        if young:
            raise ReleasesTooYoung(young, self.settings.cooldown, setting)
        if unknown := tuple(each for each in verdicts if isinstance(each, UnknownAge)):
            raise AgesUnknown(unknown, self.settings.cooldown, setting)
        count = f"{len(pins)} package{'' if len(pins) == 1 else 's'}"
        self.system.output.line(f"Uploaded at least {self.settings.cooldown} ago: {count}")


class _Judge(NamedTuple):
    target: WheelTarget
    age: timedelta
    """What is required."""
    latest: datetime
    """The latest upload time that is old enough."""
    indexes: PackageIndexes
    pages: IndexPages

    def verdict(self, pin: Pin) -> YoungRelease | UnknownAge | None:
        """Return what is wrong with the age of *pin*; None if it is old enough."""
        age = age_of(chosen_files(pin, in_lock(pin), self.target))
        files: tuple[ReleaseFile, ...] = ()
        if age.uploaded is None:
            pages = tuple(self._pages(pin))
            files = tuple(file for page in pages for file in page.files)
            age = age_of(chosen_files(pin, files, self.target))
            if age.uploaded is None:
                return UnknownAge(pin.name, pin.version, _reason(pages, has_files=age.has_files))
        if age.uploaded <= self.latest:
            return None
        files = files or tuple(file for page in self._pages(pin) for file in page.files)
        return YoungRelease(
            pin.name,
            pin.version,
            _shown(age.uploaded),
            _shown(_later(age.uploaded, self.age + _MINUTE)),
            newest_older(pin, files, self.latest, self.target),
        )

    def _pages(self, pin: Pin) -> Iterator[Page]:
        """Yield the pages of *pin*'s package: of all its indexes, or until a hash tells which."""
        own, has_hash = index_in_lock(pin), bool(allowed_hashes(pin))
        for group in ((own,),) if own else self.indexes.of(pin):
            has_package = False
            for address in group:
                page = self.pages.page(address, pin.name)
                yield page
                chosen = chosen_files(pin, page.files, self.target)
                has_package = has_package or page.has_package
                if has_hash and age_of(chosen).uploaded:
                    return
            if has_package:
                return


def _reason(pages: Sequence[Page], *, has_files: bool) -> str:
    if has_files:
        named = ", ".join(shown(page.address) for page in pages if page.files)
        return f"{named} has no upload times"
    if problems := [f"{shown(page.address)}: {page.problem}" for page in pages if page.problem]:
        return "; ".join(problems)
    asked = ", ".join(shown(page.address) for page in pages)
    return f"{asked or 'no index'} has no file of it that fits"


def _later(time: datetime, duration: timedelta) -> datetime:
    """Return *time* plus *duration*, or the last possible time if that is earlier."""
    last = datetime.max.replace(tzinfo=UTC)
    return time + duration if time.astimezone(UTC) < last - duration else last


def _shown(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
