"""What an explanation contains: the choices of a build, each with its origin."""

import json
from datetime import date
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from cnb_python.cnb.context import BuildContext
from cnb_python.explain.explain import explain
from cnb_python.explain.explanation import ChosenSystemPackages, Explanation, as_json
from cnb_python.explain.inputs import Arguments, explain_context
from cnb_python.explain.printed import print_explanation
from cnb_python.system.interface import Download
from tests.support.fake_system import Log
from tests.support.trees import write_files

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 30)
FLASK = {
    "requirements.txt": "flask==3.1.3\ngunicorn==27.0.1\n",
    "app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
}


def refuse_fetch(download: Download, to: Path) -> None:
    raise AssertionError(download, to)


def context_of(directory: Path, files: dict[str, str], **environ: str) -> BuildContext:
    app_dir, scratch = directory / "app", directory / "scratch"
    scratch.mkdir(parents=True)
    write_files(app_dir, files)
    return explain_context(Arguments(app_dir), environ, scratch, ROOT)


def explained(directory: Path, files: dict[str, str], **environ: str) -> Explanation:
    return explain(context_of(directory, files, **environ), refuse_fetch, TODAY)


def test_pinned_requirements_are_exactly_what_is_installed(tmp_path: Path) -> None:
    explanation = explained(tmp_path, FLASK)

    assert explanation.detected
    assert explanation.error is None
    assert explanation.packages is not None
    assert explanation.packages.manager == "pip"
    assert explanation.packages.files == ("requirements.txt",)
    assert explanation.packages.known_from == "files"
    assert explanation.packages.versions == {"flask": "3.1.3", "gunicorn": "27.0.1"}
    assert explanation.reuse is not None
    assert not explanation.reuse.previous


def test_each_process_names_its_file_and_line(tmp_path: Path) -> None:
    files = FLASK | {"Procfile": "# none\nclock: python clock.py\n", "clock.py": "pass\n"}
    explanation = explained(tmp_path, files, BP_PYTHON_START="gunicorn app:app")

    by_type = {process.type: process for process in explanation.processes}
    clock, web = by_type["clock"], by_type["web"]
    assert (clock.command, clock.file, clock.line) == ("python clock.py", "Procfile", 2)
    assert (clock.origin, clock.default) == ("Procfile, line 2", False)
    assert (web.command, web.file, web.line) == ("gunicorn app:app", "", None)
    assert (web.origin, web.default) == ("BP_PYTHON_START", True)
    assert (by_type["console"].file, by_type["console"].line) == ("app.py", 3)


SYSTEM = """\
[tool.cnb-python]
system-packages = ["libpq5", "ffmpeg=7:5.1"]
health = "/healthz"
"""


@pytest.mark.parametrize("listed", ["ffmpeg=7:5.1 libpq5", "libpq5", ""])
def test_system_packages_and_the_health_check_are_named(tmp_path: Path, listed: str) -> None:
    context = context_of(tmp_path, FLASK | {"pyproject.toml": SYSTEM})
    if listed:
        text = f'[metadata]\nrequested = "{listed}"\n'
        (context.layers_dir / "system-packages.toml").write_text(text)

    explanation = explain(context, refuse_fetch, TODAY)

    is_same = listed == "ffmpeg=7:5.1 libpq5"
    packages = ChosenSystemPackages(("ffmpeg=7:5.1", "libpq5"), is_same)
    assert explanation.system_packages == packages
    (health,) = (each for each in explanation.processes if each.type == "health")
    assert health.command == "GET /healthz, by /cnb/process/health"
    assert (health.file, health.line, health.default) == ("pyproject.toml", 3, False)
    log = Log()
    print_explanation(explanation, log)
    assert "ffmpeg=7:5.1, libpq5, with what they depend on" in log.lines
    assert ("The previous image has them" in log.lines) == is_same


def test_wrong_name_of_a_system_package_is_the_error(tmp_path: Path) -> None:
    explanation = explained(tmp_path, FLASK, BP_PYTHON_SYSTEM_PACKAGES="Libpq5")

    assert explanation.error is not None
    assert "Libpq5" in "\n".join((explanation.error.title, *explanation.error.body))


@pytest.mark.parametrize(
    ("files", "origin", "file", "line"),
    [
        ({".python-version": "\n3.13\n"}, ".python-version, line 2", ".python-version", 2),
        ({}, "the default of this buildpack", "", None),
    ],
)
def test_python_names_what_chose_it(
    tmp_path: Path, files: dict[str, str], origin: str, file: str, line: int | None
) -> None:
    python = explained(tmp_path, FLASK | files).python

    assert python is not None
    assert (python.origin, python.file, python.line) == (origin, file, line)
    assert not python.reused


