"""Every error explains itself, and its example in the docs is one that a test really produces."""

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.config.settings import TABLE
from cnb_python.errors import (
    build_commands,
    choosing,
    config,
    downloads,
    frameworks,
    inputs,
    libraries,
    locks,
    machine,
    network,
    programs,
    projects,
    python_releases,
    python_requests,
    static_files,
)
from cnb_python.errors.base import (
    DOCS,
    AppError,
    BuildpackBug,
    BuildpackError,
    Failure,
    OutsideError,
)
from cnb_python.errors.packages import building, finding, foreign_code, install, requirements
from cnb_python.errors.packages.finding import Alternative
from cnb_python.errors.supply_chain import audit, cooldown
from cnb_python.managers.build_errors import build_failure, git_failure, machine_failure
from cnb_python.managers.misleading_names import better_failure
from cnb_python.managers.pip import errors as pip
from cnb_python.managers.pip.index_errors import Unmatched, nothing_found
from cnb_python.managers.uv import errors as uv
from tests.support.messages import explained
from tools.docs.reference import all_errors, failures, shown
from tools.package.assemble import ROOT

PYTHON = "3.14.6"
MANAGERS = ROOT / "tests/unit/managers"
# Reasons of the operating system, and digests that tests compute.
SYSTEM_REASONS = {os.strerror(number) for number in errno.errorcode}
DIGEST = re.compile(r"[0-9a-f]{64}")


def by_pip(name: str) -> str:
    return (MANAGERS / f"pip/data/{name}.txt").read_text(encoding="utf-8")


def by_uv(name: str) -> BuildpackError | None:
    return uv.recognize((MANAGERS / f"uv/data/{name}.txt").read_text(encoding="utf-8"), PYTHON)


def failure_by_uv(name: str) -> BuildpackError:
    failure = by_uv(name)
    assert failure is not None
    return failure


def not_found(requirement: str, name: str, python: str = PYTHON) -> BuildpackError:
    return nothing_found(Unmatched(requirement), by_pip(name), python, "x86_64")


def suggesting(error: BuildpackError | None, alternative: Alternative) -> BuildpackError:
    """Return *error* as uv's answers, which `test_alternatives` has, complete it."""
    assert isinstance(error, finding.UnfitVersion)
    return error.suggesting(alternative)


RECORDED: dict[type[Failure], Callable[[], BuildpackError | None]] = {
    building.MissingForBuild: lambda: build_failure(by_pip("missing_header"), PYTHON),
    building.MissingBuildRequirement: lambda: by_uv("no_index_b"),
    building.UndefinedSymbol: lambda: by_uv("undefined_symbol"),
    building.MissingBuildModule: lambda: suggesting(
        build_failure(by_pip("backend_unavailable"), PYTHON), Alternative("2.3.2", "3.11")
    ),
    building.Python2OnlyPackage: lambda: build_failure(by_pip("build_failed"), PYTHON),
    finding.NoSuchPackage: lambda: not_found("nosuch-package-zzq==1.0", "unknown_package.telling"),
    requirements.MisleadingName: lambda: better_failure(failure_by_uv("sklearn")),
    finding.OnlySource: lambda: by_uv("only_binary"),
    finding.NotInFindLinks: lambda: not_found("good", "not_provided.telling"),
    finding.NoSuchVersion: lambda: not_found("flask==99.1", "unknown_version"),
    finding.Yanked: lambda: by_uv("yanked"),
    finding.WrongPython: lambda: suggesting(
        not_found("numpy==2.3.0", "needs_other_python.telling", "3.10.16"),
        Alternative(python="3.14"),
    ),
    finding.NoWheel: lambda: suggesting(
        not_found("tensorflow==2.15.0", "no_wheel_pinned.telling"), Alternative(python="3.11")
    ),
    finding.VersionConflict: lambda: pip.recognize(by_pip("conflict"), PYTHON),
    requirements.BadRequirement: lambda: pip.recognize(by_pip("invalid_line"), PYTHON),
    requirements.BadConstraint: lambda: pip.recognize(by_pip("constraint_with_extras"), PYTHON),
    requirements.IncludeMissing: lambda: by_uv("include_missing"),
    requirements.NotAPackage: lambda: pip.recognize(by_pip("directory_without_project"), PYTHON),
    install.DamagedPackage: lambda: by_uv("broken"),
    install.HashMismatch: lambda: pip.recognize(by_pip("hash_mismatch"), PYTHON),
    install.HashMissing: lambda: pip.recognize(by_pip("hash_missing"), PYTHON),
    install.NotPinned: lambda: pip.recognize(by_pip("hash_not_pinned"), PYTHON),
    projects.ProjectNotBuildable: lambda: build_failure(
        by_pip("../../data/flat_layout.pip"), PYTHON
    ),
    locks.BadLock: lambda: by_uv("lock_not_utf8"),
    locks.UnexpectedType: lambda: by_uv("wrong_form_of_project"),
    machine.DiskFull: lambda: machine_failure(1, by_pip("disk_full"), "pip"),
    machine.Killed: lambda: machine_failure(1, by_pip("killed_build"), "pip"),
    network.GitFailed: lambda: git_failure(by_pip("git_login")),
    network.IndexRefused: lambda: by_uv("401"),
    network.IndexUnreachable: lambda: by_uv("status_500"),
    network.UnknownHost: lambda: not_found("goodpkg", "index_no_such_host.telling"),
    network.ProxyFailed: lambda: by_uv("proxy_nodns"),
    network.InsecureIndex: lambda: not_found("good", "index_not_encrypted.telling"),
    network.UntrustedCertificate: lambda: by_uv("tls"),
    network.UrlNotFound: lambda: by_uv("gone"),
}
"""What the recogniser returns for a recorded output of pip or uv: equal to the example."""

