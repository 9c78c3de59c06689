"""Recorded output of uv 0.13.8 (hosts and paths replaced), and its explanations."""

from pathlib import Path

import pytest

from cnb_python.errors.base import BuildpackError
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
from cnb_python.errors.packages.building import (
    MissingBuildModule,
    MissingBuildRequirement,
    MissingForBuild,
    Python2OnlyPackage,
    SourceBuildFailed,
    UndefinedSymbol,
)
from cnb_python.errors.packages.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotInFindLinks,
    NoWheel,
    OnlySource,
    VersionConflict,
    WrongPython,
    Yanked,
)
from cnb_python.errors.packages.install import DamagedPackage, HashMismatch
from cnb_python.errors.packages.requirements import BadRequirement, IncludeMissing, NotAPackage
from cnb_python.managers.build_errors import machine_failure
from cnb_python.managers.uv import errors as uv_errors
from tests.support.messages import explained

DATA = Path(__file__).parent / "data"
PYTHON = "3.14.6"
INDEX = "https://index.example.org"


def wrote(name: str) -> str:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8")


def why(name: str) -> BuildpackError:
    failure = uv_errors.recognize(wrote(name), PYTHON)
    assert failure is not None, name
    assert explained(failure)
    return failure


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
def test_missing_header_or_program_is_named_with_its_package(
    name: str, package: str, kind: str, missing: str, debian: str
) -> None:
    failure = why(name)

    assert isinstance(failure, MissingForBuild)
    assert (failure.package, failure.kind, failure.name) == (package, kind, missing)
    assert (failure.debian, failure.ubuntu) == (debian, debian)


def test_pointer_of_git_lfs_is_recognized() -> None:
    failure = why("lfs_pointer")

    assert isinstance(failure, DamagedPackage)
    assert (failure.package, failure.problem) == ("shop", "it is a pointer of Git LFS")
    assert "git lfs pull" in explained(failure)


def test_source_that_the_settings_forbid_is_named() -> None:
    failure = why("only_binary")

    assert isinstance(failure, OnlySource)
    assert failure.requirement == "docopt==0.6.2"


def test_package_that_refuses_its_name_is_a_failed_build() -> None:
    failure = why("sklearn")

    assert isinstance(failure, SourceBuildFailed)
    assert failure.package == "sklearn"


def test_backend_that_refuses_the_python_is_quoted() -> None:
    failure = why("refuses_python")

    assert isinstance(failure, WrongPython)
    assert (failure.requirement, failure.needs) == ("scipy==1.10.1", ("<3.12,>=3.8",))


@pytest.mark.parametrize(
    ("name", "module", "removed"),
    [
        ("dist_utils", "distutils", "Python 3.12"),
        ("pkg_res", "pkg_resources", "setuptools 82"),
        ("numpy_import", "numpy", ""),
    ],
)
def test_missing_build_module_is_named_with_the_release_that_removed_it(
    name: str, module: str, removed: str
) -> None:
    failure = why(name)

    assert isinstance(failure, MissingBuildModule)
    assert (failure.module, failure.removed) == (module, removed)


@pytest.mark.parametrize("name", ["two_three", "py_two"])
def test_python_2_code_is_recognized(name: str) -> None:
    assert isinstance(why(name), Python2OnlyPackage)


@pytest.mark.parametrize(
    ("name", "is_offline"), [("backend_missing", False), ("no_index_b", True)]
)
def test_missing_build_requirement_differs_from_one_of_the_app(
    name: str, is_offline: object
) -> None:
    failure = why(name)

    assert isinstance(failure, MissingBuildRequirement)
    assert (failure.package, failure.requirement) == ("backend-missing", "nosuch-backend>=3")
    assert failure.is_offline is is_offline


@pytest.mark.parametrize(
    ("name", "pythons", "platforms"),
    [
        ("old_only", ("3.11",), ()),
        ("tf", ("3.9", "3.10", "3.11"), ()),
        ("arm_only", (), ("manylinux_2_17_aarch64",)),
        ("musl_only", (), ("musllinux_1_2_x86_64",)),
        ("win_only", (), ("win_amd64",)),
        ("url_wheel_old", (), ()),
        # Of a lock file, uv names the Pythons of wheels for any system.
        ("lock_old_only", ("3.8", "3.9", "3.10", "3.11", "3.12"), ()),
        ("lock_windows_only", ("3.8", "3.9", "3.10", "3.11", "3.12"), ()),
    ],
)
def test_wheels_for_other_machines_say_which(
    name: str, pythons: tuple[str, ...], platforms: tuple[str, ...]
) -> None:
    failure = why(name)

    assert isinstance(failure, NoWheel)
    assert (failure.pythons, failure.platforms) == (pythons, platforms)


