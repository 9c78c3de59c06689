"""Checks in whole builds: they come before anything is installed, and cost nothing afterwards."""

import json
from collections.abc import Iterable, Mapping
from copy import replace
from datetime import date
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.bindings import Binding
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError, ContractBroken
from cnb_python.errors.packages.finding import NoSuchPackage
from cnb_python.errors.supply_chain.audit import MalwareFound, NoAuditData, VulnerablePackages
from cnb_python.errors.supply_chain.cooldown import NothingOldEnough, ReleasesTooYoung
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.supply_chain import fips
from cnb_python.system.interface import Download, Run, SaveChunks
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import FakeManager, package, resolution_of
from tests.support.fake_system import world
from tests.support.osv import osv_zip, record

PACKAGES = {
    line: package(line.partition("==")[0]) for line in ("a==1.0", "a==1.1", "b==1.0", "c==1.0")
}
UPLOADED = {"a 1.0": "2026-01-01", "a 1.1": "2026-11-20", "b 1.0": "2026-11-01", "c 1.0": ""}


class Pages:
    """Answers with the pages of an index."""

    def __init__(self) -> None:
        self.requested: list[str] = []

    def __call__(self, download: Download, store: SaveChunks) -> str:
        name = download.url.rstrip("/").rpartition("/")[2]
        self.requested.append(name)
        return store([json.dumps(page(name)).encode()])


def page(name: str) -> dict[str, object]:
    files = [
        {
            "filename": f"{name}-{release.partition(' ')[2]}-py3-none-any.whl",
            "hashes": {},
            **({"upload-time": f"{day}T00:00:00Z"} if day else {}),
        }
        for release, day in UPLOADED.items()
        if release.startswith(f"{name} ")
    ]
    return {"meta": {"api-version": "1.1"}, "files": files}


class Limited(FakeManager):
    """Resolves to an older release if it is asked to leave out young ones."""

    excepted: frozenset[str] = frozenset()

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        limit = context.environ.get("UV_EXCLUDE_NEWER", "")
        self.calls.append(f"limit {limit}")
        self.excepted = context.excepted.names
        assert context.environ.get("PIP_UPLOADED_PRIOR_TO", "") == limit
        if limit and self.refusal:
            raise ContractBroken("index", self.refusal)
        line = "a==1.0" if limit else "a==1.1"
        self.resolved = resolution_of(line, from_files_alone=False)
        return super().resolve(context, run)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def app(tmp_path: Path, pages: Pages) -> FakeBuild:
    from_files = resolution_of("a==1.0", "b==1.0")
    own = fake_build(tmp_path, FakeManager(dict(PACKAGES), from_files=from_files))
    own.settings, own.receive = Settings(cooldown="7 days"), pages
    return own


def with_records(app: FakeBuild, directory: Path, *records: Mapping[str, object]) -> FakeBuild:
    """Give *app* a service binding with *records*."""
    binding = Binding("osv", "osv", "", {"all.zip": osv_zip(directory, *records)})
    platform = replace(app.context.platform, bindings=(binding,))
    app.context = replace(app.context, platform=platform)
    return app


def changed_lines(log: Iterable[str]) -> list[str]:
    return [line for line in log if line.startswith(("Uploaded", "Compared", "Nothing changed"))]


