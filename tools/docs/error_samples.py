"""One sample of every failure, for the page of errors: likely values, by the names of fields."""

from annotationlib import Format
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import NoneType, UnionType
from typing import Literal, TypeAliasType, cast, get_args, get_origin, get_type_hints

from cnb_python import errors
from cnb_python.config.settings import TABLE
from cnb_python.errors.base import BuildpackError, Failure

# `Class.field` counts before `field`; what is in neither is made from its type.
_VALUES: Mapping[str, object] = {
    "arch": "arm64",
    "asked": "3.12",
    "attempts": 5,
    "byte": 0xE9,
    "candidates": ("services/api", "services/worker"),
    "causes": ("flask 3.1.2 requires werkzeug>=3.1", "werkzeug==2.0.3"),
    "code": 1,
    "command": "pip install -r requirements.txt",
    "details": ("requirements.txt",),
    "elsewhere": ("amd64",),
    "encoding": "latin-11",
    "ended": date(2025, 10, 31),
    "expected": ("sha256:9f2c...",),
    "exists": False,
    "file": "requirements/base.txt",
    "files": (("requirements.txt", "pip"), ("uv.lock", "uv")),
    "fit": "3.13",
    "implementation": "PyPy",
    "is_newer": True,
    "known": ("dev", "docs"),
    "likely": "3.14",
    "line": 3,
    "lines": ("flask==3.1.2 --hash=sha256:9f2c...",),
    "manager": "pip",
    "misspelt": ("requirments.txt",),
    "name": "requirements.txt",
    "names": ("README.md", "app.py"),
    "newest": ("3.13.9", "3.13.8"),
    "options": (("target", "pip would install outside the app's environment"),),
    "origin": ".python-version, line 1",
    "package": "psycopg2",
    "path": "requirements.txt",
    "place": "line 3 of requirements.txt",
    "program": "uv",
    "project": "services/apy",
    "python": "3.14.6",
    "range": ">=3.13",
    "range_origin": "requires-python in pyproject.toml, line 4",
    "reason": "no such file or directory",
    "reasons": ("No solution found when resolving dependencies",),
    "requirement": "flask==9.9",
    "requirements": ("flask", "gunicorn>=23"),
    "status": 403,
    "supported": ("3.15", "3.14", "3.13", "3.12", "3.11", "3.10"),
    "text": "python-3.x",
    "title": "Python 3.14.6",
    "url": "https://index.example.org/simple/flask/",
    "variants": ("requirements-dev.txt",),
    "version": "3.13.99",
    "host": "index.example.org",
    "kind": "group",
    "requires": ">=3.15",
    "needed_by": "",
    "BadLock.file": "pylock.toml",
    "BadLock.problem": "package 3 has no name",
    "LoneLock.file": "Pipfile.lock",
    "LoneLock.manager": "Pipenv",
    "LoneLock.source": "Pipfile",
    "BadMirror.found": "mirror.example.org/python",
    "BadMirror.origin": "the setting BP_PYTHON_MIRROR",
    "ChosenManagerMissing.chosen": "uv",
    "ChosenManagerMissing.expected": "uv.lock",
    "ChosenManagerMissing.found": (("requirements.txt", "pip"),),
    "CollectstaticFailed.command": "python manage.py collectstatic --noinput",
    "CollectstaticFailed.detail": "SECRET_KEY",
    "DamagedPackage.problem": "its RECORD names a file that it does not hold",
    "HookFailed.script": "bin/post_compile",
    "HookNotStarted.program": "/usr/bin/fish",
    "HookNotStarted.script": "bin/post_compile",
    "LockForOtherPython.file": "pylock.toml",
    "LockTooNew.file": "poetry.lock",
    "LockTooNew.manager": "Poetry",
    "AppNotInstallable.file": "pyproject.toml",
    "AppNotInstallable.manager": "Poetry",
    "AppNotInstallable.problem": "No file/folder found for package shop",
    "ProgramUnavailable.program": "poetry",
    "MadeForPython2.sign": "SyntaxError: Missing parentheses in call to 'print'",
    "MissingBuildModule.module": "distutils",
    "MissingBuildModule.removed": "Python 3.12",
    "MissingBuildRequirement.is_offline": True,
    "MissingBuildRequirement.requirement": "hatchling",
    "MissingForBuild.debian": "libpq-dev",
    "MissingForBuild.ubuntu": "libpq-dev",
    "NltkFailed.detail": "Package 'stopword' not found in index",
    "NltkFailed.name": "stopword",
    "NotProvided.places": ("vendor/",),
    "ProjectForOtherPython.where": "pyproject.toml",
    "SeveralLocks.files": ("pylock.api.toml", "pylock.worker.toml"),
    "SeveralLocks.plain": "pylock.toml",
    "StaleLock.command": "uv lock",
    "StaleLock.file": "uv.lock",
    "StaleLock.said": ("The lockfile at `uv.lock` needs to be updated",),
    "StaleLock.source": "pyproject.toml",
    "KeyRefused.file": "pyproject.toml",
    "KeyRefused.manager": "Poetry",
    "KeyRefused.key": "requires-poetry",
    "KeyRefused.said": (
        "Additional properties are not allowed ('requires-poetry' was unexpected)",
    ),
    "SourceRefused.manager": "Poetry",
    "UnsetVariable.file": "Pipfile.lock",
    "UnsetVariable.source": "acme-internal",
    "UnsetVariable.variables": ("ACME_USER", "ACME_TOKEN"),
    "UnknownGroup.file": "uv.lock",
    "UnknownGroup.kind": "group",
    "UnknownGroup.name": "wbe",
    "Yanked.reason": "a security hole",
    "Yanked.versions": ("9.9",),
    "BadBinding.key": "pip.config",
    "BadBinding.name": "company",
    "BadBinding.type": "pip",
    "BadProcfile.problems": ((2, "web gunicorn app:app", "no colon"),),
    "BadRequirement.problem": "Expected package name at the start of dependency specifier",
    "BadRequirement.text": "=flask",
    "BadSettings.wrong": (
        ("layout", "pyproject.toml, line 12", '"merge"', 'one of "linked", "merged"'),
    ),
    "ChecksumMismatch.expected": "9f2c...",
    "ChecksumMismatch.found": "03ab...",
    "DamagedArchive.reason": "it ends too early",
    "DamagedStore.reason": "flask-3.1.2.tar.zst is shorter than it was",
    "DiskFull.doing": "writing /layers/cnb-python_python/venv",
    "DownloadFailed.reason": "the server answered 404",
    "DownloadFailed.status": 404,
    "EndedPythonLine.line": "3.9",
    "ForbiddenPipOptions.file": "/home/cnb/.config/pip/pip.conf",
    "ForbiddenVariables.found": (
        ("PIP_TARGET", "pip would install outside the app's environment"),
        ("UV_PYTHON", "it chooses the app's Python: use BP_PYTHON_VERSION"),
    ),
    "GitFailed.problem": "fatal: repository not found",
    "GitFailed.requirement": "git+https://git.example.org/shop.git",
    "HashMismatch.got": "sha256:03ab...",
    "IncludeMissing.problem": "no such file",
    "InstallFailed.last_words": ("ERROR: something that nobody has seen before",),
    "InvalidPythonRange.text": ">3.x",
    "Killed.signal": 9,
    "MissingForBuild.name": "libpq-fe.h",
    "MissingInput.variable": "CNB_LAYERS_DIR",
    "MisspeltVersionFile.found": (".python_version",),
    "MisspeltVersionFile.name": ".python-version",
    "NoPythonInRange.ranges": ((">=3.16", "requires-python in pyproject.toml, line 4"),),
    "NoPythonInRange.ended": (),
    "NoPythonVersion.name": ".python-version",
    "NoRequirements.misspelt": (),
    "NoRequirements.variants": (),
    "NoSuchPackage.pages": ("https://index.example.org/simple/flaskk/",),
    "NoSuchPackage.requirement": "flaskk",
    "NoSuchRequirements.missing": ("requirements/prod.txt",),
    "NoSuchVersion.newest": ("3.1.1", "3.1.2"),
    "NoWheel.platforms": ("manylinux_2_17_x86_64",),
    "NoWheel.pythons": ("3.12", "3.13"),
    "NotAFile.kind": "a directory",
    "NotAPackage.path": "./libs/shop",
    "OtherImplementation.text": "pypy3.11",
    "PathClash.directory_of": "two",
    "PathClash.file_of": "one",
    "PathClash.path": "shared",
    "PlaceRefused.place": "/layers",
    "PlaceRefused.reason": "Permission denied",
    "ProgramNotStarted.reason": "Exec format error",
    "PythonNotAvailable.table": "that of this buildpack",
    "PythonNotAvailable.version": "3.13.9",
    "SeveralPythonVersions.found": ((1, "3.13"), (4, "3.12")),
    "SeveralPythonVersions.name": ".python-version",
    "SeveralBindings.key": "pip.conf",
    "SeveralBindings.names": ("company", "team"),
    "SeveralBindings.type": "pip",
    "SourceBuildFailed.problem": "error: command 'cc' failed with exit code 1",
    "UnknownPythonLine.line": "3.16",
    "UnknownPythonPatch.line": "3.13",
    "UnknownSettings.found": (("layuot", "pyproject.toml, line 12", "layout"),),
    "UnknownSettings.known": tuple((one.name, one.variable) for one in TABLE),
    "UnreadableFile.reason": "Permission denied",
    "UnreadableInput.path": Path("/platform/env"),
    "UnreadableInput.reason": "Permission denied",
    "UnreadableJson.reason": "Expecting ',' delimiter",
    "UnreadableJson.name": "Pipfile.lock",
    "UnreadableToml.path": Path("pyproject.toml"),
    "UnreadableToml.reason": "Expected '=' after a key (at line 3, column 8)",
    "UnsafeArchive.member": "../../etc/passwd",
    "UnsafeArchive.reason": "leads out of the archive",
    "UnsupportedApi.found": "0.9",
    "UnsupportedApi.supported": ("0.10", "0.11", "0.12"),
    "UntrustedCertificate.reason": "unable to get local issuer certificate",
    "UnusableInterpreter.reason": "It says: version `GLIBC_2.17' not found.",
    "UnusableInterpreter.version": "3.14.6",
    "UnusablePythonTable.origin": "https://mirror.example.org/python.toml",
    "UnusablePythonTable.problems": ("release 2 has no sha256",),
    "VersionFileNotUtf8.encoding": "UTF-16",
    "VersionFileNotUtf8.name": ".python-version",
    "VersionFileNotUtf8.version": "3.13",
    "WrongPython.needs": ("<3.14",),
}