def test_hint_that_an_older_uv_indents_is_read() -> None:
    """`required-version` may choose that uv."""
    indented = wrote("tf").replace("\nhint:", "\n\n      hint:")
    assert indented != wrote("tf")

    failure = uv_errors.recognize(indented, PYTHON)

    assert isinstance(failure, NoWheel)
    assert failure.pythons == ("3.9", "3.10", "3.11")


def test_range_of_pythons_ends_before_the_comma_of_the_sentence() -> None:
    account = (
        "  \u00d7 No solution found when resolving dependencies:\n  ╰─▶ Because the current "
        "Python version (3.14.6) does not satisfy Python>=3.9,<3.13 and torch==2.2.0 depends on "
        "Python>=3.9,<3.13, we can conclude that torch==2.2.0 cannot be used.\n      And because "
        "you require torch==2.2.0, we can conclude that your requirements are unsatisfiable.\n"
    )

    failure = uv_errors.recognize_resolution(account, PYTHON)

    assert isinstance(failure, WrongPython)
    assert failure.needs == (">=3.9,<3.13",)


def test_package_for_a_newer_python_says_which() -> None:
    failure = why("new_only")

    assert isinstance(failure, WrongPython)
    assert (failure.requirement, failure.needs) == ("new-only", (">=3.99",))


@pytest.mark.parametrize(
    ("name", "requirement", "by"),
    [("unknown", "nosuchthing", ""), ("needs_private", "company-private>=3", "needs-private")],
)
def test_unknown_package_is_named_with_what_requires_it(
    name: str, requirement: str, by: str
) -> None:
    failure = why(name)

    assert isinstance(failure, NoSuchPackage)
    assert (failure.requirement, failure.needed_by) == (requirement, by)


def test_package_missing_from_find_links_is_named() -> None:
    failure = why("no_index")

    assert isinstance(failure, NotInFindLinks)
    assert failure.requirement == "good"


@pytest.mark.parametrize(
    ("name", "requirement", "newest"),
    [("unknown_version", "good==9.0", ()), ("unknown_range", "good>5", ("2.0",))],
)
def test_missing_version_differs_from_missing_package(
    name: str, requirement: str, newest: tuple[str, ...]
) -> None:
    failure = why(name)

    assert isinstance(failure, NoSuchVersion)
    assert (failure.requirement, failure.newest) == (requirement, newest)


def test_yanked_release_has_its_reason() -> None:
    failure = why("yanked")

    assert isinstance(failure, Yanked)
    assert (failure.requirement, failure.reason) == ("good", "broken by mistake")


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("conflict", ("left depends on good<2", "right depends on good>=2")),
        ("conflict_direct", ("the app requires good==1.0", "right depends on good>=2")),
        ("conflict_two", ("the app requires good==1.0", "the app requires good==2.0")),
    ],
)
def test_conflict_names_the_requirements(name: str, causes: tuple[str, ...]) -> None:
    failure = why(name)

    assert isinstance(failure, VersionConflict)
    assert set(failure.causes) == set(causes)


@pytest.mark.parametrize(
    ("name", "url", "status"),
    [
        ("401", f"{INDEX}/simple/", 401),
        ("status_403", f"{INDEX}/403/simple/", 403),
        ("forbidden_file", f"{INDEX}/forbidden/good-1.0-py3-none-any.whl", 403),
        ("proxy_407", f"{INDEX}/simple/good/", 407),
    ],
)
def test_refusing_index_differs_from_one_without_the_package(
    name: str, url: str, status: int
) -> None:
    failure = why(name)

    assert isinstance(failure, IndexRefused)
    assert (failure.url, failure.status) == (url, status)


@pytest.mark.parametrize("name", ["gone", "url_404"])
def test_missing_file_at_address_is_named(name: str) -> None:
    failure = why(name)

    assert isinstance(failure, UrlNotFound)
    assert failure.url.endswith("good-1.0-py3-none-any.whl")


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
def test_server_without_usable_answer_is_unreachable(name: str, reason: str) -> None:
    failure = why(name)

    assert isinstance(failure, IndexUnreachable)
    assert failure.reason == reason


def test_unknown_host_differs_from_silent_server() -> None:
    assert isinstance(why("dns"), UnknownHost)


def test_unknown_certificate_authority_is_the_reason() -> None:
    failure = why("tls")

    assert isinstance(failure, UntrustedCertificate)
    assert failure.reason == "self-signed certificate"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("proxy_dead", "Connection refused (os error 111)"),
        ("proxy_nodns", "its name is not known"),
    ],
)
def test_failed_proxy_differs_from_unreachable_index(name: str, reason: str) -> None:
    failure = why(name)

    assert isinstance(failure, ProxyFailed)
    assert failure.reason == reason


