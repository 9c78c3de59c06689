"""What pip really wrote (pip 26.3, hosts and paths replaced), and what users are told of it."""

from pathlib import Path

import pytest

from cnb_python import errors
from cnb_python.errors import BuildpackError, Failure
from cnb_python.managers.build_failures import build_failure, machine_failure
from cnb_python.managers.pip_failures import (
    TELLING,
    index_trouble,
    nothing_found,
    recognise,
    unmatched,
)
from cnb_python.messages import describe

DATA = Path(__file__).parent / "data"
PYTHON = "3.14.6"


def wrote(name: str) -> str:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8")


def words(failure: BuildpackError | None) -> str:
    assert isinstance(failure, Failure.__value__)
    message = describe(failure)
    assert message.steps, "a message says what to do"
    return "\n".join((message.title, *message.body, *message.steps))


@pytest.mark.parametrize(
    ("name", "package", "kind", "missing"),
    [
        ("missing_header", "python-ldap", "header", "lber.h"),
        ("missing_header_small", "needsheader", "header", "nosuch/thing.h"),
        ("missing_library", "needslib", "library", "nosuchlib"),
        ("missing_pkg_config_file", "mysqlclient", "library", "MYSQLCLIENT"),
        ("missing_pg_config", "psycopg2", "program", "pg_config"),
        ("missing_compiler", "needsheader", "program", "gcc"),
        ("missing_compiler_meson", "numpy", "program", "cc"),
    ],
)
def test_what_a_source_build_misses_is_named(
    name: str, package: str, kind: str, missing: str
) -> None:
    failure = build_failure(wrote(name), PYTHON)

    assert isinstance(failure, errors.MissingForBuild)
    assert (failure.package, failure.kind, failure.name) == (package, kind, missing)
    said = words(failure)
    assert f"{package} needs the {kind} {missing}" in said
    assert f"no ready-made wheel that fits Python {PYTHON}" in said


@pytest.mark.parametrize(
    ("name", "requirement", "problem"),
    [
        ("git_unreachable", "git+https://127.0.0.1:1/team/x.git", "Failed to connect"),
        ("git_no_such_tag", "git+file:/tmp/gr@v9.9", "pathspec 'v9.9' did not match any file"),
    ],
)
def test_git_is_not_taken_for_a_build(name: str, requirement: str, problem: str) -> None:
    failure = build_failure(wrote(name), PYTHON)

    assert isinstance(failure, errors.GitFailed)
    assert failure.requirement == requirement
    assert problem in failure.problem
    assert problem in words(failure)
    assert "wheel" not in words(failure)


def test_a_missing_compiler_names_the_package_that_has_one() -> None:
    assert "build-essential" in words(build_failure(wrote("missing_compiler"), PYTHON))


def test_psycopg2_is_told_of_its_ready_made_form() -> None:
    assert "psycopg[binary]" in words(build_failure(wrote("missing_pg_config"), PYTHON))


def test_a_build_that_fails_otherwise_is_quoted() -> None:
    failure = build_failure(wrote("build_failed"), PYTHON)

    assert isinstance(failure, errors.SourceBuildFailed)
    assert failure.package == "py2only"
    assert "SyntaxError: Missing parentheses" in words(failure)


@pytest.mark.parametrize("name", ["unknown_package", "hash_mismatch", "conflict", "invalid_line"])
def test_what_is_no_build_is_not_taken_for_one(name: str) -> None:
    assert build_failure(wrote(name), PYTHON) is None


def test_a_full_disk_is_the_reason_whatever_else_is_said() -> None:
    failure = machine_failure(1, wrote("disk_full"), "pip")

    assert isinstance(failure, errors.DiskFull)
    assert "The disk is full" in words(failure)


def test_a_kill_is_put_down_to_memory() -> None:
    assert "want of memory" in words(machine_failure(-9, "Collecting x", "pip"))


