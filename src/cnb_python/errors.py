"""Every way a phase can stop, as data. The words live in `messages`.

Three families say who must act; only their leaves are raised. A leaf is declared like a dataclass
and behaves like one with `eq=False` that is not frozen: a frozen exception cannot take its
traceback. It is none, since detection imports this module on every build, and making fifty
dataclasses takes it 11 ms.
"""

from typing import TYPE_CHECKING, Literal, dataclass_transform

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


@dataclass_transform(eq_default=False)
class BuildpackError(Exception):
    """The phase stops here and the user is told why."""

    def __init__(self, *values: object, **named: object) -> None:
        """Take the values of the class's annotated names, in their order or by name."""
        super().__init__()
        names = _names(type(self))
        given = dict(zip(names, values, strict=False)) | named
        if len(values) + len(named) != len(names) or given.keys() != set(names):
            raise TypeError(names)
        self.__dict__.update(given)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def _names(cls: type[BuildpackError]) -> tuple[str, ...]:
    # Only on the way to an error: it takes longer to import than everything else here.
    from annotationlib import Format, get_annotations  # noqa: PLC0415

    return tuple(get_annotations(cls, format=Format.STRING))


class AppError(BuildpackError):
    """The app's author can mend it."""


class OutsideError(BuildpackError):
    """The network, an index, the machine or the platform is at fault."""


class BuildpackBug(BuildpackError):
    """We are at fault: shown with a traceback."""


class UnsupportedApi(OutsideError):
    """The lifecycle or buildpack.toml speaks a Buildpack API we do not."""

    found: str
    supported: tuple[str, ...]


class NotAFile(AppError):
    """A name that decides the build belongs to something other than a file."""

    name: str
    kind: str


class UnreadableFile(AppError):
    """A file that decides the build cannot be read."""

    name: str
    reason: str


class NotUtf8(AppError):
    """A file that decides the build is not text as we and Python's tools read it."""

    name: str
    line: int
    byte: int


class UnknownEncoding(AppError):
    """A file that decides the build declares an encoding that Python does not have."""

    name: str
    encoding: str


class MissingInput(OutsideError):
    """Nothing told us where an input is: no lifecycle is running us."""

    variable: str
    position: int | None
    """Of the positional argument that would do as well, from 1; None: there is none."""


class UnreadableInput(OutsideError):
    """What the lifecycle or the platform handed us cannot be read."""

    path: Path
    reason: str


class UnreadableJson(AppError):
    """A JSON file of the app is none."""

    name: str
    line: int
    reason: str


class UnreadableToml(AppError):
    """A TOML file of the app cannot be read, or is not TOML."""

    path: Path
    reason: str


class ContractBroken(BuildpackBug):
    """We were about to write what the buildpack specification forbids."""

    document: str
    problem: str


class NoRequirements(AppError):
    """The app has no file that says what to install."""

    misspelt: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files of another purpose: `requirements-dev.txt`, `requirements`."""
    names: tuple[str, ...]
    """What the top of the app holds."""
    elsewhere: tuple[str, ...]
    """Directories below it that hold an app of their own."""


class SeveralManagers(AppError):
    """More than one package manager's file decides."""

    files: tuple[tuple[str, str], ...]
    """File and manager, in a fixed order."""


type BindingProblem = Literal[
    "unknown key",
    "missing key",
    "said twice",
    "no address",
    "no name",
    "no secret",
    "unreadable",
    "no certificate",
    "private key",
]


class BadBinding(OutsideError):
    """A service binding does not say what one of its type has to. Never holds what it says."""

    name: str
    type: str
    key: str
    problem: BindingProblem
    details: tuple[str, ...]
    """The keys that would do, or where what cannot be read stands."""


class SeveralBindings(OutsideError):
    """Service bindings of which only one can count."""

    type: str
    names: tuple[str, ...]
    key: str


class ChosenManagerMissing(AppError):
    """The package manager that the user chose has no file of the app to decide by."""

    chosen: str
    """Its name."""
    expected: str
    """The file that it would decide by; empty where this release does not know it."""
    found: tuple[tuple[str, str], ...]
    """File and manager of each that has one."""


