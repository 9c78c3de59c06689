"""The commands of docs/how-to/build-commands.md: run once, then reused; only outputs stay."""

import re
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of, without_image
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, Files, linked_copy, write_files
from tools.package.assemble import ROOT

PAGE = (ROOT / "docs/how-to/build-commands.md").read_text(encoding="utf-8")
FLASK, GALLERY = fixture("pip_flask"), fixture("pip_django_static")
MO = "translations/de/LC_MESSAGES/messages.mo"
# Babel writes the time of the build for dates that it does not find.
PO = """\
msgid ""
msgstr ""
"POT-Creation-Date: 2026-01-01 00:00+0000\\n"
"PO-Revision-Date: 2026-01-01 00:00+0000\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "one"
msgstr "eins"
"""
TRANSLATED: Files = {
    "requirements.txt": (FLASK / "requirements.txt").read_text() + "Babel==2.18.0\n",
    "translations/de/LC_MESSAGES/messages.po": PO,
}
STYLES = """
[tool.cnb-python.commands.styles]
run = '''
python -c 'import django; print("compiled with Django", django.get_version())'
cp styles.src gallery/static/gallery/style.css
mkdir -p cache && touch cache/a debug.log
(sleep 600 > /dev/null 2>&1; echo late > late.txt) &
'''
inputs = ["styles.src"]
outputs = ["gallery/static/gallery/style.css"]
"""


def block(language: str, number: int = 0) -> str:
    """Return a block of the page in *language*."""
    blocks = re.findall(rf"```{language}[^\n]*\n(.*?)```", PAGE, re.DOTALL)
    return str(blocks[number])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = linked_copy(FLASK, tmp_path_factory.mktemp("translated") / "app")
    directory.chmod(0o755)
    return write_files(directory, {**TRANSLATED, "pyproject.toml": block("toml")})


@pytest.fixture(scope="module")
def translated(builds: Builds, flask: Built, source: Path) -> Built:
    built = builds.image(source, flask)
    assert built.code == 0, built.output
    return built


def test_command_of_the_page_prints_what_the_page_shows(translated: Built) -> None:
    for line in block("text").splitlines():
        assert line.strip() in translated.output
    assert translated.run("test", "-s", MO) == ""
    assert (translated.workspace / MO).is_file()


def test_unchanged_build_reuses_the_outputs(
    builds: Builds, translated: Built, source: Path
) -> None:
    again = builds.image(source, translated)
    assert again.code == 0, again.output
    for line in block("text", 1).splitlines():
        assert line.strip() in again.output
    assert "Running `" not in again.output
    assert [path.name for path in again.layers.iterdir() if path.is_dir()] == ["deps"]
    assert layers_of(again) == layers_of(translated)


def test_lost_image_and_lost_cache_give_the_same_layers(
    builds: Builds, translated: Built, flask: Built, source: Path, tmp_path: Path
) -> None:
    from_cache = builds.image(source, without_image(translated, tmp_path))
    assert "Running `" not in from_cache.output
    clean = builds.image(source, flask)
    assert "Running `pybabel" in clean.output
    assert layers_of(from_cache) == layers_of(clean) == layers_of(translated)


def test_what_else_a_command_leaves_is_gone_and_collectstatic_takes_its_outputs(
    builds: Builds, flask: Built, app: App
) -> None:
    files: Files = {"pyproject.toml": STYLES, "styles.src": "p { color: red }\n"}
    styled = app(files, based_on=GALLERY)
    first = builds.image(styled, flask)
    assert first.code == 0, first.output
    assert "    compiled with Django 5.2" in first.output
    assert "Removed: cache, cache/a, debug.log." in first.output
    assert " left running" in first.output.partition("Ended 2 background processes")[2]
    assert not (first.workspace / "late.txt").exists()
    collected = [
        path.read_text() for path in (first.workspace / "staticfiles").rglob("style.*.css")
    ]
    assert collected == [files["styles.src"]]
    again = builds.image(styled, first)
    assert "styles: 1 file from the cache" in again.output
    assert "from the cache (nothing that collectstatic reads has changed)" in again.output
    assert layers_of(again) == layers_of(first)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"cp styles.src": "nosuchprogram"}, "There is no program nosuchprogram in the build"),
        ({'style.css"]': 'other.css"]'}, "changed files that are not its outputs"),
        ({"inputs =": "input ="}, "commands.styles.input (pyproject.toml, line 9):"),
    ],
    ids=["program", "outputs", "key"],
)
def test_failure_of_a_command_is_explained(
    builds: Builds, flask: Built, app: App, change: dict[str, str], error: str
) -> None:
    text = STYLES
    for old, new in change.items():
        text = text.replace(old, new)
    failed = builds.phases(app({"pyproject.toml": text, "styles.src": ""}, GALLERY), flask)
    assert failed.code
    assert error in failed.error
