"""Variables in the addresses that uv reads: replaced in requirements, and nowhere else."""

from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.locks import UnreplacedVariable, UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.pylock_file import LOCK
from cnb_python.managers.uv import address_variables

URL = "https://me:${PKG_TOKEN}@example.org/a.whl"
PROJECT = f"""\
[project]
dependencies = ["plain", "Marked-Tools; sys_platform == 'win32'"]
[project.optional-dependencies]
Web = ["our-tools"]
[dependency-groups]
dev = ["our-codec", {{ include-group = "base" }}]
base = ["our_base"]
loop = [{{ include-group = "loop" }}]
[[tool.uv.index]]
name = "ours"
url = "{URL}"
explicit = true
[tool.uv.sources]
our_tools = {{ index = "ours" }}
our-codec = [{{ git = "{URL}" }}, {{ git = "{URL}", marker = "sys_platform == 'win32'" }}]
our-base = {{ url = "{URL}" }}
marked-tools = {{ index = "ours" }}
"""


def check(text: str, settings: Settings = Settings(), **environ: str) -> None:  # noqa: B008 - a value
    document = toml.parse(text, Path("pyproject.toml"))
    address_variables.check_project(document, settings, environ, "pyproject.toml")


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        (Settings(extras=("web",)), "[[tool.uv.index]] ours"),
        (Settings(groups=("dev",)), "[tool.uv.sources] for our-codec"),
        (Settings(groups=("base",)), "[tool.uv.sources] for our-base"),
    ],
)
def test_address_in_tables_of_uv_is_refused_if_its_package_is_required(
    settings: Settings, setting: str
) -> None:
    with pytest.raises(UnreplacedVariable) as raised:
        # uv does not replace it even if it is set.
        check(PROJECT, settings, PKG_TOKEN="abc")

    assert (raised.value.setting, raised.value.variables) == (setting, ("PKG_TOKEN",))


def test_address_of_a_package_that_is_not_required_does_not_matter() -> None:
    check(PROJECT)
    check(PROJECT, Settings(groups=("loop", "unknown"), extras=("unknown",)))


def test_requirement_needs_its_variable() -> None:
    text = f'[project]\ndependencies = ["our-tools @ {URL}"]\n'

    check(text, PKG_TOKEN="abc")
    with pytest.raises(UnsetVariable) as raised:
        check(text)

    assert (raised.value.file, raised.value.source) == ("pyproject.toml", "our-tools")


@pytest.mark.parametrize("written", [URL, URL.replace("{", "%7B").replace("}", "%7D")])
def test_address_in_a_lock_is_refused(written: str) -> None:
    line = LOCK + toml.rendered({"packages": [{"name": "a", "archive": {"url": written}}]})

    with pytest.raises(UnreplacedVariable) as raised:
        address_variables.check_pins([Pin("a", "1", "", line)], "uv.lock")

    assert raised.value.setting == "the address of a in uv.lock"


def test_line_of_an_export_needs_its_variable() -> None:
    pin = Pin("a", "", "", f"a @ {URL}", by_itself=True)

    address_variables.check_lines([pin], {"PKG_TOKEN": "abc"}, "poetry.lock")
    with pytest.raises(UnsetVariable):
        address_variables.check_lines([pin], {}, "poetry.lock")
