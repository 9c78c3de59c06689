"""When collectstatic runs, and when its files come from the store."""

import json
from copy import replace
from pathlib import Path

import pytest

from cnb_python.app_steps import collectstatic
from cnb_python.app_steps.collectstatic import Skipped
from cnb_python.app_steps.static_files import StaticFiles
from cnb_python.config.kinds import Variable
from cnb_python.errors.machine import Killed
from cnb_python.errors.static_files import CollectstaticFailed
from cnb_python.provision.request import StepResults
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_environment import FakeEnvironment, fake_environment
from tests.support.trees import write_files

STATICFILES = "django.contrib.staticfiles"
APP = {"manage.py": "import django", "shop/settings.py": "DEBUG = False"}


class Django:
    """Answers as `django_runner.py` does."""

    def __init__(self) -> None:
        self.command: str | None = STATICFILES
        self.local = True
        self.root = ""
        """STATIC_ROOT, absolute or relative to the app."""
        self.manifest = ""
        """The directory of the manifest, relative to the app; empty: STATIC_ROOT."""
        self.files: dict[str, str] = {"staticfiles/a.css": "a {}"}
        self.outcome = Outcome(0, "1 static file copied")
        self.is_reached = True
        self.unset = False
        """The settings do not set STATIC_ROOT."""
        self.servers: list[str] = []
        self.reads: dict[str, object] = {}
        """The recording; none without one."""

    def __call__(self, command: Command) -> Outcome:
        manage, answer, *recording = (Path(path) for path in command.argv[2:])
        root = str(manage.parent / (self.root or "staticfiles"))
        manifest = str(manage.parent / self.manifest) if self.manifest else ""
        facts: dict[str, object] = {"command": self.command, "local": self.local}
        facts["root"] = root if self.local else ""
        facts["manifest"] = manifest
        if self.unset:
            facts |= {"root": "", "unset": True, "servers": self.servers}
        if recording and self.reads:
            recording[0].write_text(json.dumps(self.reads), encoding="utf-8")
        if self.is_reached:
            answer.write_text(json.dumps(facts), encoding="utf-8")
        if not self.outcome.code and self.command:
            write_files(manage.parent, self.files)
        return self.outcome


@pytest.fixture
def django() -> Django:
    return Django()


@pytest.fixture
def app(tmp_path: Path, django: Django) -> FakeEnvironment:
    return fake_environment(tmp_path, APP, {"django": "5.2"}, django)


def build(app: FakeEnvironment, static_files_key: str = "", **environ: str) -> StepResults:
    environment = app.environment(static_files_key, **environ)
    static = collectstatic.find(environment)
    return collectstatic.collect(environment, static, {}, app.system())


