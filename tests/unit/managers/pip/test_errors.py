"""Recorded output of pip 26.3 (hosts and paths replaced), and its explanations."""

from pathlib import Path

import pytest

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import PathOutsideApp
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.errors.network import (
    GitFailed,
    IndexRefused,
    IndexUnreachable,
    InsecureIndex,
    ProxyFailed,
    UnknownHost,
    UntrustedCertificate,
)
from cnb_python.errors.packages.building import (
    MissingBuildModule,
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
from cnb_python.errors.packages.install import DamagedPackage, HashMissing, NotPinned
from cnb_python.errors.packages.requirements import (
    BadConstraint,
    BadPipOption,
    BadRequirement,
    IncludeMissing,
)
from cnb_python.managers.build_errors import (
    build_failure,
    build_of,
    build_output,
    git_failure,
    machine_failure,
)
from cnb_python.managers.pip.errors import not_an_archive, pointer_of_git_lfs, recognize
from cnb_python.managers.pip.index_errors import (
    REASON_LINES,
    Unmatched,
    index_failure,
    nothing_found,
    unmatched,
    unsupported_wheel,
)
from tests.support.messages import explained

DATA = Path(__file__).parent / "data"
PYTHON = "3.14.6"


def wrote(name: str) -> str:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8")


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
        ("missing_pkg_config_module", "needs-pkgconfig", "library", "cairo"),
        ("missing_cmake_package", "cmake-ext", "library", "GEOS"),
        ("missing_meson_dependency", "meson-ext", "library", "openblas"),
        ("missing_rust", "rust-ext", "program", "Rust"),
        ("missing_pkg_config_meson", "mesn", "program", "pkg-config"),
        ("missing_module_meson", "mesnpc", "library", "libmemcached"),
        ("missing_compiler_cmake", "nocc", "program", "cc"),
        ("missing_ar_meson", "noar", "program", "ar"),
        ("missing_fortran", "meson-fortran", "program", "gfortran"),
    ],
)
def test_missing_header_library_or_program_is_named(
    name: str, package: str, kind: str, missing: str
) -> None:
    failure = build_failure(wrote(name), PYTHON)

    assert isinstance(failure, MissingForBuild)
    assert (failure.package, failure.kind, failure.name) == (package, kind, missing)
    text = explained(failure)
    assert f"{package} needs the {kind} {missing}" in text
    assert f"no wheel for Python {PYTHON}" in text


@pytest.mark.parametrize(
    ("name", "requirement", "problem"),
    [
        ("git_unreachable", "git+https://127.0.0.1:1/team/x.git", "Failed to connect"),
        ("git_no_such_tag", "git+file:/tmp/gr@v9.9", "pathspec 'v9.9' did not match any file"),
    ],
)
def test_git_failure_is_not_a_build_failure(name: str, requirement: str, problem: str) -> None:
    failure = git_failure(wrote(name))

    assert build_failure(wrote(name), PYTHON) is None
    assert isinstance(failure, GitFailed)
    assert failure.requirement == requirement
    assert problem in failure.problem
    assert problem in explained(failure)
    assert "wheel" not in explained(failure)


def test_missing_compiler_names_its_package() -> None:
    assert "build-essential" in explained(build_failure(wrote("missing_compiler"), PYTHON))


def test_psycopg2_is_advised_to_use_its_binary() -> None:
    assert "psycopg[binary]" in explained(build_failure(wrote("missing_pg_config"), PYTHON))


def test_python_2_code_is_recognized() -> None:
    failure = build_failure(wrote("build_failed"), PYTHON)

    assert isinstance(failure, Python2OnlyPackage)
    assert failure.package == "py2only"
    assert "SyntaxError: Missing parentheses" in explained(failure)


def test_other_build_failure_is_quoted() -> None:
    output = wrote("build_failed").replace(
        "SyntaxError: Missing parenth", "ValueError: Missing parenth"
    )
    failure = build_failure(output, PYTHON)

    assert isinstance(failure, SourceBuildFailed)
    assert "ValueError: Missing parentheses" in explained(failure)


