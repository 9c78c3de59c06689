"""What an app asks for and cannot have: pip's words and uv's end in the same message."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.failing_installs import Failing, Tool, legacy
from tests.support.index import Index
from tests.support.wheels import wheel
from tools.platforms import oci

# pip is asked twice, and takes seconds.
TOOLS = pytest.mark.parametrize("tool", [pytest.param("pip", marks=pytest.mark.thorough), "uv"])
HERE, ELSEWHERE = ("aarch64", "x86_64") if oci.arch() == "arm64" else ("x86_64", "aarch64")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with one package for every way to be of no use."""
    directory = tmp_path_factory.mktemp("packages")
    for version in ("1.0", "2.0"):
        wheel(directory, "good", version, {"good.py": ""})
    wheel(directory, "older", "1.0", {"older.py": ""}, requires=["good<2"])
    wheel(directory, "newer", "1.0", {"newer.py": ""}, requires=["good>=2"])
    wheel(directory, "public", "1.0", {"public.py": ""}, requires=["company-secret>=3"])
    wheel(directory, "tomorrow", "1.0", {"tomorrow.py": ""}, requires_python=">=3.99")
    for name, tag in {
        "yesterday": f"cp311-cp311-manylinux_2_17_{HERE}",
        "foreign": f"cp314-cp314-manylinux_2_17_{ELSEWHERE}",
        "alpine": f"cp314-cp314-musllinux_1_2_{HERE}",
        "windows": "cp314-cp314-win_amd64",
    }.items():
        wheel(directory, name, "1.0", {f"{name}.py": ""}, tag=tag)
    (directory / "broken-1.0-py3-none-any.whl").write_bytes(b"PK, and nothing more")
    with index.running(directory) as running:
        yield running


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Failing:
    return Failing(tmp_path_factory.mktemp("failing"), base)


@TOOLS
def test_a_name_that_nobody_knows(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "goood\n", index=served.url)

    assert told.title == "There is no package goood"
    assert "Correct the spelling" in told.message


@TOOLS
def test_a_private_package_that_another_requires(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "public\n", index=served.url)

    assert told.title == "There is no package company-secret>=3"
    assert "The index does not have company-secret>=3, which public requires." in told.message
    assert "PIP_EXTRA_INDEX_URL" in told.message


@TOOLS
@pytest.mark.parametrize("wanted", ["good==9.0", "good>5"])
def test_a_version_that_does_not_exist(
    failing: Failing, tool: Tool, served: Index, wanted: str
) -> None:
    told = failing.failure(tool, f"{wanted}\n", index=served.url)

    assert told.title == f"No version satisfies {wanted}"


@TOOLS
def test_a_package_for_a_newer_python(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "tomorrow\n", index=served.url)

    assert told.title == "tomorrow needs another Python"
    assert "Python >=3.99, for tomorrow." in told.message


@TOOLS
def test_wheels_for_an_older_python_say_for_which(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "yesterday\n", index=served.url)

    assert told.title == "yesterday has no wheel for Python 3.14.6"
    assert "wheels for Python 3.11 on Linux, and no source code." in told.message
    assert "echo 3.11 > .python-version" in told.message


@TOOLS
def test_wheels_for_another_processor(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "foreign\n", index=served.url)

    assert told.title == "foreign has no wheel for this kind of machine"
    assert f"wheels for Linux on {ELSEWHERE} (glibc 2.17)" in told.message
    assert f"If the image is to run on {ELSEWHERE}, build it for that" in told.message
    assert ".python-version" not in told.message


@TOOLS
def test_wheels_for_alpine(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "alpine\n", index=served.url)

    assert told.title == "alpine has no wheel for this kind of machine"
    assert "These wheels are for images with musl, such as Alpine's" in told.message


@TOOLS
def test_wheels_for_windows(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "windows\n", index=served.url)

    assert told.title == "windows has no wheel for this kind of machine"
    assert "; sys_platform == 'win32'" in told.message


@TOOLS
@pytest.mark.parametrize(
    ("wanted", "clash"),
    [
        ("older\nnewer\n", ("depends on good<2", "depends on good>=2")),
        ("good==1.0\nnewer\n", ("good==1.0", "depends on good>=2")),
        ("good==1.0\ngood==2.0\n", ("good==1.0", "good==2.0")),
    ],
    ids=["two packages", "the app and a package", "two lines"],
)
def test_a_conflict_names_the_two_that_clash(
    failing: Failing, tool: Tool, served: Index, wanted: str, clash: tuple[str, str]
) -> None:
    told = failing.failure(tool, wanted, index=served.url)

    assert told.title == "Requirements contradict each other"
    causes = [line for line in told.message.splitlines() if line.startswith("  - ")]
    assert len(causes) == 2
    assert all(any(one in cause for cause in causes) for one in clash)