def clean(app: FakeEnvironment) -> FakeEnvironment:
    """Return the app as the next build gets it, without generated files."""
    for path in sorted(app.directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    write_files(app.directory, APP)
    app.programs.ran.clear()
    return app


def test_collectstatic_runs_beside_manage_py_with_the_app_python(app: FakeEnvironment) -> None:
    build(app)
    [command] = app.programs.ran
    assert command.argv[0].endswith("/venv/bin/python")
    assert (command.cwd, command.shown) == (app.directory, collectstatic.SHOWN)
    assert "    1 static" not in app.log_text
    assert "1 static file copied" in app.log_text


def test_unchanged_app_restores_files_from_the_store(app: FakeEnvironment) -> None:
    first = build(app)
    assert first.trees == {"static-files", "static-files-record"}

    again = build(clean(app), first.static_files_key)

    assert again == first
    assert app.programs.ran == []
    assert (app.directory / "staticfiles/a.css").read_text(encoding="utf-8") == "a {}"
    assert (
        "1 static file from the cache (nothing that collectstatic reads has changed)"
        in app.log_text
    )


def test_new_files_outside_static_root_are_removed(app: FakeEnvironment, django: Django) -> None:
    django.files = {"staticfiles/a.css": "", "debug.log": "", "media/covers/a.png": ""}
    first = build(app)
    assert "Files that collectstatic left outside STATIC_ROOT are not in the image" in app.log_text
    assert "Removed: debug.log, media, media/covers and 1 more." in app.log_text
    names = {path.name for path in app.directory.iterdir()}
    assert names == {"manage.py", "shop", "staticfiles"}
    build(clean(app), first.static_files_key)
    assert {path.name for path in app.directory.iterdir()} == names


def test_changed_files_and_a_manifest_elsewhere_are_restored(
    app: FakeEnvironment, django: Django
) -> None:
    django.files = {"staticfiles/a.css": "", "manifests/b.json": "{}", "shop/settings.py": "X"}
    django.manifest = "manifests"
    first = build(app)
    build(clean(app), first.static_files_key)
    assert (app.directory / "manifests/b.json").exists()
    assert (app.directory / "shop/settings.py").read_text(encoding="utf-8") == "X"


def test_static_root_behind_a_link_is_kept(app: FakeEnvironment) -> None:
    (app.directory / "build").mkdir()
    (app.directory / "staticfiles").symlink_to("build")
    build(app)
    assert (app.directory / "build/a.css").exists()


def test_files_of_another_command_are_kept(app: FakeEnvironment, django: Django) -> None:
    django.command, django.files = "collectfast", {"cache/a.json": "{}"}
    build(app)
    assert (app.directory / "cache/a.json").exists()


def with_variables(app: FakeEnvironment, *variables: Variable) -> FakeEnvironment:
    app.app.settings = replace(app.app.settings, collectstatic_env=variables)
    return app


def test_variables_for_collectstatic_alone_win_and_a_change_runs_it(app: FakeEnvironment) -> None:
    first = build(with_variables(app, Variable("URL", "sqlite://:memory:")), URL="postgres://db")
    [command] = app.programs.ran
    assert command.env["URL"] == "sqlite://:memory:"
    assert "sqlite" not in first.static_files_key
    build(clean(app), first.static_files_key, URL="another")
    assert app.programs.ran == []
    build(with_variables(clean(app), Variable("URL", "sqlite://")), first.static_files_key)
    assert len(app.programs.ran) == 1


def test_random_key_differs_in_each_run_and_changes_no_outcome(
    app: FakeEnvironment, django: Django
) -> None:
    app.app.settings = replace(app.app.settings, collectstatic_secret_key=True)
    django.reads = {"variables": ["SECRET_KEY"]}
    first = build(app)
    key = app.programs.ran[0].env["SECRET_KEY"]
    assert len(key) == 64
    again = build(clean(app), first.static_files_key)
    assert (again, app.programs.ran) == (first, [])
    app.store.close([], (), ())
    build(clean(app))
    assert app.programs.ran[0].env["SECRET_KEY"] != key
    build(clean(app), SECRET_KEY="mine")
    assert app.programs.ran[0].env["SECRET_KEY"] == "mine"


def test_random_key_in_a_static_file_stops_the_build(app: FakeEnvironment, django: Django) -> None:
    app.app.settings = replace(app.app.settings, collectstatic_secret_key=True)

    def leaking(command: Command) -> Outcome:
        django.files = {"staticfiles/config.js": f"key = '{command.env['SECRET_KEY']}'"}
        return django(command)

    app.programs.answer = leaking
    with pytest.raises(CollectstaticFailed) as failure:
        build(app)
    assert failure.value.cause == "random key"
    assert failure.value.detail == "staticfiles/config.js"


@pytest.mark.parametrize("change", ["file", "variable", "damage", "gone"])
def test_change_of_app_or_variables_runs_collectstatic(app: FakeEnvironment, change: str) -> None:
    first = build(app)
    clean(app)
    environ = {"STATIC_URL": "/"} if change == "variable" else {}
    if change == "file":
        (app.directory / "new.py").touch()
    if change == "damage":
        for path in app.store.directory.iterdir():
            path.write_bytes(b"damaged")
    if change == "gone":
        app.store.close([], (), ())
    build(app, first.static_files_key, **environ)
    assert len(app.programs.ran) == 1


def test_changed_layer_runs_collectstatic(app: FakeEnvironment) -> None:
    first = build(app)
    environment = clean(app).environment(first.static_files_key)
    static = collectstatic.find(environment._replace(layers={"venv": "13"}))
    assert static.is_missing


def test_salt_differs_between_apps_and_stays(app: FakeEnvironment) -> None:
    first = build(app)
    second = build(clean(app))
    third = build(clean(app), first.static_files_key, NEW="1")
    assert first.static_files_key.split()[0] != second.static_files_key.split()[0]
    assert third.static_files_key.split()[0] == first.static_files_key.split()[0]
    assert third.static_files_key != first.static_files_key


@pytest.mark.parametrize("static_files_key", ["", "salt digest", "zz" * 16 + " 12", "12"])
def test_invalid_static_files_key_is_ignored(app: FakeEnvironment, static_files_key: str) -> None:
    assert build(app, static_files_key).static_files_key


def test_app_without_staticfiles_runs_only_once(app: FakeEnvironment, django: Django) -> None:
    django.command = None
    first = build(app)
    assert (
        "Nothing to collect: django.contrib.staticfiles is not in INSTALLED_APPS" in app.log_text
    )
    build(clean(app), first.static_files_key)
    assert app.programs.ran == []
    assert "Nothing to collect (nothing that collectstatic reads has changed)" in app.log_text


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("local", False), ("command", "collectfast"), ("is_reached", False), ("root", "/srv/static")],
)
def test_remote_storage_is_collected_in_every_build(
    app: FakeEnvironment, django: Django, attribute: str, value: object
) -> None:
    setattr(django, attribute, value)
    if attribute == "is_reached":
        django.command = ""
    assert build(app) == StepResults()


def test_static_root_outside_the_app_is_a_warning(app: FakeEnvironment, django: Django) -> None:
    django.root = "/srv/static"
    build(app)
    assert "Static files were collected outside the app" in app.log_text
    assert "STATIC_ROOT is /srv/static" in app.log_text