def test_hash_mismatch_shows_both_hashes() -> None:
    failure = why("hashed_by_index")

    assert isinstance(failure, HashMismatch)
    assert (failure.requirement, failure.expected) == ("good==1.0", (f"sha256 {'0' * 64}",))
    assert len(failure.got) == 64


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        *(("git_refused", "host"), ("git_ssh", "host"), ("git_404", "repository")),
        *(("git_401", "login"), ("git_ref", "revision"), ("git_commit", "revision")),
    ],
)
def test_git_failures_have_different_troubles(name: str, trouble: str) -> None:
    failure = why(name)

    assert isinstance(failure, GitFailed)
    assert failure.trouble == trouble
    assert failure.requirement.startswith(("git+", "good @ git+"))


def test_missing_git_is_named() -> None:
    failure = why("no_git")

    assert isinstance(failure, MissingForBuild)
    assert (failure.name, failure.debian) == ("git", "git")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("invalid_line", "flask=1.0"),
        ("unknown_option", ""),
        ("missing_path", "libs/foo"),
        ("find_links_missing", "vendor"),
    ],
)
def test_invalid_line_is_quoted(name: str, text: str) -> None:
    failure = why(name)

    assert isinstance(failure, BadRequirement)
    assert failure.text == text


def test_missing_include_is_named() -> None:
    failure = why("include_missing")

    assert isinstance(failure, IncludeMissing)
    assert failure.file == "/workspace/prod.txt"


@pytest.mark.parametrize("name", ["not_a_package", "git_not_package"])
def test_directory_without_project_is_named(name: str) -> None:
    assert isinstance(why(name), NotAPackage)


@pytest.mark.parametrize("name", ["misnamed", "broken", "url_bad_name"])
def test_damaged_package_has_its_problem(name: str) -> None:
    failure = why(name)

    assert isinstance(failure, DamagedPackage)
    assert failure.problem


@pytest.mark.parametrize(
    ("name", "program"),
    [("oom_py", "The build of oom-py"), ("oom_cc", "sh"), ("oom_gcc", "cc1")],
)
def test_killed_program_is_named(name: str, program: str) -> None:
    failure = machine_failure(1, wrote(name), "uv")

    assert isinstance(failure, Killed)
    assert (failure.program, failure.signal) == (program, 9)


def test_full_disk_during_a_build_is_recognized() -> None:
    assert isinstance(machine_failure(1, wrote("disk_full"), "uv"), DiskFull)


def test_unknown_output_is_not_recognized() -> None:
    assert uv_errors.recognize("error: Gremlins in the works\n", PYTHON) is None


def test_every_recorded_output_is_read_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")

    for file in DATA.glob("*.txt"):
        assert f'"{file.stem}"' in source, file.stem


@pytest.mark.parametrize(
    ("name", "file", "line", "value", "expected"),
    [
        ("wrong_form_of_project", "pyproject.toml", 2, "name = 1", "text in quotes"),
        ("wrong_form_of_lock", "uv.lock", 4, "package = 3", "a list"),
        ("lock_with_conflict", "uv.lock", 4, "<<<<<<< HEAD", "`=`"),
    ],
)
def test_file_that_uv_cannot_parse_is_named_with_its_line(
    name: str, file: str, line: int, value: str, expected: str
) -> None:
    failure = why(name)

    assert isinstance(failure, UnexpectedType)
    assert (failure.file, failure.line) == (file, line)
    assert (failure.value, failure.expected) == (value, expected)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("newer_lock", "it has version 99 of its format, but uv reads 1"),
        ("lock_not_utf8", "it is not UTF-8 text"),
    ],
)
def test_lock_of_another_version_or_encoding_is_refused(name: str, problem: str) -> None:
    failure = why(name)

    assert isinstance(failure, BadLock)
    assert (failure.file, failure.problem) == ("uv.lock", problem)


def test_undefined_symbol_is_named() -> None:
    failure = why("undefined_symbol")

    assert isinstance(failure, UndefinedSymbol)
    assert (failure.package, failure.symbol) == ("undef", "foo")


def test_insecure_hash_is_named_with_the_command_for_others() -> None:
    words = (
        "error: `md5` hashes are insecure and cannot be used with `--require-hashes` but no other "
        "hashes are available for: six==1.16.0\n"
    )
    failure = uv_errors.recognize(words, PYTHON)

    assert isinstance(failure, BadRequirement)
    text = explained(failure)
    assert "six==1.16.0 --hash=md5:" in text
    assert "pip-compile --generate-hashes" in text


def test_program_required_from_an_index_is_named_with_its_package() -> None:
    failure = why("cmake_missing")

    assert isinstance(failure, MissingBuildRequirement)
    assert (failure.package, failure.requirement) == ("skb", "cmake>=3.15")
    assert failure.debian == "cmake"


def test_path_out_of_the_app_is_recognized() -> None:
    failure = uv_errors.recognize("error: Distribution not found at: file:///shared\n", PYTHON)

    assert isinstance(failure, PathOutsideApp)
    assert failure.path == "/shared"