@pytest.mark.parametrize("name", ["unknown_package", "hash_mismatch", "conflict", "invalid_line"])
def test_other_failures_are_not_build_failures(name: str) -> None:
    assert build_failure(wrote(name), PYTHON) is None


def test_full_disk_comes_before_other_reasons() -> None:
    failure = machine_failure(1, wrote("disk_full"), "pip")

    assert isinstance(failure, DiskFull)
    assert "The disk is full" in explained(failure)


def test_kill_is_explained_by_memory() -> None:
    assert "because memory ran out" in explained(machine_failure(-9, "Collecting x", "pip"))


def test_killed_compiler_is_explained_by_memory() -> None:
    output = "gcc: fatal error: Killed signal terminated program cc1plus\ncompilation terminated."

    assert "cc1plus was killed" in explained(machine_failure(1, output, "pip"))


def test_other_signal_is_not_explained_by_memory() -> None:
    text = explained(machine_failure(-15, "", "pip"))

    assert "Signal 15" in text
    assert "memory is used up" not in text


def test_ordinary_failure_is_not_a_machine_failure() -> None:
    assert machine_failure(1, wrote("conflict"), "pip") is None


def test_hash_mismatch_shows_both_hashes() -> None:
    text = explained(recognize(wrote("hash_mismatch"), PYTHON))

    assert "itsdangerous==2.2.0 does not have the expected hash" in text
    assert f"Expected: sha256 {'0' * 64}" in text
    assert "Found:    c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef" in text


def test_requirements_without_hashes_are_listed_with_their_hashes() -> None:
    text = explained(recognize(wrote("hash_missing"), PYTHON))

    assert "click==8.1.8 --hash=sha256:63c132bb" in text


def test_unpinned_requirements_with_hashes_are_listed() -> None:
    assert "- blinker>=1.9.0" in explained(recognize(wrote("hash_not_pinned"), PYTHON))


def test_conflict_shows_its_causes() -> None:
    failure = recognize(wrote("conflict"), PYTHON)

    assert isinstance(failure, VersionConflict)
    assert failure.causes == (
        "The user requested werkzeug==2.0.0",
        "flask 3.1.2 depends on werkzeug>=3.1.0",
    )
    assert "Requirements contradict each other" in explained(failure)


def test_invalid_requirement_is_quoted_with_its_line() -> None:
    text = explained(recognize(wrote("invalid_line"), PYTHON))

    assert "flask=>3.1 (line 1 of requirements.txt)" in text
    assert "Expected semicolon" in text


def test_missing_path_is_named() -> None:
    text = explained(recognize(wrote("missing_path"), PYTHON))

    assert "./libs/foo (line 1 of requirements.txt)" in text
    assert "File './libs/foo' does not exist" in text


def test_unknown_option_is_quoted() -> None:
    assert "no such option: --no-such-option" in explained(
        recognize(wrote("unknown_option"), PYTHON)
    )


def test_missing_include_is_named() -> None:
    text = explained(recognize(wrote("include_missing"), PYTHON))

    assert "base.txt is included but cannot be opened" in text
    assert "No such file or directory" in text


def test_path_without_project_is_named() -> None:
    text = explained(recognize(wrote("not_a_package"), PYTHON))

    assert "/workspace is not a Python project" in text
    assert "pyproject.toml" in text


def test_missing_git_is_named() -> None:
    assert "The build image has no git" in explained(git_failure(wrote("no_git")))


def test_wheel_for_another_python_says_which() -> None:
    text = explained(recognize(wrote("wheel_needs_other_python"), PYTHON))

    assert "Python >=3.98, for future" in text
    assert PYTHON in text


def test_missing_address_is_shown() -> None:
    text = explained(recognize(wrote("url_not_found"), PYTHON))

    assert "goodpkg-9.0-py3-none-any.whl answered 404" in text


def test_refused_connection_is_an_outside_error() -> None:
    failure = index_failure(wrote("url_refused"))

    assert isinstance(failure, IndexUnreachable)
    assert "Connection refused" in explained(failure)


