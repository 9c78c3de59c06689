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


def test_what_the_files_decide_is_installed_without_asking(build: Build) -> None:
    synced = build.sync(AB)

    assert build.shop.asked == ["try a b"]
    assert names(synced) == ["a", "b"]
    assert synced.fresh == {"a", "b"}
    assert (synced.decision, synced.python_patch) == (AB, "")
    assert text(synced, "a", "a.py") == "# a"


def test_nothing_is_left_where_the_environment_will_be(build: Build) -> None:
    build.sync(AB)

    assert not (build.directory / "venv").exists()


def test_what_was_kept_is_not_installed_again(build: Build) -> None:
    clean = build.sync(AB)

    cached = build.sync(AB, build.keep(clean))

    assert build.shop.asked == []
    assert cached.distributions == clean.distributions
    assert cached.fresh == frozenset()
    assert text(cached, "a", "a.py") == "# a"


def test_of_what_is_not_needed_no_file_is_unpacked(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    cached = build.sync(AB, kept, needed=lambda _: only("b"))

    assert names(cached) == ["a", "b"]
    assert cached.roots.keys() == {"b"}


def test_small_parts_are_unpacked_without_the_rest(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    cached = build.sync(AB, kept, needed=lambda _: FilesNeeded(frozenset({"a"}), frozenset({"b"})))

    info = cached.roots["b"] / SITE
    assert [path.name for path in info.iterdir()] == ["b-1.0.dist-info"]
    assert text(cached, "a", "a.py") == "# a"


def test_only_another_release_is_installed(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    synced = build.sync(decision("a==2.0", "b==1.0"), kept)

    assert build.shop.asked == ["try a"]
    assert synced.fresh == {"a"}
    assert text(synced, "a", "a.py") == "# newer"
    assert text(synced, "b", "b.py") == "# b"


def test_a_cached_environment_equals_a_clean_one(build: Build, tmp_path: Path) -> None:
    newer = decision("a==2.0", "b==1.0")
    there = build.sync(newer, build.keep(build.sync(AB)))
    back = build.sync(AB, build.keep(there))
    (tmp_path / "clean").mkdir()

    clean = Build(tmp_path / "clean", Shop(dict(INDEX))).sync(AB)

    assert back.distributions == clean.distributions


def test_another_origin_is_another_distribution(build: Build) -> None:
    kept = build.keep(build.sync(decision("b==1.0")))
    other = Resolution((pin("b==1.0", "another index"),), from_files_alone=True, by="uv")

    assert build.sync(other, kept).fresh == {"b"}


def test_what_may_change_without_a_word_is_always_installed(build: Build) -> None:
    kept = build.keep(build.sync(decision("b==1.0")))
    local = Resolution((pin("b==1.0", is_cacheable=False),), from_files_alone=True, by="uv")

    assert build.sync(local, kept).fresh == {"b"}


def test_where_nothing_can_have_changed_even_that_is_taken_as_it_was(build: Build) -> None:
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


def test_its_manager_is_asked_after_all_where_files_of_it_are_not_kept(build: Build) -> None:
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


def test_what_is_not_wanted_any_more_vanishes(build: Build) -> None:
    kept = build.keep(build.sync(AB))

    assert names(build.sync(decision("b==1.0"), kept)) == ["b"]
    assert names(build.sync(decision(), kept)) == []
    assert build.shop.asked == []


def test_without_a_decision_the_manager_decides_and_installs_in_one_go(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)

    synced = build.sync(None)

    assert build.shop.asked == ["all a b"]
    assert synced.decision == build.shop.answer
    assert synced.fresh == {"a", "b"}


def test_a_manager_that_decides_again_installs_only_what_is_new(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    kept = build.keep(build.sync(None))
    build.shop.answer = decision("a==2.0", "b==1.0", from_files_alone=False)

    synced = build.sync(None, kept)

    assert build.shop.asked == ["decide", "install a"]
    assert synced.fresh == {"a"}


def test_a_manager_that_decides_as_before_installs_nothing(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    first = build.sync(None)

    again = build.sync(None, build.keep(first))

    assert build.shop.asked == ["decide"]
    assert again.distributions == first.distributions


def test_pins_that_need_what_no_line_names_are_left_to_the_manager(build: Build) -> None:
    build.shop.answer = decision("b==1.0", "lonely==1.0", from_files_alone=False)

    synced = build.sync(decision("lonely==1.0"))

    assert build.shop.asked == ["try lonely", "all b lonely"]
    assert names(synced) == ["b", "lonely"]
    assert synced.decision == build.shop.answer
    assert "Resolving with pip: lonely requires b, which no line names" in build.log.said


def test_what_was_kept_does_not_hide_that_something_is_missing(build: Build) -> None:
    kept = build.keep(build.sync(AB))
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)

    synced = build.sync(decision("a==1.0"), kept)

    assert build.shop.asked == ["decide"]
    assert names(synced) == ["a", "b"]
    assert "Resolving with pip: a requires b, which no line names" in build.log.said


def test_a_tool_that_refuses_is_not_the_last_word(build: Build) -> None:
    build.shop.refusal = "uv says: no"
    build.shop.answer = decision("b==1.0", from_files_alone=False)

    synced = build.sync(decision("b==1.0"))

    assert build.shop.asked == ["try b", "all b"]
    assert synced.decision == build.shop.answer
    assert "Resolving with pip: uv says: no" in build.log.said


def test_what_a_refused_attempt_installed_is_not_taken(build: Build) -> None:
    kept = build.keep(build.sync(decision("b==1.0")))
    build.shop.refusal = "uv says: no"
    build.shop.answer = decision("b==1.0", from_files_alone=False)

    synced = build.sync(AB, kept)

    assert build.shop.asked == ["try a", "decide"]
    assert (names(synced), synced.fresh) == (["b"], frozenset())


def test_a_decision_that_depends_on_the_patch_release_says_so(build: Build) -> None:
    picky = decision("b==1.0", "picky==1.0")

    synced = build.sync(picky)

    assert synced.python_patch == "3.14.6"
    assert build.sync(picky, build.keep(synced)).python_patch == "3.14.6"


CLASH = decision("b==1.0", "opencv==1.0", "opencv-headless==1.0")


def test_those_that_own_the_same_file_are_installed_again_each_alone(build: Build) -> None:
    synced = build.sync(CLASH)

    assert build.shop.asked[1:] == ["install opencv", "install opencv-headless"]
    assert text(synced, "opencv", "cv2.py") == "# all"
    assert text(synced, "opencv-headless", "cv2.py") == "# less"
    assert len({synced.roots[name] for name in names(synced)}) == 3


def test_those_that_own_the_same_file_come_back_from_the_store_each_whole(build: Build) -> None:
    clean = build.sync(CLASH)

    cached = build.sync(CLASH, build.keep(clean))

    assert build.shop.asked == []
    assert cached.distributions == clean.distributions
    assert text(cached, "opencv", "cv2.py") == "# all"
    assert text(cached, "opencv-headless", "cv2.py") == "# less"


def test_a_file_that_is_the_same_in_both_needs_no_second_look(build: Build) -> None:
    same = {f"{SITE}/shared.py": "# same"}
    build.shop.index = {"x==1.0": Package(same), "y==1.0": Package(same)}

    synced = build.sync(decision("x==1.0", "y==1.0"))

    assert build.shop.asked == ["try x y"]
    assert names(synced) == ["x", "y"]


def damage(build: Build, digest: str) -> None:
    archive = build.directory / f"store/{digest}.tar.zst"
    archive.write_bytes(archive.read_bytes()[:-1])


def test_a_damaged_archive_is_installed_again(build: Build) -> None:
    clean = build.sync(AB)
    kept = build.keep(clean)
    damage(build, kept["a"].archive)

    synced = build.sync(AB, kept)

    assert build.shop.asked == ["install a"]
    assert synced.distributions == clean.distributions
    assert synced.fresh == {"a"}
    assert any(said.startswith("Installing a again: ") for said in build.log.said)
    assert text(synced, "a", "a.py") == "# a"


def test_an_archive_that_nobody_needs_may_be_damaged(build: Build) -> None:
    kept = build.keep(build.sync(AB))
    damage(build, kept["a"].archive)

    build.sync(AB, kept, needed=lambda _: only("b"))

    assert build.shop.asked == []


def test_damaged_small_parts_are_installed_again(build: Build) -> None:
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    kept = build.keep(build.sync(None))
    damage(build, kept["b"].info)

    synced = build.sync(None, kept, needed=lambda _: FilesNeeded(frozenset(), frozenset({"b"})))

    assert build.shop.asked == ["decide", "install b"]
    assert text(synced, "b", "b.py") == "# b"


def test_a_proof_that_cannot_be_read_is_none(build: Build) -> None:
    kept = build.keep(build.sync(AB))
    damage(build, kept["b"].info)
    build.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)

    synced = build.sync(AB, kept, needed=nothing)

    assert build.shop.asked == ["decide"]
    assert any("the store cannot be used" in said for said in build.log.said)
    assert synced.decision == build.shop.answer


def test_what_was_too_large_to_keep_is_installed_again_without_a_word(build: Build) -> None:
    clean = build.sync(AB)
    kept = build.keep(clean, alone=("a",))

    synced = build.sync(AB, kept)

    assert build.shop.asked == ["install a"]
    assert synced.distributions == clean.distributions
    assert not [said for said in build.log.said if "again" in said]


def test_what_was_too_large_to_keep_counts_as_installed_while_nobody_needs_it(
    build: Build,
) -> None:
    clean = build.sync(AB)

    cached = build.sync(AB, build.keep(clean, alone=("a",)), needed=nothing)

    assert build.shop.asked == []
    assert cached.distributions == clean.distributions


def test_what_comes_back_as_another_counts_as_it_is_now(build: Build) -> None:
    kept = build.keep(build.sync(AB), alone=("a",))
    build.shop.index["a==1.0"] = package("a", "# built anew", "b")

    synced = build.sync(AB, kept)

    assert text(synced, "a", "a.py") == "# built anew"
    assert synced.distributions[0] != kept["a"].distribution


def test_what_was_decided_and_is_not_there_is_our_fault(build: Build) -> None:
    build.shop.answer = decision("b==1.0", "gone==1.0", from_files_alone=False)

    with pytest.raises(ContractBroken) as raised:
        build.sync(None)

    assert raised.value.problem == "decided and not installed: gone"
