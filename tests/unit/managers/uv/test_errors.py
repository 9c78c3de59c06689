"""What uv really wrote (uv 0.13.8, hosts and paths replaced), and what users are told of it."""

from pathlib import Path

import pytest

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.building import (
    MissingBuildModule,
    MissingBuildRequirement,
    MissingForBuild,
    Python2OnlyPackage,
    UndefinedSymbol,
)
from cnb_python.errors.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotInFindLinks,
    NoWheel,
    VersionConflict,
    WrongPython,
    Yanked,
)
from cnb_python.errors.install import (
    BadRequirement,
    DamagedPackage,
    HashMismatch,
    IncludeMissing,
    NotAPackage,
)
from cnb_python.errors.locks import BadLock, PathOutsideApp, UnexpectedType
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.errors.network import (
    GitFailed,
    IndexRefused,
    IndexUnreachable,
    ProxyFailed,
    UnknownHost,
    UntrustedCertificate,
    UrlNotFound,
)
from cnb_python.managers.build_errors import machine_failure
from cnb_python.managers.uv import errors as uv_errors
from tests.support.messages import explained

DATA = Path(__file__).parent / "data"
PYTHON = "3.14.6"
INDEX = "https://index.example.org"


def wrote(name: str) -> str:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8")


def why(name: str) -> BuildpackError:
    found = uv_errors.recognize(wrote(name), PYTHON)
    assert found is not None, name
    assert explained(found)
    return found


@pytest.mark.parametrize(
    ("name", "package", "kind", "missing", "debian"),
    [
        ("needs_header", "needs-header", "header", "libpq-fe.h", "libpq-dev"),
        ("needs_pkgconfig", "needs-pkgconfig", "library", "cairo", "libcairo2-dev"),
        ("needs_cc", "needs-cc", "program", "cc", "build-essential"),
        ("setuptools_nocc", "setuptools-ext", "program", "cc", "build-essential"),
        ("psycopg2", "psycopg2", "program", "pg_config", "libpq-dev"),
        ("cmake_ext", "cmake-ext", "library", "GEOS", "libgeos-dev"),
        ("meson_ext", "meson-ext", "library", "openblas", "libopenblas-dev"),
        ("meson_fortran", "meson-fortran", "program", "gfortran", "gfortran"),
        ("rust_ext", "rust-ext", "program", "Rust", "cargo"),
        ("meson_no_pkgconfig", "mesn", "program", "pkg-config", "pkg-config"),
        ("meson_no_module", "mesnpc", "library", "libmemcached", "libmemcached-dev"),
        ("cmake_no_cc", "nocc", "program", "cc", "build-essential"),
        ("meson_no_ar", "noar", "program", "ar", "build-essential"),
    ],
)
def test_what_a_source_build_misses_is_named_with_its_package(
    name: str, package: str, kind: str, missing: str, debian: str
) -> None:
    found = why(name)

    assert isinstance(found, MissingForBuild)
    assert (found.package, found.kind, found.name) == (package, kind, missing)
    assert (found.debian, found.ubuntu) == (debian, debian)


@pytest.mark.parametrize(
    ("name", "module", "removed"),
    [
        ("dist_utils", "distutils", "Python 3.12"),
        ("pkg_res", "pkg_resources", "setuptools 82"),
        ("numpy_import", "numpy", ""),
    ],
)
def test_a_module_that_a_build_lacks_is_named_with_what_dropped_it(
    name: str, module: str, removed: str
) -> None:
    found = why(name)

    assert isinstance(found, MissingBuildModule)
    assert (found.module, found.removed) == (module, removed)


@pytest.mark.parametrize("name", ["two_three", "py_two"])
def test_code_for_python_2_is_called_so(name: str) -> None:
    assert isinstance(why(name), Python2OnlyPackage)


@pytest.mark.parametrize(
    ("name", "is_offline"), [("backend_missing", False), ("no_index_b", True)]
)
def test_what_a_build_requires_is_told_from_what_the_app_does(
    name: str, is_offline: object
) -> None:
    found = why(name)

    assert isinstance(found, MissingBuildRequirement)
    assert (found.package, found.requirement) == ("backend-missing", "nosuch-backend>=3")
    assert found.is_offline is is_offline


