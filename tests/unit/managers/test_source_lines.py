"""The lines of an app's requirements files as they are written."""

from pathlib import Path

import pytest

from cnb_python.managers.source_lines import OwnLines, identity, read_own_lines


def own(app: Path, text: str, **environ: str) -> OwnLines:
    file = app / "requirements.txt"
    file.write_text(text, encoding="utf-8")
    return read_own_lines([file], app, environ)


def test_releases_of_an_index_have_no_own_line(tmp_path: Path) -> None:
    lines = own(tmp_path, "idna\nsix==1.0 # x\na[b]>1; os_name == 'nt'\n")

    assert lines == OwnLines((), {}, {}, {})


def test_hashes_of_releases_are_kept_by_name(tmp_path: Path) -> None:
    lines = own(
        tmp_path,
        "Six==1.0 \\\n  --hash=sha256:00 --hash=sha512:11 # x\n"
        "six==2.0 --hash sha256:22; os_name == 'nt'\nidna\n",
    )

    assert lines.hashes == {"six": ("sha256:00", "sha512:11", "sha256:22")}


@pytest.mark.parametrize(
    "line",
    [
        "lib @ git+https://${TOKEN}@git.example.org/lib.git@main",
        "lib[extra] @ git+https://${TOKEN}@git.example.org/lib.git@main ; python_version > '3'",
        "git+https://${TOKEN}@git.example.org/lib.git@main#egg=lib",
        "git+https://${TOKEN}@git.example.org/lib.git@main",
        "git+https://git.example.org/lib.git",
        "git+https://git.example.org/lib.git ; python_version > '3'",
        "-e git+https://git.example.org/lib.git@v1#egg=Lib&subdirectory=a",
    ],
)
def test_repository_has_its_line_by_its_address(tmp_path: Path, line: str) -> None:
    lines = own(tmp_path, line, TOKEN="secret")

    assert lines.line_of("lib", "https://git.example.org/lib.git") == line
    assert lines.line_of("other", "https://git.example.org/other.git") == ""


@pytest.mark.parametrize("line", ["./lib", "./lib[extra]", "lib/", "-e ./lib", "--editable=lib"])
def test_directory_has_its_line_by_its_path(tmp_path: Path, line: str) -> None:
    (tmp_path / "lib").mkdir()

    assert own(tmp_path, line).line_of("lib", (tmp_path / "lib").as_uri()) == line


def test_file_has_its_line_by_its_path_with_special_characters(tmp_path: Path) -> None:
    line = "./my wheels/lib-1.0+l-py3-none-any.whl"

    address = (tmp_path / "my wheels/lib-1.0+l-py3-none-any.whl").as_uri()
    assert own(tmp_path, line).line_of("lib", address) == line


def test_variables_in_addresses_are_expanded_only_to_compare(tmp_path: Path) -> None:
    lines = own(tmp_path, "https://${HOST}/lib.zip", HOST="files.example.org")

    assert lines.line_of("lib", "https://files.example.org/lib.zip") == "https://${HOST}/lib.zip"


def test_address_tells_which_of_two_lines_for_a_name(tmp_path: Path) -> None:
    line = "lib @ https://a.example.org/lib.zip ; python_version < '3'"
    other = "lib @ https://b.example.org/lib.zip ; python_version > '3'"
    lines = own(tmp_path, f"{line}\n{other}\n")

    assert lines.line_of("lib", "https://b.example.org/lib.zip") == other
    assert lines.line_of("lib", "https://a.example.org/lib.zip") == line


