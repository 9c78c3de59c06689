"""The fingerprint of a manager's inputs, which holds no secrets."""

from pathlib import Path

import pytest

from cnb_python.config.settings import Settings
from cnb_python.managers import fingerprint
from cnb_python.managers.base import digest
from cnb_python.managers.pdm.manager import Pdm


def test_contents_and_absence_of_files_change_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("1", "utf-8")

    def state() -> str:
        return digest(fingerprint.files(tmp_path, ("uv.lock", "uv.toml")))

    before = state()
    (tmp_path / "uv.toml").write_text("x", "utf-8")
    with_settings = state()
    (tmp_path / "uv.lock").write_text("2", "utf-8")

    assert len({before, with_settings, state()}) == 3


def test_variables_count_without_logins() -> None:
    environ = {
        "UV_INDEX_WORK_USERNAME": "me",
        "UV_INDEX_WORK_PASSWORD": "secret",
        "UV_DEFAULT_INDEX": "https://me:secret@index.example/simple",
        "UV_RESOLUTION": "lowest",
        "HOME": "/root",
    }

    assert list(fingerprint.variables(environ, "UV_")) == [
        "UV_DEFAULT_INDEX=https://index.example/simple",
        "UV_RESOLUTION=lowest",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://me:se/cr@et@index.example/simple",
        "https://token@index.example/simple?key=abc",
        "work=https://:p@index.example/simple",
    ],
)
def test_secrets_in_addresses_do_not_count(address: str) -> None:
    shown = fingerprint.without_secrets(f'url = "{address}" # why?')

    assert shown.endswith('https://index.example/simple" # why?')


def test_groups_and_extras_of_one_name_differ() -> None:
    of_group, of_extra = Pdm(Settings(groups=("a",))), Pdm(Settings(extras=("a",)))

    assert fingerprint.of_lock_reader(of_group, "3.14.6") != fingerprint.of_lock_reader(
        of_extra, "3.14.6"
    )