def test_a_killed_compiler_is_put_down_to_memory() -> None:
    output = "gcc: fatal error: Killed signal terminated program cc1plus\ncompilation terminated."

    assert "cc1plus was killed" in words(machine_failure(1, output, "pip"))


def test_another_signal_is_not_put_down_to_memory() -> None:
    said = words(machine_failure(-15, "", "pip"))

    assert "signal 15" in said
    assert "memory is used up" not in said


def test_an_ordinary_failure_is_not_the_machines() -> None:
    assert machine_failure(1, wrote("conflict"), "pip") is None


def test_a_hash_mismatch_shows_both_hashes() -> None:
    said = words(recognise(wrote("hash_mismatch"), PYTHON))

    assert "itsdangerous==2.2.0 is not the file whose hash is written down" in said
    assert f"Expected  sha256 {'0' * 64}" in said
    assert "Got       c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef" in said


def test_requirements_without_hashes_are_listed_with_theirs() -> None:
    said = words(recognise(wrote("hash_missing"), PYTHON))

    assert "click==8.1.8 --hash=sha256:63c132bb" in said


def test_requirements_with_hashes_must_be_exact() -> None:
    assert "- blinker>=1.9.0" in words(recognise(wrote("hash_not_pinned"), PYTHON))


def test_a_conflict_shows_its_causes() -> None:
    failure = recognise(wrote("conflict"), PYTHON)

    assert isinstance(failure, errors.VersionConflict)
    assert failure.causes == (
        "The user requested werkzeug==2.0.0",
        "flask 3.1.2 depends on werkzeug>=3.1.0",
    )
    assert "Requirements contradict each other" in words(failure)


def test_a_line_that_is_no_requirement_is_quoted_and_placed() -> None:
    said = words(recognise(wrote("invalid_line"), PYTHON))

    assert "In line 1 of requirements.txt: flask=>3.1" in said
    assert "Expected semicolon" in said


def test_a_path_that_does_not_exist_is_said_to_be_one() -> None:
    said = words(recognise(wrote("missing_path"), PYTHON))

    assert "In line 1 of requirements.txt: ./libs/foo" in said
    assert "File './libs/foo' does not exist" in said


def test_an_unknown_option_is_quoted() -> None:
    assert "no such option: --no-such-option" in words(recognise(wrote("unknown_option"), PYTHON))


def test_a_missing_include_is_named() -> None:
    said = words(recognise(wrote("include_missing"), PYTHON))

    assert "base.txt is included but cannot be opened" in said
    assert "No such file or directory" in said


def test_a_path_without_a_project_is_named() -> None:
    said = words(recognise(wrote("not_a_package"), PYTHON))

    assert "asks to install /workspace." in said
    assert "pyproject.toml" in said


def test_a_build_image_without_git_is_said_to_lack_it() -> None:
    assert "The build image has no git" in words(recognise(wrote("no_git"), PYTHON))


def test_a_wheel_for_another_python_says_which() -> None:
    said = words(recognise(wrote("wheel_needs_other_python"), PYTHON))

    assert "future requires Python >=3.98" in said
    assert PYTHON in said


def test_an_address_that_is_not_found_is_shown() -> None:
    said = words(recognise(wrote("url_not_found"), PYTHON))

    assert "goodpkg-9.0-py3-none-any.whl answered 404" in said


def test_a_download_that_is_refused_a_connection_is_outside_the_app() -> None:
    failure = index_trouble(wrote("url_refused"))

    assert isinstance(failure, errors.IndexUnreachable)
    assert "Connection refused" in words(failure)


def test_a_download_with_an_unknown_authority_is_said_to_have_one() -> None:
    failure = index_trouble(wrote("url_untrusted"))

    assert isinstance(failure, errors.UntrustedCertificate)
    assert "does not trust: self-signed certificate" in words(failure)


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("unknown_package", "nosuch-package-zzq==1.0"),
        ("unknown_version", "flask==99.1"),
        ("refused_without_credentials", "goodpkg"),
    ],
)
def test_a_requirement_without_a_match_is_found_out(name: str, requirement: str) -> None:
    output = wrote(name)

    assert recognise(output, PYTHON) is None
    assert unmatched(output) == requirement


