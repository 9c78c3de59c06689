"""What code of packages changes in the user's files is undone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.install.process_env import manager_environ
from cnb_python.install.user_files import read_user_files
from tests.support.trees import write_files

BIN = ".cargo/bin"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with Cargo and its settings."""
    home = tmp_path / "home"
    home.mkdir()
    files = {f"{BIN}/cargo": "#!/bin/sh\n", ".cargo/config.toml": "[net]\n", "notes": "mine"}
    write_files(home, files)
    return home


def environ(home: Path) -> Mapping[str, str]:
    return {"HOME": str(home), "PATH": f"{home}/{BIN}:{home}/.local/bin:/usr/bin:relative:"}


def test_settings_of_builds_are_restored(home: Path, tmp_path: Path) -> None:
    user_files = read_user_files(environ(home), tmp_path / "app")
    (home / ".cargo/config.toml").write_text("[build]\nrustc-wrapper = '/tmp/evil'\n")
    (home / ".pydistutils.cfg").write_text("[install]\nprefix = /tmp/evil\n")

    restored = user_files.restore()

    assert restored == (str(home / ".cargo/config.toml"), str(home / ".pydistutils.cfg"))
    assert (home / ".cargo/config.toml").read_text() == "[net]\n"
    assert not (home / ".pydistutils.cfg").exists()


def test_programs_of_packages_do_not_stay_on_path(home: Path, tmp_path: Path) -> None:
    user_files = read_user_files(environ(home), tmp_path / "app")
    write_files(home, {f"{BIN}/cc": "evil", ".local/bin/git": "evil"})
    (home / BIN / "cargo").write_text("#!/bin/sh\nevil\n")

    removed = user_files.restore()

    names = (f"{BIN}/cargo", f"{BIN}/cc", ".local/bin/git")
    assert removed == tuple(str(home / name) for name in names)
    assert not any((home / name).exists() for name in names)
    assert user_files.restore() == ()


def test_build_can_use_programs_of_the_user(home: Path, tmp_path: Path) -> None:
    user_files = read_user_files(environ(home), tmp_path / "app")
    variables = {**environ(home), "CARGO_HOME": f"{home}/.cargo", "RUSTUP_HOME": "/opt/rustup"}

    of_build = manager_environ(variables, tmp_path / "venv", tmp_path / "bin/python", tmp_path)

    assert f":{home}/{BIN}:" in of_build["PATH"]
    for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME"):
        assert of_build[name] == variables[name]
    # What a tool keeps for itself is no change.
    write_files(home, {".cargo/registry/index": "x"})
    assert user_files.restore() == ()
    assert (home / BIN / "cargo").exists()


def test_app_below_home_is_left_alone(home: Path) -> None:
    app = home / "app"
    write_files(home, {"app/bin/x": "1"})
    user_files = read_user_files({"HOME": str(home), "PATH": f"{app}/bin"}, app)
    (app / "bin/x").write_text("2")

    assert user_files.restore() == ()


@pytest.mark.parametrize("variable", [{}, {"HOME": ""}, {"HOME": "relative", "PATH": "relative"}])
def test_without_home_nothing_is_removed(variable: Mapping[str, str], tmp_path: Path) -> None:
    assert read_user_files({"PATH": "/usr/bin", **variable}, tmp_path).programs == {}