class BadLock(AppError):
    """A lock file is not of the form that it should have, or contradicts itself."""

    file: str
    problem: str


class SeveralLocks(AppError):
    """Several locks of the standard form have names of their own, and none has the plain one."""

    files: tuple[str, ...]
    plain: str


class StaleLock(AppError):
    """A lock file does not fit what it was made from."""

    file: str
    source: str
    """What it was made from: `pyproject.toml`."""
    command: str
    """What brings it up to date: `uv lock`."""
    said: tuple[str, ...]
    """The tool's own words."""


class LockTooNew(AppError):
    """A lock file is of a form that a later release of its tool has brought."""

    file: str
    manager: str
    said: tuple[str, ...]
    """The tool's own words."""


class AppNotInstallable(AppError):
    """The app says that it is a package, and its manager finds no code of it."""

    file: str
    manager: str
    problem: str
    """In the manager's own words."""


class LockForOtherPython(AppError):
    """A lock file, or one of its packages, is not meant for the app's Python."""

    file: str
    package: str
    """Empty: the whole file."""
    requires: str
    python: str


class ProjectForOtherPython(AppError):
    """What the app says of its Python excludes the one that it gets."""

    requires: str
    where: str
    """Who says so: `pyproject.toml`, or words of uv's that name a member of a workspace."""
    python: str


class UnknownGroup(AppError):
    """A group or an extra was chosen that the lock does not know."""

    file: str
    kind: str
    """`group` or `extra`."""
    name: str
    known: tuple[str, ...]


class ForbiddenVariables(AppError):
    """Variables that send packages where the image does not look."""

    found: tuple[tuple[str, str], ...]
    """Name and what it would do."""


class BadSettings(AppError):
    """Settings have values that they cannot have."""

    wrong: tuple[tuple[str, str, str, str], ...]
    """Name, who gave it, what it is as written, and what is expected as a noun phrase."""


class UnknownSettings(AppError):
    """Settings were given that do not exist."""

    found: tuple[tuple[str, str, str], ...]
    """Name, who gave it, and the one that was probably meant, empty where none is similar."""
    known: tuple[tuple[str, str], ...]
    """Every setting, with its variable."""


class NoSuchRequirements(AppError):
    """Requirements files that a setting names, and the app does not have."""

    missing: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files and directories of another name at the top of the app."""


class NoSuchProject(AppError):
    """The app is said to be in a directory that is none of the repository."""

    project: str
    candidates: tuple[str, ...]
    """Directories that seem to hold an app."""


class ForbiddenPipOptions(AppError):
    """A configuration file of pip's sends packages where the image does not look."""

    file: str
    options: tuple[tuple[str, str], ...]
    """Name, as the file has it, and what it would do."""


class ProgramNotStarted(OutsideError):
    """The system refused to start a program."""

    program: str
    reason: str


class ProgramUnavailable(OutsideError):
    """The program of a package manager could not be fetched."""

    program: str
    version: str
    """The release, or a specifier."""
    reasons: tuple[str, ...]
    """In uv's own words."""


class Killed(OutsideError):
    """A signal that is not ours ended a program."""

    program: str
    signal: int


class DiskFull(OutsideError):
    """No space is left where we write."""

    doing: str


class PlaceRefused(OutsideError):
    """A file or directory of the platform's cannot be read or written."""

    place: str
    reason: str


class BadRequirement(AppError):
    """A line of a requirements file that cannot be understood."""

    text: str
    place: str
    """`line 3 of requirements.txt`, empty where unknown."""
    problem: str


class IncludeMissing(AppError):
    """A requirements file includes another that does not exist."""

    file: str
    problem: str


class NotAPackage(AppError):
    """A path to install holds neither pyproject.toml nor setup.py."""

    path: str


class NoSuchPackage(AppError):
    """No index knows the package."""

    requirement: str
    wanted_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    pages: tuple[str, ...]
    """Where it was looked for and answered "not found"."""


class NotProvided(AppError):
    """No index may be asked, and the files at hand do not hold the package."""

    requirement: str
    wanted_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    places: tuple[str, ...]
    """The directories and pages that were looked through, as far as known."""


