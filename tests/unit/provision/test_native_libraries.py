"""Shared libraries that packages need: found, missing, or only in the build image."""

import json
from collections.abc import Mapping, Sequence
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import IGNORE, WARN, Settings
from cnb_python.distributions import elf, native
from cnb_python.distributions.model import LibraryNeed
from cnb_python.errors.libraries import MissingLibraries, MissingLibrary
from cnb_python.install.request import InstallResult
from cnb_python.provision import libraries, native_libraries
from cnb_python.provision.libraries import LABEL
from cnb_python.provision.request import NoSystemPackages
from tests.support import elf_files
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import FakeManager, package, resolution_of
from tests.support.installed import distribution
from tests.support.stages import SITE

INIT = "from . import _a"
type Files = Mapping[str, str | bytes]


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    """Builds in an image that has libc and libpq.so.5."""
    built = fake_build(tmp_path / "build", FakeManager({}))
    built.root = tmp_path / "root"
    (built.root / "lib").mkdir(parents=True)
    defines = ["libc.so.6", "GLIBC_2.4", "GLIBC_2.36"]
    (built.root / "lib/libc.so.6").write_bytes(elf_files.elf(defines=defines))
    (built.root / "lib/libpq.so.5").write_bytes(elf_files.elf())
    return built


def installed(
    directory: Path, packages: Mapping[str, Files], *, reads: bool = True
) -> InstallResult:
    """Return *packages*, as an installer leaves them below *directory*."""
    distributions = []
    for name, files in packages.items():
        read = []
        for path, content in files.items():
            target = directory / name / SITE / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
            read.append((f"{SITE}/{path}", elf.read(target)))
        item = distribution(name, [path for path, _ in read])
        distributions.append(replace(item, library_needs=native.needs_of(read, 0)))
    roots = {name: directory / name for name in packages} if reads else {}
    return InstallResult(None, tuple(distributions), roots, frozenset(packages), {}, "")


def linked(*needed: str, versions: Sequence[str] = ()) -> bytes:
    table = {"libc.so.6": versions} if versions else {}
    return elf_files.elf(needed=needed, versions=table)


def test_system_packages_need_libraries_too(app: FakeBuild) -> None:
    layer = app.layers / "system-packages/usr/lib"
    layer.mkdir(parents=True)
    (layer / "libown.so.1").write_bytes(elf_files.elf())
    names = ("libc.so.6", "libgone.so.3", "libown.so.1", "libpq.so.5")
    packages = NoSystemPackages(
        libraries=(str(layer),), library_needs=tuple(map(LibraryNeed, names))
    )
    request = replace(app.request(), system_packages=packages)

    recorded = native_libraries.check(request, installed(layer, {}), lambda _: b"", app.system())

    assert {library: each.split(" ")[0] for library, each in recorded.items()} == {
        "libc.so.6": "+",
        "libgone.so.3": "?",
        "libown.so.1": "~",
        "libpq.so.5": "+",
    }
    messages = libraries.warnings(recorded, Settings())
    assert "  - libgone.so.3 for system-packages" in messages[1].body
    assert '"libpq.so.5":{"packages":["system-packages"]' in libraries.labels(recorded)[LABEL]


def test_library_for_builds_alone_is_missing(app: FakeBuild) -> None:
    directory = app.layers / "system-packages-build/usr/lib"
    directory.mkdir(parents=True)
    (directory / "libGL.so.1").write_bytes(elf_files.elf())
    environ = {**app.context.environ, "LD_LIBRARY_PATH": str(directory)}
    app.context = app.context._replace(environ=environ)

    with pytest.raises(MissingLibraries):
        check(app, {"opencv-python": OPENCV})


def check(app: FakeBuild, packages: Mapping[str, Files], *, reads: bool = True) -> dict[str, str]:
    result = installed(app.layers / "roots", packages, reads=reads)

    def metadata(name: str) -> bytes:
        files = packages[name]
        return next(
            (str(text).encode() for path, text in files.items() if path.endswith("/METADATA")), b""
        )

    return native_libraries.check(app.request(), result, metadata, app.system())


