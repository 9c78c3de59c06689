"""Service bindings, as platforms mount them."""

from pathlib import Path

import pytest

from cnb_python.cnb.bindings import of_type, read_bindings
from cnb_python.errors.inputs import UnreadableInput


def write_binding(root: Path, name: str, **files: str) -> Path:
    directory = root / name
    directory.mkdir(parents=True)
    for key, value in files.items():
        (directory / key).write_text(value)
    return directory


def test_a_binding_has_a_type_a_provider_and_secrets(tmp_path: Path) -> None:
    write_binding(
        tmp_path, "index", type="pypi\n", provider=" acme\n", username="me", password="s3cret\n"
    )

    [binding] = read_bindings(tmp_path)

    assert (binding.name, binding.type, binding.provider) == ("index", "pypi", "acme")
    assert sorted(binding.secrets) == ["password", "username"]
    assert binding.secret("username") == "me"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        ("s3cret\n\n", "s3cret\n"),
        (" s3cret ", " s3cret "),
        ("s3cret\r", "s3cret\r"),
        ("", ""),
    ],
)
def test_one_newline_is_removed_from_a_secret(tmp_path: Path, content: str, value: str) -> None:
    write_binding(tmp_path, "index", type="pypi")
    (tmp_path / "index" / "password").write_bytes(content.encode())

    assert read_bindings(tmp_path)[0].secret("password") == value


def test_bytes_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    write_binding(tmp_path, "index", type="pypi")
    (tmp_path / "index" / "password").write_bytes(b"caf\xe9")

    secret = read_bindings(tmp_path)[0].secret("password")

    assert secret.encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    write_binding(tmp_path, "index", type="pypi", password="s3cret")

    [binding] = read_bindings(tmp_path)

    assert "s3cret" not in f"{binding!r} {binding!s} {vars(type(binding))}"
    assert "password" not in repr(binding)


def test_secrets_are_read_on_use(tmp_path: Path) -> None:
    write_binding(tmp_path, "index", type="pypi", password="old")
    [binding] = read_bindings(tmp_path)
    (tmp_path / "index" / "password").write_text("new")

    assert binding.secret("password") == "new"


def test_a_missing_secret_is_a_key_error(tmp_path: Path) -> None:
    write_binding(tmp_path, "index", type="pypi")

    with pytest.raises(KeyError, match="password"):
        read_bindings(tmp_path)[0].secret("password")


def test_a_removed_secret_is_unreadable(tmp_path: Path) -> None:
    write_binding(tmp_path, "index", type="pypi", password="old")
    [binding] = read_bindings(tmp_path)
    (tmp_path / "index" / "password").unlink()

    with pytest.raises(UnreadableInput) as caught:
        binding.secret("password")

    assert caught.value.path == tmp_path / "index" / "password"


def test_kubernetes_links_are_followed_by_their_visible_names(tmp_path: Path) -> None:
    data = tmp_path / "index" / "..2026_01_01"
    data.mkdir(parents=True)
    (data / "type").write_text("pypi")
    (data / "password").write_text("s3cret")
    (tmp_path / "index" / "..data").symlink_to(data.name)
    for key in ("type", "password"):
        (tmp_path / "index" / key).symlink_to(f"..data/{key}")
    (tmp_path / "..data").symlink_to("index")

    [binding] = read_bindings(tmp_path)

    assert binding.type == "pypi"
    assert list(binding.secrets) == ["password"]
    assert binding.secret("password") == "s3cret"


def test_directories_and_files_of_kubernetes_are_no_secrets(tmp_path: Path) -> None:
    directory = write_binding(tmp_path, "index", type="pypi", password="s3cret")
    (directory / "..2026").write_text("x")
    (directory / "nested").mkdir()
    (tmp_path / "a-file").write_text("x")
    (tmp_path / ".hidden").mkdir()

    [binding] = read_bindings(tmp_path)

    assert list(binding.secrets) == ["password"]


def test_a_key_may_begin_with_a_dot(tmp_path: Path) -> None:
    (write_binding(tmp_path, "logins", type="netrc") / ".netrc").write_text("machine h")

    assert list(read_bindings(tmp_path)[0].secrets) == [".netrc"]


def test_types_match_in_any_case(tmp_path: Path) -> None:
    write_binding(tmp_path, "one", type="PyPI")
    write_binding(tmp_path, "two", type="pypi")
    write_binding(tmp_path, "other", type="redis")

    bindings = read_bindings(tmp_path)

    assert [binding.name for binding in bindings] == ["one", "other", "two"]
    assert [binding.name for binding in of_type(bindings, "pyPI")] == ["one", "two"]


def test_a_binding_without_type_matches_nothing(tmp_path: Path) -> None:
    write_binding(tmp_path, "index", password="s3cret")

    bindings = read_bindings(tmp_path)

    assert bindings[0].type == ""
    assert of_type(bindings, "") == ()


def test_no_directory_means_no_bindings(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert read_bindings(tmp_path / "none") == ()
    assert read_bindings(tmp_path / "file") == ()


def test_a_directory_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")

    with pytest.raises(UnreadableInput) as caught:
        read_bindings(loop)

    assert caught.value.path == loop
    assert caught.value.reason == "Too many levels of symbolic links"
