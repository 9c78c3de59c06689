"""The checks of one build, as its settings and service bindings ask for them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from cnb_python.app import App
from cnb_python.cnb.bindings import Binding
from cnb_python.config.kinds import age_in_hours
from cnb_python.config.settings import OFF, STOP, UV, Settings
from cnb_python.errors.base import Message
from cnb_python.errors.supply_chain.audit import NoAuditData
from cnb_python.install.upload_limit import UploadLimit
from cnb_python.layers.store import BuildRecord
from cnb_python.managers.base import Manager, PackageIndexes, Pin, Resolution
from cnb_python.python.releases import Release
from cnb_python.supply_chain.audit.audit import NOT_AUDITED, Audit, Audited
from cnb_python.supply_chain.audit.sources import open_sources
from cnb_python.supply_chain.cooldown import passed
from cnb_python.supply_chain.cooldown.check import Cooldown
from cnb_python.supply_chain.cooldown.release_files import is_of_index
from cnb_python.system.interface import System


class Checked(Protocol):
    """What is built: a part of `ProvisionRequest`."""

    @property
    def app(self) -> App:
        """The app, which may have VEX documents."""
        ...

    @property
    def manager(self) -> Manager:
        """Its package manager."""
        ...

    @property
    def release(self) -> Release:
        """Its Python."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings of the build."""
        ...


@dataclass(slots=True)
class Checks:
    """The age of packages, and an audit, before anything of them runs."""

    settings: Settings
    manager: str
    system: System
    cooldown: Cooldown | None
    """None: packages may have any age."""
    audit: Audit | None
    """None: there are no records."""
    _passed: str = ""
    _audited: Audited = NOT_AUDITED

    @property
    def resolving(self) -> UploadLimit | None:
        """The limit with which pip and uv leave out younger releases.

        None for a `uv.lock`: uv refuses a lock file that was made with another limit.
        """
        return None if self.manager == UV else self.building

    @property
    def building(self) -> UploadLimit | None:
        """The same for build requirements, and for the programs of managers."""
        if not self.cooldown:
            return None
        age = timedelta(hours=age_in_hours(self.settings.cooldown))
        moment = self.system.moment
        return UploadLimit(moment - age, moment, passed.excepted_names(self.settings))

    def check_recorded(self, record: BuildRecord) -> BuildRecord:
        """See `PackageChecks`. Raises what `Audit.run` raises."""
        self._passed = record.cooldown
        before = Audited(record.audited, record.findings)
        if self.audit:
            self._audited = self.audit.run(
                record.distributions, before.elsewhere, before, in_image=True
            )
        return self.recorded(record)

    def check_resolved(
        self, resolution: Resolution, new: Sequence[Pin], indexes: Callable[[], PackageIndexes]
    ) -> None:
        """See `PackageChecks`. Raises what `Cooldown.check` and `Audit.run` raise."""
        # The audit comes first: waiting does not help against malware that is also too young.
        releases = {pin.name: pin.version for pin in resolution.pins}
        elsewhere = frozenset(pin.name for pin in resolution.pins if not is_of_index(pin))
        if self.audit:
            self._audited = self.audit.run(releases, elsewhere, self._audited)
        if self.cooldown:
            self.cooldown.check(resolution.pins, new, indexes)
            self._passed = passed.recorded(self.settings, self.cooldown.unchecked)

    def recorded(self, record: BuildRecord) -> BuildRecord:
        """See `PackageChecks`."""
        inputs, findings = self._audited
        return record._replace(cooldown=self._passed, audited=inputs, findings=findings)


@contextmanager
def opened(request: Checked, bindings: Sequence[Binding], system: System) -> Iterator[Checks]:
    """Yield the checks for *request*; *bindings*: those of type `osv`.

    Raises NoAuditData, BadBinding, and what downloading the records raises.
    """
    settings = request.settings
    with ExitStack() as stack:
        audit = None
        if bindings:
            sources = stack.enter_context(open_sources(bindings, system))
            audit = Audit(settings, sources, request.app.directory, system)
        elif settings.audit == STOP:
            raise NoAuditData(settings.named("audit"))
        elif settings.audit and settings.audit != OFF:
            message = no_records(settings)
            system.output.warning(message.title, message.body)
        cooldown = Cooldown(settings, request.release.version, system)
        yield Checks(
            settings,
            request.manager.name,
            system,
            cooldown if settings.cooldown else None,
            audit,
        )


def no_records(settings: Settings) -> Message:
    """Return a warning that the audit has nothing to compare with."""
    return Message(
        "Packages are not audited",
        (
            (
                f"{settings.named('audit')} is {settings.audit}, and the build has no service "
                "binding of type osv with records of vulnerabilities."
            ),
        ),
    )