class NoSuchVersion(AppError):
    """The package exists, no version answers the requirement."""

    requirement: str
    newest: tuple[str, ...]
    """The newest that there are, oldest first; empty: unknown."""


class Yanked(AppError):
    """Everything that answers the requirement was withdrawn by its makers."""

    requirement: str
    versions: tuple[str, ...]
    """Empty: all that there are."""
    reason: str
    """In the words of its makers; empty: none was given."""


class DamagedPackage(AppError):
    """A wheel or an sdist that cannot be used as it is."""

    package: str
    problem: str


class WrongPython(AppError):
    """The version exists for other Pythons only."""

    requirement: str
    needs: tuple[str, ...]
    python: str


class NoWheel(AppError):
    """The version exists as ready-made wheels only, none of which fits."""

    requirement: str
    python: str
    pythons: tuple[str, ...]
    """Python lines that its wheels for this kind of machine are for, oldest first."""
    platforms: tuple[str, ...]
    """The platforms of all its wheels, as their tags have them; empty: unknown."""


type GitTrouble = Literal["login", "repository", "revision", "host", "certificate", "other"]


class GitFailed(OutsideError):
    """Git could not bring what a requirement names."""

    requirement: str
    trouble: GitTrouble
    problem: str
    """In Git's own words."""


class VersionConflict(AppError):
    """Requirements that no set of versions satisfies."""

    causes: tuple[str, ...]


class HashMismatch(AppError):
    """A download is not the one whose hash is written down."""

    requirement: str
    expected: tuple[str, ...]
    got: str


class HashMissing(AppError):
    """Some requirements have hashes, so all must."""

    lines: tuple[str, ...]
    """The lines with the hashes they would need."""


class NotPinned(AppError):
    """Requirements have hashes, so each needs an exact version."""

    requirements: tuple[str, ...]


class MissingForBuild(AppError):
    """Building a package from source needs what the build image lacks."""

    package: str
    """Empty where unknown."""
    kind: Literal["header", "library", "program"]
    name: str
    python: str
    debian: str
    """The package of Debian that holds it; empty: unknown."""
    ubuntu: str


class MissingBuildRequirement(AppError):
    """What a package's build requires, its build backend for instance, cannot be had."""

    package: str
    requirement: str
    is_offline: bool
    """No index may be asked."""


class MissingBuildModule(AppError):
    """A package's own build imports what it does not say that it requires, or what is gone."""

    package: str
    module: str
    removed: str
    """What no longer holds it, with its version: `Python 3.12`; empty: nothing of the kind."""
    python: str


class MadeForPython2(AppError):
    """A package whose source is written for Python 2."""

    package: str
    sign: str
    """What shows it: a line of its build's output."""


class SourceBuildFailed(AppError):
    """A package that is built from source failed to."""

    package: str
    problem: str
    python: str


class PathClash(AppError):
    """Two packages that cannot be in one environment: one's file is the other's directory."""

    path: str
    file_of: str
    directory_of: str


class IndexRefused(OutsideError):
    """An index answered 401, 403 or 407."""

    url: str
    status: int


class IndexUnreachable(OutsideError):
    """An index gave no usable answer."""

    url: str
    reason: str


class UnknownHost(OutsideError):
    """The name of a server is not known where the build runs."""

    url: str
    host: str
    """Empty: that of the address."""


class ProxyFailed(OutsideError):
    """The proxy through which the build reaches the network does not answer."""

    url: str
    """What was to be fetched."""
    reason: str


class InsecureIndex(AppError):
    """An index without encryption that pip was not told to trust."""

    host: str


class UntrustedCertificate(OutsideError):
    """A server's certificate is signed by an authority that the build image does not trust."""

    url: str
    reason: str


class UrlNotFound(AppError):
    """A requirement names an address that does not exist."""

    url: str
    status: int


class InstallFailed(AppError):
    """A manager failed for a reason that we do not recognise."""

    manager: str
    command: str
    code: int
    last_words: tuple[str, ...]


class PackagesChanged(AppError):
    """What the app runs while it is built has changed files of Python or of its packages."""

    path: str
    """The first of them."""
    count: int