def test_includes_are_followed_and_cycles_end(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/more.txt").write_text("-r ../requirements.txt\n-c even.txt\n./lib\n")
    (tmp_path / "deep/even.txt").write_text("--pre\n")

    lines = own(
        tmp_path, "-r deep/more.txt\n--requirement missing.txt\n-r https://x.example/y.txt"
    )

    # Paths are relative to the app wherever the line stands, as pip has it.
    assert lines.line_of("lib", (tmp_path / "lib").as_uri()) == "./lib"
    assert lines.finding == ("--pre",)


def test_finding_options_are_kept_in_order(tmp_path: Path) -> None:
    options = (
        "-i https://${TOKEN}@index.example.org/simple",
        "--extra-index-url https://other.example.org/simple",
        "--no-binary lib",
        "--trusted-host index.example.org",
    )

    assert own(tmp_path, "\n".join(("idna", *options, "--require-hashes"))).finding == options


def test_find_links_directory_is_made_absolute(tmp_path: Path) -> None:
    (tmp_path / "deep/wheels").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    lines = "-f wheels\n--find-links=other\n-f https://files.example.org/\n"
    (tmp_path / "deep/more.txt").write_text(lines)

    assert own(tmp_path, "-r deep/more.txt").finding == (
        f"--find-links {tmp_path}/deep/wheels",
        f"--find-links {tmp_path}/other",
        "-f https://files.example.org/",
    )


def test_build_options_are_kept_by_name(tmp_path: Path) -> None:
    lines = own(tmp_path, "A_b==1 --hash=sha256:00 --config-settings=x=y --hash sha256:11\nc==1")

    assert lines.building == {"a-b": "--config-settings=x=y"}


def test_file_in_another_encoding_is_read_as_by_pip(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("--pre\n", encoding="utf-16")
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"# coding: nosuch\n--pre\n")

    assert read_own_lines([file], tmp_path, {}).finding == ("--pre",)
    assert read_own_lines([broken], tmp_path, {}).finding == ()


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/a/lib.git",
        "git+https://git.example.org/a/lib.git",
        "git+https://me:secret@git.example.org/a/lib.git@v1.0#egg=lib",
        "https://git.example.org/a/lib.git/",
    ],
)
def test_spellings_of_an_address_have_one_identity(address: str) -> None:
    assert identity(address) == "https://git.example.org/a/lib.git"


def test_at_sign_in_a_directory_is_not_a_revision() -> None:
    assert identity("file:///app/lib@2") == "file:///app/lib@2"


def test_several_files_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("--pre\n./lib\n")
    (tmp_path / "b.txt").write_text("-r a.txt\n--no-binary six\n")
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]

    lines = read_own_lines(files, tmp_path, {})

    assert lines.finding == ("--pre", "--pre", "--no-binary six")
    assert lines.line_of("lib", (tmp_path / "lib").as_uri()) == "./lib"


def test_variable_in_an_include_is_expanded(tmp_path: Path) -> None:
    (tmp_path / "prod.txt").write_text("--extra-index-url https://i.example.org\n")

    lines = own(tmp_path, "-r ${WHERE}.txt\n", WHERE="prod")

    assert lines.finding == ("--extra-index-url https://i.example.org",)


def test_remote_file_is_read_with_its_includes(tmp_path: Path) -> None:
    web = {
        "https://me:t0k@h/a/base.txt": "--index-url https://${T}@i\n-c more.txt\n-r base.txt\n",
        "https://me:t0k@h/a/more.txt": "--pre\n-f wheels\n",
    }
    (tmp_path / "wheels").mkdir()
    file = tmp_path / "requirements.txt"
    file.write_text("-r https://me:${T}@h/a/base.txt\n-r https://h/absent.txt\nidna\n")

    lines = read_own_lines([file], tmp_path, {"T": "t0k"}, lambda url: web.get(url, ""))

    assert lines.finding == (
        "--index-url https://${T}@i",
        "--pre",
        f"--find-links {tmp_path}/wheels",
    )
    assert read_own_lines([file], tmp_path, {}).finding == ()


def test_file_address_is_read_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("--pre\n")

    assert own(tmp_path, f"-r {(tmp_path / 'more.txt').as_uri()}\n").finding == ("--pre",)
