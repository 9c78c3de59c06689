"""The part of a workspace's lock that one member needs."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.uv.manager import UvProject
from tests.support.trees import write_files

LOCK = """\
version = 1
revision = 3
requires-python = ">=3.10"
resolution-markers = ["sys_platform == 'linux'"]

[options]
exclude-newer = "2026-01-01T00:00:00Z"

[manifest]
members = ["api", "core", "top", "worker"]
constraints = [{ name = "alpha", specifier = "<9" }]

[[package]]
name = "alpha"
version = "1.0"
source = { registry = "https://index.example/simple" }
dependencies = [
    { name = "beta", extra = ["fast"], marker = "sys_platform == 'win32'" },
]
wheels = [
    { url = "https://files.example/alpha-1.0-py3-none-any.whl", hash = "sha256:aa", size = 1 },
]

[package.optional-dependencies]
odd = [
    { name = "odd" },
]

[[package]]
name = "api"
version = "1.0"
source = { editable = "services/api" }
dependencies = [
    { name = "alpha" },
    { name = "core" },
]

[package.optional-dependencies]
web-server = [
    { name = "server" },
]

[package.dev-dependencies]
dev = [
    { name = "checker" },
]

[package.metadata]
requires-dist = [{ name = "alpha", specifier = "==1.0" }, { name = "core", editable = "core" }]

[[package]]
name = "beta"
version = "1.0"
source = { registry = "https://index.example/simple" }

[package.optional-dependencies]
fast = [
    { name = "speed", version = "1.0", source = { registry = "https://index.example/simple" } },
]

[[package]]
name = "checker"
version = "1.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "core"
version = "1.0"
source = { directory = "core" }

[[package]]
name = "odd"
version = "1.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "server"
version = "1.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "speed"
version = "1.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "speed"
version = "2.0"
source = { registry = "https://other.example/simple" }

[[package]]
name = "top"
version = "1.0"
source = { virtual = "." }
dependencies = [
    { name = "checker" },
]

[[package]]
name = "worker"
version = "1.0"
source = { editable = "services/worker" }
dependencies = [
    { name = "server" },
]
"""
TOP = """\
[project]
name = "top"

[tool.uv.workspace]
members = ["services/*", "core"]
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    project = "[project]\nname = '{}'\n[build-system]\nbuild-backend = 'hatchling.build'\n"
    return write_files(
        tmp_path / "app",
        {
            "uv.lock": LOCK,
            "pyproject.toml": TOP,
            **{
                f"{at}/pyproject.toml": project.format(at)
                for at in ("services/api", "services/worker", "core")
            },
            "core/core.py": "",
            "services/worker/worker.py": "",
            "services/notes/readme.txt": "",
        },
    )


def inputs(app: Path, inside: str = "services/api", settings: Settings = DEFAULTS) -> str:
    result = UvProject(settings).resolve_from_files(read_app(app, inside), "3.14.6", {})
    assert isinstance(result, NeedsResolving)
    return result.fingerprint


def edited(app: Path, old: str, new: str) -> None:
    assert LOCK.count(old) == 1, old
    write_files(app, {"uv.lock": LOCK.replace(old, new)})


def entry(name: str, version: str = "1.0") -> str:
    return f'name = "{name}"\nversion = "{version}"\n'


@pytest.mark.parametrize("name", ["alpha", "beta", "core", "api"])
def test_packages_that_the_member_needs_on_any_system_count(app: Path, name: str) -> None:
    before = inputs(app)

    edited(app, entry(name), entry(name, "1.1"))

    assert inputs(app) != before


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_both_releases_of_a_package_count(app: Path, version: str) -> None:
    before = inputs(app)

    edited(app, entry("speed", version), entry("speed", "3.0"))

    assert inputs(app) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('requires-python = ">=3.10"', 'requires-python = ">=3.11"'),
        ("sys_platform == 'linux'\"]", "sys_platform == 'darwin'\"]"),
        ("2026-01-01", "2026-01-02"),
        ('specifier = "<9"', 'specifier = "<8"'),
        ("sha256:aa", "sha256:bb"),
        ("https://files.example/alpha", "https://other.example/alpha"),
        ("'win32'", "'darwin'"),
        ('specifier = "==1.0"', 'specifier = "~=1.0"'),
    ],
)
def test_common_settings_and_files_of_the_lock_count(app: Path, old: str, new: str) -> None:
    before = inputs(app)

    edited(app, old, new)

    assert inputs(app) != before