type CollectstaticCause = Literal[
    "no settings",
    "static root",
    "variable",
    "secret key",
    "manifest",
    "referenced file",
    "directory",
    "database",
    "module",
    "library",
    "syntax",
    "permission",
    "settings",
    "other",
]


class CollectstaticFailed(AppError):
    """Django could not collect the app's static files."""

    command: str
    code: int
    cause: CollectstaticCause
    """What it probably is."""
    detail: str
    """The variable, file, module or line that it is about; may be empty."""


class HookFailed(AppError):
    """A script of the app that runs while it is built ended with an error."""

    script: str
    """`bin/post_compile`."""
    code: int
    """Its exit code; negative: the number of the signal that ended it."""


class HookNotStarted(AppError):
    """A script of the app that runs while it is built could not be started."""

    script: str
    program: str
    """What its first line names."""
    reason: str


class NltkFailed(AppError):
    """Data that nltk.txt names could not be had."""

    name: str
    """The first such name."""
    cause: Literal["unknown", "network", "index", "damaged", "other"]
    detail: str
    """What NLTK says."""


class UvRefused(AppError):
    """uv, which the user chose or the app's files allow, could not decide or install."""

    command: str
    code: int
    reasons: tuple[str, ...]
    """In uv's own words."""


class BytecodeFailed(BuildpackBug):
    """The compiler of bytecode did not survive."""

    code: int
    output: str


class NoPythonVersion(AppError):
    """A file that should name a Python version names none."""

    name: str


class SeveralPythonVersions(AppError):
    """A file that should name one Python version names more."""

    name: str
    found: tuple[tuple[int, str], ...]
    """Line (from 1) and what it says."""


class InvalidPythonVersion(AppError):
    """Text that is no Python version as we read them."""

    text: str
    origin: str
    likely: str
    """The version that it seems to mean, empty where none is to be seen."""


class InvalidPythonRange(AppError):
    """Text that is no range of Python versions."""

    text: str
    origin: str
    likely: str
    """The same in the form that is read there, empty where it is not understood."""


class OtherImplementation(AppError):
    """Somebody asks for another Python than CPython."""

    text: str
    origin: str
    implementation: str


class MisspeltVersionFile(AppError):
    """Files that nobody reads, since their names are not quite `.python-version`."""

    found: tuple[str, ...]
    name: str
    exists: bool
    """There is one of the right name too."""


class VersionFileNotUtf8(AppError):
    """A file that names a Python in an encoding that version managers do not read."""

    name: str
    encoding: str
    version: str
    """What it names."""


class NoPythonInRange(AppError):
    """No release that can be had is in the range."""

    ranges: tuple[tuple[str, str], ...]
    """Text and origin of each."""
    supported: tuple[str, ...]
    """Lines that can be had, newest first."""
    ended: tuple[tuple[str, date], ...]
    """The newest line that is in the range and has ended, with the date."""


class PythonOutsideRange(AppError):
    """Two files disagree, and the package manager insists on one of them."""

    version: str
    asked: str
    origin: str
    range: str
    range_origin: str
    fit: str
    """The line that the range would have, empty where there is none."""


class UnknownPythonLine(AppError):
    """A release line that does not exist, or not yet for this release of the buildpack."""

    line: str
    origin: str
    supported: tuple[str, ...]
    """Lines that can be had, newest first."""
    is_newer: bool


class EndedPythonLine(AppError):
    """A release line that nobody mends any more."""

    line: str
    origin: str
    ended: date
    supported: tuple[str, ...]


class UnknownPythonPatch(AppError):
    """A release that does not exist in a line that does."""

    version: str
    origin: str
    line: str
    newest: tuple[str, ...]
    """The newest releases of the line, newest first."""


class PythonNotAvailable(AppError):
    """A release that nobody has built for this kind of machine."""

    version: str
    origin: str
    arch: str
    elsewhere: tuple[str, ...]
    """The kinds of machine it is built for."""
    newest: tuple[str, ...]
    """The newest releases of its line for this kind of machine."""
    table: str
    """Where the list of builds comes from."""


class BadMirror(OutsideError):
    """A mirror or a mapping of downloads names no address."""

    origin: str
    found: str
    """Without what may be secret in it."""