@TOOLS
def test_a_hash_that_does_not_match(failing: Failing, tool: Tool, served: Index) -> None:
    wanted = f"good==1.0 --hash=sha256:{'0' * 64}\n"
    told = failing.failure(tool, wanted, index=served.url)

    assert told.title == "good==1.0 does not have the expected hash"
    assert f"Expected: sha256 {'0' * 64}" in told.message
    assert "If you did not, find out where the file comes from" in told.message


@TOOLS
def test_a_wheel_that_is_none(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "broken\n", index=served.url)

    assert told.title.endswith("is damaged")
    assert told.title.startswith("broken")


@TOOLS
def test_a_line_that_is_no_requirement(failing: Failing, tool: Tool) -> None:
    told = failing.failure(tool, "good\nflask=3.1\n")

    assert told.title == "A line of requirements.txt is not valid"
    assert "Found:    flask=3.1 (" in told.message


@TOOLS
def test_an_included_file_that_does_not_exist(failing: Failing, tool: Tool) -> None:
    told = failing.failure(tool, "-r prod.txt\n")

    assert told.title == "prod.txt is included but cannot be opened"


@TOOLS
def test_a_path_without_a_project(failing: Failing, tool: Tool) -> None:
    told = failing.failure(tool, "./libs\n", files={"libs/tools.py": ""})

    assert told.title.endswith("libs is not a Python project")


@TOOLS
def test_a_file_in_another_encoding(failing: Failing, tool: Tool) -> None:
    told = failing.failure(
        tool, "", files={"requirements.txt": "good  # für Kunden\n".encode("latin-1")}
    )

    assert told.title == "requirements.txt is not UTF-8 text"
    assert "the byte 0xfc in line 1" in told.message
    assert "iconv -f WINDOWS-1252 -t UTF-8" in told.message


@TOOLS
def test_a_package_that_is_not_among_the_vendored_files(failing: Failing, tool: Tool) -> None:
    files = {"vendor/README": ""}
    told = failing.failure(tool, "--no-index\n--find-links ./vendor\ngood\n", files=files)

    assert told.title == "good is not among the files to install from"
    assert "Indexes are switched off (--no-index)" in told.message
    assert "pip download -r requirements.txt" in told.message


@TOOLS
def test_a_build_backend_that_is_not_among_the_vendored_files(
    failing: Failing, tool: Tool, tmp_path: Path
) -> None:
    made = legacy(tmp_path, "needy", "", requires=("backend-of-ours>=3",))
    files = {f"vendor/{made.name}": made.read_bytes()}
    told = failing.failure(tool, "--no-index\n--find-links ./vendor\nneedy\n", files=files)

    assert told.title == "needy cannot be built without backend-of-ours>=3"
    assert (
        "Indexes are switched off (--no-index), and the local files do not include it"
        in told.message
    )
    assert "pip download 'backend-of-ours>=3' -d DIRECTORY" in told.message


LFS = "version https://git-lfs.github.com/spec/v1\nsize 1\n"


@TOOLS
@pytest.mark.parametrize(
    ("line", "content", "problem"),
    [
        ("./alpha-1.0.tar.gz", LFS, "it is a pointer of Git LFS"),
        ("alpha @ file://{}/alpha-1.0.zip", LFS, "it is a pointer of Git LFS"),
        ("alpha @ file://{}/alpha-1.0.tar.gz", "\n<!doctype HTML><title>", "it is a web page"),
        ("./alpha-1.0.zip", "vers", "it is not an archive"),
    ],
)
def test_sdist_that_is_not_an_archive_is_named(
    failing: Failing, tool: Tool, tmp_path: Path, line: str, content: str, problem: str
) -> None:
    name = line.rpartition("/")[2]
    (tmp_path / name).write_text(content)
    told = failing.failure(tool, f"{line.format(tmp_path)}\n", files={name: content})

    assert told.title in {"alpha is damaged", f"{name} is damaged"}
    assert f"Its file cannot be installed: {problem}." in told.message


@TOOLS
def test_sdist_of_an_index_that_is_a_page_is_named(
    failing: Failing, tool: Tool, tmp_path: Path
) -> None:
    (tmp_path / "alpha-1.0.tar.gz").write_text("<!DOCTYPE html><title>Sign in</title>")
    with index.running(tmp_path) as served:
        told = failing.failure(tool, "alpha==1.0\n", index=served.url)

    assert told.title in {"alpha is damaged", "alpha==1.0 is damaged"}
    assert "the server did not send an archive, but perhaps a page." in told.message
    assert "give the build a login" in told.message
