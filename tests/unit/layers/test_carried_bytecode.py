"""Bytecode that the buildpack carries is used for its archive and layers directory alone."""

import io
import tarfile
from copy import replace
from pathlib import Path

import pytest

from cnb_python.layers import carried_bytecode, python_install
from cnb_python.python import standalone_build
from cnb_python.store.store import Store
from tests.support.fake_build import FakeBuild, contents, fake_build
from tests.support.fake_manager import FakeManager

PATH = "lib/python3.14/__pycache__/os.cpython-314.pyc"
HOME = Path("/layers/cnb-python_python/python")


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    return fake_build(tmp_path, FakeManager({}))


def carry(app: FakeBuild, sha256: str, home: Path) -> Path:
    """Put bytecode of one module into the buildpack; return the path of the file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        member = tarfile.TarInfo(f"{carried_bytecode.TOP}/{PATH}")
        member.size = len(b"bytecode")
        packed.addfile(member, io.BytesIO(b"bytecode"))
    content = stream.getvalue()
    name = carried_bytecode.file_name(sha256, home, content)
    path = app.context.buildpack.directory / carried_bytecode.FOLDER / name
    path.parent.mkdir()
    path.write_bytes(content)
    return path


def test_fitting_bytecode_is_written_with_python_and_kept_in_the_store(app: FakeBuild) -> None:
    layer = app.layers / "python"
    carry(app, app.release.sha256, layer)
    (app.layers / "deps").mkdir()
    store = Store(app.layers / "deps")

    files = python_install.materialize(app.runtime, store, app.system())
    files.complete()
    written = contents(layer)
    files.archive_to_store()
    files.restore()

    assert written[PATH] == (0o100644, b"bytecode")
    assert contents(layer) == written
    # Only the version check.
    assert ["-c" in command.argv for command in app.programs.ran] == [True]
    assert files.verify() == ()


@pytest.mark.parametrize("difference", ["archive", "layers directory", "damaged", "list of files"])
def test_other_bytecode_is_not_used(
    difference: str, app: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = app.layers / "python"
    path = carry(app, app.release.sha256, HOME if difference == "layers directory" else layer)
    if difference == "archive":
        release = replace(app.release, sha256="")
        app.release = release
    elif difference == "damaged":
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    elif difference == "list of files":
        monkeypatch.setattr(standalone_build, "FORMAT", "other")
    (app.layers / "deps").mkdir()

    files = python_install.materialize(app.runtime, Store(app.layers / "deps"), app.system())
    files.complete()

    assert not (layer / PATH).exists()
    assert len(app.programs.ran) == 2