def titles(recorded: Mapping[str, str], setting: str = "error") -> list[str]:
    return [each.title for each in libraries.warnings(recorded, Settings(libraries=setting))]


OPENCV: Files = {
    "cv2/__init__.py": "bootstrap()",
    "cv2/cv2.abi3.so": linked("libGL.so.1", "libc.so.6"),
}


def test_missing_library_stops_the_build(app: FakeBuild) -> None:
    with pytest.raises(MissingLibraries) as caught:
        check(app, {"opencv-python": OPENCV})

    assert caught.value.missing == (
        MissingLibrary(
            "opencv-python",
            "libGL.so.1",
            "",
            "cv2/cv2.abi3.so",
            "libgl1",
            "libgl1",
            "opencv-python-headless",
        ),
    )


def test_setting_turns_the_error_into_a_warning(app: FakeBuild) -> None:
    app.settings = Settings(libraries=WARN)

    recorded = check(app, {"opencv-python": OPENCV})

    assert recorded["libGL.so.1"] == "- opencv-python"
    assert titles(recorded) == ["Packages need shared libraries that were not found"]
    assert titles(recorded, IGNORE) == []
    app.settings = Settings(libraries=IGNORE)
    assert check(app, {"opencv-python": OPENCV}).keys() == {"libc.so.6"}


def test_error_names_packages_and_what_to_do() -> None:
    both = (
        MissingLibrary("a", "libglib-2.0.so.0", "", "a.so", "libglib2.0-0", "libglib2.0-0t64", ""),
        MissingLibrary("b", "libc.so.6", "GLIBC_2.99", "b.so", "libc6", "libc6", ""),
    )

    message = MissingLibraries(both, ("libglib2.0-0",)).describe()

    assert message.title == "a, b cannot be imported: shared libraries are missing"
    assert message.body[:2] == (
        (
            "a needs libglib-2.0.so.0 (a.so is linked with it). It is in the package "
            "libglib2.0-0 (Debian 12) and libglib2.0-0t64 (Ubuntu 24.04)."
        ),
        "b needs GLIBC_2.99 of libc.so.6 (b.so is linked with it).",
    )
    assert message.fixes[0] == (
        'Add the line `system-packages = ["libglib2.0-0"]` to [tool.cnb-python] in '
        "pyproject.toml, or set BP_PYTHON_SYSTEM_PACKAGES=libglib2.0-0."
    )
    assert "BP_PYTHON_LIBRARIES=warn" in message.fixes[-1]


def test_library_of_another_package_is_found_wherever_it_is(app: FakeBuild) -> None:
    packages: Mapping[str, Files] = {
        "torch": {"torch/__init__.py": INIT, "torch/_a.so": linked("libmkl.so.2", "libc.so.6")},
        "mkl": {"mkl/lib/libmkl.so.2": linked("libc.so.6")},
    }

    assert check(app, packages) == {"libc.so.6": "+ mkl,torch"}


@pytest.mark.parametrize(
    "library",
    [
        *(
            "libcuda.so.1",
            "libcudart.so.12",
            "libnvidia-ml.so.1",
            "libnvrtc.so.12",
            "libnppc.so.12",
        ),
        *("libnccl.so.2", "libpython3.14.so.1.0", "libamdhip64.so.6", "libhsa-runtime64.so.1"),
    ],
)
def test_libraries_of_graphics_drivers_are_not_checked(app: FakeBuild, library: str) -> None:
    assert check(app, {"a": {"a/__init__.py": INIT, "a/_a.so": linked(library)}}) == {}


@pytest.mark.parametrize("library", ["libcurl.so.4", "librocksdb.so.8", "libnvm.so.1"])
def test_similar_names_are_checked(app: FakeBuild, library: str) -> None:
    with pytest.raises(MissingLibraries):
        check(app, {"a": {"a/__init__.py": INIT, "a/_a.so": linked(library)}})