@pytest.mark.parametrize(
    ("name", "pythons", "platforms"),
    [
        ("old_only", ("3.11",), ()),
        ("tf", ("3.9", "3.10", "3.11"), ()),
        ("arm_only", (), ("manylinux_2_17_aarch64",)),
        ("musl_only", (), ("musllinux_1_2_x86_64",)),
        ("win_only", (), ("win_amd64",)),
        ("url_wheel_old", (), ()),
    ],
)
def test_wheels_for_others_say_for_whom(
    name: str, pythons: tuple[str, ...], platforms: tuple[str, ...]
) -> None:
    found = why(name)

    assert isinstance(found, NoWheel)
    assert (found.pythons, found.platforms) == (pythons, platforms)


def test_a_package_for_a_newer_python_says_which() -> None:
    found = why("new_only")

    assert isinstance(found, WrongPython)
    assert (found.requirement, found.needs) == ("new-only", (">=3.99",))


@pytest.mark.parametrize(
    ("name", "requirement", "by"),
    [("unknown", "nosuchthing", ""), ("needs_private", "company-private>=3", "needs-private")],
)
def test_an_unknown_package_is_named_with_what_requires_it(
    name: str, requirement: str, by: str
) -> None:
    found = why(name)

    assert isinstance(found, NoSuchPackage)
    assert (found.requirement, found.needed_by) == (requirement, by)


def test_what_is_not_among_the_files_at_hand_is_named() -> None:
    found = why("no_index")

    assert isinstance(found, NotInFindLinks)
    assert found.requirement == "good"


@pytest.mark.parametrize(
    ("name", "requirement", "newest"),
    [("unknown_version", "good==9.0", ()), ("unknown_range", "good>5", ("2.0",))],
)
def test_a_version_that_does_not_exist_is_told_from_a_package_that_does_not(
    name: str, requirement: str, newest: tuple[str, ...]
) -> None:
    found = why(name)

    assert isinstance(found, NoSuchVersion)
    assert (found.requirement, found.newest) == (requirement, newest)


def test_a_withdrawn_package_says_why() -> None:
    found = why("yanked")

    assert isinstance(found, Yanked)
    assert (found.requirement, found.reason) == ("good", "broken by mistake")


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("conflict", ("left depends on good<2", "right depends on good>=2")),
        ("conflict_direct", ("the app requires good==1.0", "right depends on good>=2")),
        ("conflict_two", ("the app requires good==1.0", "the app requires good==2.0")),
    ],
)
def test_a_conflict_names_what_clashes(name: str, causes: tuple[str, ...]) -> None:
    found = why(name)

    assert isinstance(found, VersionConflict)
    assert set(found.causes) == set(causes)


@pytest.mark.parametrize(
    ("name", "url", "status"),
    [
        ("401", f"{INDEX}/simple/", 401),
        ("status_403", f"{INDEX}/403/simple/", 403),
        ("forbidden_file", f"{INDEX}/forbidden/good-1.0-py3-none-any.whl", 403),
        ("proxy_407", f"{INDEX}/simple/good/", 407),
    ],
)
def test_an_index_that_refuses_is_told_from_one_that_lacks_the_package(
    name: str, url: str, status: int
) -> None:
    found = why(name)

    assert isinstance(found, IndexRefused)
    assert (found.url, found.status) == (url, status)


@pytest.mark.parametrize("name", ["gone", "url_404"])
def test_a_file_that_is_gone_is_named(name: str) -> None:
    found = why(name)

    assert isinstance(found, UrlNotFound)
    assert found.url.endswith("good-1.0-py3-none-any.whl")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("status_429", "it answered 429 Too Many Requests"),
        ("status_500", "it answered 500 Internal Server Error"),
        ("refused", "Connection refused (os error 111)"),
        ("slow", "operation timed out"),
        ("cut", "end of file before message length reached"),
    ],
)
def test_a_server_that_gives_no_usable_answer_says_how(name: str, reason: str) -> None:
    found = why(name)

    assert isinstance(found, IndexUnreachable)
    assert found.reason == reason


def test_a_name_that_does_not_exist_is_told_from_a_silent_server() -> None:
    assert isinstance(why("dns"), UnknownHost)


def test_an_unknown_authority_is_named_as_the_reason() -> None:
    found = why("tls")

    assert isinstance(found, UntrustedCertificate)
    assert found.reason == "self-signed certificate"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("proxy_dead", "Connection refused (os error 111)"),
        ("proxy_nodns", "its name is not known"),
    ],
)
def test_a_dead_proxy_is_not_taken_for_a_dead_index(name: str, reason: str) -> None:
    found = why(name)

    assert isinstance(found, ProxyFailed)
    assert found.reason == reason


