"""The app's directory: signs of Python, and files that are read once."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.app import (
    App,
    directories_with_python,
    is_misspelt,
    is_stray_script,
    python_signs,
    read_app,
)
from cnb_python.errors.config import NoSuchProject
from cnb_python.errors.inputs import FileTooLarge, NotAFile, NotUtf8, UnreadableFile

Make = Callable[[Path], object]


def app_with(directory: Path, name: str, content: bytes) -> App:
    (directory / name).write_bytes(content)
    return read_app(directory)


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "poetry.lock", "uv.lock", "Pipfile", "Pipfile.lock", "pdm.lock"),
        *("pylock.toml", "pylock.web.toml", "pyproject.toml", "setup.py", "setup.cfg"),
        *(".python-version", "runtime.txt", "manage.py", "app.py", "anything.py", "nb.ipynb"),
        *("requirement.txt", "requirements.txt.txt", "Requirements.txt", "requirments.txt"),
        *("requirements", "requirements.text", "requeriments.txt", "requirements-dev.txt"),
        *("requirements.in", "environment.yml", "__init__.py"),
    ],
)
def test_a_file_of_python_or_its_tools_is_a_sign(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    assert python_signs(tmp_path) == (name,)


@pytest.mark.parametrize("name", ["__pycache__", ".venv", "venv", "requirements"])
def test_a_directory_that_python_tools_make_is_a_sign(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    assert python_signs(tmp_path) == (name,)


@pytest.mark.parametrize(
    "name",
    [
        *("index.html", "package.json", "go.mod", "Gemfile", "pom.xml", "Procfile", "README.md"),
        *("requirements.yml", "requirements.md", "requirements.php", "robots.txt", "python"),
        *(".tool-versions", "Cargo.lock", "composer.lock"),
    ],
)
def test_files_of_other_languages_are_no_sign(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    assert python_signs(tmp_path) == ()


@pytest.mark.parametrize(
    "name",
    [
        *("requirement.txt", "requirements.txt.txt", "Requirements.txt", "REQUIREMENTS.TXT"),
        *("requirments.txt", "requeriments.txt", "reqirements.txt", "requierments.txt"),
        *("requirements.text", "requirements.tx", "requirements.txt ", " requirements.txt"),
        *("requirements,txt", "requirements_txt", "requirementstxt", "'requirements.txt'"),
        *("requirements.txt~", "requirements.txt.bak", "requirement"),
    ],
)
def test_a_misspelt_requirements_txt_is_recognised(name: str) -> None:
    assert is_misspelt(name)


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "requirements-dev.txt", "requirements_prod.txt", "requirements.in"),
        *("requirements.yml", "requirements.md", "requirements.json", "requirements", "req.txt"),
        *("constraints.txt", "README.txt", "requests.txt", "retirement.txt", ".txt", ""),
    ],
)
def test_another_name_is_not_taken_for_misspelt(name: str) -> None:
    assert not is_misspelt(name)


@given(st.text(max_size=40))
def test_any_name_is_misspelt_or_not(name: str) -> None:
    assert is_misspelt(name) in {True, False}


def test_variants_and_misspelt_requirements_are_told_apart(tmp_path: Path) -> None:
    for name in ("requirements-dev.txt", "requirements.prod.txt", "requirments.txt"):
        (tmp_path / name).touch()
    (tmp_path / "requirements").mkdir()

    app = read_app(tmp_path)

    assert app.requirements_variants() == (
        "requirements",
        "requirements-dev.txt",
        "requirements.prod.txt",
    )
    assert app.misspelt_requirements() == ("requirments.txt",)


def test_files_directories_and_special_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / "static").mkdir()
    (tmp_path / "link.py").symlink_to("app.py")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nothing")

    app = read_app(tmp_path)

    assert app.files == {"app.py", "link.py"}
    assert app.directories == {"static"}
    assert app.special == {"loop", "broken"}
    assert app.names == {"app.py", "link.py", "static", "loop", "broken"}


def test_a_missing_file_has_no_content(tmp_path: Path) -> None:
    app = read_app(tmp_path)

    assert app.content("requirements.txt") is None
    assert app.text("requirements.txt") is None


def test_text_is_read_without_a_byte_order_mark(tmp_path: Path) -> None:
    plain = app_with(tmp_path, "requirements.txt", "flask  # ünï\n".encode())
    assert plain.text("requirements.txt") == "flask  # ünï\n"

    marked = app_with(tmp_path, "requirements.txt", b"\xef\xbb\xbfflask\n")
    assert marked.text("requirements.txt") == "flask\n"


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("flask")
    (tmp_path / "requirements.txt").symlink_to("real")

    assert read_app(tmp_path).text("requirements.txt") == "flask"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.mkdir(), "a directory"),
        (lambda path: path.symlink_to(path), "a link that leads nowhere"),
        (lambda path: path.symlink_to("gone"), "a link that leads nowhere"),
    ],
    ids=["directory", "loop", "broken link"],
)
def test_a_directory_or_broken_link_is_refused_by_its_kind(
    tmp_path: Path, make: Make, kind: str
) -> None:
    make(tmp_path / "requirements.txt")

    with pytest.raises(NotAFile) as raised:
        read_app(tmp_path).content("requirements.txt")

    message = raised.value.describe()
    assert message.title == "requirements.txt is not a file"
    assert kind in message.body[0]
    assert message.fixes


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    import os  # noqa: PLC0415 - the only test that needs it

    os.mkfifo(tmp_path / "requirements.txt")

    assert read_app(tmp_path).special == {"requirements.txt"}


@pytest.mark.parametrize("name", ["pyproject.toml", "sub/more.txt"])
def test_a_file_of_a_terabyte_is_refused_without_reading_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    with file.open("wb") as hollow:
        hollow.truncate(1 << 40)

    with pytest.raises(FileTooLarge) as raised:
        read_app(tmp_path).bytes_of(name)

    assert vars(raised.value) == {"name": name, "limit": 32}


def test_a_link_to_an_endless_device_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").symlink_to("/dev/zero")

    with pytest.raises(NotAFile):
        read_app(tmp_path).content("pyproject.toml")


def test_an_unreadable_file_is_refused_with_the_command_to_allow_it(tmp_path: Path) -> None:
    app = App(
        directory=tmp_path,
        files=frozenset({"requirements.txt"}),
        directories=frozenset(),
        special=frozenset(),
        contents={},
        unreadable={"requirements.txt": PermissionError(errno.EACCES, "Permission denied")},
    )

    with pytest.raises(UnreadableFile) as raised:
        app.content("requirements.txt")

    message = raised.value.describe()
    assert "Permission denied" in message.body[0]
    assert "chmod a+r requirements.txt" in message.fixes[0]


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    app = app_with(tmp_path, "requirements.txt", b"flask\n# caf\xe9\n")

    with pytest.raises(NotUtf8) as raised:
        app.text("requirements.txt")

    message = raised.value.describe()
    assert message.title == "requirements.txt is not UTF-8 text"
    assert "line 2" in message.body[0]
    assert "0xe9" in message.body[0]
    assert "iconv" in message.fixes[1]


@given(st.dictionaries(st.sampled_from([".python-version", "Procfile"]), st.binary(max_size=50)))
def test_any_bytes_can_be_read(contents: dict[str, bytes]) -> None:
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - tmp_path is not per example

    with TemporaryDirectory() as directory:
        for name, content in contents.items():
            (Path(directory) / name).write_bytes(content)
        assert read_app(Path(directory)).contents == contents


def repository(directory: Path) -> Path:
    for name in ("services/api/requirements.txt", "services/.python-version", "lib/setup.py"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    return directory


def test_an_app_in_a_directory_has_its_files_and_those_above(tmp_path: Path) -> None:
    app = read_app(repository(tmp_path), "services/api")

    assert app.directory == tmp_path / "services/api"
    assert app.text("requirements.txt") == "services/api/requirements.txt"
    assert app.text(".python-version") is None
    assert [parent.inside for parent in app.above] == ["services", ""]
    assert app.above[0].text(".python-version") == "services/.python-version"
    assert app.top == tmp_path


def test_an_app_at_the_top_has_nothing_above(tmp_path: Path) -> None:
    app = read_app(repository(tmp_path))

    assert (app.inside, app.above, app.top) == ("", (), tmp_path)


def test_files_of_an_app_in_a_directory_are_named_from_the_top(tmp_path: Path) -> None:
    (repository(tmp_path) / "services/api/Procfile").mkdir()

    with pytest.raises(NotAFile) as raised:
        read_app(tmp_path, "services/api").content("Procfile")

    assert raised.value.name == "services/api/Procfile"


@pytest.mark.parametrize("inside", ["api", "services/api/requirements.txt", "out"])
def test_a_directory_outside_the_repository_is_refused(tmp_path: Path, inside: str) -> None:
    top = repository(tmp_path / "top")
    (top / "out").symlink_to(tmp_path)

    with pytest.raises(NoSuchProject) as raised:
        read_app(top, inside)

    message = raised.value.describe()
    assert message.title == f"There is no directory {inside}"
    assert message.body[1:] == (
        "Directories that contain a Python app:",
        "  - lib",
        "  - services/api",
    )


def test_generated_and_deep_directories_are_not_searched(tmp_path: Path) -> None:
    for name in ("node_modules/x/setup.py", ".venv/setup.py", "a/b/c/setup.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    assert directories_with_python(tmp_path) == ()


@pytest.mark.parametrize(
    ("names", "is_stray"),
    [
        (("package.json", "deploy.py"), True),
        (("go.mod", "tools.py", "notes.ipynb"), True),
        (("package.json", "app.py"), False),
        (("package.json", "setup.py", "shop.py"), False),
        (("package.json", "deploy.py", "requirements.txt"), False),
        (("package.json", "deploy.py", ".python-version"), False),
        (("deploy.py",), False),
    ],
)
def test_script_beside_an_app_of_another_language_is_stray(
    tmp_path: Path, names: tuple[str, ...], *, is_stray: bool
) -> None:
    for name in names:
        (tmp_path / name).touch()

    assert is_stray_script(tmp_path) == is_stray
