"""Every word shown for a failure: what was found, what is expected, the steps that mend it."""

from typing import assert_never

from cnb_python.errors.bindings import BadBinding, SeveralBindings
from cnb_python.errors.building import (
    MadeForPython2,
    MissingBuildModule,
    MissingBuildRequirement,
    MissingForBuild,
    SourceBuildFailed,
    UndefinedSymbol,
)
from cnb_python.errors.choosing import (
    ChosenManagerMissing,
    ForbiddenPipOptions,
    ForbiddenVariables,
    NoRequirements,
    SeveralManagers,
)
from cnb_python.errors.failure import Failure
from cnb_python.errors.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotProvided,
    NoWheel,
    VersionConflict,
    WrongPython,
    Yanked,
)
from cnb_python.errors.frameworks import (
    CollectstaticFailed,
    HookFailed,
    HookNotStarted,
    NltkFailed,
    PackagesAdded,
    PackagesChanged,
)
from cnb_python.errors.inputs import (
    MissingInput,
    NotAFile,
    NotUtf8,
    OutsideApp,
    UnknownEncoding,
    UnreadableFile,
    UnreadableInput,
    UnreadableJson,
    UnreadableToml,
    UnsupportedApi,
    WrongForm,
)
from cnb_python.errors.install import (
    BadPipOption,
    BadRequirement,
    DamagedPackage,
    HashMismatch,
    HashMissing,
    IncludeMissing,
    InstallFailed,
    NotAPackage,
    NotPinned,
    PathClash,
    UvRefused,
)
from cnb_python.errors.launch import BadProcfile, ProcessInEnvironment
from cnb_python.errors.locks import (
    BadLock,
    LockForOtherPython,
    LockTooNew,
    LoneLock,
    ProjectForOtherPython,
    SeveralLocks,
    StaleLock,
    UnknownGroup,
    UnsetVariable,
)
from cnb_python.errors.machine import (
    DamagedStore,
    DiskFull,
    Killed,
    PlaceRefused,
    ProgramNotStarted,
)
from cnb_python.errors.network import (
    GitFailed,
    IndexRefused,
    IndexUnreachable,
    InsecureIndex,
    ProxyFailed,
    SourceRefused,
    UnknownHost,
    UntrustedCertificate,
    UrlNotFound,
)
from cnb_python.errors.programs import AppNotInstallable, KeyRefused, ProgramUnavailable
from cnb_python.errors.python import (
    EndedPythonLine,
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspeltVersionFile,
    NoPythonInRange,
    NoPythonVersion,
    OtherImplementation,
    PythonNotAvailable,
    PythonOutsideRange,
    SeveralPythonVersions,
    UnknownPythonLine,
    UnknownPythonPatch,
    VersionFileNotUtf8,
)
from cnb_python.errors.runtimes import (
    BadMirror,
    ChecksumMismatch,
    DamagedArchive,
    DownloadFailed,
    UnsafeArchive,
    UnusableInterpreter,
    UnusablePythonTable,
)
from cnb_python.errors.settings import (
    BadSettings,
    NoSuchProject,
    NoSuchRequirements,
    UnknownSettings,
)
from cnb_python.wording import (
    bindings,
    building,
    choosing,
    finding,
    frameworks,
    inputs,
    install,
    launch,
    locks,
    machine,
    network,
    programs,
    python,
    runtimes,
    settings,
)
from cnb_python.wording.message import Message