def test_download_with_unknown_authority_is_untrusted() -> None:
    failure = index_failure(wrote("url_untrusted"))

    assert isinstance(failure, UntrustedCertificate)
    assert "does not trust: self-signed certificate" in explained(failure)


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("unknown_package", "nosuch-package-zzq==1.0"),
        ("unknown_version", "flask==99.1"),
        ("refused_without_credentials", "goodpkg"),
    ],
)
def test_unmatched_requirement_is_returned(name: str, requirement: str) -> None:
    output = wrote(name)

    assert recognize(output, PYTHON) is None
    assert unmatched(output) == Unmatched(requirement)


@pytest.mark.parametrize(("name", "status"), [("index_401", 401), ("index_403", 403)])
def test_refusing_index_differs_from_one_without_the_package(name: str, status: int) -> None:
    failure = nothing_found(Unmatched("goodpkg"), wrote(f"{name}.telling"), PYTHON, "x86_64")

    assert isinstance(failure, IndexRefused)
    text = explained(failure)
    assert f"The package index rejected the request: {status}" in text
    assert "PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/" in text


def test_index_without_the_package_is_shown() -> None:
    failure = nothing_found(Unmatched("goodpkg"), wrote("index_404.telling"), PYTHON, "x86_64")

    assert isinstance(failure, NoSuchPackage)
    assert "/nothere/goodpkg/" in explained(failure)


def test_silent_index_is_an_outside_error() -> None:
    failure = nothing_found(Unmatched("goodpkg"), wrote("index_500.telling"), PYTHON, "x86_64")

    assert isinstance(failure, IndexUnreachable)
    assert failure.reason == "too many 500 error responses"


def test_unknown_host_is_different_from_a_silent_server() -> None:
    reason_lines = wrote("index_no_such_host.telling")
    failure = nothing_found(Unmatched("goodpkg"), reason_lines, PYTHON, "x86_64")

    assert isinstance(failure, UnknownHost)
    assert "There is no server named index.example.invalid" in explained(failure)


def test_index_with_unknown_authority_is_untrusted() -> None:
    failure = nothing_found(
        Unmatched("goodpkg"), wrote("index_untrusted.telling"), PYTHON, "x86_64"
    )

    assert isinstance(failure, UntrustedCertificate)
    assert "certificates of the build image" in explained(failure)


def test_version_with_wheels_for_other_pythons_says_which() -> None:
    failure = nothing_found(
        Unmatched("tensorflow==2.15.0"), wrote("no_wheel_pinned.telling"), PYTHON, "x86_64"
    )

    assert isinstance(failure, NoWheel)
    assert failure.pythons == ("3.9", "3.10", "3.11")
    text = explained(failure)
    assert f"tensorflow==2.15.0 has no wheel for Python {PYTHON}" in text
    assert "wheels for Python 3.9, 3.10, 3.11 on Linux, and no source code" in text


def test_package_with_wheels_for_another_python_says_which() -> None:
    failure = nothing_found(
        Unmatched("onlyother"), wrote("only_other_wheels.telling"), PYTHON, "x86_64"
    )

    assert isinstance(failure, NoWheel)
    assert failure.pythons == ("3.11",)


def test_package_for_another_system_says_which() -> None:
    failure = nothing_found(
        Unmatched("onlywin"), wrote("only_windows_wheels.telling"), PYTHON, "x86_64"
    )

    assert isinstance(failure, NoWheel)
    text = explained(failure)
    assert "wheels for Windows," in text
    assert "marker" in text


def test_version_for_newer_pythons_says_which() -> None:
    failure = nothing_found(
        Unmatched("numpy==2.3.0"), wrote("needs_other_python.telling"), "3.10.16", "x86_64"
    )

    assert isinstance(failure, WrongPython)
    assert failure.needs == (">=3.11",)
    assert "numpy==2.3.0 needs another Python" in explained(failure)


def test_missing_version_shows_the_newest_versions() -> None:
    failure = nothing_found(Unmatched("flask==99.1"), wrote("unknown_version"), PYTHON, "x86_64")

    assert isinstance(failure, NoSuchVersion)
    assert failure.newest[-1] == "3.1.3"
    assert "No version satisfies flask==99.1" in explained(failure)