def test_optional_module_is_a_warning_if_the_library_can_be_installed(app: FakeBuild) -> None:
    files: Files = {"a/__init__.py": "", "a/_tk.so": linked("libtk8.6.so", "libunknown.so.3")}

    recorded = check(app, {"a": files})

    assert recorded == {"libtk8.6.so": "? a"}
    assert titles(recorded) == ["Parts of packages need shared libraries that were not found"]
    assert libraries.labels(recorded) == {}


def test_reused_package_is_a_warning(app: FakeBuild) -> None:
    """Its files are in the previous image only, so what it imports is not known."""
    assert check(app, {"opencv-python": OPENCV}, reads=False)["libGL.so.1"] == "? opencv-python"


def test_library_of_the_build_image_is_a_warning(app: FakeBuild) -> None:
    recorded = check(app, {"psycopg2": {"a/__init__.py": INIT, "a/_a.so": linked("libpq.so.5")}})

    (message,) = libraries.warnings(recorded, Settings())
    assert message.title == "The run image needs shared libraries that minimal images do not have"
    assert "  - libpq.so.5 (package libpq5) for psycopg2" in message.body


@pytest.mark.parametrize(("user", "count"), [("system-packages", 0), ("gssapi", 1)])
def test_base_system_is_there_for_system_packages(user: str, count: int) -> None:
    """A wheel is not built for this distribution: the run image may lack what the wheel needs."""
    names = ("libgnutls.so.30", "libdb-5.3.so", "libpam.so.0", "libunistring.so.5", "libmd.so.0")
    recorded = dict.fromkeys(names, f"+ {user}")

    assert len(libraries.warnings(recorded, Settings())) == count
    assert len(libraries.warnings({"libpq.so.5": f"+ {user}"}, Settings())) == 1


def test_library_in_a_layer_of_another_buildpack_is_found(app: FakeBuild, tmp_path: Path) -> None:
    (tmp_path / "libGL.so.1").write_bytes(elf_files.elf())
    app.context = replace(app.context, environ={"LD_LIBRARY_PATH": f"/missing:{tmp_path}"})

    recorded = check(app, {"opencv-python": OPENCV})

    assert recorded["libGL.so.1"] == "~ opencv-python"
    assert titles(recorded) == []
    assert "libGL.so.1" not in libraries.labels(recorded)[LABEL]


@pytest.mark.parametrize(("version", "is_met"), [("GLIBC_2.36", True), ("GLIBC_2.38", False)])
def test_version_of_the_c_library(app: FakeBuild, version: str, *, is_met: bool) -> None:
    files: Files = {
        "a/__init__.py": INIT,
        "a/_a.so": linked("libc.so.6", versions=["GLIBC_2.4", version]),
    }
    if is_met:
        assert check(app, {"a": files}) == {"libc.so.6": f"+ a {version}"}
        return
    with pytest.raises(MissingLibraries) as caught:
        check(app, {"a": files})
    (missing,) = caught.value.missing
    assert (missing.library, missing.version) == ("libc.so.6", version)


@pytest.mark.parametrize(
    ("requirement", "state"),
    [
        ("python-magic", "?"),
        ("Python_Magic (>=0.4); python_version > '3'", "?"),
        ("python-magic; extra == 'files'", "-"),
        ("python-magic-bin", "-"),
    ],
)
def test_library_of_a_package_that_another_one_requires_is_a_warning(
    app: FakeBuild, requirement: str, state: str
) -> None:
    """The other package may never import it."""
    packages = {
        "python-magic": {"magic/__init__.py": "ctypes.util.find_library('magic')"},
        "reader": {
            "reader.py": "",
            "reader-1.0.dist-info/METADATA": f"Name: reader\nRequires-Dist: {requirement}\n\n",
        },
    }

    app.settings = Settings(libraries=WARN)

    assert check(app, packages) == {"libmagic.so.1": f"{state} python-magic"}