@pytest.mark.parametrize("name", ["worker", "server", "checker", "odd", "top"])
def test_packages_of_other_members_do_not_count(app: Path, name: str) -> None:
    before = inputs(app)

    edited(app, entry(name), entry(name, "1.1"))

    assert inputs(app) == before


def test_further_members_and_their_code_do_not_count(app: Path) -> None:
    before = inputs(app)

    edited(app, '"worker"]', '"worker", "zoo"]')
    write_files(app, {"services/worker/pyproject.toml": "other", "services/worker/a.py": ""})

    assert inputs(app) == before


def test_extra_that_only_other_members_need_does_not_count(app: Path) -> None:
    before = inputs(app)

    edited(app, '    { name = "odd" },\n', '    { name = "odd" },\n    { name = "server" },\n')

    assert inputs(app) == before


@pytest.mark.parametrize(
    ("name", "settings"),
    [("server", Settings(extras=("Web_Server",))), ("checker", Settings(groups=("dev",)))],
)
def test_chosen_groups_and_extras_count(app: Path, name: str, settings: Settings) -> None:
    before = inputs(app, settings=settings)

    edited(app, entry(name), entry(name, "1.1"))

    assert inputs(app, settings=settings) != before


@pytest.mark.parametrize("name", ["services/api/pyproject.toml", "core/core.py"])
def test_files_of_the_member_and_of_what_it_needs_count(app: Path, name: str) -> None:
    before = inputs(app)

    write_files(app, {name: "# another"})

    assert inputs(app) != before


def test_uv_settings_of_the_workspace_count(app: Path) -> None:
    before = inputs(app)
    write_files(app, {"pyproject.toml": TOP.replace('"top"', '"top"\ndependencies = ["x"]')})
    with_other_needs = inputs(app)
    write_files(app, {"pyproject.toml": f"{TOP}\n[tool.uv.sources]\ncore = {{ path = 'x' }}\n"})

    assert with_other_needs == before
    assert inputs(app) != before


def test_pyproject_of_the_workspace_counts_if_the_member_needs_it(app: Path) -> None:
    edited(app, '    { name = "alpha" },', '    { name = "alpha" },\n    { name = "top" },')
    before = inputs(app)

    write_files(app, {"pyproject.toml": TOP.replace('"top"', '"top"\ndependencies = ["x"]')})

    assert inputs(app) != before


def test_project_of_the_workspace_is_a_member(app: Path) -> None:
    before = inputs(app, "")

    edited(app, entry("server"), entry("server", "1.1"))
    same = inputs(app, "")
    edited(app, entry("checker"), entry("checker", "1.1"))

    assert same == before
    assert inputs(app, "") != before


@pytest.mark.parametrize(
    "broken", ["[manifest]\nmembers = [", "[manifest]\nmembers = []\n", "\udcff[manifest]\n"]
)
def test_unclear_lock_counts_as_a_whole(app: Path, broken: str) -> None:
    lock = f"{LOCK.partition('[manifest]')[0]}{broken}"
    (app / "uv.lock").write_bytes(lock.encode("utf-8", "surrogateescape"))
    before = inputs(app)
    (app / "uv.lock").write_bytes(f"{lock}\n# more".encode("utf-8", "surrogateescape"))

    assert inputs(app) != before


@pytest.mark.parametrize("name", ["worker", "server"])
def test_lock_counts_as_a_whole_for_a_directory_that_is_not_a_member(app: Path, name: str) -> None:
    before = inputs(app, "services/notes")

    edited(app, entry(name), entry(name, "1.1"))

    assert inputs(app, "services/notes") != before


def test_line_ends_of_the_lock_do_not_count(app: Path) -> None:
    before = inputs(app)

    (app / "uv.lock").write_bytes(LOCK.replace("\n", "\r\n").encode())

    assert inputs(app) == before