def test_unknown_package_shows_the_indexes() -> None:
    failure = nothing_found(
        Unmatched("nosuch-package-zzq==1.0"), wrote("unknown_package.telling"), PYTHON, "x86_64"
    )

    assert isinstance(failure, NoSuchPackage)
    assert "index.example.org/simple/nosuch-package-zzq/" in explained(failure)


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        *(("git_unreachable", "host"), ("git_ssh", "host"), ("git_login", "login")),
        *(("git_no_such_repository", "repository"), ("git_no_such_commit", "revision")),
        ("git_no_such_tag", "revision"),
    ],
)
def test_git_failures_have_different_troubles(name: str, trouble: str) -> None:
    failure = git_failure(wrote(name))

    assert isinstance(failure, GitFailed)
    assert failure.trouble == trouble
    assert explained(failure)


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("killed_build", "The build of oom-py"),
        ("killed_child", "sh"),
        ("killed_compiler", "cc1"),
    ],
)
def test_killed_program_is_named(name: str, program: str) -> None:
    failure = machine_failure(1, wrote(name), "pip")

    assert isinstance(failure, Killed)
    assert (failure.program, failure.signal) == (program, 9)


@pytest.mark.parametrize(
    "line",
    [
        "/bin/sh: line 1:  4711 Killed                  gcc -c a.c",
        "make[2]: *** [Makefile:7: gcc] Killed",
        "collect2: fatal error: gcc terminated with signal 9 [Killed]",
        "process didn't exit successfully: `gcc --crate-name x` (signal: 9, SIGKILL: kill)",
        "error: command '/usr/bin/gcc' terminated by signal 9",
    ],
)
def test_killed_child_is_recognized_in_every_tools_words(line: str) -> None:
    failure = machine_failure(1, f"Building wheel\n{line}\n", "pip")

    assert isinstance(failure, Killed)
    assert failure.program in {"gcc", "make"}


def test_exit_code_of_a_shell_for_a_kill_is_recognized() -> None:
    assert isinstance(machine_failure(137, "", "pip"), Killed)


@pytest.mark.parametrize(
    ("name", "module", "removed"),
    [
        ("no_distutils", "distutils", "Python 3.12"),
        ("backend_unavailable", "distutils", "Python 3.12"),
        ("no_pkg_resources", "pkg_resources", "setuptools 82"),
        ("undeclared_build_module", "numpy", ""),
    ],
)
def test_missing_build_module_is_named_with_the_release_that_removed_it(
    name: str, module: str, removed: str
) -> None:
    failure = build_failure(wrote(name), PYTHON)

    assert isinstance(failure, MissingBuildModule)
    assert (failure.module, failure.removed) == (module, removed)
    assert module in explained(failure)


def test_package_whose_build_requirement_cannot_be_built_is_named() -> None:
    failure = build_failure(wrote("build_requirement_too_old"), PYTHON)

    assert isinstance(failure, MissingBuildModule)
    assert (failure.package, failure.module) == ("opencv-python", "distutils")


def test_use_2to3_is_recognized_as_python_2() -> None:
    assert "use_2to3 is invalid" in explained(build_failure(wrote("use_2to3"), PYTHON))


def test_wheels_for_another_processor_name_the_platform() -> None:
    reason_lines = wrote("only_arm_wheels.telling")
    for_here = nothing_found(Unmatched("arm-only"), reason_lines, PYTHON, "x86_64")
    older = nothing_found(Unmatched("arm-only"), reason_lines, "3.13.1", "aarch64")

    assert "Linux on aarch64 (glibc 2.17)" in explained(for_here)
    assert "pack build --platform" in explained(for_here)
    assert "wheels for Python 3.14 on Linux" in explained(older)


def test_wheels_for_musl_name_the_platform() -> None:
    failure = nothing_found(Unmatched("a"), wrote("only_musl_wheels.telling"), PYTHON, "x86_64")

    assert "images with musl, such as Alpine's. This image has glibc." in explained(failure)


