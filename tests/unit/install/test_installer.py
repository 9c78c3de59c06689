"""What is installed becomes what is wanted, whatever was there before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.distributions.model import Distribution
from cnb_python.errors.base import ContractBroken
from cnb_python.install.installer import FilesNeeded, Needed, sync
from cnb_python.install.request import EnvironmentRequest, InstallResult, SameAsPrevious
from cnb_python.managers.base import Resolution
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_manager import Package, Shop, copied_pip, decision, package, pin
from tests.support.fake_system import Log, world
from tests.support.stages import INTERPRETER, SITE

NOTHING = FilesNeeded(frozenset(), frozenset())
INDEX = {
    "a==1.0": package("a", "", "b"),
    "a==2.0": package("a", "# newer", "b"),
    "b==1.0": package("b"),
    "lonely==1.0": package("lonely", "", "b"),
    "picky==1.0": package("picky", "", "b; python_full_version > '3.14.2'"),
    "opencv==1.0": package("opencv", cv2__py="# all", shared__py="# same"),
    "opencv-headless==1.0": package("opencv_headless", cv2__py="# less", shared__py="# same"),
}


def compiled(_: Command) -> Outcome:
    return Outcome(0, "0 0\n")


def nothing(_: Sequence[Distribution]) -> FilesNeeded:
    return NOTHING


def everything(found: Sequence[Distribution]) -> FilesNeeded:
    return FilesNeeded(frozenset(one.name for one in found), frozenset())


def only(*names: str) -> FilesNeeded:
    return FilesNeeded(frozenset(names), frozenset())


@dataclass
class Build:
    """One build, and what the next one finds of it."""

    directory: Path
    shop: Shop
    log: Log = field(default_factory=Log)
    manifest: str = ""

    @property
    def store(self) -> Store:
        store = self.directory / "store"
        store.mkdir(exist_ok=True)
        return Store(store)

    def sync(
        self,
        known: Resolution | SameAsPrevious | None,
        kept: Mapping[str, StoreEntry] | None = None,
        needed: Needed = everything,
    ) -> InstallResult:
        system, _, self.log = world(compiled)
        self.shop.asked.clear()
        return sync(self._request(), known, kept or {}, needed, self.store, system)

    def keep(self, synced: InstallResult, alone: Collection[str] = ()) -> Mapping[str, StoreEntry]:
        """Close the store over *synced*; return what the next build reads."""
        store = self.store
        kept = [
            store.put(one, synced.roots[one.name], whole=one.name not in alone)
            for one in synced.distributions
        ]
        self.manifest = store.close(kept, (), alone)
        return self.kept()

    def kept(self) -> Mapping[str, StoreEntry]:
        found = self.store.read(self.manifest)
        assert not isinstance(found, Damaged), found.reason
        return found

    def _request(self) -> EnvironmentRequest:
        app = self.directory / "app"
        app.mkdir(exist_ok=True)
        number = sum(1 for path in self.directory.iterdir() if path.name.startswith("work"))
        work = self.directory / f"work-{number}"
        work.mkdir()
        return EnvironmentRequest(
            app=read_app(app),
            manager=self.shop,
            interpreter=INTERPRETER,
            python="3.14.6",
            tool=copied_pip(work / "tool"),
            uv=Path("/tools/uv"),
            environ={},
            directory=self.directory / "venv",
            work=work,
            installer="auto",
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path, Shop(dict(INDEX)))


def names(synced: InstallResult) -> list[str]:
    return [one.name for one in synced.distributions]


def text(synced: InstallResult, name: str, path: str) -> str:
    return (synced.roots[name] / SITE / path).read_text(encoding="utf-8")


AB = decision("a==1.0", "b==1.0")


def test_pins_from_files_are_installed_without_resolving(build: Build) -> None:
    synced = build.sync(AB)

    assert build.shop.asked == ["try a b"]
    assert names(synced) == ["a", "b"]
    assert synced.fresh == {"a", "b"}
    assert (synced.decision, synced.python_patch) == (AB, "")
    assert text(synced, "a", "a.py") == "# a"


def test_environment_directory_is_removed_afterwards(build: Build) -> None:
    build.sync(AB)

    assert not (build.directory / "venv").exists()


def test_stored_distribution_is_not_installed_again(build: Build) -> None:
    clean = build.sync(AB)

    cached = build.sync(AB, build.keep(clean))

    assert build.shop.asked == []
    assert cached.distributions == clean.distributions
    assert cached.fresh == frozenset()
    assert text(cached, "a", "a.py") == "# a"


def test_distribution_that_is_not_needed_is_not_unpacked(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    cached = build.sync(AB, kept, needed=lambda _: only("b"))

    assert names(cached) == ["a", "b"]
    assert cached.roots.keys() == {"b"}


def test_small_parts_are_unpacked_alone(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    cached = build.sync(AB, kept, needed=lambda _: FilesNeeded(frozenset({"a"}), frozenset({"b"})))

    info = cached.roots["b"] / SITE
    assert [path.name for path in info.iterdir()] == ["b-1.0.dist-info"]
    assert text(cached, "a", "a.py") == "# a"


def test_only_changed_release_is_installed(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    synced = build.sync(decision("a==2.0", "b==1.0"), kept)

    assert build.shop.asked == ["try a"]
    assert synced.fresh == {"a"}
    assert text(synced, "a", "a.py") == "# newer"
    assert text(synced, "b", "b.py") == "# b"


def test_cached_environment_equals_clean_one(build: Build, tmp_path: Path) -> None:
    newer = decision("a==2.0", "b==1.0")
    there = build.sync(newer, build.keep(build.sync(AB)))
    back = build.sync(AB, build.keep(there))
    (tmp_path / "clean").mkdir()

    clean = Build(tmp_path / "clean", Shop(dict(INDEX))).sync(AB)

    assert back.distributions == clean.distributions


def test_other_origin_is_installed_again(build: Build) -> None:
    kept = build.keep(build.sync(decision("b==1.0")))
    other = Resolution((pin("b==1.0", "another index"),), from_files_alone=True, by="uv")

    assert build.sync(other, kept).fresh == {"b"}


def test_distribution_that_is_not_cacheable_is_always_installed(build: Build) -> None:
    kept = build.keep(build.sync(decision("b==1.0")))
    local = Resolution((pin("b==1.0", is_cacheable=False),), from_files_alone=True, by="uv")

    assert build.sync(local, kept).fresh == {"b"}


def test_distribution_that_is_not_cacheable_is_reused_for_same_inputs(build: Build) -> None:
    build.shop.answer = Resolution(
        (pin("b==1.0", is_cacheable=False),), from_files_alone=True, by="uv"
    )
    first = build.sync(None)
    build.shop.asked.clear()

    again = build.sync(SameAsPrevious(frozenset({"b"})), build.keep(first))

    assert build.shop.asked == []
    assert again.decision is None
    assert again.distributions == first.distributions
    assert sorted(again.roots) == ["b"]


def test_missing_files_make_manager_resolve_again(build: Build) -> None:
    first = build.sync(AB)
    kept = build.keep(first)
    without_files = kept["a"]._replace(archive="")
    build.shop.asked.clear()
    build.shop.answer = AB

    again = build.sync(SameAsPrevious(frozenset("ab")), {**kept, "a": without_files})

    assert build.shop.asked == ["decide", "install a"]
    assert "Resolving with pip: a has to be installed again" in build.log.said
    assert again.decision == AB
    assert again.distributions == first.distributions


def test_removed_pin_is_removed(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    assert names(build.sync(decision("b==1.0"), kept)) == ["b"]
    assert names(build.sync(decision(), kept)) == []
    assert build.shop.asked == []


def test_manager_resolves_and_installs_at_once_without_store(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)

    synced = build.sync(None)

    assert build.shop.asked == ["all a b"]
    assert synced.decision == build.shop.answer
    assert synced.fresh == {"a", "b"}


def test_resolving_again_installs_only_new_distributions(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    kept = build.keep(build.sync(None))
    build.shop.answer = decision("a==2.0", "b==1.0", from_files_alone=False)

    synced = build.sync(None, kept)

    assert build.shop.asked == ["decide", "install a"]
    assert synced.fresh == {"a"}


def test_resolving_to_same_pins_installs_nothing(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    first = build.sync(None)

    again = build.sync(None, build.keep(first))

    assert build.shop.asked == ["decide"]
    assert again.distributions == first.distributions


def test_incomplete_pins_are_resolved_by_manager(build: Build) -> None:
    build.shop.answer = decision("b==1.0", "lonely==1.0", from_files_alone=False)

    synced = build.sync(decision("lonely==1.0"))

    assert build.shop.asked == ["try lonely", "all b lonely"]
    assert names(synced) == ["b", "lonely"]
    assert synced.decision == build.shop.answer
    assert "Resolving with pip: lonely requires b, which no line names" in build.log.said


def test_stored_distributions_do_not_hide_missing_dependency(build: Build) -> None:
    kept = build.keep(build.sync(AB))
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)

    synced = build.sync(decision("a==1.0"), kept)

    assert build.shop.asked == ["decide"]
    assert names(synced) == ["a", "b"]
    assert "Resolving with pip: a requires b, which no line names" in build.log.said


def test_failed_pinned_installation_is_resolved_by_manager(build: Build) -> None:
    build.shop.refusal = "uv says: no"
    build.shop.answer = decision("b==1.0", from_files_alone=False)

    synced = build.sync(decision("b==1.0"))

    assert build.shop.asked == ["try b", "all b"]
    assert synced.decision == build.shop.answer
    assert "Resolving with pip: uv says: no" in build.log.said


def test_result_of_failed_installation_is_not_used(build: Build) -> None:
    kept = build.keep(build.sync(decision("b==1.0")))
    build.shop.refusal = "uv says: no"
    build.shop.answer = decision("b==1.0", from_files_alone=False)

    synced = build.sync(AB, kept)

    assert build.shop.asked == ["try a", "decide"]
    assert (names(synced), synced.fresh) == (["b"], frozenset())


def test_dependence_on_patch_release_is_recorded(build: Build) -> None:
    picky = decision("b==1.0", "picky==1.0")

    synced = build.sync(picky)

    assert synced.python_patch == "3.14.6"
    assert build.sync(picky, build.keep(synced)).python_patch == "3.14.6"


CLASH = decision("b==1.0", "opencv==1.0", "opencv-headless==1.0")


def test_conflicting_distributions_are_installed_again_separately(build: Build) -> None:
    synced = build.sync(CLASH)

    assert build.shop.asked[1:] == ["install opencv", "install opencv-headless"]
    assert text(synced, "opencv", "cv2.py") == "# all"
    assert text(synced, "opencv-headless", "cv2.py") == "# less"
    assert len({synced.roots[name] for name in names(synced)}) == 3


def test_conflicting_distributions_are_stored_whole(build: Build) -> None:
    clean = build.sync(CLASH)

    cached = build.sync(CLASH, build.keep(clean))

    assert build.shop.asked == []
    assert cached.distributions == clean.distributions
    assert text(cached, "opencv", "cv2.py") == "# all"
    assert text(cached, "opencv-headless", "cv2.py") == "# less"


def test_equal_file_of_two_distributions_is_installed_once(build: Build) -> None:
    same = {f"{SITE}/shared.py": "# same"}
    build.shop.index = {"x==1.0": Package(same), "y==1.0": Package(same)}

    synced = build.sync(decision("x==1.0", "y==1.0"))

    assert build.shop.asked == ["try x y"]
    assert names(synced) == ["x", "y"]


def damage(build: Build, digest: str) -> None:
    archive = build.directory / f"store/{digest}.tar.zst"
    archive.write_bytes(archive.read_bytes()[:-1])


def test_distribution_with_damaged_archive_is_installed_again(build: Build) -> None:
    clean = build.sync(AB)
    kept = build.keep(clean)
    damage(build, kept["a"].archive)

    synced = build.sync(AB, kept)

    assert build.shop.asked == ["install a"]
    assert synced.distributions == clean.distributions
    assert synced.fresh == {"a"}
    assert any(said.startswith("Installing a again: ") for said in build.log.said)
    assert text(synced, "a", "a.py") == "# a"


def test_damaged_archive_that_is_not_needed_is_ignored(build: Build) -> None:
    kept = build.keep(build.sync(AB))
    damage(build, kept["a"].archive)

    build.sync(AB, kept, needed=lambda _: only("b"))

    assert build.shop.asked == []


def test_distribution_with_damaged_small_parts_is_installed_again(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    kept = build.keep(build.sync(None))
    damage(build, kept["b"].info)

    synced = build.sync(None, kept, needed=lambda _: FilesNeeded(frozenset(), frozenset({"b"})))

    assert build.shop.asked == ["decide", "install b"]
    assert text(synced, "b", "b.py") == "# b"


def test_unreadable_metadata_makes_pins_incomplete(build: Build) -> None:
    kept = build.keep(build.sync(AB))
    damage(build, kept["b"].info)
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)

    synced = build.sync(AB, kept, needed=nothing)

    assert build.shop.asked == ["decide"]
    assert any("the store cannot be used" in said for said in build.log.said)
    assert synced.decision == build.shop.answer


def test_distribution_too_large_for_store_is_installed_again_silently(build: Build) -> None:
    clean = build.sync(AB)
    kept = build.keep(clean, alone=("a",))

    synced = build.sync(AB, kept)

    assert build.shop.asked == ["install a"]
    assert synced.distributions == clean.distributions
    assert not [said for said in build.log.said if "again" in said]


def test_distribution_without_archive_is_reused_if_not_needed(
    build: Build,
) -> None:
    clean = build.sync(AB)

    cached = build.sync(AB, build.keep(clean, alone=("a",)), needed=nothing)

    assert build.shop.asked == []
    assert cached.distributions == clean.distributions


def test_reinstalled_distribution_that_differs_is_used(build: Build) -> None:
    kept = build.keep(build.sync(AB), alone=("a",))
    build.shop.index["a==1.0"] = package("a", "# built anew", "b")

    synced = build.sync(AB, kept)

    assert text(synced, "a", "a.py") == "# built anew"
    assert synced.distributions[0] != kept["a"].distribution


def test_pinned_distribution_that_is_missing_breaks_contract(build: Build) -> None:
    build.shop.answer = decision("b==1.0", "gone==1.0", from_files_alone=False)

    with pytest.raises(ContractBroken) as raised:
        build.sync(None)

    assert raised.value.problem == "decided and not installed: gone"