_PREFIX = f"{errors.__name__}."
# What the modules of errors import for the type checker alone.
_NAMES = {"date": date, "Path": Path}


def samples() -> tuple[Failure, ...]:
    """Return one of each failure, family by family."""
    return tuple(cast("Failure", _sample(kind)) for kind in kinds())


def kinds() -> tuple[type[BuildpackError], ...]:
    """Return the class of each failure, family by family."""
    modules = [import_module(name) for _, name, _ in iter_modules(errors.__path__, _PREFIX)]
    return tuple(
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Failure)
        and kind.__module__ == module.__name__
        and "describe" in vars(kind)
        and kind is not Failure
    )


def _sample(kind: type[BuildpackError]) -> BuildpackError:
    hints = get_type_hints(kind, None, _NAMES, format=Format.FORWARDREF)
    return kind(**{name: _value(kind.__name__, name, hint) for name, hint in hints.items()})


def _value(kind: str, name: str, hint: object) -> object:
    for key in (f"{kind}.{name}", name):
        if key in _VALUES and _fits(_VALUES[key], hint):
            return _VALUES[key]
    return _made(name, hint)


def _fits(value: object, hint: object) -> bool:
    return isinstance(value, _class(hint))


def _class(hint: object) -> type | tuple[type, ...]:
    if isinstance(hint, TypeAliasType):
        return _class(hint.__value__)
    if isinstance(hint, UnionType):
        return tuple(cast("type", one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return str
    return cast("type", get_origin(hint) or hint)


def _made(name: str, hint: object) -> object:
    """Return a value of the type *hint*, with the name of the field where it may be text."""
    if isinstance(hint, TypeAliasType):
        return _made(name, hint.__value__)
    arguments = get_args(hint)
    if get_origin(hint) is Literal:
        return arguments[0]
    if isinstance(hint, UnionType):
        return next(_made(name, one) for one in arguments if one is not NoneType)
    if get_origin(hint) is tuple:
        return tuple(_parts(name, arguments))
    simple: Mapping[object, object] = {
        str: f"({name})",
        int: 1,
        bool: True,
        Path: Path(name),
        date: date(2026, 1, 1),
    }
    return simple[hint]


def _parts(name: str, hints: tuple[object, ...]) -> Iterator[object]:
    return (_made(name, one) for one in hints if one is not Ellipsis)
