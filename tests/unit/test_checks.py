"""What is refused before anything is written."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.checks import MISPLACING, check_environment, check_project
from cnb_python.errors import ForbiddenVariables, NotAFile
from cnb_python.managers.pip import Pip
from cnb_python.messages import describe
from cnb_python.project import read_project


@dataclass
class Warnings:
    """An output that remembers what it warned of."""

    said: list[str] = field(default_factory=list)

    def step(self, title: str) -> None:
        raise AssertionError(title)

    line = detail = step

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        self.said.append("\n".join((title, *body)))


def test_settings_for_indexes_and_certificates_pass() -> None:
    check_environment(
        {
            "PIP_INDEX_URL": "https://index.example.org",
            "PIP_EXTRA_INDEX_URL": "https://index.example.org",
            "PIP_CERT": "/ca.pem",
            "PIP_CONSTRAINT": "constraints.txt",
            "PYTHONPATH": "/app",
            "PYTHONHOME": "/nowhere",
            "VIRTUAL_ENV": "/layers/other",
        }
    )


@pytest.mark.parametrize("value", ["", "0", "false", "No", "off"])
def test_a_variable_that_is_off_passes(value: str) -> None:
    check_environment({"PIP_USER": value, "PIP_TARGET": ""})


def test_every_misplacing_variable_is_named_with_its_reason() -> None:
    with pytest.raises(ForbiddenVariables) as raised:
        check_environment(dict.fromkeys(MISPLACING, "1"))

    body = "\n".join(describe(raised.value).body)
    for name, reason in MISPLACING.items():
        assert f"- {name}: {reason}" in body


def test_only_the_offenders_are_named() -> None:
    with pytest.raises(ForbiddenVariables) as raised:
        check_environment({"PIP_TARGET": "/somewhere", "PIP_INDEX_URL": "https://x"})

    assert [name for name, _ in raised.value.found] == ["PIP_TARGET"]


def test_an_ordinary_app_is_not_warned_of_anything(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    output = Warnings()

    check_project(read_project(tmp_path), Pip(), output)

    assert output.said == []


def test_a_lock_file_that_is_not_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "uv.lock").touch()
    output = Warnings()

    check_project(read_project(tmp_path), Pip(), output)

    assert len(output.said) == 1
    assert output.said[0].startswith("uv.lock: not read")


def test_a_file_from_powershell_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n", encoding="utf-16")
    output = Warnings()

    check_project(read_project(tmp_path), Pip(), output)

    assert "saved as UTF-16" in output.said[0]


def test_what_the_manager_refuses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()

    with pytest.raises(NotAFile):
        check_project(read_project(tmp_path), Pip(), Warnings())