TESTED: dict[type[Failure], str] = {
    build_commands.BuildCommandFailed: "unit/app_steps/test_build_commands.py",
    build_commands.OutputsMissing: "unit/app_steps/test_build_commands.py",
    build_commands.UndeclaredChanges: "unit/app_steps/test_build_commands.py",
    build_commands.OutputOutsideApp: "unit/app_steps/test_build_commands.py",
    audit.BadAuditData: "unit/supply_chain/test_audit.py",
    audit.BadVex: "unit/supply_chain/test_vex.py",
    audit.MalwareFound: "unit/supply_chain/test_audit.py",
    audit.NoAuditData: "unit/supply_chain/test_checks.py",
    audit.VulnerablePackages: "unit/supply_chain/test_audit.py",
    cooldown.AgesUnknown: "unit/supply_chain/test_cooldown.py",
    cooldown.NothingOldEnough: "unit/supply_chain/test_checks.py",
    cooldown.ReleasesTooYoung: "unit/supply_chain/test_cooldown.py",
    choosing.UnknownExecutionEnvironment: "unit/test_decisions.py",
    choosing.BadDependencyGroup: "unit/managers/test_development_groups.py",
    choosing.DevelopmentConflict: "unit/managers/test_development.py",
    libraries.MissingLibraries: "unit/provision/test_native_libraries.py",
    libraries.AptFailed: "unit/system_packages/test_provide.py",
    libraries.BadSystemPackages: "unit/system_packages/test_control.py",
    libraries.NoApt: "unit/system_packages/test_provide.py",
    libraries.OtherDistribution: "unit/system_packages/test_provide.py",
    libraries.RefusedSystemPackages: "unit/system_packages/test_provide.py",
    libraries.SystemPackagesConflict: "unit/system_packages/test_provide.py",
    libraries.UnknownSystemPackages: "unit/system_packages/test_provide.py",
    foreign_code.BuildsInterfere: "unit/install/test_staging.py",
    foreign_code.AppChangedByPackage: "unit/install/test_snapshot_of_app.py",
    foreign_code.LayersDirectoryReplaced: "unit/install/test_foreign_files.py",
    building.SourceBuildFailed: "phases/test_failures_of_builds.py",
    inputs.FileTooLarge: "unit/test_app.py",
    inputs.TooManyIncludes: "unit/managers/test_requirement_lines.py",
    choosing.NoRequirements: "phases/test_bad_requirements.py",
    locks.PoetryProjectWithoutLock: "unit/managers/pyproject/test_manager.py",
    projects.OwnNameRequired: "unit/managers/pyproject/test_manager.py",
    choosing.DeclarationNotRead: "unit/managers/test_registry.py",
    choosing.SeveralManagers: "unit/managers/test_registry.py",
    choosing.ChosenManagerMissing: "unit/managers/test_registry.py",
    choosing.ForbiddenVariables: "phases/test_bad_requirements.py",
    choosing.ForbiddenPipOptions: "unit/test_preflight.py",
    choosing.UnreadablePipConfig: "unit/managers/test_index_config_variables.py",
    config.BadSettings: "unit/config/test_settings.py",
    config.UnknownSettings: "phases/test_settings.py",
    config.NoSuchRequirements: "unit/managers/pip/test_manager.py",
    config.NoSuchProject: "phases/test_settings.py",
    inputs.BadServices: "unit/bindings/test_cloud_foundry.py",
    config.BadBinding: "unit/errors/test_config.py",
    config.SeveralBindings: "unit/bindings/test_apply.py",
    frameworks.PackagesChanged: "phases/test_hooks.py",
    frameworks.PackagesAdded: "phases/test_hooks.py",
    static_files.CollectstaticFailed: "phases/test_collectstatic_failures.py",
    frameworks.HookFailed: "unit/app_steps/test_hooks.py",
    frameworks.HookNotStarted: "unit/app_steps/test_hooks.py",
    frameworks.NltkFailed: "phases/test_nltk_data.py",
    inputs.UnsupportedApi: "phases/test_packages.py",
    inputs.MergeConflict: "unit/test_preflight.py",
    inputs.NotAFile: "phases/test_bad_requirements.py",
    inputs.UnreadableFile: "unit/test_app.py",
    inputs.NotUtf8: "phases/test_bad_requirements.py",
    inputs.UnknownEncoding: "unit/managers/pip/test_manager.py",
    inputs.MissingInput: "phases/test_detect.py",
    inputs.UnreadableInput: "unit/cnb/test_contract_messages.py",
    inputs.UnreadableJson: "unit/python/test_sources.py",
    inputs.UnreadableToml: "unit/cnb/test_contract_messages.py",
    requirements.BadPipOption: "unit/managers/pip/test_errors.py",
    install.PathConflict: "unit/layout/test_conflicts.py",
    install.InstallFailed: "unit/managers/pip/test_resolution.py",
    install.UvRefused: "unit/managers/uv/test_manager.py",
    config.BadArguments: "unit/explain/test_inputs.py",
    config.BadProcfile: "unit/launch/test_procfile.py",
    config.CommandNeedsQuotes: "unit/launch/test_procfile_quotes.py",
    config.ProcessInEnvironment: "unit/launch/test_processes_venv.py",
    locks.LockWithoutProject: "unit/managers/pipenv/test_manager.py",
    locks.SeveralLocks: "unit/managers/test_registry.py",
    locks.StaleLock: "unit/managers/uv/test_manager.py",
    locks.UnreplacedVariable: "unit/managers/test_index_config_variables.py",
    locks.UnsetVariable: "unit/managers/pipenv/test_export.py",
    locks.LockForOtherPython: "unit/managers/test_install_locked.py",
    locks.ProjectForOtherPython: "unit/managers/uv/test_manager.py",
    locks.UnknownGroup: "unit/managers/pipenv/test_manager.py",
    locks.PathOutsideApp: "unit/managers/pip/test_errors.py",
    downloads.BadMirror: "unit/python/test_mirror_bindings.py",
    downloads.UnusablePythonTable: "unit/python/test_releases.py",
    downloads.DownloadFailed: "unit/system/test_download.py",
    downloads.ChecksumMismatch: "unit/system/test_verified_file.py",
    downloads.DamagedArchive: "unit/layers/test_python_archive.py",
    downloads.UnsafeArchive: "unit/layers/test_python_archive.py",
    downloads.UnusableInterpreter: "unit/layers/test_python_install.py",
    machine.ProgramNotStarted: "unit/system/test_process.py",
    machine.NoProgress: "unit/system/test_progress_limit.py",
    machine.TookTooLong: "unit/system/test_progress_limit.py",
    machine.ProcessesLeft: "unit/system/test_process_leftovers.py",
    machine.PathInaccessible: "unit/test_main.py",
    machine.DamagedStore: "unit/app_steps/test_collectstatic.py",
    network.SourceRefused: "unit/managers/test_install_locked_indexes.py",
    programs.AppNotInstallable: "unit/managers/poetry/test_manager.py",
    programs.UnknownPoetryKey: "unit/managers/poetry/test_manager.py",
    programs.ToolUnavailable: "unit/install/test_tools.py",
    programs.LockTooNew: "unit/managers/poetry/test_manager.py",
    python_requests.NoPythonVersion: "phases/test_python_version.py",
    python_requests.SeveralPythonVersions: "phases/test_python_version.py",
    python_requests.InvalidPythonVersion: "phases/test_python_version.py",
    python_requests.InvalidPythonRange: "unit/errors/test_python.py",
    python_requests.OtherImplementation: "unit/python/test_request.py",
    python_requests.MisspelledVersionFile: "unit/python/test_version_files.py",
    finding.OnlyWheels: "unit/managers/test_from_source.py",
    python_requests.VersionFileNotUtf8: "unit/python/test_version_files.py",
    python_releases.NoPythonInRange: "unit/python/test_resolver.py",
    python_releases.PythonOutsideRange: "phases/test_python_sources.py",
    python_releases.UnknownReleaseLine: "phases/test_python_version.py",
    python_releases.PythonEndOfLife: "phases/test_python_version.py",
    python_releases.UnknownPythonPatch: "phases/test_python_version.py",
    python_releases.PythonNotAvailable: "unit/python/test_resolver.py",
}
"""The file below `tests` with the test that produces the example."""

