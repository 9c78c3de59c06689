"""Steps that packages need: a warning if the app needs one and what it makes is missing."""

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli

from cnb_python.app_steps import known_steps
from cnb_python.app_steps.known_steps import TABLE, AppFiles
from cnb_python.config.build_commands import BuildCommand
from cnb_python.config.loading import read_settings
from tests.support.trees import Files, write_files
from tools.package.assemble import ROOT

ROWS = tomli.loads(TABLE.read_text(encoding="utf-8"))["step"]
PAGE = (ROOT / "docs/how-to/build-commands.md").read_text(encoding="utf-8")
PLAYWRIGHT = "from playwright.sync_api import sync_playwright\nbrowser = p.chromium.launch()\n"
PO = "locale/de/LC_MESSAGES/django.po"
# Files that need the step of a package, and files that it makes.
NEEDS: Mapping[str, Files] = {
    "babel": {"translations/de/LC_MESSAGES/messages.po": ""},
    "crawl4ai": {"app.py": "from crawl4ai import AsyncWebCrawler\n"},
    "django": {PO: ""},
    "django-compressor": {"shop/settings.py": "COMPRESS_OFFLINE = True\n", "shop/__init__.py": ""},
    "django-sass-processor": {
        "settings.py": 'APPS = ["sass_processor"]\n',
        "static/a.scss": "",
        "static/_b.scss": "",
    },
    "django-tailwind": {"theme/static_src/src/styles.css": ""},
    "django-tailwind-cli": {"settings.py": 'APPS = ["django_tailwind_cli"]\n'},
    "grpcio-tools": {"protos/shop.proto": ""},
    "nltk": {"app.py": "import nltk\nnltk.download('punkt_tab')\n"},
    "patchright": {"app.py": PLAYWRIGHT.replace("playwright", "patchright")},
    "playwright": {"app.py": PLAYWRIGHT},
    "prisma": {"schema.prisma": 'provider = "prisma-client-py"\n'},
    "pyppeteer": {"app.py": "from pyppeteer import launch\nbrowser = await launch()\n"},
    "pytailwindcss": {"styles.css": '@import "tailwindcss";\n'},
    "spacy": {"app.py": 'nlp = spacy.load("en_core_web_sm")\n'},
    "stanza": {"app.py": "nlp = stanza.Pipeline('en')\n"},
    "textblob": {"app.py": "TextBlob(text).tags\n"},
}
MAKES: Mapping[str, Files] = {
    "babel": {"translations/de/LC_MESSAGES/messages.mo": ""},
    "crawl4ai": {"browsers/chromium-1/INSTALLATION_COMPLETE": ""},
    "django": {"locale/de/LC_MESSAGES/django.mo": ""},
    "django-compressor": {"staticfiles/CACHE/manifest.json": "{}"},
    "django-sass-processor": {"static/a.css": ""},
    "django-tailwind": {"theme/static/css/dist/styles.css": ""},
    "django-tailwind-cli": {"assets/css/tailwind.css": ""},
    "grpcio-tools": {"generated/shop_pb2.py": ""},
    "nltk": {"nltk.txt": "punkt_tab"},
    "patchright": {"browsers/chromium-1/INSTALLATION_COMPLETE": ""},
    "playwright": {"browsers/chromium-1/INSTALLATION_COMPLETE": ""},
    "prisma": {"database/bases.py": ""},
    "pyppeteer": {"browsers/local-chromium/1/chrome": ""},
    "pytailwindcss": {"static/out.css": "/*! tailwindcss v4.1.0 */"},
    "stanza": {"models/resources.json": "{}"},
    "textblob": {"nltk.txt": "brown"},
}


def titles(
    directory: Path, package: str, files: Files, *commands: BuildCommand, **others: str
) -> list[str]:
    write_files(directory, files)
    installed = {package: "1.0", **others}
    messages = known_steps.warnings(AppFiles(directory, commands), installed)
    return [message.title for message in messages]


def text(directory: Path, package: str, files: Files) -> str:
    write_files(directory, files)
    [message] = known_steps.warnings(AppFiles(directory, ()), {package: "1.0"})
    return "\n".join((message.title, *message.body))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["package"])