def test_yanked_package_differs_from_an_unknown_one() -> None:
    failure = nothing_found(Unmatched("good"), wrote("yanked.telling"), PYTHON, "x86_64")

    assert isinstance(failure, Yanked)
    assert failure.versions == ("1.0", "2.0")
    assert "was yanked from the index" in explained(failure)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("index_429", IndexUnreachable),
        ("proxy_refused", ProxyFailed),
        ("proxy_unknown", ProxyFailed),
        ("proxy_407", IndexRefused),
        ("index_not_encrypted", InsecureIndex),
    ],
)
def test_index_failures_differ_by_their_cause(name: str, expected: type[BuildpackError]) -> None:
    failure = nothing_found(Unmatched("good"), wrote(f"{name}.telling"), PYTHON, "x86_64")

    assert isinstance(failure, expected)
    assert explained(failure)


def test_package_missing_from_find_links_names_them() -> None:
    failure = nothing_found(Unmatched("good"), wrote("not_provided.telling"), PYTHON, "x86_64")

    assert isinstance(failure, NotInFindLinks)
    assert failure.locations == ("vendor (not there)",)
    assert "--no-index" in explained(failure)


def test_unknown_package_is_named_with_what_requires_it() -> None:
    requirement = unmatched(wrote("unknown_package_of_another"))

    assert requirement == Unmatched("company-private>=3", "needs-private")
    text = explained(nothing_found(requirement, "", PYTHON, "x86_64"))
    assert "company-private>=3, which needs-private requires" in text


def test_interrupted_download_is_an_outside_error() -> None:
    failure = index_failure(wrote("incomplete_download"))

    assert isinstance(failure, IndexUnreachable)
    assert "not enough bytes were received" in explained(failure)


@pytest.mark.parametrize("name", ["misnamed_wheel", "broken_wheel", "wheel_of_another_package"])
def test_damaged_wheel_is_recognized(name: str) -> None:
    failure = recognize(wrote(name), PYTHON)

    assert isinstance(failure, DamagedPackage)
    assert "is damaged" in explained(failure)


def test_wheel_that_is_a_pointer_of_git_lfs_is_recognized(tmp_path: Path) -> None:
    pointer, damaged = tmp_path / "a b-1.0-py3-none-any.whl", tmp_path / "c.whl"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    damaged.write_bytes(b"vers")
    words = "ERROR: Wheel 'alpha' located at {} is invalid."
    failure = pointer_of_git_lfs(words.format(pointer))

    assert failure is not None
    assert failure.problem == "it is a pointer of Git LFS"
    assert "git lfs pull" in explained(failure)
    for path in (damaged, tmp_path / "gone.whl", tmp_path):
        assert pointer_of_git_lfs(words.format(path)) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS"),
        (b" <HTML>", "it is a web page"),
        (b"\x1f\x8b", "it is not an archive"),
        (None, "the server did not send an archive, but perhaps a page"),
    ],
)
def test_sdist_that_cannot_be_unpacked_is_named(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "b-1.0.tar.gz").write_bytes(content)
    output = (
        "Collecting a\nProcessing ./b-1.0.tar.gz (from -r requirements.txt)\nTraceback\n"
        '  File "unpacking.py", line 390, in unpack_file\n    return _untar()\n'
        "tarfile.ReadError: not a gzip file\n"
    )

    failure = not_an_archive(output, tmp_path)

    assert failure is not None
    assert (failure.package, failure.problem) == ("b-1.0.tar.gz", problem)
    for other in (output.replace("unpack_file", "build"), output.replace("tarfile.", "")):
        assert not_an_archive(other, tmp_path) is None


def test_directory_without_project_is_named() -> None:
    assert "./libs is not a Python project" in explained(
        recognize(wrote("directory_without_project"), PYTHON)
    )


def test_unsupported_wheel_at_an_address_says_its_python() -> None:
    failure = unsupported_wheel(wrote("wheel_for_another_python"), PYTHON, "x86_64")

    assert isinstance(failure, NoWheel)
    assert (failure.requirement, failure.pythons) == ("old_only==1.0", ("3.11",))


@pytest.mark.parametrize(
    "name", ["build_requirement_missing", "build_requirement_missing_offline"]
)
def test_missing_build_requirement_is_returned(name: str) -> None:
    output = wrote(name)

    assert build_of(output) == "backend-missing"
    assert unmatched(build_output(output)) == Unmatched("nosuch-backend>=3")


def test_every_recorded_telling_line_matches() -> None:
    for file in DATA.glob("*.telling.txt"):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines
        assert all(REASON_LINES.search(line) for line in lines)


