"""What uv installs where it may is what pip would have chosen, on real requirements files.

Their directories say what has to become of them: `exact` is installed by uv and proven complete;
in `pip` pip has to decide; `refused` is what pip refuses, so nothing else may accept it.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from packaging.tags import parse_tag

from cnb_python.errors.base import AppError
from cnb_python.errors.packages.finding import NoSuchVersion, VersionConflict
from cnb_python.errors.packages.install import HashMismatch, HashMissing, NotPinned
from cnb_python.errors.packages.requirements import BadRequirement, MisleadingName
from cnb_python.managers.base import InstallContext
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.process import run
from tests.support import resolving
from tests.support.resolving import Accepted, install_pinned, settings, versions

DATA = Path(__file__).parent / "data/requirements"
FAILURES: Mapping[str, type[AppError]] = {
    "requires_python": MisleadingName,
    "one_hash": HashMissing,
    "extra_without_its_package_hashed": NotPinned,
    "pre_release_only": NoSuchVersion,
    "contradiction": VersionConflict,
    "wrong_hash": HashMismatch,
    "one_equals": BadRequirement,
}
"""By the stem of a file's name, where one kind of failure alone would be right."""
type Make = Callable[..., InstallContext]


def files(kind: str) -> list[Path]:
    return sorted((DATA / kind).glob("*.txt"))


@pytest.fixture
def place(tmp_path: Path, base: Path) -> Make:
    """Make a workplace for the app whose requirements file is this one."""
    numbers = iter(range(9))

    def make(requirements: Path | str, **environ: str) -> InstallContext:
        app = tmp_path / "app"
        app.mkdir(exist_ok=True)
        shutil.copytree(DATA / "parts", tmp_path / "parts", dirs_exist_ok=True)
        if isinstance(requirements, Path):
            shutil.copy(requirements, app / "requirements.txt")
        else:
            (app / "requirements.txt").write_text(requirements, encoding="utf-8")
        work = base / f"{tmp_path.name}-{next(numbers)}"
        return resolving.install_context(app, work, settings() | environ, base)

    return make


@pytest.mark.parametrize("file", files("exact"), ids=lambda file: file.stem)
def test_uv_takes_what_pip_would_choose(place: Make, file: Path) -> None:
    result = install_pinned(place(file))
    asked = place(file)
    decided = Pip().resolve(asked, run)

    assert isinstance(result, Accepted), result
    assert versions(result.resolution) == result.installed == versions(decided)
    for name, tags in of_the_report(asked).items():
        assert tags <= result.tags[name], f"another wheel of {name}"


@pytest.mark.parametrize("file", files("pip"), ids=lambda file: file.stem)
def test_pip_decides_what_is_not_exact(place: Make, file: Path) -> None:
    assert isinstance(install_pinned(place(file)), str)
    assert Pip().resolve(place(file), run).pins


@pytest.mark.parametrize("file", files("refused"), ids=lambda file: file.stem)
def test_what_pip_refuses_is_not_accepted_and_explained_in_its_sense(
    place: Make, file: Path
) -> None:
    assert isinstance(install_pinned(place(file)), str)
    asked = place(file)
    with pytest.raises(FAILURES.get(file.stem, AppError)):
        resolving.install(Pip().resolve(asked, run), asked, Pip())


def test_there_are_enough_files() -> None:
    assert len(files("exact") + files("pip") + files("refused")) >= 25


def of_the_report(place: InstallContext) -> dict[str, frozenset[str]]:
    """Return the tags in the names of the wheels that pip chose, by name of the distribution."""
    report = json.loads((place.scratch / "report.json").read_text(encoding="utf-8"))
    urls = {
        item["metadata"]["name"].lower().replace("_", "-").replace(".", "-"): item[
            "download_info"
        ]["url"]
        for item in report["install"]
    }
    return {
        name: frozenset(map(str, parse_tag("-".join(url.removesuffix(".whl").split("-")[-3:]))))
        for name, url in urls.items()
        if url.endswith(".whl")
    }