def test_settings_without_static_root_are_a_warning(app: FakeEnvironment, django: Django) -> None:
    django.unset, django.files = True, {"debug.log": ""}

    assert build(app) == StepResults()
    assert "the settings do not set STATIC_ROOT" in app.log_text
    assert "STATIC_ROOT = BASE_DIR / 'staticfiles'" in app.log_text
    assert not (app.directory / "debug.log").exists()


@pytest.mark.parametrize(
    ("package", "middleware", "server"),
    [
        ("whitenoise", [], "whitenoise"),
        ("dj-static", [], "dj-static"),
        ("django", ["shop.noise.WhiteNoise"], "shop.noise.WhiteNoise"),
    ],
)
def test_settings_without_static_root_fail_where_it_is_served(
    tmp_path: Path, django: Django, package: str, middleware: list[str], server: str
) -> None:
    app = fake_environment(tmp_path, APP, {"django": "5.2", package: "1.0"}, django)
    django.unset, django.servers, django.files = True, middleware, {}

    with pytest.raises(CollectstaticFailed) as caught:
        build(app)

    assert (caught.value.cause, caught.value.detail) == ("static server", server)
    assert f"that {server} serves" in " ".join(caught.value.describe().body)


def test_run_that_removes_files_is_not_stored(app: FakeEnvironment) -> None:
    environment = app.environment()
    static = collectstatic.find(environment)
    (app.directory / "shop/settings.py").unlink()
    assert collectstatic.collect(environment, static, {}, app.system()) == StepResults()


@pytest.mark.parametrize("value", ["1", "true", "no"])
def test_disable_collectstatic_skips_it(app: FakeEnvironment, value: str) -> None:
    assert build(app, DISABLE_COLLECTSTATIC=value) == StepResults()
    assert "Skipping collectstatic: DISABLE_COLLECTSTATIC is set" in app.log_text
    assert app.programs.ran == []


@pytest.mark.parametrize("value", ["", "0"])
def test_disable_collectstatic_zero_does_not_skip_it(app: FakeEnvironment, value: str) -> None:
    build(app, DISABLE_COLLECTSTATIC=value)
    assert len(app.programs.ran) == 1


def test_setting_off_skips_collectstatic(app: FakeEnvironment) -> None:
    app.app.settings = app.app.settings._replace(collectstatic=False)
    build(app)
    assert "Skipping collectstatic: turned off by BP_PYTHON_COLLECTSTATIC" in app.log_text


def test_app_without_manage_py_skips_collectstatic(app: FakeEnvironment) -> None:
    (app.directory / "manage.py").unlink()
    assert isinstance(collectstatic.find(app.environment()), Skipped)
    build(app)
    assert "Skipping collectstatic: there is no manage.py" in app.log_text


def test_failed_run_raises_with_its_cause(app: FakeEnvironment, django: Django) -> None:
    django.outcome = Outcome(1, "Traceback\nModuleNotFoundError: No module named 'x'")
    with pytest.raises(CollectstaticFailed) as caught:
        build(app)
    assert (caught.value.cause, caught.value.detail, caught.value.code) == ("module", "x", 1)
    assert not list(app.app.layers.glob(".*"))


def test_killed_run_raises_killed(app: FakeEnvironment, django: Django) -> None:
    django.outcome = Outcome(-9, "")
    with pytest.raises(Killed):
        build(app)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"manage.py": "import django", "a/manage.py": "import django"}, "manage.py"),
        ({"b/manage.py": "import django", "a/b/manage.py": "django"}, "b/manage.py"),
        ({"a/b/c/manage.py": "from configurations.management import x"}, "a/b/c/manage.py"),
        ({"manage.py": "import flask_script", "a/manage.py": "import django"}, "a/manage.py"),
        ({"a/b/c/d/manage.py": "import django"}, None),
        ({"node_modules/manage.py": "django", ".venv/manage.py": "django"}, None),
        ({"manage.py/x": "django"}, None),
        ({"examples/demo/manage.py": "django", "tests/manage.py": "django"}, None),
        ({"examples/manage.py": "django", "x/y/manage.py": "django"}, "x/y/manage.py"),
    ],
)
def test_topmost_manage_py_of_django_is_used(
    tmp_path: Path, files: dict[str, str], expected: str | None
) -> None:
    write_files(tmp_path / "app", files)
    manage = collectstatic.find_manage(tmp_path / "app")
    assert manage == (tmp_path / "app" / expected if expected else None)


def test_shown_command_names_the_directory(app: FakeEnvironment) -> None:
    (app.directory / "manage.py").unlink()
    write_files(app.directory, {"web/manage.py": "import django"})
    static = collectstatic.find(app.environment())
    assert isinstance(static, StaticFiles)
    build(app)
    assert f"Running `{collectstatic.SHOWN}` in `web`" in app.log_text