@pytest.mark.parametrize(
    ("files", "versions"),
    [
        ({"requirements.txt": "Flask>=3\nx==1 ; python_version>'3'\n"}, {"flask": "", "x": "1"}),
        (
            {"uv.lock": '[[package]]\nname = "flask"\nversion = "3.1.3"\n'},
            {"flask": "3.1.3"},
        ),
        (
            {"Pipfile": "", "Pipfile.lock": '{"default": {"flask": {"version": "==3.1.3"}}}'},
            {"flask": "3.1.3"},
        ),
        ({"pylock.toml": '[[packages]]\nname = "six"\n'}, {"six": ""}),
        ({"pyproject.toml": '[project]\nname="a"\ndependencies = ["six>1"]\n'}, {"six": ""}),
    ],
    ids=["requirements", "uv", "pipenv", "pylock", "project"],
)
def test_what_a_build_has_to_resolve_is_said_with_the_names_that_are_known(
    tmp_path: Path, files: dict[str, str], versions: dict[str, str]
) -> None:
    pyproject = {"pyproject.toml": '[project]\nname = "a"\nversion = "1"\n'}
    explanation = explained(tmp_path, pyproject | files if "uv.lock" in files else files)

    assert explanation.packages is not None, explanation.error
    assert explanation.packages.known_from == "unresolved files"
    assert explanation.packages.reason
    assert explanation.packages.versions == versions


def test_what_stops_a_build_is_the_error_and_what_was_decided_before_stays(
    tmp_path: Path,
) -> None:
    explanation = explained(tmp_path, FLASK | {".python-version": "2.7\n"}, BP_PYTHON_START="a b")

    assert explanation.error is not None
    assert explanation.error.title == "Python 2 reached its end of life on 2020-01-01"
    assert explanation.error.fixes
    assert [setting.name for setting in explanation.settings] == ["start"]
    assert explanation.python is None


def test_another_app_is_not_taken(tmp_path: Path) -> None:
    explanation = explained(tmp_path, {"index.html": ""})

    assert not explanation.detected
    assert explanation.detection
    assert explanation.python is None


def test_the_steps_of_a_django_app_are_in_their_order(tmp_path: Path) -> None:
    manage = "import django\nos.environ['DJANGO_SETTINGS_MODULE']\n"
    files = {
        "requirements.txt": "django==5.2.19\n",
        "manage.py": manage,
        "bin/pre_compile": "",
        "bin/post_compile": "",
        "nltk.txt": "wordnet\n",
        "pyproject.toml": "[tool.cnb-python.commands.styles]\nrun = 'make'\noutputs = ['a.css']\n",
    }
    steps = explained(tmp_path, files).steps

    assert [(step.name, step.runs) for step in steps] == [
        ("bin/pre_compile", True),
        ("NLTK's downloader", False),
        ("the command styles", True),
        ("collectstatic", True),
        ("bin/post_compile", True),
    ]


def test_collectstatic_that_is_turned_off_says_by_what(tmp_path: Path) -> None:
    files = {"requirements.txt": "django==5.2.19\n", "manage.py": "import django\n"}
    (step,) = explained(tmp_path, files, DISABLE_COLLECTSTATIC="1").steps

    assert (step.runs, step.reason) == (False, "DISABLE_COLLECTSTATIC is set")


def states(directory: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode, size and time of the last change of each file; reading changes other times."""
    stats = {path: path.lstat() for path in directory.rglob("*")}
    return {path: (each.st_mode, each.st_size, each.st_mtime_ns) for path, each in stats.items()}


def test_nothing_is_written_into_the_app(tmp_path: Path) -> None:
    context = context_of(tmp_path, FLASK | {"manage.py": "import django\n", ".git/HEAD": ""})
    before = states(context.app_dir)

    explain(context, refuse_fetch, TODAY)

    assert states(context.app_dir) == before


def test_json_has_the_published_form_and_no_secrets(tmp_path: Path) -> None:
    explanation = explained(tmp_path, FLASK, BP_PYTHON_START='run ##vso[x "hunter2"\x1b[31m')
    text = as_json(explanation, lambda value: value.replace('"hunter2"', "****"))

    read = TypeAdapter(Explanation).validate_json(text)
    assert read.packages == explanation.packages
    assert "hunter2" not in text
    assert "##" not in text
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["processes"][0]["command"].startswith("run ##vso[x ****")


def test_other_apps_that_are_as_likely_are_listed(tmp_path: Path) -> None:
    files = FLASK | {"shop.py": FLASK["app.py"]}
    explanation = explained(tmp_path, files)
    log = Log()
    print_explanation(explanation, log)

    assert [(each.file, each.line) for each in explanation.also_found] == [("shop.py", 3)]
    line = "  Also found: shop.py (Flask). To run another app, name it in a Procfile."
    assert line in log.lines
    assert json.loads(as_json(explanation, str))["also_found"] == [
        {"subject": "Flask", "file": "shop.py", "line": 3}
    ]


def test_named_web_process_has_no_alternatives(tmp_path: Path) -> None:
    files = FLASK | {"shop.py": FLASK["app.py"], "Procfile": "web: gunicorn shop:app\n"}

    assert explained(tmp_path, files).also_found == ()
