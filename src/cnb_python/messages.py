"""Every word shown for a failure: what was found, what is expected, the steps that mend it."""

from typing import assert_never

from cnb_python.errors import (
    AppNotInstallable,
    BadBinding,
    BadLock,
    BadMirror,
    BadProcfile,
    BadRequirement,
    BadSettings,
    ChecksumMismatch,
    ChosenManagerMissing,
    CollectstaticFailed,
    DamagedArchive,
    DamagedPackage,
    DamagedStore,
    DiskFull,
    DownloadFailed,
    EndedPythonLine,
    Failure,
    ForbiddenPipOptions,
    ForbiddenVariables,
    GitFailed,
    HashMismatch,
    HashMissing,
    HookFailed,
    HookNotStarted,
    IncludeMissing,
    IndexRefused,
    IndexUnreachable,
    InsecureIndex,
    InstallFailed,
    InvalidPythonRange,
    InvalidPythonVersion,
    Killed,
    LockForOtherPython,
    LockTooNew,
    MadeForPython2,
    MissingBuildModule,
    MissingBuildRequirement,
    MissingForBuild,
    MissingInput,
    MisspeltVersionFile,
    NltkFailed,
    NoPythonInRange,
    NoPythonVersion,
    NoRequirements,
    NoSuchPackage,
    NoSuchProject,
    NoSuchRequirements,
    NoSuchVersion,
    NotAFile,
    NotAPackage,
    NotPinned,
    NotProvided,
    NotUtf8,
    NoWheel,
    OtherImplementation,
    PackagesChanged,
    PathClash,
    PlaceRefused,
    ProcessInEnvironment,
    ProgramNotStarted,
    ProgramUnavailable,
    ProjectForOtherPython,
    ProxyFailed,
    PythonNotAvailable,
    PythonOutsideRange,
    SeveralBindings,
    SeveralLocks,
    SeveralManagers,
    SeveralPythonVersions,
    SourceBuildFailed,
    StaleLock,
    UnknownEncoding,
    UnknownGroup,
    UnknownHost,
    UnknownPythonLine,
    UnknownPythonPatch,
    UnknownSettings,
    UnreadableFile,
    UnreadableInput,
    UnreadableJson,
    UnreadableToml,
    UnsafeArchive,
    UnsupportedApi,
    UntrustedCertificate,
    UnusableInterpreter,
    UnusablePythonTable,
    UrlNotFound,
    UvRefused,
    VersionConflict,
    VersionFileNotUtf8,
    WrongPython,
    Yanked,
)
from cnb_python.wording import (
    bindings,
    building,
    choosing,
    finding,
    frameworks,
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
            return _unsupported_api(failure)
        case NotAFile():
            return _not_a_file(failure)
        case UnreadableFile():
            return _unreadable_file(failure)
        case NotUtf8():
            return _not_utf8(failure)
        case UnknownEncoding():
            return _unknown_encoding(failure)
        case MissingInput():
            return _missing_input(failure)
        case UnreadableInput():
            return _unreadable_input(failure)
        case UnreadableJson():
            return _unreadable_json(failure)
        case UnreadableToml():
            return _unreadable_toml(failure)
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


def _unsupported_api(failure: UnsupportedApi) -> Message:
    return Message(
        title=f"Buildpack API {failure.found or '(none)'} is not supported",
        body=(
            f"buildpack.toml declares Buildpack API {failure.found!r}.",
            f"This buildpack speaks {', '.join(failure.supported)}.",
        ),
        steps=(
            "Use the buildpack.toml that belongs to this release of the buildpack.",
            "For a lifecycle before 0.21 use the package made with `make package API=0.10`.",
        ),
    )


def _not_a_file(failure: NotAFile) -> Message:
    return Message(
        title=f"{failure.name} is not a file",
        body=(
            f"The app has {failure.name}, but it is {failure.kind}.",
            f"{failure.name} must be a text file at the top of the app.",
        ),
        steps=(
            f"Look at it: ls -ld {failure.name}",
            (
                f"Move it out of the way and create the file {failure.name} in its place, "
                "or delete it if the app does not need it."
            ),
        ),
    )


def _unreadable_file(failure: UnreadableFile) -> Message:
    return Message(
        title=f"{failure.name} cannot be read",
        body=(
            f"Reading {failure.name} failed: {failure.reason}.",
            "The build runs as a user of its own, which needs read access to every file.",
        ),
        steps=(f"Give everyone read access: chmod a+r {failure.name}", "Build again."),
    )


def _not_utf8(failure: NotUtf8) -> Message:
    return Message(
        title=f"{failure.name} is not UTF-8 text",
        body=(
            (
                f"Line {failure.line} of {failure.name} holds the byte 0x{failure.byte:02x}, which"
                f"{' is not UTF-8' if failure.byte else ' no text holds'}."
            ),
            "Python's tools read this file as UTF-8, so it would be misread.",
        ),
        steps=(
            f"Find out what it is: file {failure.name}",
            (
                f"Save {failure.name} as UTF-8: choose that encoding in your editor, or iconv -f "
                f"{_likely_encoding(failure)} -t UTF-8 {failure.name} > fixed && mv fixed "
                f"{failure.name}"
            ),
        ),
    )


def _unknown_encoding(failure: UnknownEncoding) -> Message:
    return Message(
        title=f"{failure.name} declares the encoding {failure.encoding}, which is none",
        body=(
            f"One of the first two lines of {failure.name} says `coding: {failure.encoding}`.",
            "Python knows no text encoding of that name, so nothing can read the file.",
        ),
        steps=(
            f"Save {failure.name} as UTF-8 and delete that line.",
            "Or correct the name: https://docs.python.org/3/library/codecs.html lists them.",
        ),
    )


def _likely_encoding(failure: NotUtf8) -> str:
    if failure.byte == 0:
        return "UTF-16LE"  # every other byte of plain English is 0 in it
    # One of the two bytes that start UTF-16, which the `>` of Windows' own PowerShell writes.
    return "UTF-16" if failure.line == 1 and failure.byte in {0xFE, 0xFF} else "WINDOWS-1252"


def _missing_input(failure: MissingInput) -> Message:
    argument = f" (or as argument {failure.position})" if failure.position else ""
    return Message(
        title=f"{failure.variable} is not set",
        body=(
            f"A Cloud Native Buildpacks lifecycle hands this phase {failure.variable}{argument}.",
            "Nothing did, so this does not seem to be run by a lifecycle.",
        ),
        steps=(
            "Build the app with a platform: `pack build my-image --buildpack .`",
            f"To run the phase by hand, set {failure.variable} first.",
        ),
    )


def _unreadable_input(failure: UnreadableInput) -> Message:
    return Message(
        title=f"{failure.path.name} from the build platform cannot be read",
        body=(f"{failure.path}: {failure.reason}.",),
        steps=(
            "Check that the file is whole and that the build user may read it.",
            "It is made by the platform or its configuration, not by your app.",
        ),
    )


def _unreadable_toml(failure: UnreadableToml) -> Message:
    return Message(
        title=f"{failure.path.name} is not valid TOML",
        body=(f"{failure.path}: {failure.reason}.",),
        steps=(
            f"Correct {failure.path.name} at the place named above.",
            "Commit it, and build again.",
        ),
    )


def _unreadable_json(failure: UnreadableJson) -> Message:
    return Message(
        title=f"{failure.name} is not valid JSON",
        body=(
            f"Line {failure.line} of {failure.name}: {failure.reason}.",
            "A merge conflict or an edit by hand often leaves such a file behind.",
        ),
        steps=(
            f"Correct {failure.name} there, or have its tool write it anew (pipenv lock).",
            "Commit it, and build again.",
        ),
    )