def test_every_recorded_output_is_read_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")

    for file in DATA.glob("*.txt"):
        name = file.name.removesuffix(".txt").removesuffix(".telling")
        assert f'"{name}' in source, name


def test_undefined_symbol_is_named() -> None:
    failure = build_failure(wrote("undefined_symbol"), PYTHON)

    assert isinstance(failure, UndefinedSymbol)
    assert (failure.package, failure.symbol) == ("undef", "foo")


def test_path_of_conda_is_named_with_its_line() -> None:
    failure = recognize(wrote("path_of_conda"), PYTHON)

    assert isinstance(failure, BadRequirement)
    assert (failure.text, failure.origin) == (
        "/croot/alpha_123/work",
        "line 1 of requirements.txt",
    )
    assert failure.describe().fixes[0].startswith("Write names and versions")


def test_file_that_includes_itself_is_named() -> None:
    failure = recognize(wrote("include_of_itself"), PYTHON)

    assert isinstance(failure, BadRequirement)
    assert (failure.text, failure.origin) == ("-r requirements.txt", "requirements.txt")


@pytest.mark.parametrize(
    ("text", "option", "value"),
    [
        (
            "ERROR: option retries: invalid integer value: 'abc'. Check your pip configuration",
            *("retries", "abc"),
        ),
        (
            (
                "\n  maybe is not a valid value for break-system-packages option, please "
                "specify a boolean value like yes/no, true/false or 1/0 instead.\n"
            ),
            *("break-system-packages", "maybe"),
        ),
        (
            (
                'WARNING: The index url "nonsense" seems invalid, please provide a scheme.\n'
                "ERROR: No matching distribution found for six"
            ),
            *("index-url", "nonsense"),
        ),
        (
            (
                "ERROR: Could not install packages due to an OSError: Failed to parse: ':::' is "
                "not a valid host or port"
            ),
            *("proxy", ":::"),
        ),
    ],
)
def test_setting_with_an_invalid_value_is_named(text: str, option: str, value: str) -> None:
    failure = recognize(text, PYTHON)

    assert isinstance(failure, BadPipOption)
    assert (failure.option, failure.value) == (option, value)


def test_package_without_any_source_is_not_explained_by_the_index() -> None:
    reason_lines = "ERROR: No matching distribution found for six==1.17.0\n"

    failure = nothing_found(Unmatched("six==1.17.0"), reason_lines, PYTHON, "x86_64")

    assert isinstance(failure, NotInFindLinks)
    assert failure.locations == ()


@pytest.mark.parametrize(
    "text",
    [
        (
            "ERROR: Invalid requirement: '../shared': Expected package name at the start of "
            "dependency specifier\n    ../shared\n    ^ (from line 1 of base.txt)\n"
            "Hint: It looks like a path. File '../shared' does not exist.\n"
        ),
        (
            "Processing ../shared (from -r base.txt (line 1))\nERROR: Could not install packages "
            "due to an OSError: [Errno 2] No such file or directory: '/shared'\n"
        ),
    ],
)
def test_path_out_of_the_app_is_recognized(text: str) -> None:
    failure = recognize(text, PYTHON)

    assert isinstance(failure, PathOutsideApp)
    assert (failure.file, failure.path) == ("base.txt", "../shared")