class UnusablePythonTable(OutsideError):
    """A table of Python releases that cannot be used."""

    origin: str
    problems: tuple[str, ...]


class DownloadFailed(OutsideError):
    """A file could not be had."""

    title: str
    url: str
    reason: str
    attempts: int
    status: int | None
    """The server's last answer, None where there was none."""


class ChecksumMismatch(OutsideError):
    """A download is complete, and not the file it should be."""

    title: str
    url: str
    expected: str
    found: str


class DamagedArchive(OutsideError):
    """An archive that cannot be unpacked."""

    title: str
    reason: str


class UnsafeArchive(OutsideError):
    """An archive with an entry that would reach outside the directory it is unpacked into."""

    title: str
    member: str
    reason: str


class DamagedStore(OutsideError):
    """What a previous build kept is not there any more, or not as it was."""

    reason: str
    """What is wrong, without a full stop; empty: it was never kept."""


class UnusableInterpreter(OutsideError):
    """The app's interpreter does not run in this build image, or is none."""

    version: str
    reason: str


class IncompleteBuildpack(BuildpackBug):
    """A file that belongs to the buildpack is missing from it."""

    file: str
    buildpack: Path


type ProcfileProblem = Literal[
    "no colon", "type", "no command", "twice", "open quote", "control character"
]


class BadProcfile(AppError):
    """Lines of the Procfile that name no process."""

    problems: tuple[tuple[int, str, ProcfileProblem], ...]
    """Number from 1, text and what is wrong."""


class ProcessInEnvironment(AppError):
    """The Procfile names files of a virtual environment that the image does not have."""

    name: str
    """The Procfile's, from the top of the repository."""
    found: tuple[tuple[int, str, str, str], ...]
    """Number of the line from 1, process type, the word, and the program that it means."""


type Failure = (
    UnsupportedApi
    | NotAFile
    | UnreadableFile
    | NotUtf8
    | UnknownEncoding
    | MissingInput
    | UnreadableInput
    | UnreadableJson
    | UnreadableToml
    | NoRequirements
    | SeveralManagers
    | BadBinding
    | SeveralBindings
    | ChosenManagerMissing
    | BadLock
    | StaleLock
    | SeveralLocks
    | LockForOtherPython
    | LockTooNew
    | AppNotInstallable
    | UnknownGroup
    | ProjectForOtherPython
    | ForbiddenVariables
    | ForbiddenPipOptions
    | BadSettings
    | UnknownSettings
    | NoSuchProject
    | NoSuchRequirements
    | ProgramNotStarted
    | ProgramUnavailable
    | Killed
    | DiskFull
    | PlaceRefused
    | BadRequirement
    | IncludeMissing
    | NotAPackage
    | NoSuchPackage
    | NotProvided
    | NoSuchVersion
    | Yanked
    | DamagedPackage
    | WrongPython
    | NoWheel
    | VersionConflict
    | HashMismatch
    | HashMissing
    | NotPinned
    | GitFailed
    | MissingForBuild
    | MissingBuildRequirement
    | MissingBuildModule
    | MadeForPython2
    | SourceBuildFailed
    | PathClash
    | IndexRefused
    | IndexUnreachable
    | UnknownHost
    | ProxyFailed
    | InsecureIndex
    | UntrustedCertificate
    | UrlNotFound
    | InstallFailed
    | PackagesChanged
    | CollectstaticFailed
    | HookFailed
    | HookNotStarted
    | NltkFailed
    | UvRefused
    | NoPythonVersion
    | SeveralPythonVersions
    | InvalidPythonVersion
    | InvalidPythonRange
    | OtherImplementation
    | MisspeltVersionFile
    | VersionFileNotUtf8
    | NoPythonInRange
    | PythonOutsideRange
    | UnknownPythonLine
    | EndedPythonLine
    | UnknownPythonPatch
    | PythonNotAvailable
    | BadMirror
    | UnusablePythonTable
    | DownloadFailed
    | ChecksumMismatch
    | DamagedArchive
    | UnsafeArchive
    | DamagedStore
    | UnusableInterpreter
    | BadProcfile
    | ProcessInEnvironment
)
