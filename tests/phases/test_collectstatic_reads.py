"""A build that skips collectstatic, as nothing that it reads has changed, equals a clean one."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.support.django_runs import Machine, Project, Result, machine
from tests.support.trees import Files

FIXTURES = Path(__file__).parent / "fixtures"
NEWEST, OLDER = "3.14.6", "3.13.13"
PROJECTS = (
    *(pytest.param((name, NEWEST), id=name) for name in ("plain", "split", "manifest")),
    pytest.param(("plain", OLDER), id=f"plain-{OLDER}", marks=pytest.mark.matrix),
)
REQUIREMENTS = ("django>=5.2,<5.3", "whitenoise>=6", "sqlparse", "psycopg[binary]>=3.2")


@pytest.fixture(scope="module")
def machine_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    @cache
    def make(version: str) -> Machine:
        return machine(tmp_path_factory.mktemp(f"python-{version}"), version, REQUIREMENTS)

    return make


@pytest.fixture(scope="module")
def python(machine_with: Callable[[str], Machine]) -> Machine:
    return machine_with(NEWEST)


@pytest.fixture(scope="module", params=PROJECTS)
def project(
    request: pytest.FixtureRequest,
    machine_with: Callable[[str], Machine],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    name, version = request.param
    return Project(machine_with(version), FIXTURES / name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def first(project: Project) -> Result:
    result = project.build()
    assert (result.error, result.has_run) == ("", True), result.log
    return result


def check(
    project: Project,
    first: Result,
    changes: Files | None = None,
    environ: Mapping[str, str] | None = None,
) -> Result:
    """Build with *changes* after the build *first*; compare it with a clean one without record."""
    with project.kept_store():
        cached = project.build(changes, first.static_files_key, environ=environ)
        clean = project.build(changes, records=False, environ=environ)
    assert cached.error == clean.error
    assert cached.files == clean.files, f"{changes}: {cached.log}"
    return cached


def files_of(project: Project) -> list[str]:
    paths = sorted(project.source.rglob("*"))
    return [str(path.relative_to(project.source)) for path in paths if not path.is_dir()]


def test_unchanged_project_is_not_collected_again(project: Project, first: Result) -> None:
    result = check(project, first)
    assert not result.has_run
    assert "unknown" not in first.log


# What collectstatic does not read, by project: changing it must not run collectstatic.
UNREAD: Mapping[str, Files] = {
    "plain": {
        "shop/views.py": "from django.shortcuts import render\n",
        "config/urls.py": "urlpatterns = []\n",
        "shop/templates/shop/home.html": "<h1>The shop</h1>",
        "README.md": "# Another text",
        "shop/forms.py": "from django import forms\n",
        "notes/a.txt": "",
    },
    "split": {
        "apps/blog/views.py": "def home(request): return None\n",
        "config/urls.py": "urlpatterns = [None]\n",
        "apps/news/templates/news.html": "<p>news",
        "themes/README": "more themes",
        "docs.md": "",
    },
    "manifest": {"site/core/views.py": "", "README.md": "", "site/core/forms.py": ""},
}
# What it reads: the first build after the change has to run it.
READ: Mapping[str, Files] = {
    "plain": {
        "shop/static/shop/style.css": "h2 {}",
        "shop/static/shop/more.css": "h3 {}",
        "shop/static/shop/style.css/": None,
    },
    "split": {
        "VERSION": "2",
        "features.json": '{"admin": true}',
        "config/settings/local.py": "STATIC_ROOT = BASE_DIR / 'other'",
        "apps/shop/__init__.py": "",
        "themes/light/theme.css": "d {}",
    },
    "manifest": {
        "site/assets/img/logo.svg": "<svg/>",
        "brand/brand.css": "e {}",
        "site/core/static/core/site.css": "f {}",
    },
}


def test_unread_files_do_not_run_collectstatic(project: Project, first: Result) -> None:
    for path, content in UNREAD[project.source.name].items():
        result = check(project, first, {path: content})
        assert not result.has_run, path


def test_read_files_run_collectstatic(project: Project, first: Result) -> None:
    for path, content in READ[project.source.name].items():
        result = check(project, first, {path.rstrip("/"): content})
        assert result.has_run, path


@pytest.mark.thorough
def test_each_file_edited(project: Project, first: Result) -> None:
    for path in files_of(project):
        text = (project.source / path).read_bytes()
        check(project, first, {path: text + b"\n"})
        check(project, first, {path: b""})


@pytest.mark.thorough
def test_each_file_removed(project: Project, first: Result) -> None:
    for path in files_of(project):
        check(project, first, {path: None})


@pytest.mark.thorough
def test_files_added_in_each_directory(project: Project, first: Result) -> None:
    directories = {str(Path(path).parent) for path in files_of(project)}
    for directory in sorted(directories):
        for name in ("static/new.css", "new.py", "locale/x", "apps.py", "static/a/b.css"):
            path = f"{directory}/{name}"
            if not (project.source / path).exists():
                check(project, first, {path: ""})


@pytest.fixture(scope="module")
def plain(python: Machine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(python, FIXTURES / "plain", tmp_path_factory.mktemp("plain"))


TOKEN = {"API_TOKEN": "t0ps3cret"}
SETTINGS = (FIXTURES / "plain/config/settings.py").read_text()


def with_settings(*lines: str) -> Files:
    return {"config/settings.py": "\n".join((SETTINGS, *lines, ""))}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("import subprocess; subprocess.run(['true'])", "starts a program"),
        ("os.system('true')", "starts a program"),
        ("import socket; socket.socketpair(); socket.getaddrinfo('::1', 1)", "uses the network"),
        ("import sqlite3; sqlite3.connect(BASE_DIR / 'db').close()", "opens an SQLite database"),
        ("import ctypes; ctypes.CDLL(None).getpid()", "calls a native library"),
        ("open('/proc/self/status').read()", "reads /proc/"),
        ("os.rename(BASE_DIR / 'shop/templates', BASE_DIR / 'moved')", "renames a directory"),
        ("open(os.environ.get('API_TOKEN', 'x') + '.txt', 'a').close()", "contains a secret"),
    ],
)
def test_unrecordable_settings_depend_on_everything(
    plain: Project, line: str, reason: str
) -> None:
    settings = with_settings(line)
    first = plain.build(settings, environ=TOKEN)
    assert reason in first.log
    if not first.static_files_key:
        assert "renames" in reason
        return
    unchanged = check(plain, first, settings, environ=TOKEN)
    assert not unchanged.has_run
    changed = {**settings, "shop/views.py": ""}
    assert check(plain, first, changed, environ=TOKEN).has_run


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("(BASE_DIR / 'a.txt').exists()", {"a.txt": ""}),
        ("os.path.isdir('notes')", {"notes/x": ""}),
        ("os.access('a.txt', os.R_OK)", {"a.txt": ""}),
        ("os.listdir('shop')", {"shop/x": ""}),
        ("list(os.scandir('shop'))[0].stat()", {"shop/views.py": "#"}),
        ("list(BASE_DIR.glob('**/*.md'))", {"shop/templates/x.md": ""}),
        ("list(os.walk(BASE_DIR))", {"shop/templates/x.md": ""}),
        ("os.stat('README.md').st_size", {"README.md": "# Longer than before, much longer"}),
        ("os.path.getsize('README.md')", {"README.md": "# Longer than before, much longer"}),
        ("os.open('README.md', os.O_RDONLY, dir_fd=os.open('.', 0))", {"README.md": "#"}),
        ("__import__('importlib').import_module('config.urls')", {"config/urls.py": "x = 1"}),
        ("__import__('importlib.util').util.find_spec('helper')", {"helper.py": ""}),
        ("os.environ.get('EXTRA', 'none')", {}),
        ("'EXTRA' in os.environ", {}),
        ("dict(os.environ)", {}),
        ("os.path.lexists('a.txt')", {"a.txt": ""}),
    ],
)
def test_everything_that_settings_read_counts(plain: Project, line: str, change: Files) -> None:
    settings = with_settings(f"VALUE = repr({line})")
    first = plain.build(settings)
    assert "Every change" not in first.log
    result = check(plain, first, {**settings, **change}, None if change else {"EXTRA": "1"})
    assert result.has_run


def test_other_variables_and_files_do_not_count(plain: Project) -> None:
    settings = with_settings("VALUE = os.environ.get('EXTRA', 'none'), os.path.exists('notes')")
    first = plain.build(settings, environ={"BUILD_NUMBER": "1"})
    result = check(plain, first, {**settings, "shop/urls.py": ""}, {"BUILD_NUMBER": "2"})
    assert not result.has_run


def test_bumped_packages_run_collectstatic_only_if_read(plain: Project, python: Machine) -> None:
    first = plain.build()
    before = python.distributions
    for path, has_run in (
        ("psycopg/errors.py", False),
        ("django/contrib/postgres/lookups.py", False),
        ("django/contrib/staticfiles/finders.py", True),
    ):
        content = (python.site_packages / path).read_bytes()
        python.replace_file(path, content + b"\n# changed\n")
        try:
            assert check(plain, first).has_run == has_run, path
        finally:
            python.replace_file(path, content)
            python.distributions = before