def test_missing_editable_path_is_named() -> None:
    text = "ERROR: {} is not a valid editable requirement. It should either be a path to a ..."
    outside = recognize(text.format("../shared"), PYTHON)
    inside = recognize(text.format("./shared"), PYTHON)

    assert isinstance(outside, PathOutsideApp)
    assert isinstance(inside, BadRequirement)
    assert inside.text == "-e ./shared"


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("flask=1.0=py_0", "the form name=version=build is conda's"),
        ("flask=1.0", "Write two equals signs"),
        ('flask = "^3.0"', "is that of Poetry and Pipenv"),
        ('flask = {version = "*"}', "is that of Poetry and Pipenv"),
        ('"flask" = "*"', "is that of Poetry and Pipenv"),
        ("flask^3.0", "name>=3.0,<4"),
        ("flask ~3.0", "name>=3.0,<4"),
        ("flask==latest", "Remove the version"),
        ("flask==*", "Remove the version"),
        ("flask 3.0.0", "Write two equals signs"),
        ("flask requests", "a line of its own"),
        ("flask==3.0, requests==2.0", "a line of its own"),
        ("flask,requests", "a line of its own"),
        ("pip install flask", "Write only the package"),
        ("'flask==3.0'", "Remove the quotation marks"),
        ("// flask", "Start comments with #"),
        ("git+git@github.com:x/y.git", "git+ssh://git@github.com"),
        ("django=>4", "Write >= and <= with the equals sign last"),
        ("requests>=2.0<3", "Separate ranges with a comma"),
        ("flask == 3.0.x", "Write the range with a star"),
        ("flask==3.0.0 --hash=md5:d41d8cd98f00b204e9800998ecf8427e", "--generate-hashes"),
        ("<<<<<<< HEAD", "Resolve the merge conflict"),
        ("=======", "Resolve the merge conflict"),
    ],
)
def test_form_of_a_bad_line_leads_to_its_fix(line: str, fix: str) -> None:
    message = BadRequirement(line, "line 1 of requirements.txt", "").describe()

    assert fix in message.fixes[0]
    assert not any(part.startswith("Reason") for part in message.body)


def test_ordinary_bad_line_has_no_fix_of_a_form() -> None:
    assert BadRequirement("flask==3.1 (extra)", "line 1", "no").describe().fixes == (
        "Correct the line.",
    )


def test_path_of_windows_is_recognized() -> None:
    assert "Write / in place of" in explained(IncludeMissing("requirements\\base.txt", "no"))


def test_constraint_with_extras_is_recognized() -> None:
    failure = recognize(wrote("constraint_with_extras"), PYTHON)

    assert isinstance(failure, BadConstraint)
    assert "pip-compile --strip-extras" in explained(failure)


@pytest.mark.parametrize("name", ["setuptools>=40", "pip>=20"])
def test_packages_that_pip_compile_leaves_out_are_named(name: str) -> None:
    for failure in (NotPinned((name,)), HashMissing((f"{name} --hash=sha256:00",))):
        assert "pip-compile --allow-unsafe" in explained(failure)
    assert "--allow-unsafe" not in explained(NotPinned(("setuptools-scm>=8",)))


SEARCHED = "1 location(s) to search for versions of docopt:\n"
REFUSED = (
    "  Skipping link: No sources permitted for docopt: https://index.example.org/docopt-0.6.2.tar.gz"
    " (from https://index.example.org/simple/docopt/)\n"
)
NONE_FOUND = (
    "ERROR: Could not find a version that satisfies the requirement docopt (from versions: none)\n"
)


@pytest.mark.parametrize("requirement", ["docopt==0.6.2", "docopt"])
def test_source_that_the_settings_forbid_is_named(requirement: str) -> None:
    lines = SEARCHED + REFUSED + NONE_FOUND

    failure = nothing_found(Unmatched(requirement), lines, PYTHON, "x86_64")

    assert isinstance(failure, OnlySource)
    assert "--no-binary docopt" in explained(failure)


def test_default_index_counts_as_asked() -> None:
    """Its name is in no line: pip prints only other indexes."""
    failure = nothing_found(Unmatched("docopt"), SEARCHED + NONE_FOUND, PYTHON, "x86_64")

    assert isinstance(failure, NoSuchPackage)


def test_local_version_leads_to_the_index_of_the_project() -> None:
    text = explained(NoSuchVersion("torch==2.13.0+cpu", ("2.12.1", "2.13.0")))

    assert "--extra-index-url URL" in text
    assert "Leave out the part from the + on: torch==2.13.0\n" in text


@pytest.mark.parametrize("option", ["timeout", "default-timeout"])
def test_time_out_that_is_no_number_is_recognized(option: str) -> None:
    output = (
        f"An error occurred during configuration: option {option}: invalid floating-point value: "
        "'abc'. Check your pip configuration files or environment variables for this value.\n"
    )

    failure = recognize(output, PYTHON)

    assert isinstance(failure, BadPipOption)
    assert (failure.option, failure.value, failure.expected) == (option, "abc", "a number")