def describe(failure: Failure) -> Message:  # noqa: C901, PLR0911, PLR0912, PLR0915 - one flat table, a row per failure
    """Say what went wrong and what to do."""
    match failure:
        case UnsupportedApi():
            return inputs.unsupported_api(failure)
        case NotAFile():
            return inputs.not_a_file(failure)
        case UnreadableFile():
            return inputs.unreadable_file(failure)
        case NotUtf8():
            return inputs.not_utf8(failure)
        case UnknownEncoding():
            return inputs.unknown_encoding(failure)
        case MissingInput():
            return inputs.missing_input(failure)
        case UnreadableInput():
            return inputs.unreadable_input(failure)
        case UnreadableJson():
            return inputs.unreadable_json(failure)
        case UnreadableToml():
            return inputs.unreadable_toml(failure)
        case NoRequirements():
            return choosing.no_requirements(failure)
        case SeveralManagers():
            return choosing.several_managers(failure)
        case BadBinding():
            return bindings.bad_binding(failure)
        case SeveralBindings():
            return bindings.several_bindings(failure)
        case ChosenManagerMissing():
            return choosing.chosen_manager_missing(failure)
        case BadLock():
            return locks.bad_lock(failure)
        case LoneLock():
            return locks.lone_lock(failure)
        case WrongForm():
            return locks.wrong_form(failure)
        case OutsideApp():
            return locks.outside_app(failure)
        case SeveralLocks():
            return locks.several_locks(failure)
        case StaleLock():
            return locks.stale_lock(failure)
        case LockForOtherPython():
            return locks.lock_for_other_python(failure)
        case ProjectForOtherPython():
            return locks.project_for_other_python(failure)
        case UnknownGroup():
            return locks.unknown_group(failure)
        case UnsetVariable():
            return locks.unset_variable(failure)
        case ForbiddenVariables():
            return choosing.forbidden_variables(failure)
        case ForbiddenPipOptions():
            return choosing.forbidden_pip_options(failure)
        case BadSettings():
            return settings.bad_settings(failure)
        case UnknownSettings():
            return settings.unknown_settings(failure)
        case NoSuchRequirements():
            return settings.no_such_requirements(failure)
        case NoSuchProject():
            return settings.no_such_project(failure)
        case ProgramNotStarted():
            return machine.program_not_started(failure)
        case LockTooNew():
            return programs.lock_too_new(failure)
        case AppNotInstallable():
            return programs.app_not_installable(failure)
        case KeyRefused():
            return programs.key_refused(failure)
        case ProgramUnavailable():
            return programs.program_unavailable(failure)
        case Killed():
            return machine.killed(failure)
        case DiskFull():
            return machine.disk_full(failure)
        case PlaceRefused():
            return machine.place_refused(failure)
        case DamagedStore():
            return machine.damaged_store(failure)
        case BadRequirement():
            return install.bad_requirement(failure)
        case BadPipOption():
            return install.bad_pip_option(failure)
        case IncludeMissing():
            return install.include_missing(failure)
        case NotAPackage():
            return install.not_a_package(failure)
        case NoSuchPackage():
            return finding.no_such_package(failure)
        case NotProvided():
            return finding.not_provided(failure)
        case NoSuchVersion():
            return finding.no_such_version(failure)
        case Yanked():
            return finding.yanked(failure)
        case DamagedPackage():
            return install.damaged_package(failure)
        case WrongPython():
            return finding.wrong_python(failure)
        case NoWheel():
            return finding.no_wheel(failure)
        case VersionConflict():
            return finding.version_conflict(failure)
        case HashMismatch():
            return install.hash_mismatch(failure)
        case HashMissing():
            return install.hash_missing(failure)
        case NotPinned():
            return install.not_pinned(failure)
        case GitFailed():
            return network.git_failed(failure)
        case MissingForBuild():
            return building.missing_for_build(failure)
        case UndefinedSymbol():
            return building.undefined_symbol(failure)
        case MissingBuildRequirement():
            return building.missing_build_requirement(failure)
        case MissingBuildModule():
            return building.missing_build_module(failure)
        case MadeForPython2():
            return building.made_for_python2(failure)
        case SourceBuildFailed():
            return building.source_build_failed(failure)
        case PathClash():
            return install.path_clash(failure)
        case SourceRefused():
            return network.source_refused(failure)
        case IndexRefused():
            return network.index_refused(failure)
        case IndexUnreachable():
            return network.index_unreachable(failure)
        case UnknownHost():
            return network.unknown_host(failure)
        case ProxyFailed():
            return network.proxy_failed(failure)
        case InsecureIndex():
            return network.insecure_index(failure)
        case UntrustedCertificate():
            return network.untrusted_certificate(failure)
        case UrlNotFound():
            return network.url_not_found(failure)
        case InstallFailed():
            return install.install_failed(failure)
        case PackagesChanged():
            return frameworks.packages_changed(failure)
        case PackagesAdded():
            return frameworks.packages_added(failure)
        case CollectstaticFailed():
            return frameworks.collectstatic_failed(failure)
        case HookFailed():
            return frameworks.hook_failed(failure)
        case HookNotStarted():
            return frameworks.hook_not_started(failure)
        case NltkFailed():
            return frameworks.nltk_failed(failure)
        case UvRefused():
            return install.uv_refused(failure)
        case NoPythonVersion():
            return python.no_python_version(failure)
        case SeveralPythonVersions():
            return python.several_python_versions(failure)
        case InvalidPythonVersion():
            return python.invalid_python_version(failure)
        case InvalidPythonRange():
            return python.invalid_python_range(failure)
        case OtherImplementation():
            return python.other_implementation(failure)
        case MisspeltVersionFile():
            return python.misspelt_version_file(failure)
        case VersionFileNotUtf8():
            return python.version_file_not_utf8(failure)
        case NoPythonInRange():
            return python.no_python_in_range(failure)
        case PythonOutsideRange():
            return python.python_outside_range(failure)
        case UnknownPythonLine():
            return python.unknown_python_line(failure)
        case EndedPythonLine():
            return python.ended_python_line(failure)
        case UnknownPythonPatch():
            return python.unknown_python_patch(failure)
        case PythonNotAvailable():
            return python.python_not_available(failure)
        case BadMirror():
            return runtimes.bad_mirror(failure)
        case UnusablePythonTable():
            return runtimes.unusable_python_table(failure)
        case DownloadFailed():
            return runtimes.download_failed(failure)
        case ChecksumMismatch():
            return runtimes.checksum_mismatch(failure)
        case DamagedArchive():
            return runtimes.damaged_archive(failure)
        case UnsafeArchive():
            return runtimes.unsafe_archive(failure)
        case UnusableInterpreter():
            return runtimes.unusable_interpreter(failure)
        case BadProcfile():
            return launch.bad_procfile(failure)
        case ProcessInEnvironment():
            return launch.process_in_environment(failure)
        case _:
            assert_never(failure)