CONSTANTS: dict[type[Failure], str] = {
    choosing.ForbiddenPipOptions: "preflight.py",
    choosing.ForbiddenVariables: "preflight.py",
    config.UnknownSettings: "config/settings.py",
    static_files.CollectstaticFailed: "app_steps/collectstatic.py",
    frameworks.NltkFailed: "app_steps/nltk.py",
    requirements.BadPipOption: "managers/pip/errors.py",
    locks.UnsetVariable: "managers/pipenv/export.py",
    machine.DamagedStore: "store/archive.py",
    downloads.UnsafeArchive: "layers/python_archive.py",
    downloads.UnusableInterpreter: "layers/python_install.py",
    programs.ToolUnavailable: "data/tools/poetry.txt",
    python_releases.PythonOutsideRange: "data/python.toml",
}
"""The file below `src/cnb_python` with constants that a test compares with, as part of a value."""


def leaves(kind: type[BuildpackError]) -> set[type[BuildpackError]]:
    """Return the classes below *kind* that are raised, not only inherited from."""
    children = kind.__subclasses__()
    return set().union(*map(leaves, children)) if children else {kind}


def test_every_error_is_on_the_page_of_its_family() -> None:
    listed = set(all_errors())

    assert leaves(Failure) == listed
    assert leaves(BuildpackError) - listed == leaves(BuildpackBug)
    assert {AppError, OutsideError}.isdisjoint(listed)


