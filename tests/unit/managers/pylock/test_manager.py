"""Standard lock files: their inputs, and what they hold."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.choosing import DevelopmentConflict
from cnb_python.errors.inputs import NotAFile
from cnb_python.errors.locks import UnknownGroup
from cnb_python.managers.base import InstallContext, NeedsResolving
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.system.interface import Command, Outcome
from tests.support.trees import write_files

LOCK = """
lock-version = "1.0"
created-by = "pip"
extras = ["web"]
[[packages]]
name = "core"
directory = { path = "libs/core" }
[[packages]]
name = "web"
marker = "'web' in extras"
directory = { path = "libs/web" }
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(tmp_path, {"pylock.toml": LOCK, "libs/core/core.py": "1"})


def inputs(app: Path, manager: Pylock | None = None, **environ: str) -> str:
    needs = (manager or Pylock()).resolve_from_files(read_app(app), "3.14.6", environ)
    assert isinstance(needs, NeedsResolving)
    assert needs.log_line == "Reading pylock.toml"
    return needs.fingerprint


@pytest.mark.parametrize("name", ["pylock.toml", "libs/core/core.py", "uv.toml"])
def test_inputs_depend_on_lock_directories_and_uv_settings(app: Path, name: str) -> None:
    before = inputs(app)

    write_files(app, {name: LOCK + "# another"})

    assert inputs(app) != before


def test_inputs_ignore_other_files_of_the_app(app: Path) -> None:
    before = inputs(app)

    write_files(app, {"app.py": "1", "pyproject.toml": "1"})

    assert inputs(app) == before


def test_inputs_depend_on_extras_and_indexes(app: Path) -> None:
    assert inputs(app, Pylock(Settings(extras=("web",)))) != inputs(app)
    assert inputs(app, PIP_INDEX_URL="https://index.example/") != inputs(app)


def test_unreadable_lock_has_inputs(app: Path) -> None:
    write_files(app, {"pylock.toml": "directory = <<<"})

    assert inputs(app)


def context_of(app: Path) -> InstallContext:
    return InstallContext(
        app, Path("/layers/venv"), Path("/pip"), None, app, {}, "3.14.6", Path("/tools/uv")
    )


def refuse_to_run(command: Command, on_line: object = None) -> Outcome:
    raise AssertionError(command, on_line)


def test_lock_is_read_without_running_a_tool(app: Path) -> None:
    chosen = Pylock(Settings(extras=("web",)))

    assert [pin.name for pin in Pylock().resolve(context_of(app), refuse_to_run).pins] == ["core"]
    assert [pin.name for pin in chosen.resolve(context_of(app), refuse_to_run).pins] == [
        "core",
        "web",
    ]


def test_named_lock_is_called_by_its_name(app: Path) -> None:
    (app / "pylock.toml").rename(app / "pylock.web.toml")

    with pytest.raises(UnknownGroup) as raised:
        Pylock(Settings(groups=("dev",))).resolve(context_of(app), refuse_to_run)

    assert raised.value.file == "pylock.web.toml"


def named(*pins: str) -> str:
    head = 'lock-version = "1.0"\ncreated-by = "pip"\n'
    packages = (each.split("==") for each in pins)
    return head + "".join(
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n[[packages.wheels]]\n'
        f'url = "https://files.example/{name}-{version}-py3-none-any.whl"\n'
        f'hashes = {{ sha256 = "{"0" * 64}" }}\n'
        for name, version in packages
    )


def test_locks_for_development_are_read_together(tmp_path: Path) -> None:
    files = {
        "pylock.toml": named("flask==3.1.2"),
        "pylock.dev.toml": named("flask==3.1.2", "ruff==0.15.0"),
        "pylock.test.toml": named("flask==3.1.2", "pytest==9.0.1"),
    }
    app = read_app(write_files(tmp_path, files))

    manager, added = Pylock(Settings(groups=("docs",))).with_development(app)

    assert added == ("pylock.dev.toml", "pylock.test.toml")
    assert manager.check(app) == ()
    before = manager.resolve_from_files(app, "3.14.6", {})
    assert isinstance(before, NeedsResolving)
    assert before.log_line == "Reading pylock.dev.toml and pylock.test.toml"
    pins = manager.resolve(context_of(tmp_path), refuse_to_run).pins
    assert [pin.name for pin in pins] == ["flask", "pytest", "ruff"]

    write_files(tmp_path, {"pylock.test.toml": named("flask==3.1.1")})
    after = manager.resolve_from_files(read_app(tmp_path), "3.14.6", {})
    assert isinstance(after, NeedsResolving)
    assert after.fingerprint != before.fingerprint
    with pytest.raises(DevelopmentConflict) as caught:
        manager.resolve(context_of(tmp_path), refuse_to_run)
    assert (caught.value.production_file, caught.value.development_file) == added


def test_lock_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").mkdir()

    with pytest.raises(NotAFile):
        Pylock().check(read_app(tmp_path))
