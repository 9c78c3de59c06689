"""The index of each package of a `pdm.lock`, and its login."""

from pathlib import Path

import pytest

from cnb_python.errors.locks import UnreplacedVariable, UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.lock_export import LockSources
from cnb_python.managers.pdm.export import read_sources, usual_index
from tests.support.fake_tools import write_app

PRIVATE, PUBLIC = "https://me:word@ours.example/simple", "https://all.example/simple"

LOGIN = {"U": "me", "P": "w/rd"}


PDM = f"""\
[[tool.pdm.source]]
name = "pypi"
url = "{PUBLIC}"
[[tool.pdm.source]]
name = "ours"
url = "https://${{U}}:${{P}}@ours.example/simple"
"""


EXPORTED = (f"--index-url {PUBLIC}", f"--extra-index-url {PRIVATE}")


def pin(name: str) -> Pin:
    return Pin(name, "1.0", "", f"{name}==1.0")


def sources_of(directory: Path, more: str = "", settings: str = "", **environ: str) -> LockSources:
    files = [("pyproject.toml", PDM + more), ("pdm.toml", settings)]
    return read_sources(write_app(directory, files), EXPORTED, {**LOGIN, **environ})


def test_sources_without_rules_are_indexes_for_all_packages(tmp_path: Path) -> None:
    sources = sources_of(tmp_path)

    assert sources.indexes_of(pin("our-tools")) == ()
    assert sources.lines == EXPORTED


def test_rules_assign_packages_to_sources(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, 'include_packages = ["Our_*"]\nexclude_packages = ["six"]\n')

    assert sources.indexes_of(pin("our-tools")) == (PRIVATE,)
    assert sources.indexes_of(pin("six")) == ()
    assert sources.indexes_of(pin("other")) == (PRIVATE,)
    assert sources.lines == (EXPORTED[0],)


def test_logins_come_from_variables_and_pdm_toml(tmp_path: Path) -> None:
    login = {"PDM_PYPI_USERNAME": "you", "PDM_PYPI_PASSWORD": "p/w"}
    settings = '[pypi.ours]\nusername = "a"\npassword = "b"\n'

    sources = sources_of(tmp_path, settings=settings, **login)

    assert sources.lines == (
        "--index-url https://you:p%2Fw@all.example/simple",
        "--extra-index-url https://a:b@ours.example/simple",
    )
    assert usual_index(tmp_path, {**login, "PDM_PYPI_URL": "https://m.example/s"}) == {
        "UV_DEFAULT_INDEX": "https://you:p%2Fw@m.example/s"
    }


def test_unset_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsetVariable) as raised:
        sources_of(tmp_path, U="")

    assert (raised.value.source, raised.value.variables) == ("ours", ("U",))


def test_exported_indexes_without_their_sources_are_kept(tmp_path: Path) -> None:
    directory = write_app(tmp_path, [("pyproject.toml", PDM + 'include_packages = ["*"]\n')])

    sources = read_sources(directory, EXPORTED[:1], LOGIN)

    assert sources.indexes_of(pin("our-tools")) == ()
    assert sources.lines == EXPORTED[:1]


def test_usual_index_of_pdm_toml_replaces_pypi(tmp_path: Path) -> None:
    (tmp_path / "pdm.toml").write_text(
        '[pypi]\nurl = "https://m.example/s"\nusername = "a"\npassword = "b"\n'
    )

    assert usual_index(tmp_path, {}) == {"UV_DEFAULT_INDEX": "https://a:b@m.example/s"}


@pytest.mark.parametrize(
    ("settings", "environ"),
    [("", {"PDM_IGNORE_STORED_INDEX": "1"}), ("[pypi]\nignore_stored_index = true\n", {})],
)
def test_without_stored_indexes_the_first_one_of_the_app_replaces_pypi(
    tmp_path: Path, settings: str, environ: dict[str, str]
) -> None:
    (tmp_path / "pdm.toml").write_text(settings)
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.pdm.source]]\nname = "ours"\nurl = "https://${TOKEN}@ours.example/simple"\n'
    )

    usual = usual_index(tmp_path, {**environ, "TOKEN": "abc"})

    assert usual == {"UV_DEFAULT_INDEX": "https://abc@ours.example/simple"}


def test_index_that_only_pdm_toml_has_is_asked_too(tmp_path: Path) -> None:
    settings = '[pypi.more]\nurl = "https://more.example/s"\nusername = "a"\npassword = "b"\n'

    sources = sources_of(tmp_path, settings=settings)

    assert sources.lines[-1] == "--extra-index-url https://a:b@more.example/s"
    ignoring = sources_of(tmp_path, settings=settings, PDM_IGNORE_STORED_INDEX="true")
    assert not any("more.example" in line for line in ignoring.lines)


def test_variables_in_logins_of_pdm_toml_and_pdm_pypi_url_are_replaced(tmp_path: Path) -> None:
    address = "https://me:${PKG_TOKEN}@m.example/s"
    (tmp_path / "pdm.toml").write_text(f'[pypi]\nurl = "{address}"\n')
    (tmp_path / "pyproject.toml").write_text("")
    expected = {"UV_DEFAULT_INDEX": "https://me:a%2Fb@m.example/s"}

    assert usual_index(tmp_path, {"PKG_TOKEN": "a/b"}) == expected
    for environ, file in (({}, "pdm.toml"), ({"PDM_PYPI_URL": address}, "PDM_PYPI_URL")):
        with pytest.raises(UnsetVariable) as raised:
            usual_index(tmp_path, environ)
        assert (raised.value.file, raised.value.variables) == (file, ("PKG_TOKEN",))


def test_variable_in_another_part_of_an_address_is_not_replaced(tmp_path: Path) -> None:
    environ = {"PDM_PYPI_URL": "https://m.example/${PKG_TOKEN}/simple", "PKG_TOKEN": "abc"}

    with pytest.raises(UnreplacedVariable) as raised:
        usual_index(tmp_path, environ)

    assert raised.value.setting == "PDM_PYPI_URL, index pypi"