def test_young_release_is_neither_fetched_nor_built(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.1", "b==1.0")

    with pytest.raises(ReleasesTooYoung) as failure:
        app.build()

    assert [each.older for each in failure.value.releases] == ["1.0"]
    assert app.manager.calls == []


def test_unchanged_build_requests_nothing(app: FakeBuild, pages: Pages) -> None:
    first = app.build()
    assert sorted(pages.requested) == ["a", "b"]
    pages.requested.clear()

    # A later day is no change.
    app.today = date(2026, 12, 24)
    record = app.restore().build()

    assert first.cooldown == record.cooldown == "168"
    assert pages.requested == []
    assert changed_lines(app.log.lines) == [
        "Nothing changed: reusing 2 packages from the previous image"
    ]


def test_only_new_packages_are_requested(app: FakeBuild, pages: Pages) -> None:
    app.build()
    pages.requested.clear()
    app.manager.from_files = resolution_of("a==1.0", "b==1.0", "c==1.0")
    app.settings = Settings(cooldown="7 days", cooldown_except=("c",))

    record = app.restore().build()

    assert pages.requested == []
    assert record.cooldown == "168 c"


def test_stricter_setting_checks_again_and_keeps_the_layers(app: FakeBuild, pages: Pages) -> None:
    app.build()
    pages.requested.clear()
    app.settings = Settings(cooldown="2 weeks")

    record = app.restore().build()

    assert sorted(pages.requested) == ["a", "b"]
    assert record.cooldown == "336"
    assert app.manager.calls == []
    assert app.layers_on_disk() == {"deps"}

    app.settings = Settings(cooldown="30 days")
    with pytest.raises(ReleasesTooYoung):
        app.restore().build()


def test_exception_that_is_removed_checks_again(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.1")
    app.settings = Settings(cooldown="7 days", cooldown_except=("a",))
    assert app.build().cooldown == "168 a"

    app.settings = Settings(cooldown="7 days")
    with pytest.raises(ReleasesTooYoung):
        app.restore().build()


def test_resolver_leaves_out_young_releases(app: FakeBuild) -> None:
    """Only where the app's files leave the choice; what it chooses is checked."""
    app.manager = Limited(dict(PACKAGES), from_files=NeedsResolving("it asks for a range", "f1"))

    record = app.build()

    assert record.distributions == {"a": "1.0"}
    assert "limit 2026-11-14T00:00:00Z" in app.manager.calls
    app.today = date(2026, 12, 24)
    assert app.restore().build().distributions == {"a": "1.0"}
    assert app.manager.calls == []


@pytest.mark.parametrize(
    ("settings", "title"),
    [
        (Settings(cooldown="7 days"), "Resolving again with releases of any age"),
        (
            Settings(cooldown="7 days", cooldown_except=("b",)),
            "Resolving again with releases of any age, since pip could not except b alone",
        ),
    ],
)
def test_resolution_without_a_limit_is_checked(
    app: FakeBuild, settings: Settings, title: str
) -> None:
    """The manager resolves again without a limit if no older release fits."""
    from_files = NeedsResolving("it asks for a range")
    app.manager = Limited(dict(PACKAGES), from_files=from_files, refusal="none fits")
    app.settings = settings

    with pytest.raises(ReleasesTooYoung):
        app.build()

    limits = [call for call in app.manager.calls if call.startswith("limit")]
    assert limits == ["limit 2026-11-14T00:00:00Z", "limit "]
    assert title in app.log.lines


def test_resolution_that_pip_could_not_limit_is_installed_if_only_excepted_ones_are_young(
    app: FakeBuild,
) -> None:
    """For packages without a wheel, or from an index without upload times."""
    from_files = NeedsResolving("it asks for a range")
    app.manager = Limited(dict(PACKAGES), from_files=from_files, refusal="none fits")
    app.settings = Settings(cooldown="7 days", cooldown_except=("a",))

    assert app.build().distributions == {"a": "1.1"}


def test_excepted_packages_do_not_lift_the_limit(app: FakeBuild) -> None:
    app.manager = Limited(dict(PACKAGES), from_files=NeedsResolving("it asks for a range"))
    app.settings = Settings(cooldown="7 days", cooldown_except=("Company.Tools", "b"))

    assert app.build().distributions == {"a": "1.0"}

    assert app.manager.excepted == {"company-tools", "b"}


class Unresolvable(FakeManager):
    """Finds no release, with any variables."""

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        del run
        names = ("PIP_UPLOADED_PRIOR_TO", "PIP_ONLY_BINARY", "UV_NO_BUILD")
        given = [context.environ.get(name, "") for name in names]
        self.calls.append(" ".join(given))
        if self.refusal:
            raise NoSuchPackage(self.refusal, needed_by="", pages=())
        raise ContractBroken("index", f"none fits: {given[0]}")


def test_release_that_is_not_seen_is_not_called_missing(app: FakeBuild) -> None:
    """It may just be too young."""
    from_files = NeedsResolving("it asks for a range")
    own = Unresolvable(dict(PACKAGES), from_files=from_files, refusal="litellm==1.82.8")
    app.manager, app.today = own, date(2026, 11, 30)

    with pytest.raises(NothingOldEnough) as failure:
        app.build()

    assert vars(failure.value) == {
        **vars(NothingOldEnough.example()),
        "latest": "2026-11-23T00:00:00Z",
    }
    assert failure.value.problem == "There is no package litellm==1.82.8"


def test_resolution_without_a_limit_builds_nothing(app: FakeBuild) -> None:
    """It is for a message alone; without it, the failure is that of the limited one."""
    app.manager = Unresolvable(dict(PACKAGES), from_files=NeedsResolving("it asks for a range"))

    with pytest.raises(ContractBroken, match="none fits: 2026-11-14T00:00:00Z"):
        app.build()

    assert app.manager.calls == ["2026-11-14T00:00:00Z  ", " :all: 1"]
    assert "Releases since 2026-11-14T00:00:00Z were left out (cooldown)" in app.log.lines


class OldWheelsOnly(FakeManager):
    """Resolves to an old release if nothing may be built; fails otherwise."""

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        del run
        if context.environ.get("UV_NO_BUILD"):
            return resolution_of("a==1.0")
        raise ContractBroken("index", "the connection broke")


def test_resolution_for_a_message_alone_is_not_installed(app: FakeBuild) -> None:
    """Without builds, an older release than the newest that is allowed may be found."""
    app.manager = OldWheelsOnly(dict(PACKAGES), from_files=NeedsResolving("it asks for a range"))

    with pytest.raises(ContractBroken, match="the connection broke"):
        app.build()


def test_limit_is_not_for_uv_locks(app: FakeBuild) -> None:
    """A lock that was made with another limit is refused by uv."""
    from_files = NeedsResolving("it is for every Python")
    app.manager = Limited(dict(PACKAGES), from_files=from_files, name="uv")
    app.settings = Settings(cooldown="1 hour")

    assert app.build().distributions == {"a": "1.1"}
    assert "limit " in app.manager.calls


def test_malware_is_neither_fetched_nor_built(app: FakeBuild, tmp_path: Path) -> None:
    with_records(app, tmp_path, record("MAL-1", "a", "1.0"))

    with pytest.raises(MalwareFound) as failure:
        app.build()

    assert not failure.value.in_image
    assert app.manager.calls == []


def test_audit_needs_no_setting_and_is_recorded(app: FakeBuild, tmp_path: Path) -> None:
    app.settings = Settings()
    with_records(app, tmp_path, record("GHSA-1", "a", fixed="1.1"))

    app.today = date(2026, 11, 2)
    built = app.build()

    assert built.findings == ("a 1.0 GHSA-1 medium 1.1 affected",)
    metadata = toml.read(app.layers / "store.toml")["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["findings"] == [*built.findings]
    app.restore().build()
    assert app.log.lines == [
        "Packages have known vulnerabilities\na 1.0: GHSA-1, medium, fixed in 1.1",
        "Nothing changed: reusing 2 packages from the previous image",
    ]


def test_new_records_are_compared_with_an_unchanged_build(app: FakeBuild, tmp_path: Path) -> None:
    app.settings = Settings()
    with_records(app, tmp_path).build()
    with_records(app.restore(), tmp_path, record("GHSA-1", "b", fixed="2.0"))

    record_of_second = app.build()

    assert changed_lines(app.log.lines) == [
        "Compared 2 packages with 2 records, the newest from 2026-11-01",
        "Nothing changed: reusing 2 packages from the previous image",
    ]
    assert record_of_second.findings == ("b 1.0 GHSA-1 medium 2.0 affected",)

    with_records(app.restore(), tmp_path, record("MAL-1", "b", "1.0"))
    with pytest.raises(MalwareFound) as failure:
        app.build()
    assert failure.value.in_image


def test_rebuild_with_the_previous_resolution_is_audited(app: FakeBuild, tmp_path: Path) -> None:
    app.manager = FakeManager(
        dict(PACKAGES),
        from_files=NeedsResolving("it is a lock", "f1"),
        resolved=resolution_of("a==1.0", from_files_alone=False),
    )
    app.settings = Settings()
    with_records(app, tmp_path).build()
    with_records(app.restore(), tmp_path, record("GHSA-1", "a", fixed="1.1"))
    app.lose_image()
    app.settings = Settings(audit="stop")

    with pytest.raises(VulnerablePackages):
        app.build()
    assert app.manager.calls == []


def test_audit_that_is_turned_off(app: FakeBuild, tmp_path: Path) -> None:
    app.settings = Settings()
    with_records(app, tmp_path, record("GHSA-1", "a", fixed="1.1")).build()

    app.settings = Settings(audit="off")
    last = app.restore().build()

    assert (last.audited, last.findings) == ("", ())


def test_audit_without_records(app: FakeBuild) -> None:
    app.settings = Settings(audit="stop")
    with pytest.raises(NoAuditData) as failure:
        app.build()
    assert vars(failure.value) == vars(NoAuditData.example()) == {"setting": "BP_PYTHON_AUDIT"}

    app.settings = Settings(audit="warn")
    app.build()
    assert app.log.lines[0].startswith("Packages are not audited\nBP_PYTHON_AUDIT is warn")


def test_failure_leaves_the_previous_cache_alone(app: FakeBuild) -> None:
    app.build()
    app.manager.from_files = resolution_of("a==1.1", "b==1.0")
    with pytest.raises(BuildpackError):
        app.restore().build()

    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.lose_image()
    assert app.build().distributions == {"a": "1.0", "b": "1.0"}
    assert app.manager.calls == []


@pytest.mark.parametrize(("content", "expected"), [("1\n", True), ("0\n", False), (None, False)])
def test_fips_mode_of_the_kernel_is_a_warning(
    tmp_path: Path, content: str | None, *, expected: bool
) -> None:
    file = tmp_path / "proc/sys/crypto/fips_enabled"
    file.parent.mkdir(parents=True)
    if content is not None:
        file.write_text(content)
    fake, _, log = world(lambda _: pytest.fail("nothing runs"))

    fips.warn("3.14.6", replace(fake, root=tmp_path))

    text = "\n".join(log.lines)
    assert ("Python 3.14.6 of this image contains its own OpenSSL" in text) is expected