def test_step_that_is_needed_and_missing_is_explained(
    tmp_path: Path, row: Mapping[str, object]
) -> None:
    package = str(row["package"])
    shown = text(tmp_path, package, NEEDS[package])
    assert f"{package} 1.0 is installed, and " in shown
    assert not re.search(r"\{(name|path|root|stem)\}", shown)
    assert titles(tmp_path, "another", {}) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["package"])
def test_lines_of_the_warning_are_a_setting_that_ends_it(
    tmp_path: Path, row: Mapping[str, object]
) -> None:
    package = str(row["package"])
    shown = text(tmp_path, package, NEEDS[package])
    lines = [line[2:] for line in shown.splitlines() if re.match(r"  (\[|\w+ = )", line)]
    assert bool(lines) == ("run" in row)
    write_files(tmp_path, {"pyproject.toml": "\n".join(lines)})
    commands = read_settings({}, tmp_path).commands
    assert len(commands) == len(lines) // 4
    if commands:
        assert titles(tmp_path, package, {}, *commands) == []


@pytest.mark.parametrize("package", MAKES)
def test_no_warning_if_the_step_was_run(tmp_path: Path, package: str) -> None:
    assert titles(tmp_path, package, {**NEEDS[package], **MAKES[package]}) == []


@pytest.mark.parametrize("package", NEEDS)
def test_no_warning_without_use(tmp_path: Path, package: str) -> None:
    assert titles(tmp_path, package, {"app.py": "demo.launch()\n", "README.md": package}) == []


PROTO: Files = {"protos/shop.proto": ""}
DOWNLOAD = "import nltk\nnltk.download('punkt_tab')\n"


@pytest.mark.parametrize(
    ("package", "files"),
    [
        # protoc writes a module, whose name has no hyphens, and whose dots are directories.
        ("grpcio-tools", {"my-protos/my-shop.proto": "", "my_protos/my_shop_pb2.py": ""}),
        ("grpcio-tools", {"shop.v1.proto": "", "shop/v1_pb2.py": ""}),
        ("grpcio-tools", {"protos/google/api/annotations.proto": "", "google/x.proto": ""}),
        ("grpcio-tools", {"third_party/validate/validate.proto": ""}),
        ("grpcio-tools", {**PROTO, "app.py": "p, s = grpc.protos_and_services('shop.proto')\n"}),
        ("grpcio-tools", {**PROTO, "app.py": "protos = grpc.protos('shop.proto')\n"}),
        ("grpcio-tools", {**PROTO, "app.py": "import betterproto\n"}),
        ("nltk", {**NEEDS["nltk"], "nltk_data/tokenizers/punkt_tab/x": ""}),
        ("nltk", {**NEEDS["nltk"], "shop/nltk_data/corpora/x.zip": ""}),
        ("nltk", {"app.py": f"{DOWNLOAD}nltk.data.path.append('data')\n"}),
        ("nltk", {"app.py": DOWNLOAD.replace("')", "', download_dir='/tmp')")}),
        ("textblob", {**NEEDS["textblob"], "nltk_data/corpora/brown/x": ""}),
        ("playwright", {"app.py": "import playwright\np.chromium.connect_over_cdp(URL)\n"}),
        (
            "playwright",
            {"app.py": "import playwright\np.chromium.connect_over_cdp(URL)\ndemo.launch()\n"},
        ),
        ("playwright", {"app.py": "import playwright\ndemo.launch()\n"}),
        ("playwright", {"app.py": PLAYWRIGHT, "b.py": "p.firefox.connect(URL)\n"}),
        (
            "playwright",
            {"app.py": PLAYWRIGHT.replace("()\n", "(\n  executable_path=which('x'))\n")},
        ),
        ("playwright", {"app.py": PLAYWRIGHT.replace("()\n", '(args=f(), channel="chrome")\n')}),
        (
            "patchright",
            {"app.py": "import patchright\np.chromium.launch(executable_path='/usr/bin/x')\n"},
        ),
        ("crawl4ai", {"app.py": "from crawl4ai import AsyncWebCrawler\nC(cdp_url=URL)\n"}),
        ("crawl4ai", {"app.py": "from crawl4ai import AsyncWebCrawler, AsyncHTTPCrawlerStrategy"}),
        ("pyppeteer", {"app.py": "import pyppeteer\nlaunch(executablePath='/usr/bin/x')\n"}),
        *(
            (package, {f"{below}/locale/de/LC_MESSAGES/index.po": ""})
            for package in ("babel", "django")
            for below in ("docs", "doc", "docs/source", "packages/a/docs", "documentation")
        ),
    ],
)
def test_no_warning_if_the_app_does_without_the_step(
    tmp_path: Path, package: str, files: Files
) -> None:
    assert titles(tmp_path, package, files) == []


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ("grpcio-tools", {"protos/my-shop.proto": "", "protos/my-shop_pb2.py": ""}),
        ("grpcio-tools", {"protos/shop.proto": "", "google/api/http.proto": ""}),
        ("playwright", {"app.py": "import playwright\np.webkit.launch_persistent_context(d)\n"}),
        ("playwright", {"app.py": PLAYWRIGHT, "db.py": "psycopg.connect(URL)\n"}),
        ("playwright", {"app.py": PLAYWRIGHT.replace("()\n", '(channel="chromium")\n')}),
        ("django", {PO: "", "docs/locale/de/LC_MESSAGES/index.po": ""}),
        ("nltk", {**NEEDS["nltk"], "nltk_data.py": ""}),
    ],
)
def test_other_files_do_not_hide_a_missing_step(
    tmp_path: Path, package: str, files: Files
) -> None:
    assert len(titles(tmp_path, package, files)) == 1


