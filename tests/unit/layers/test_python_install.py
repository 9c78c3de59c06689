"""The contents of layer `python`, from a real archive with a fake interpreter."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.downloads import ChecksumMismatch, UnusableInterpreter
from cnb_python.layers import python, python_install
from cnb_python.layers.python_install import PythonFiles
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_build import FakeBuild, archive, contents, fake_build
from tests.support.fake_manager import FakeManager
from tests.support.fake_system import Programs


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    return fake_build(tmp_path, FakeManager({}))


def opened(app: FakeBuild, manifest: str = "") -> Store:
    directory = app.layers / "deps"
    directory.mkdir(exist_ok=True)
    store = Store(directory)
    if manifest:
        assert not isinstance(store.read(manifest), Damaged)
    return store


def laid_out(app: FakeBuild, store: Store | None = None) -> PythonFiles:
    return python_install.materialize(app.runtime, store or opened(app), app.system())


def finished(app: FakeBuild) -> str:
    """Make and finish the layer; return the digest of the store's manifest."""
    store, runtime = opened(app), app.runtime
    files = laid_out(app, store)
    files.complete()
    files.archive_to_store()
    python.finish(runtime, python.ALL_PARTS, build=False)
    return store.close((), {runtime.archive}, ())


def refused[T: BuildpackError](app: FakeBuild, kind: type[T]) -> T:
    with pytest.raises(kind) as caught:
        laid_out(app)
    # Without its .toml it is no layer, even after a later failure.
    assert not (app.layers / "python.toml").exists()
    return caught.value


def answering(message: str, code: int = 0) -> Programs:
    def answer(command: Command) -> Outcome:
        return Outcome(code, f"{message}\n") if "-c" in command.argv else Outcome(0, "0 0\n")

    return Programs(answer)


def test_interpreter_is_trimmed_readable_and_relocated(app: FakeBuild) -> None:
    laid_out(app)

    layer = app.layers / "python"
    assert (layer / "bin/python3.14").stat().st_mode & 0o777 == 0o755
    assert (layer / "lib/python3.14/os.py").exists()
    assert not (layer / "lib/python3.14/test").exists()
    data = (layer / "lib/python3.14/_sysconfigdata__x.py").read_text(encoding="utf-8")
    assert data == f'v = {{\n  "prefix": "{layer}",\n}}\n'


def test_interpreter_runs_before_it_is_compiled(app: FakeBuild) -> None:
    files = laid_out(app)
    (probe,) = app.programs.ran

    files.complete()

    assert probe.argv[:4] == (str(app.runtime.interpreter.path), "-I", "-B", "-S")
    assert (probe.env, probe.cwd) == ({}, Path("/"))
    compiling = app.programs.ran[1]
    assert compiling.argv[0] == str(app.runtime.interpreter.path)


def test_interpreter_is_no_layer_until_finished(app: FakeBuild) -> None:
    laid_out(app).complete()

    assert not (app.layers / "python.toml").exists()
    assert app.runtime.parts_in_image is None


def test_cached_interpreter_is_not_downloaded_tried_or_compiled(app: FakeBuild) -> None:
    manifest = finished(app)
    fresh = contents(app.layers / "python")
    app.programs.ran.clear()
    app.log.lines.clear()

    laid_out(app, opened(app, manifest)).complete()

    assert app.log.lines == ["Using cached Python 3.14.6"]
    assert app.programs.ran == []
    assert contents(app.layers / "python") == fresh


def test_damaged_cached_interpreter_is_made_again(app: FakeBuild) -> None:
    manifest = finished(app)
    fresh = contents(app.layers / "python")
    for kept in (app.layers / "deps").glob("*.tar.zst"):
        kept.write_bytes(kept.read_bytes()[:-1])
    app.log.lines.clear()

    laid_out(app, opened(app, manifest)).complete()

    assert app.log.lines[0].startswith("Not using the cached Python: ")
    assert app.log.lines[1] == "Downloading Python 3.14.6"
    assert contents(app.layers / "python") == fresh


def test_cached_interpreter_of_another_target_is_not_used(app: FakeBuild) -> None:
    manifest = finished(app)
    target = replace(app.context.target, distro_version="13")
    app.context = replace(app.context, target=target)

    laid_out(app, opened(app, manifest))

    assert "Downloading Python 3.14.6" in app.log.lines


def test_bundled_interpreter_is_not_downloaded(app: FakeBuild, tmp_path: Path) -> None:
    carried = app.context.buildpack.directory / f"runtimes/{app.release.sha256}.tar.gz"
    carried.parent.mkdir()
    (tmp_path / "python-3.14.6.tar.gz").rename(carried)
    app.release = replace(app.release, url="https://unreachable.example/a.tar.gz")

    laid_out(app)

    assert app.log.lines == ["Unpacking Python 3.14.6"]
    assert (app.layers / "python/bin/python3.14").is_file()


def test_archive_with_wrong_digest_is_refused(app: FakeBuild) -> None:
    app.release = replace(app.release, sha256="0" * 64)

    assert refused(app, ChecksumMismatch).title == "Python 3.14.6"


def test_interpreter_that_does_not_run_is_refused(app: FakeBuild) -> None:
    app.programs = answering("libc.so.6: version `GLIBC_2.17' not found", code=1)

    assert refused(app, UnusableInterpreter).reason.endswith("GLIBC_2.17' not found")


def test_interpreter_that_prints_nothing_is_refused(app: FakeBuild) -> None:
    app.programs = answering("", code=-11)

    assert "failed with exit code -11" in refused(app, UnusableInterpreter).reason


def test_interpreter_of_another_version_is_refused(app: FakeBuild) -> None:
    app.programs = answering("3.14.5")

    assert "3.14.5" in refused(app, UnusableInterpreter).reason


def test_archive_without_interpreter_is_refused(app: FakeBuild, tmp_path: Path) -> None:
    path = tmp_path / "python-3.14.6.tar.gz"
    path.write_bytes(archive({"python/README": "hello"}))
    app.release = replace(app.release, sha256="")

    assert "There is no python3.14" in refused(app, UnusableInterpreter).reason
    assert app.programs.ran == []


def test_failed_build_drops_the_old_layer(app: FakeBuild) -> None:
    finished(app)
    (app.layers / "deps.toml").unlink(missing_ok=True)
    app.context = replace(app.context, target=replace(app.context.target, distro_version="13"))
    app.programs = answering("3.14.5")

    refused(app, UnusableInterpreter)


def test_free_threaded_interpreter_compiles_its_own_library(
    app: FakeBuild, tmp_path: Path
) -> None:
    names = {"python/bin/python3.14t": "x", "python/lib/python3.14t/os.py": "# os"}
    (tmp_path / "free.tar.gz").write_bytes(archive(names))
    url = (tmp_path / "free.tar.gz").as_uri()
    app.release = replace(app.release, flavour="freethreaded", sha256="", url=url)

    laid_out(app).complete()

    assert app.programs.ran[0].argv[0].endswith("/bin/python3.14t")
    assert app.programs.ran[1].argv[0].endswith("/bin/python3.14t")
