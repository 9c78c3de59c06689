"""Requirements that cannot be installed as they are."""

from cnb_python.errors.kinds import AppError


class BadRequirement(AppError):
    """A line of a requirements file that cannot be understood."""

    text: str
    place: str
    """`line 3 of requirements.txt`, empty where unknown."""
    problem: str


class BadPipOption(AppError):
    """A setting of pip's has a value that it cannot have."""

    option: str
    """As its configuration files call it: `default-timeout`."""
    found: str
    expected: str


class IncludeMissing(AppError):
    """A requirements file includes another that does not exist."""

    file: str
    problem: str


class NotAPackage(AppError):
    """A path to install holds neither pyproject.toml nor setup.py."""

    path: str


class DamagedPackage(AppError):
    """A wheel or an sdist that cannot be used as it is."""

    package: str
    problem: str


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


class PathClash(AppError):
    """Two packages that cannot be in one environment: one's file is the other's directory."""

    path: str
    file_of: str
    directory_of: str


class InstallFailed(AppError):
    """A manager failed for a reason that we do not recognise."""

    manager: str
    command: str
    code: int
    last_words: tuple[str, ...]


class UvRefused(AppError):
    """uv, which the user chose or the app's files allow, could not decide or install."""

    command: str
    code: int
    reasons: tuple[str, ...]
    """In uv's own words."""


type InstallFailure = (
    BadRequirement
    | BadPipOption
    | IncludeMissing
    | NotAPackage
    | DamagedPackage
    | HashMismatch
    | HashMissing
    | NotPinned
    | PathClash
    | InstallFailed
    | UvRefused
)
