"""The packages for tests beside those of production, which stay as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.choosing import DevelopmentConflict
from cnb_python.managers.base import InstallContext, NeedsResolving, Pin, Resolution
from cnb_python.managers.development.manager import DevelopmentManager
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.registry import with_development
from cnb_python.system.interface import Command, Outcome, Run
from tests.support.fake_manager import FakeManager, pin, resolution_of
from tests.support.trees import write_files

PYTHON = "3.14.6"
NO_SETTINGS = {"PIP_CONFIG_FILE": "/dev/null"}


def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    raise AssertionError(command, on_line)


@dataclass
class Recorder(FakeManager):
    """Records the variables that it resolves with, and what it installs."""

    environ: dict[str, str] = field(default_factory=dict)
    pins: list[Pin] = field(default_factory=list)

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        self.environ = dict(context.environ)
        return super().resolve(context, run)

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        del resolution, context, run
        self.pins += pins
        return frozenset({pins[0].name})


@dataclass(frozen=True)
class Combined:
    """A manager of images for tests, and the two that it combines."""

    production: Recorder
    whole: Recorder
    files: tuple[str, ...] = ()

    @property
    def manager(self) -> DevelopmentManager:
        return DevelopmentManager(self.production, self.whole, self.files)


def resolving(production: Resolution, whole: Resolution, *files: str) -> Combined:
    return Combined(Recorder({}, resolved=production), Recorder({}, resolved=whole), files)


def from_files(
    production: Resolution | NeedsResolving, whole: Resolution | NeedsResolving
) -> Resolution | NeedsResolving:
    """Return what the combined manager finds in the files of an app."""
    combined = Combined(Recorder({}, from_files=production), Recorder({}, from_files=whole))
    return combined.manager.resolve_from_files(read_app(Path(__file__).parent), PYTHON, {})


@pytest.fixture
def context(tmp_path: Path) -> InstallContext:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return InstallContext(
        app_dir=tmp_path,
        environment=tmp_path / "venv",
        tool=tmp_path,
        cache=None,
        scratch=scratch,
        environ={"PIP_CONSTRAINT": "mine.txt", **NO_SETTINGS},
        python=PYTHON,
        uv=Path("uv"),
        processor="x86_64",
    )


def test_pins_of_production_are_kept_and_others_are_for_development(
    context: InstallContext,
) -> None:
    production = resolution_of("flask==3.1.2", "jinja2==3.1.6", from_files_alone=False)
    other = pin("flask==3.1.2", "another origin")
    whole = Resolution((other, pin("pytest==9.0.1")), from_files_alone=False, by="pip")

    resolution = resolving(production, whole).manager.resolve(context, run)

    assert resolution == Resolution(
        (*production.pins, pin("pytest==9.0.1")),
        from_files_alone=False,
        by="pip",
        development=frozenset({"pytest"}),
    )


def test_releases_of_production_constrain_those_for_development(context: InstallContext) -> None:
    local = pin("local==1.0", is_cacheable=False)
    production = Resolution((pin("flask==3.1.2"), local), from_files_alone=False, by="pip")
    combined = resolving(production, production)

    combined.manager.resolve(context, run)

    file = context.scratch / "production.txt"
    assert combined.whole.environ["PIP_CONSTRAINT"] == f"mine.txt {file}"
    assert combined.whole.environ["UV_CONSTRAINT"] == str(file)
    assert file.read_text() == "flask==3.1.2\n"
    assert combined.production.environ == context.environ


def test_line_that_excludes_a_release_of_production_is_refused(context: InstallContext) -> None:
    lines = "pytest\nflask<3\nflask<2; python_version < '3'\n-e .\n"
    write_files(context.app_dir, {"requirements-dev.txt": lines})
    production = resolution_of("flask==3.1.2", from_files_alone=False)

    with pytest.raises(DevelopmentConflict) as raised:
        resolving(production, production, "requirements-dev.txt").manager.resolve(context, run)

    assert vars(raised.value) == {
        "package": "flask",
        "production": "3.1.2",
        "production_file": "requirements.txt",
        "development": "flask<3",
        "development_file": "requirements-dev.txt, line 2",
    }


def test_group_that_excludes_a_release_of_production_is_refused(context: InstallContext) -> None:
    text = "[dependency-groups]\ndev = ['pytest', \"flask<2; python_version < '3'\", 'flask<3']\n"
    write_files(context.app_dir, {"pyproject.toml": text})
    production = resolution_of("flask==3.1.2", from_files_alone=False)
    both = resolving(production, production)

    with pytest.raises(DevelopmentConflict) as raised:
        replace(both.manager, groups=("dev",)).resolve(context, run)

    assert raised.value.development == "flask<3"
    assert raised.value.development_file == "pyproject.toml, group dev"


def test_other_release_in_pinned_files_is_refused() -> None:
    with pytest.raises(DevelopmentConflict) as raised:
        from_files(resolution_of("flask==3.1.2"), resolution_of("flask==3.0.0", "pytest==9.0.1"))

    assert raised.value.development == "flask==3.0.0"


@pytest.mark.parametrize(
    ("production", "whole", "reason", "is_known"),
    [
        (NeedsResolving("p"), NeedsResolving("w"), "w", False),
        (NeedsResolving("p", "1"), NeedsResolving("w", "2"), "w", True),
        (NeedsResolving("p", "1"), resolution_of("a==1"), "p", True),
        (resolution_of("a==1"), NeedsResolving("w", "2"), "w", True),
        (resolution_of("a==1"), NeedsResolving("w"), "w", False),
    ],
)
def test_manager_resolves_if_one_of_the_two_has_to(
    production: Resolution | NeedsResolving,
    whole: Resolution | NeedsResolving,
    reason: str,
    is_known: bool,  # noqa: FBT001 - a value of the table
) -> None:
    result = from_files(production, whole)

    assert isinstance(result, NeedsResolving)
    assert (result.reason, bool(result.fingerprint)) == (reason, is_known)


def test_fingerprint_changes_with_the_pins_of_production() -> None:
    results = [
        from_files(resolution_of(line), NeedsResolving("w", "2")) for line in ("a==1", "a==2")
    ]

    assert results[0] != results[1]


def test_pinned_files_with_other_extras_are_resolved() -> None:
    uvicorn = pin("uvicorn==1")._replace(extras=("standard",))
    whole = Resolution((uvicorn,), from_files_alone=True, by="uv")

    result = from_files(resolution_of("uvicorn==1"), whole)

    assert result == NeedsResolving("tests need other extras of uvicorn")


def test_each_pin_is_installed_by_its_own_files(context: InstallContext) -> None:
    resolution = resolution_of("flask==3.1.2", "pytest==9.0.1")
    resolution = resolution._replace(development=frozenset({"pytest"}))
    combined = resolving(resolution, resolution)

    unbuilt = combined.manager.install(resolution, resolution.pins, context, run)

    assert unbuilt == {"flask", "pytest"}
    assert (combined.production.pins, combined.whole.pins) == (
        [pin("flask==3.1.2")],
        [pin("pytest==9.0.1")],
    )


def test_pinned_files_of_pip_are_combined(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask==3.1.2\n", "requirements-test.txt": "pytest==9.0.1\n"}
    app = read_app(write_files(tmp_path, files))
    combined, _ = with_development(Pip(), app)

    resolution = combined.resolve_from_files(app, PYTHON, NO_SETTINGS)

    assert isinstance(resolution, Resolution)
    assert [each.name for each in resolution.pins] == ["flask", "pytest"]
    assert resolution.development == {"pytest"}
    assert resolution.from_files_alone
    assert combined.deciding_files(app) == ("requirements.txt", "requirements-test.txt")
    assert combined.check(app) == ()


def test_pinned_groups_are_combined_with_requirements(tmp_path: Path) -> None:
    groups = "[dependency-groups]\ndev = ['pytest==9.0.1']\n"
    files = {"requirements.txt": "flask==3.1.2\n", "pyproject.toml": groups}
    app = read_app(write_files(tmp_path, files))
    combined, added = with_development(Pip(), app)

    resolution = combined.resolve_from_files(app, PYTHON, NO_SETTINGS)

    assert added == ("group dev",)
    assert isinstance(resolution, Resolution)
    assert [each.name for each in resolution.pins] == ["flask", "pytest"]
    assert resolution.development == {"pytest"}
    assert combined.deciding_files(app) == ("requirements.txt", "pyproject.toml")
    write_files(tmp_path, {"pyproject.toml": groups.replace("==9.0.1", ">=9")})
    changed = combined.resolve_from_files(read_app(tmp_path), PYTHON, NO_SETTINGS)
    assert isinstance(changed, NeedsResolving)
    assert "[dependency-groups] in pyproject.toml" in changed.reason