@pytest.mark.parametrize(("name", "status"), [("index_401", 401), ("index_403", 403)])
def test_an_index_that_refuses_is_told_from_one_that_lacks_the_package(
    name: str, status: int
) -> None:
    failure = nothing_found("goodpkg", wrote(f"{name}.telling"), PYTHON)

    assert isinstance(failure, errors.IndexRefused)
    said = words(failure)
    assert f"The package index refused us with {status}" in said
    assert "PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/" in said


def test_an_index_without_the_package_is_shown() -> None:
    failure = nothing_found("goodpkg", wrote("index_404.telling"), PYTHON)

    assert isinstance(failure, errors.NoSuchPackage)
    assert "/nothere/goodpkg/" in words(failure)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("index_500", "too many 500 error responses"),
        ("index_no_such_host", "Failed to resolve IP address for 'index.example.invalid'"),
    ],
)
def test_an_index_that_gives_no_answer_is_outside_the_app(name: str, reason: str) -> None:
    failure = nothing_found("goodpkg", wrote(f"{name}.telling"), PYTHON)

    assert isinstance(failure, errors.IndexUnreachable)
    assert reason in words(failure)


def test_an_index_with_an_unknown_authority_is_said_to_have_one() -> None:
    failure = nothing_found("goodpkg", wrote("index_untrusted.telling"), PYTHON)

    assert isinstance(failure, errors.UntrustedCertificate)
    assert "system store" in words(failure)


def test_a_version_with_wheels_for_other_pythons_only_says_which() -> None:
    failure = nothing_found("tensorflow==2.15.0", wrote("no_wheel_pinned.telling"), PYTHON)

    assert isinstance(failure, errors.NoWheel)
    assert failure.pythons == ("3.9", "3.10", "3.11")
    said = words(failure)
    assert f"tensorflow==2.15.0 has no wheel for Python {PYTHON}" in said
    assert "echo 3.11 > .python-version" in said


def test_a_package_with_wheels_for_another_python_only_says_which() -> None:
    failure = nothing_found("onlyother", wrote("only_other_wheels.telling"), PYTHON)

    assert isinstance(failure, errors.NoWheel)
    assert failure.pythons == ("3.11",)


def test_a_package_for_another_system_says_which() -> None:
    failure = nothing_found("onlywin", wrote("only_windows_wheels.telling"), PYTHON)

    assert isinstance(failure, errors.NoWheel)
    said = words(failure)
    assert "win_amd64" in said
    assert "marker" in said


def test_a_version_for_newer_pythons_says_which() -> None:
    failure = nothing_found("numpy==2.3.0", wrote("needs_other_python.telling"), "3.10.16")

    assert isinstance(failure, errors.WrongPython)
    assert failure.needs == (">=3.11",)
    assert "numpy==2.3.0 needs another Python" in words(failure)


def test_a_version_that_does_not_exist_shows_the_newest_that_do() -> None:
    failure = nothing_found("flask==99.1", wrote("unknown_version"), PYTHON)

    assert isinstance(failure, errors.NoSuchVersion)
    assert failure.newest[-1] == "3.1.3"
    assert "No version answers flask==99.1" in words(failure)


def test_an_unknown_package_shows_where_it_was_looked_for() -> None:
    failure = nothing_found("nosuch-package-zzq==1.0", wrote("unknown_package.telling"), PYTHON)

    assert isinstance(failure, errors.NoSuchPackage)
    assert "index.example.org/simple/nosuch-package-zzq/" in words(failure)


def test_every_kept_line_of_a_second_answer_tells_something() -> None:
    for file in DATA.glob("*.telling.txt"):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines
        assert all(TELLING.search(line) for line in lines)


def test_every_recorded_output_is_read_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")

    for file in DATA.glob("*.txt"):
        name = file.name.removesuffix(".txt").removesuffix(".telling")
        assert f'"{name}' in source, name
