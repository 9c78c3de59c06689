"""Installing an environment: from pins, with the manager, and with what the store has."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.distributions.model import Distribution
from cnb_python.errors.base import ContractBroken
from cnb_python.install.installer import FilesNeeded, install_environment
from cnb_python.install.request import EnvironmentRequest, InstallResult, SameAsPrevious
from cnb_python.managers.base import InstallContext, Resolution
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_manager import (
    FakeManager,
    Package,
    copied_pip,
    package,
    pin,
    resolution_of,
)
from tests.support.fake_system import Log, world
from tests.support.stages import INTERPRETER, SITE

NOTHING = FilesNeeded(frozenset(), frozenset())
INDEX = {
    "a==1.0": package("a", "", "b"),
    "a==2.0": package("a", "# newer", "b"),
    "b==1.0": package("b"),
    "lonely==1.0": package(
        "lonely", "", "b", **{"lonely-1.0.dist-info/WHEEL": "Tag: py3-none-any\n"}
    ),
    "picky==1.0": package("picky", "", "b; python_full_version > '3.14.2'"),
    "opencv==1.0": package("opencv", cv2__py="# all", shared__py="# same"),
    "opencv-headless==1.0": package("opencv_headless", cv2__py="# less", shared__py="# same"),
}


def compiled(_: Command) -> Outcome:
    return Outcome(0, "0 0\n")


def nothing(*_: object) -> FilesNeeded:
    return NOTHING


def everything(distributions: Sequence[Distribution], development: frozenset[str]) -> FilesNeeded:
    del development
    return FilesNeeded(frozenset(each.name for each in distributions), frozenset())


def only(*names: str) -> FilesNeeded:
    return FilesNeeded(frozenset(names), frozenset())


@dataclass
class Build:
    """One build, and what the store has for the next."""

    directory: Path
    manager: FakeManager
    log: Log = field(default_factory=Log)
    manifest: str = ""

    @property
    def store(self) -> Store:
        store = self.directory / "store"
        store.mkdir(exist_ok=True)
        return Store(store)

    def install(
        self,
        resolved: Resolution | SameAsPrevious | None,
        entries: Mapping[str, StoreEntry] | None = None,
        files_needed: Callable[[Sequence[Distribution], frozenset[str]], FilesNeeded] = everything,
    ) -> InstallResult:
        system, _, self.log = world(compiled)
        self.manager.calls.clear()
        return install_environment(
            self._request(), resolved, entries or {}, files_needed, self.store, system
        )

    def keep(
        self, result: InstallResult, own_layer: Collection[str] = ()
    ) -> Mapping[str, StoreEntry]:
        """Close the store with *result*; return what the next build reads."""
        store = self.store
        entries = [
            store.put(each, result.roots[each.name], whole=each.name not in own_layer)
            for each in result.distributions
        ]
        self.manifest = store.close(entries, (), own_layer)
        return self.entries()

    def entries(self) -> Mapping[str, StoreEntry]:
        distributions = self.store.read(self.manifest)
        assert not isinstance(distributions, Damaged), distributions.reason
        return distributions

    def _request(self) -> EnvironmentRequest:
        app = self.directory / "app"
        app.mkdir(exist_ok=True)
        number = sum(1 for path in self.directory.iterdir() if path.name.startswith("work"))
        work = self.directory / f"work-{number}"
        work.mkdir()
        return EnvironmentRequest(
            app=read_app(app),
            manager=self.manager,
            interpreter=INTERPRETER,
            python="3.14.6",
            pip=copied_pip(work / "tool"),
            uv=Path("/tools/uv"),
            environ={},
            environment=self.directory / "venv",
            staging=work,
            installer="auto",
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path, FakeManager(dict(INDEX)))


def names(result: InstallResult) -> list[str]:
    return [each.name for each in result.distributions]


def text(result: InstallResult, name: str, path: str) -> str:
    return (result.roots[name] / SITE / path).read_text(encoding="utf-8")


AB = resolution_of("a==1.0", "b==1.0")


def test_pins_from_files_are_installed_without_resolving(build: Build) -> None:
    result = build.install(AB)

    assert build.manager.calls == ["fetch a b"]
    assert names(result) == ["a", "b"]
    assert result.installed == {"a", "b"}
    assert (result.resolution, result.python_patch) == (AB, "")
    assert text(result, "a", "a.py") == "# a"


def test_environment_directory_is_removed_afterwards(build: Build) -> None:
    build.install(AB)

    assert not (build.directory / "venv").exists()


def test_stored_distribution_is_not_installed_again(build: Build) -> None:
    clean = build.install(AB)

    cached = build.install(AB, build.keep(clean))

    assert build.manager.calls == []
    assert cached.distributions == clean.distributions
    assert cached.installed == frozenset()
    assert text(cached, "a", "a.py") == "# a"


def test_distribution_that_is_not_needed_is_not_unpacked(build: Build) -> None:
    entries = build.keep(build.install(AB))

    cached = build.install(AB, entries, files_needed=lambda *_: only("b"))

    assert names(cached) == ["a", "b"]
    assert cached.roots.keys() == {"b"}


def test_small_parts_are_unpacked_alone(build: Build) -> None:
    entries = build.keep(build.install(AB))

    cached = build.install(
        AB, entries, files_needed=lambda *_: FilesNeeded(frozenset({"a"}), frozenset({"b"}))
    )

    info = cached.roots["b"] / SITE
    assert [path.name for path in info.iterdir()] == ["b-1.0.dist-info"]
    assert text(cached, "a", "a.py") == "# a"


def test_only_changed_release_is_installed(build: Build) -> None:
    entries = build.keep(build.install(AB))

    result = build.install(resolution_of("a==2.0", "b==1.0"), entries)

    assert build.manager.calls == ["fetch a"]
    assert result.installed == {"a"}
    assert text(result, "a", "a.py") == "# newer"
    assert text(result, "b", "b.py") == "# b"


def test_cached_environment_equals_clean_one(build: Build, tmp_path: Path) -> None:
    newer = resolution_of("a==2.0", "b==1.0")
    newer_result = build.install(newer, build.keep(build.install(AB)))
    result = build.install(AB, build.keep(newer_result))
    (tmp_path / "clean").mkdir()

    clean = Build(tmp_path / "clean", FakeManager(dict(INDEX))).install(AB)

    assert result.distributions == clean.distributions


def test_other_origin_is_installed_again(build: Build) -> None:
    entries = build.keep(build.install(resolution_of("b==1.0")))
    other = Resolution((pin("b==1.0", "another index"),), from_files_alone=True, by="uv")

    assert build.install(other, entries).installed == {"b"}


def test_distribution_that_is_not_cacheable_is_always_installed(build: Build) -> None:
    entries = build.keep(build.install(resolution_of("b==1.0")))
    local = Resolution((pin("b==1.0", is_cacheable=False),), from_files_alone=True, by="uv")

    assert build.install(local, entries).installed == {"b"}


def test_distribution_that_is_not_cacheable_is_reused_for_same_inputs(build: Build) -> None:
    build.manager.resolved = Resolution(
        (pin("b==1.0", is_cacheable=False),), from_files_alone=True, by="uv"
    )
    first = build.install(None)
    build.manager.calls.clear()

    second = build.install(SameAsPrevious(frozenset({"b"})), build.keep(first))

    assert build.manager.calls == []
    assert second.resolution is None
    assert second.distributions == first.distributions
    assert sorted(second.roots) == ["b"]


def test_missing_files_make_manager_resolve_again(build: Build) -> None:
    first = build.install(AB)
    entries = build.keep(first)
    without_files = entries["a"]._replace(archive="")
    build.manager.calls.clear()
    build.manager.resolved = AB

    second = build.install(SameAsPrevious(frozenset("ab")), {**entries, "a": without_files})

    assert build.manager.calls == ["resolve", "fetch a"]
    assert "Resolving with pip: a has to be installed again" in build.log.lines
    assert second.resolution == AB
    assert second.distributions == first.distributions


def test_unknown_extra_of_a_pin_is_warned_of_and_its_release_installed(build: Build) -> None:
    (first, second) = resolution_of("a==1.0", "b==1.0").pins
    pins = (first, second._replace(extras=("standart",)))

    result = build.install(Resolution(pins, from_files_alone=True, by="uv"))

    assert result.installed == {"a", "b"}
    assert any(
        line.startswith("b 1.0 does not provide the extra standart") for line in build.log.lines
    )


def test_removed_pin_is_removed(build: Build) -> None:
    entries = build.keep(build.install(AB))

    assert names(build.install(resolution_of("b==1.0"), entries)) == ["b"]
    assert names(build.install(resolution_of(), entries)) == []
    assert build.manager.calls == []


def test_manager_resolves_and_fetches_without_store(build: Build) -> None:
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)

    result = build.install(None)

    assert build.manager.calls == ["resolve", "fetch a b"]
    assert result.resolution == build.manager.resolved
    assert result.installed == {"a", "b"}


def test_resolving_again_installs_only_new_distributions(build: Build) -> None:
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    entries = build.keep(build.install(None))
    build.manager.resolved = resolution_of("a==2.0", "b==1.0", from_files_alone=False)

    result = build.install(None, entries)

    assert build.manager.calls == ["resolve", "fetch a"]
    assert result.installed == {"a"}


def test_resolving_to_same_pins_installs_nothing(build: Build) -> None:
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    first = build.install(None)

    second = build.install(None, build.keep(first))

    assert build.manager.calls == ["resolve"]
    assert second.distributions == first.distributions


def test_incomplete_pins_are_resolved_by_manager(build: Build) -> None:
    build.manager.resolved = resolution_of("b==1.0", "lonely==1.0", from_files_alone=False)

    result = build.install(resolution_of("lonely==1.0"))

    assert build.manager.calls == ["fetch lonely", "resolve", "fetch b lonely"]
    assert names(result) == ["b", "lonely"]
    assert result.resolution == build.manager.resolved
    assert "Resolving with pip: lonely requires b, which no line names" in build.log.lines


def test_fetched_wheel_is_not_fetched_again_for_the_manager_s_pin_of_the_same_file(
    build: Build,
) -> None:
    lonely, b = resolution_of("lonely==1.0", "b==1.0", from_files_alone=False).pins[::-1]
    lonely = lonely._replace(origin="of pip", files=("lonely-1.0-py3-none-any.whl",))
    resolved = Resolution((b, lonely), from_files_alone=False, by="pip")
    build.manager.resolved = resolved

    result = build.install(resolution_of("lonely==1.0"))

    assert build.manager.calls == ["fetch lonely", "resolve", "fetch b"]
    assert names(result) == ["b", "lonely"]
    assert [each.origin for each in result.distributions] == ["origin of b", "of pip"]


def test_fetched_wheel_that_resolving_changed_is_fetched_again(build: Build) -> None:
    lonely, b = resolution_of("lonely==1.0", "b==1.0", from_files_alone=False).pins[::-1]
    lonely = lonely._replace(origin="of pip", files=("lonely-1.0-py3-none-any.whl",))
    build.manager.resolved = Resolution((b, lonely), from_files_alone=False, by="pip")

    def change(_: InstallContext) -> None:
        """Do what code of a package could do while the manager resolves."""
        if build.manager.calls[-1] == "resolve":
            for path in build.directory.rglob("lonely.py"):
                path.write_text("# changed")

    build.manager.before_install = change
    result = build.install(resolution_of("lonely==1.0"))

    assert build.manager.calls == ["fetch lonely", "resolve", "fetch b lonely"]
    assert names(result) == ["b", "lonely"]


def test_stored_distributions_do_not_hide_missing_dependency(build: Build) -> None:
    entries = build.keep(build.install(AB))
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)

    result = build.install(resolution_of("a==1.0"), entries)

    assert build.manager.calls == ["resolve"]
    assert names(result) == ["a", "b"]
    assert "Resolving with pip: a requires b, which no line names" in build.log.lines


def test_failed_pinned_installation_is_resolved_by_manager(build: Build) -> None:
    build.manager.refusal = "uv says: no"
    build.manager.resolved = resolution_of("b==1.0", from_files_alone=False)

    result = build.install(resolution_of("b==1.0"))

    assert build.manager.calls == ["fetch b", "resolve", "fetch b"]
    assert result.resolution == build.manager.resolved
    assert "Resolving with pip: uv says: no" in build.log.lines


def test_result_of_failed_installation_is_not_used(build: Build) -> None:
    entries = build.keep(build.install(resolution_of("b==1.0")))
    build.manager.refusal = "uv says: no"
    build.manager.resolved = resolution_of("b==1.0", from_files_alone=False)

    result = build.install(AB, entries)

    assert build.manager.calls == ["fetch a", "resolve"]
    assert (names(result), result.installed) == (["b"], frozenset())


def test_dependence_on_patch_release_is_recorded(build: Build) -> None:
    picky = resolution_of("b==1.0", "picky==1.0")

    result = build.install(picky)

    assert result.python_patch == "3.14.6"
    assert build.install(picky, build.keep(result)).python_patch == "3.14.6"


CONFLICTING = resolution_of("b==1.0", "opencv==1.0", "opencv-headless==1.0")


def test_overlapping_distributions_keep_their_own_files(build: Build) -> None:
    result = build.install(CONFLICTING)

    assert build.manager.calls == ["fetch b opencv opencv-headless"]
    assert text(result, "opencv", "cv2.py") == "# all"
    assert text(result, "opencv-headless", "cv2.py") == "# less"
    assert len({result.roots[name] for name in names(result)}) == 3


def test_what_is_no_wheel_is_built_by_itself_and_first(build: Build) -> None:
    built = pin("a==1.0", by_itself=True)
    resolution = Resolution((built, pin("b==1.0")), from_files_alone=True, by="uv")

    result = build.install(resolution)

    assert build.manager.calls == ["build a", "fetch b"]
    assert {each.name: each.from_source for each in result.distributions} == {
        "a": True,
        "b": False,
    }


def test_release_without_wheel_is_built_before_wheels_are_fetched(build: Build) -> None:
    build.manager.without_wheel = frozenset("b")

    result = build.install(AB)

    assert build.manager.calls == ["fetch a b", "build b", "fetch a"]
    assert {each.name: each.from_source for each in result.distributions} == {
        "a": False,
        "b": True,
    }


def test_all_releases_may_lack_wheels(build: Build) -> None:
    build.manager.without_wheel = frozenset("ab")

    assert names(build.install(AB)) == ["a", "b"]
    assert build.manager.calls == ["fetch a b", "build a", "build b"]


def test_refused_build_of_pins_is_resolved_by_manager(build: Build) -> None:
    resolution = Resolution((pin("b==1.0", by_itself=True),), from_files_alone=True, by="uv")
    build.manager.refusal = "uv says: no compiler"
    build.manager.resolved = resolution_of("b==1.0", from_files_alone=False)

    result = build.install(resolution)

    assert build.manager.calls == ["build b", "resolve", "fetch b"]
    assert names(result) == ["b"]


def test_refused_installation_of_lost_files_is_resolved_by_manager(build: Build) -> None:
    entries = build.keep(build.install(AB), own_layer=("a",))
    build.manager.refusal = "uv says: no"
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)

    result = build.install(AB, entries)

    assert build.manager.calls == ["fetch a", "resolve", "fetch a"]
    assert text(result, "a", "a.py") == "# a"


def test_conflicting_distributions_are_stored_whole(build: Build) -> None:
    clean = build.install(CONFLICTING)

    cached = build.install(CONFLICTING, build.keep(clean))

    assert build.manager.calls == []
    assert cached.distributions == clean.distributions
    assert text(cached, "opencv", "cv2.py") == "# all"
    assert text(cached, "opencv-headless", "cv2.py") == "# less"


def test_equal_file_of_two_distributions_is_installed_once(build: Build) -> None:
    same = {f"{SITE}/shared.py": "# same"}
    build.manager.index = {"x==1.0": Package(same), "y==1.0": Package(same)}

    result = build.install(resolution_of("x==1.0", "y==1.0"))

    assert build.manager.calls == ["fetch x y"]
    assert names(result) == ["x", "y"]


@pytest.mark.parametrize("how", ["content", "mode", "removed", "link"])
def test_unpacked_files_that_a_later_build_changed_are_unpacked_again(
    build: Build, how: str
) -> None:
    resolution = Resolution(
        (pin("a==1.0", by_itself=True), pin("b==1.0")), from_files_alone=True, by="uv"
    )
    clean = build.install(resolution)
    entries = build.keep(clean, own_layer=("b",))
    damage(build, entries["a"].archive)

    def poison(context: InstallContext) -> None:
        if not context.builds:
            return
        for file in build.directory.glob(f"work-*/root-*-b/{SITE}/b.py"):
            if how == "content":
                file.write_text("# B")
            elif how == "mode":
                file.chmod(0o755)
            else:
                file.unlink()
                if how == "link":
                    file.symlink_to("/etc/passwd")

    build.manager.before_install = poison
    needed = iter((only("b"), only("a", "b")))

    result = build.install(
        resolution, entries, files_needed=lambda *_: next(needed, only("a", "b"))
    )

    assert build.manager.calls == ["fetch b", "build a", "fetch b"]
    assert result.distributions == clean.distributions
    assert text(result, "b", "b.py") == "# b"


def damage(build: Build, digest: str) -> None:
    archive = build.directory / f"store/{digest}.tar.zst"
    archive.write_bytes(archive.read_bytes()[:-1])


def test_distribution_with_damaged_archive_is_installed_again(build: Build) -> None:
    clean = build.install(AB)
    entries = build.keep(clean)
    damage(build, entries["a"].archive)

    result = build.install(AB, entries)

    assert build.manager.calls == ["fetch a"]
    assert result.distributions == clean.distributions
    assert result.installed == {"a"}
    assert any(line.startswith("Installing a again: ") for line in build.log.lines)
    assert text(result, "a", "a.py") == "# a"


def test_damaged_archive_that_is_not_needed_is_ignored(build: Build) -> None:
    entries = build.keep(build.install(AB))
    damage(build, entries["a"].archive)

    build.install(AB, entries, files_needed=lambda *_: only("b"))

    assert build.manager.calls == []


def test_distribution_with_damaged_small_parts_is_installed_again(build: Build) -> None:
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    entries = build.keep(build.install(None))
    damage(build, entries["b"].info)

    result = build.install(
        None, entries, files_needed=lambda *_: FilesNeeded(frozenset(), frozenset({"b"}))
    )

    assert build.manager.calls == ["resolve", "fetch b"]
    assert text(result, "b", "b.py") == "# b"


def test_unreadable_metadata_makes_pins_incomplete(build: Build) -> None:
    entries = build.keep(build.install(AB))
    damage(build, entries["b"].info)
    build.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)

    result = build.install(AB, entries, files_needed=nothing)

    assert build.manager.calls == ["resolve"]
    assert any("the store cannot be used" in line for line in build.log.lines)
    assert result.resolution == build.manager.resolved


def test_distribution_too_large_for_store_is_installed_again_silently(build: Build) -> None:
    clean = build.install(AB)
    entries = build.keep(clean, own_layer=("a",))

    result = build.install(AB, entries)

    assert build.manager.calls == ["fetch a"]
    assert result.distributions == clean.distributions
    assert not [line for line in build.log.lines if "again" in line]


def test_distribution_without_archive_is_reused_if_not_needed(
    build: Build,
) -> None:
    clean = build.install(AB)

    cached = build.install(AB, build.keep(clean, own_layer=("a",)), files_needed=nothing)

    assert build.manager.calls == []
    assert cached.distributions == clean.distributions


def test_reinstalled_distribution_that_differs_is_used(build: Build) -> None:
    entries = build.keep(build.install(AB), own_layer=("a",))
    build.manager.index["a==1.0"] = package("a", "# built again", "b")

    result = build.install(AB, entries)

    assert text(result, "a", "a.py") == "# built again"
    assert result.distributions[0] != entries["a"].distribution


def test_pinned_distribution_that_is_missing_breaks_contract(build: Build) -> None:
    build.manager.resolved = resolution_of("b==1.0", "gone==1.0", from_files_alone=False)

    with pytest.raises(ContractBroken) as raised:
        build.install(None)

    assert raised.value.problem == "pinned and not installed: gone"
