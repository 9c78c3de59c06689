"""The release of a tool, and how it is started."""

from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.managers import tool, tool_install
from cnb_python.managers.tool import Program
from tests.support.fake_tools import FakeTools, context_of, write_app


def test_pinned_release_has_hashes_for_everything() -> None:
    poetry = Program("poetry")

    assert poetry.is_locked
    assert f"poetry=={poetry.version} \\\n    --hash=sha256:" in poetry.lines
    assert "\npoetry-plugin-export==" in poetry.lines


def test_other_release_is_installed_with_its_plugins() -> None:
    assert Program("poetry", "==1.8.5").lines == "poetry==1.8.5\npoetry-plugin-export"
    assert Program("pdm", ">=2.20").lines == "pdm[locked]>=2.20"
    assert not Program("pdm", ">=2.20").is_locked


def test_digest_differs_by_name_and_versions() -> None:
    asked = [
        Program("poetry"),
        Program("pdm"),
        Program("poetry", "==1.8.5"),
        Program("poetry", "==1.8.4"),
    ]

    assert len({program.digest for program in asked}) == len(asked)
    assert Program("poetry").digest == Program("poetry").digest


def test_chosen_release_is_that_of_the_user_alone() -> None:
    """A new pinned release, which comes with the buildpack, exports no lock file again."""
    poetry = Program("poetry")

    assert poetry.version not in poetry.chosen_release
    assert Program("poetry", "==1.8.5").chosen_release == "poetry ==1.8.5"


def test_program_starts_isolated_from_app_and_buildpack() -> None:
    words = tool.start(Path("/python"), Path("/tools/poetry"), Program("poetry"))

    assert words[:3] == ("/python", "-I", "-S")
    assert words[-2:] == ("/tools/poetry", "poetry")


def test_not_available_refuses_a_program() -> None:
    with pytest.raises(LookupError, match="poetry"):
        tool.not_available(Program("poetry"))


@pytest.mark.parametrize(
    ("chosen", "versions"),
    [
        ("", ""),
        (Program("poetry").version, ""),
        (">=1.8", ""),
        ("1.8.5", "==1.8.5"),
        ("<2,>=1.8", "<2,>=1.8"),
        (">>1", ">>1"),
    ],
)
def test_other_release_is_chosen_only_if_the_pinned_one_does_not_fit(
    chosen: str, versions: str
) -> None:
    assert Program.chosen("poetry", chosen) == Program("poetry", versions)


def test_bundled_program_is_installed_offline(tmp_path: Path) -> None:
    context = replace(context_of(write_app(tmp_path, [("x", "")])), uv=tmp_path / "tools/uv")

    def options(program: Program) -> tuple[str, ...]:
        tools = FakeTools()
        tool_install.install(program, tmp_path / "into", Path("/python"), context, tools)
        return tools.ran[0].argv

    assert "--find-links" not in options(Program("pdm"))
    (tmp_path / "tools/programs").mkdir(parents=True)
    given = options(Program("pdm"))
    assert given[given.index("--find-links") + 1] == str(tmp_path / "tools/programs")
    assert "--no-index" in given
    assert "--no-index" not in options(Program("pdm", "==2.20"))
