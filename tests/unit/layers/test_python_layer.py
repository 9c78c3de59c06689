"""Layer `python`, with an archive that is real and an interpreter that only pretends to run."""

import gzip
import hashlib
import io
import tarfile
from copy import replace
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext, Buildpack, Platform, Target
from cnb_python.errors import BuildpackError, ChecksumMismatch, UnusableInterpreter
from cnb_python.layers.python import Interpreter, install
from cnb_python.system.fetch import Fetcher
from cnb_python.system.outside import Command, Download, Outcome, System
from cnb_python.version.inventory import Release
from tests.unit.environment.worlds import Log, Programs

AMD64 = Target("linux", "amd64", "", "debian", "12")
FILES = {
    "python/bin/python3.14": "an interpreter",
    "python/lib/python3.14/os.py": "# os",
    "python/lib/python3.14/test/test_os.py": "# a test",
    "python/lib/python3.14/_sysconfigdata__x.py": 'v = {\n  "prefix": "/install",\n}\n',
}
REASON = "Not using the previous build's Python: "


def archive(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o700
            packed.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(stream.getvalue(), mtime=0)


@dataclass
class World:
    """An archive, a build, and what they remember."""

    directory: Path
    context: BuildContext
    release: Release
    programs: Programs
    log: Log
    fetched: list[str]

    @property
    def layer(self) -> Path:
        return self.context.layers_dir / "python"

    def install(self) -> Interpreter:
        def fetch(download: Download, to: Path) -> None:
            self.fetched.append(download.url)
            Fetcher(_no_network)(download, to)

        system = System(self.programs, fetch, self.log, date(2026, 11, 21), 2)
        return install(self.release, self.context, system)

    def restored(self) -> World:
        """The next build: the log starts anew, the layer's programs are as they were."""
        self.log.said.clear()
        self.fetched.clear()
        self.programs.ran.clear()
        return self


def _no_network(download: Download, store: object) -> str:
    pytest.fail(f"{download.url} was asked for ({store})")


def _answer(version: str, code: int = 0) -> Programs:
    def answer(command: Command) -> Outcome:
        return Outcome(code, f"{version}\n") if "-c" in command.argv else Outcome(0, "1 0\n")

    return Programs(answer)


def world(tmp_path: Path, files: dict[str, str] | None = None) -> World:
    content = archive(FILES if files is None else files)
    source = tmp_path / "mirror.tar.gz"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    release = Release("3.14.6", "amd64", "plain", source.as_uri(), sha256)
    layers_dir, buildpack = tmp_path / "layers", tmp_path / "buildpack"
    for directory in (layers_dir, buildpack):
        directory.mkdir()
    context = BuildContext(
        app_dir=tmp_path,
        buildpack=Buildpack("cnb-python/python", "1", "0.12", buildpack),
        platform=Platform(tmp_path, {}, ()),
        target=AMD64,
        exec_env="production",
        environ={},
        layers_dir=layers_dir,
        plan=(),
        store={},
    )
    return World(tmp_path, context, release, _answer("3.14.6"), Log(), [])


def refused[T: BuildpackError](made: World, kind: type[T]) -> T:
    with pytest.raises(kind) as caught:
        made.install()
    # A layer without its .toml is none, whatever a later step leaves of it.
    assert not (made.context.layers_dir / "python.toml").exists()
    return caught.value


def test_the_interpreter_is_named_by_its_final_path(tmp_path: Path) -> None:
    made = world(tmp_path)

    interpreter = made.install()

    assert interpreter == Interpreter(made.layer / "bin/python3.14", "3.14.6", made.layer)
    assert interpreter.path.stat().st_mode & 0o777 == 0o755


def test_the_layer_is_trimmed_and_at_home(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.install()

    assert (made.layer / "lib/python3.14/os.py").exists()
    assert not (made.layer / "lib/python3.14/test").exists()
    data = (made.layer / "lib/python3.14/_sysconfigdata__x.py").read_text()
    assert data == f'v = {{\n  "prefix": "{made.layer}",\n}}\n'


def test_the_layer_is_launched_and_cached_and_its_key_is_text(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.install()

    table = toml.read(made.context.layers_dir / "python.toml")
    assert table["types"] == {"build": False, "launch": True, "cache": True}
    assert table["metadata"] == {
        "format": "1.1",
        "python": "3.14.6",
        "flavour": "plain",
        "sha256": made.release.sha256,
        "arch": "amd64",
        "distro": "debian 12",
        "directory": str(made.context.layers_dir),
    }


def test_the_interpreter_is_tried_and_compiles_its_own_library_with_nothing_inherited(
    tmp_path: Path,
) -> None:
    made = world(tmp_path)
    interpreter = made.install()

    probe, compiling = made.programs.ran
    assert probe.argv[:4] == (str(interpreter.path), "-I", "-B", "-S")
    assert (probe.env, probe.cwd) == ({}, Path("/"))
    assert compiling.argv[0] == str(interpreter.path)
    assert compiling.argv[-2:] == ("2", str(made.layer / "lib/python3.14"))
    assert compiling.cwd == Path("/")


def test_an_unchanged_layer_is_kept_without_fetching_or_running_anything(tmp_path: Path) -> None:
    made = world(tmp_path)
    first = made.install()
    (made.layer / "mark").touch()

    again = made.restored().install()

    assert again == first
    assert (made.layer / "mark").exists()
    assert (made.fetched, made.programs.ran) == ([], [])
    assert made.log.said == ["Using Python 3.14.6 of the previous build"]


def test_another_target_makes_the_layer_anew_and_says_every_reason(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.install()
    (made.layer / "mark").touch()
    ubuntu = replace(AMD64, distro_name="ubuntu", distro_version="26.04")
    made.context = replace(made.context, target=ubuntu)
    made.release = replace(made.release, flavour="plain", version="3.14.6")

    made.restored().install()

    assert not (made.layer / "mark").exists()
    assert made.log.said == [
        f"{REASON}the distribution of the image has changed from debian 12 to ubuntu 26.04",
        "Fetching Python 3.14.6",
    ]


def test_metadata_without_contents_is_no_layer(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.install()
    made.layer.rename(tmp_path / "gone")

    made.restored().install()

    assert (made.layer / "bin/python3.14").exists()
    assert made.log.said == ["Fetching Python 3.14.6"]


def test_metadata_of_another_hand_makes_the_layer_anew(tmp_path: Path) -> None:
    made = world(tmp_path)
    (made.context.layers_dir / "python.toml").write_text("[metadata]\npython = 3\n")
    made.layer.mkdir()

    made.install()

    assert (made.layer / "bin/python3.14").exists()
    assert made.log.said[0].startswith(REASON)


def test_an_archive_that_travels_with_the_buildpack_is_used_first(tmp_path: Path) -> None:
    made = world(tmp_path)
    carried = made.context.buildpack.directory / f"runtimes/{made.release.sha256}.tar.gz"
    carried.parent.mkdir()
    (tmp_path / "mirror.tar.gz").rename(carried)
    made.release = replace(made.release, url="https://unreachable.example/a.tar.gz")

    made.install()

    assert made.fetched == [str(carried)]
    assert made.log.said == ["Unpacking Python 3.14.6"]


def test_a_tampered_archive_leaves_no_layer(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.release = replace(made.release, sha256="0" * 64)

    assert refused(made, ChecksumMismatch).title == "Python 3.14.6"
    assert not made.layer.exists()


def test_an_interpreter_that_does_not_run_leaves_no_layer(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.programs = _answer("libc.so.6: version `GLIBC_2.17' not found", code=1)

    failure = refused(made, UnusableInterpreter)

    assert failure.reason.endswith("GLIBC_2.17' not found")


def test_an_interpreter_of_another_version_is_refused(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.programs = _answer("3.14.5")

    assert "3.14.5" in refused(made, UnusableInterpreter).reason


def test_an_archive_without_an_interpreter_is_refused(tmp_path: Path) -> None:
    made = world(tmp_path, {"python/README": "hello"})

    assert "There is no python3.14" in refused(made, UnusableInterpreter).reason
    assert made.programs.ran == []


def test_a_failed_build_does_not_leave_the_old_layer_to_be_trusted(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.install()
    made.context = replace(made.context, target=replace(AMD64, distro_version="13"))
    made.programs = _answer("3.14.5")

    refused(made, UnusableInterpreter)


def test_the_free_threaded_interpreter_is_found_under_its_own_name(tmp_path: Path) -> None:
    names = {name.replace("3.14/", "3.14t/"): text for name, text in FILES.items()}
    made = world(tmp_path, {**names, "python/bin/python3.14t": "an interpreter"})
    made.release = replace(made.release, flavour="freethreaded")

    interpreter = made.install()

    assert interpreter.path.name == "python3.14t"
    assert made.programs.ran[1].argv[-1] == str(made.layer / "lib/python3.14t")