def test_many_files_are_compared_once(tmp_path: Path) -> None:
    count = 5_000
    files = AppFiles(tmp_path, ())
    names = [f"p/{number}.proto" for number in range(count)]
    files.__dict__["paths"] = (*names, *(f"q/{number}_pb2.py" for number in range(count)))
    started = time.process_time()
    assert known_steps.warnings(files, {"grpcio-tools": "1.0"}) == ()
    # Each with each other is 50 million comparisons.
    assert time.process_time() - started < 2


def test_model_of_spacy_is_a_package(tmp_path: Path) -> None:
    shown = text(tmp_path, "spacy", NEEDS["spacy"])
    assert "The model en_core_web_sm of spaCy is not installed" in shown
    assert "  en_core_web_sm @ https://github.com/explosion/spacy-models/releases" in shown
    others = {"en-core-web-sm": "3.8.0"}
    assert titles(tmp_path, "spacy", {}, **others) == []


def test_root_of_translations_is_that_of_the_app(tmp_path: Path) -> None:
    shown = text(tmp_path, "babel", {"shop/i18n/de/LC_MESSAGES/messages.po": ""})
    assert 'run = "pybabel compile --directory shop/i18n"' in shown
    assert 'outputs = ["shop/i18n/**/*.mo"]' in shown


def test_django_compiles_its_translations_itself(tmp_path: Path) -> None:
    assert len(titles(tmp_path, "django", {PO: ""}, babel="2.18")) == 1


@pytest.mark.parametrize("hook", ["bin/pre_compile", "bin/post_compile"])
def test_hook_that_runs_the_step_ends_the_warning(tmp_path: Path, hook: str) -> None:
    files = {**NEEDS["playwright"], hook: "#!/bin/sh\npython -m playwright install chromium\n"}
    assert titles(tmp_path, "playwright", files) == []


def test_files_of_packages_do_not_count(tmp_path: Path) -> None:
    files: Files = {f".venv/lib/site-packages/x/{PO}": "", f"node_modules/x/{PO}": ""}
    assert titles(tmp_path, "django", files) == []


def test_table_is_sorted_and_on_the_page() -> None:
    packages = [row["package"] for row in ROWS]
    assert set(packages) == known_steps.PACKAGES
    assert packages == sorted(set(packages)) == sorted(NEEDS)
    assert [name for name in packages if f"`{name}`" not in PAGE] == []
    runs = [row["run"] for row in ROWS if "run" in row and "{" not in row["run"]]
    assert [run for run in runs if f"`{run}`" not in PAGE] == []