@pytest.mark.parametrize("kind", all_errors())
def test_example_explains_how_to_fix_it(kind: type[Failure]) -> None:
    error = kind.example()

    assert type(error) is kind
    assert explained(error)


@pytest.mark.parametrize("kind", all_errors())
def test_example_has_no_placeholder(kind: type[Failure]) -> None:
    error = kind.example()

    text = shown(error)
    assert not any(f"({field})" in text or f"({field.upper()})" in text for field in vars(error))
    for value in texts_in(tuple(vars(error).values())):
        assert value == "" or len(value) > 1, value
        assert not value.endswith("..."), value
        assert value not in {"foo.py", "bar", "spam", "one", "two", "one_two"}, value


@pytest.mark.parametrize("kind", all_errors())
def test_error_has_either_alternatives_or_a_sequence(kind: type[Failure]) -> None:
    message = kind.example().describe()

    assert bool(message.fixes) != bool(message.steps)
    # The log puts "Or" before them, so they start with a verb or with If, not with a name.
    assert all(re.match(r"[A-Z][a-z]+ ", fix) for fix in message.fixes)


def test_every_example_has_a_source() -> None:
    assert RECORDED.keys().isdisjoint(TESTED)
    assert RECORDED.keys() | TESTED.keys() == set(all_errors())


@pytest.mark.parametrize("kind", RECORDED)
def test_example_equals_what_a_recorded_output_gives(kind: type[Failure]) -> None:
    error = RECORDED[kind]()

    assert type(error) is kind
    assert vars(error) == vars(kind.example())


@pytest.mark.parametrize("kind", TESTED)
def test_values_of_example_stand_in_the_test_that_produces_it(kind: type[Failure]) -> None:
    source = (ROOT / "tests" / TESTED[kind]).read_text(encoding="utf-8")
    if kind in CONSTANTS:
        source += (ROOT / "src/cnb_python" / CONSTANTS[kind]).read_text(encoding="utf-8")
    example = kind.example()
    values = texts_in(tuple(vars(example).values()))
    words = [
        word.rpartition("/")[2].strip("'")
        for value in values
        if value not in SYSTEM_REASONS and not DIGEST.fullmatch(value)
        for word in value.split()
    ]

    constant = re.split("|".join(map(re.escape, filter(None, values))), example.describe().title)
    assert kind.__name__ in source or max(constant, key=len) in source
    assert [word for word in words if word not in source] == []


def texts_in(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case Path():
            return [str(value)]
        case tuple():
            return [text for part in value for text in texts_in(part)]
        case _:
            return []


def test_example_of_unknown_settings_lists_every_setting() -> None:
    listed = config.UnknownSettings.example().settings

    assert listed == tuple((setting.name, setting.variable) for setting in TABLE)


def test_every_error_links_to_its_section() -> None:
    page = failures()
    anchors = {
        re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))
        for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }

    assert len(re.findall(r"^#+ ", page, re.MULTILINE)) == len(anchors)
    for kind in all_errors():
        address, _, anchor = kind.link().partition("#")
        assert address == DOCS
        assert anchor in anchors


def test_address_of_the_docs_is_in_the_repository_of_the_buildpack() -> None:
    descriptor = (ROOT / "buildpack.toml").read_text(encoding="utf-8")
    homepage = re.search(r'^homepage = "(.+)"$', descriptor, re.MULTILINE)

    assert homepage
    assert DOCS.startswith(f"{homepage[1]}/")
    assert (ROOT / DOCS.partition("/blob/main/")[2]).is_file()