def test_a_hash_mismatch_shows_both_hashes() -> None:
    found = why("hashed_by_index")

    assert isinstance(found, HashMismatch)
    assert (found.requirement, found.expected) == ("good==1.0", (f"sha256 {'0' * 64}",))
    assert len(found.got) == 64


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        *(("git_refused", "host"), ("git_ssh", "host"), ("git_404", "repository")),
        *(("git_401", "login"), ("git_ref", "revision"), ("git_commit", "revision")),
    ],
)
def test_git_s_failures_are_told_apart(name: str, trouble: str) -> None:
    found = why(name)

    assert isinstance(found, GitFailed)
    assert found.trouble == trouble
    assert found.requirement.startswith(("git+", "good @ git+"))


def test_a_build_image_without_git_is_said_to_lack_it() -> None:
    found = why("no_git")

    assert isinstance(found, MissingForBuild)
    assert (found.name, found.debian) == ("git", "git")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("invalid_line", "flask=1.0"),
        ("unknown_option", ""),
        ("missing_path", "libs/foo"),
        ("find_links_missing", "vendor"),
    ],
)
def test_a_line_that_cannot_be_understood_is_quoted(name: str, text: str) -> None:
    found = why(name)

    assert isinstance(found, BadRequirement)
    assert found.text == text


def test_a_missing_include_is_named() -> None:
    found = why("include_missing")

    assert isinstance(found, IncludeMissing)
    assert found.file == "/workspace/prod.txt"


@pytest.mark.parametrize("name", ["not_a_package", "git_not_package"])
def test_a_directory_without_a_project_is_named(name: str) -> None:
    assert isinstance(why(name), NotAPackage)


@pytest.mark.parametrize("name", ["misnamed", "broken", "url_bad_name"])
def test_a_damaged_package_says_in_what_way(name: str) -> None:
    found = why(name)

    assert isinstance(found, DamagedPackage)
    assert found.problem


@pytest.mark.parametrize(
    ("name", "program"),
    [("oom_py", "The build of oom-py"), ("oom_cc", "sh"), ("oom_gcc", "cc1")],
)
def test_what_the_system_killed_is_named(name: str, program: str) -> None:
    found = machine_failure(1, wrote(name), "uv")

    assert isinstance(found, Killed)
    assert (found.program, found.signal) == (program, 9)


def test_a_full_disk_is_seen_in_a_build() -> None:
    assert isinstance(machine_failure(1, wrote("disk_full"), "uv"), DiskFull)


def test_what_is_not_known_has_no_reason() -> None:
    assert uv_errors.recognize("error: Gremlins in the works\n", PYTHON) is None


def test_every_recorded_output_is_read_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")

    for file in DATA.glob("*.txt"):
        assert f'"{file.stem}"' in source, file.stem


@pytest.mark.parametrize(
    ("name", "file", "line", "found", "expected"),
    [
        ("wrong_form_of_project", "pyproject.toml", 2, "name = 1", "text in quotes"),
        ("wrong_form_of_lock", "uv.lock", 4, "package = 3", "a list"),
        ("lock_with_conflict", "uv.lock", 4, "<<<<<<< HEAD", "`=`"),
    ],
)
def test_a_document_that_uv_cannot_read_is_told_with_its_line(
    name: str, file: str, line: int, found: str, expected: str
) -> None:
    failure = why(name)

    assert isinstance(failure, UnexpectedType)
    assert (failure.file, failure.line) == (file, line)
    assert (failure.value, failure.expected) == (found, expected)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("newer_lock", "it has version 99 of its format, but uv reads 1"),
        ("lock_not_utf8", "it is not UTF-8 text"),
    ],
)
def test_a_lock_that_is_none_of_uv_s(name: str, problem: str) -> None:
    failure = why(name)

    assert isinstance(failure, BadLock)
    assert (failure.file, failure.problem) == ("uv.lock", problem)


def test_a_function_that_no_library_has_is_named() -> None:
    failure = why("undefined_symbol")

    assert isinstance(failure, UndefinedSymbol)
    assert (failure.package, failure.symbol) == ("undef", "foo")


def test_a_program_that_a_build_asks_an_index_for_is_named_with_its_package() -> None:
    failure = why("cmake_missing")

    assert isinstance(failure, MissingBuildRequirement)
    assert (failure.package, failure.requirement) == ("skb", "cmake>=3.15")
    assert failure.debian == "cmake"


def test_a_path_that_leads_out_of_the_app_is_told_as_such() -> None:
    failure = uv_errors.recognize("error: Distribution not found at: file:///shared\n", PYTHON)

    assert isinstance(failure, PathOutsideApp)
    assert failure.path == "/shared"