def test_package_that_loads_a_library_by_name(app: FakeBuild) -> None:
    magic: Files = {"magic/__init__.py": "ctypes.util.find_library('magic')"}
    with pytest.raises(MissingLibraries) as caught:
        check(app, {"python-magic": magic})
    (missing,) = caught.value.missing
    assert (missing.library, missing.file, missing.debian) == ("libmagic.so.1", "", "libmagic1")

    (app.root / "lib/libmagic.so.1").write_bytes(elf_files.elf())
    assert check(app, {"python-magic": magic}) == {"libmagic.so.1": "+ python-magic"}


def test_package_with_its_own_copy_needs_none(app: FakeBuild) -> None:
    copy: Files = {"soundfile.py": "", "_soundfile_data/libsndfile_x86_64.so": linked("libc.so.6")}
    assert check(app, {"soundfile": copy}) == {"libc.so.6": "+ soundfile"}
    with pytest.raises(MissingLibraries):
        check(app, {"soundfile": {"soundfile2.py": ""}})


def test_another_distribution_brings_the_library(app: FakeBuild) -> None:
    (app.root / "lib/libpq.so.5").unlink()
    psycopg: Files = {"psycopg/__init__.py": ""}
    assert check(app, {"psycopg": psycopg, "psycopg-binary": {"p/__init__.py": ""}}) == {}
    with pytest.raises(MissingLibraries) as caught:
        check(app, {"psycopg": psycopg})
    assert caught.value.describe().fixes[0] == "Use psycopg[binary] in place of psycopg."


def test_label_lists_libraries_packages_and_versions(app: FakeBuild) -> None:
    native_file = linked("libc.so.6", "libpq.so.5", versions=["GLIBC_2.4"])

    recorded = check(app, {name: {f"{name}/_x.so": native_file} for name in "edcba"})

    assert json.loads(libraries.labels(recorded)[LABEL]) == {
        "libc.so.6": {"packages": ["a", "b", "c"], "versions": ["GLIBC_2.4"]},
        "libpq.so.5": {"packages": ["a", "b", "c"], "versions": []},
    }


@pytest.mark.parametrize("text", ["", "+", "+ ", "x y z", " "])
def test_damaged_record_is_read(text: str) -> None:
    libraries.warnings({"libx.so": text}, Settings())
    libraries.labels({"libx.so": text})


PQ = package("a")._replace(
    files={
        f"{SITE}/a.py": "",
        f"{SITE}/_a.so": elf_files.elf(needed=["libpq.so.5"]).decode("ascii"),
    }
)


def with_package(app: FakeBuild) -> FakeBuild:
    app.manager.index["a==1.0"] = PQ
    app.manager.from_files = resolution_of("a==1.0")
    return app


def test_unchanged_build_knows_the_libraries_from_the_record(app: FakeBuild) -> None:
    first = with_package(app).build()
    assert first.libraries == {"libpq.so.5": "+ a"}

    again = app.restore().build()

    assert app.layers_on_disk() == {"deps"}
    assert again.libraries == first.libraries


def test_store_has_the_needs_of_reused_packages(app: FakeBuild) -> None:
    with_package(app).build()
    app.manager.index["b==1.0"] = package("b")
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")

    record = app.restore().build()

    assert record.libraries == {"libpq.so.5": "+ a"}


def test_record_of_an_older_release_is_completed_once(app: FakeBuild) -> None:
    with_package(app).build()
    app.restore()
    metadata = toml.table_at(toml.read(app.layers / "deps.toml"), "metadata")
    del metadata["libraries"]
    toml.write(app.layers / "deps.toml", {"metadata": metadata})

    assert app.build().libraries == {"libpq.so.5": "+ a"}
    assert any("did not" in line for line in app.log.lines)
    assert app.layers_on_disk() == {"deps"}
    app.log.lines.clear()
    app.restore().build()
    assert app.log.lines[0].startswith("Nothing changed")
