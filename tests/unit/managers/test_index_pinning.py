"""From which index each package comes that Poetry, Pipenv or PDM has locked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from cnb_python.cnb import toml
from cnb_python.errors.base import BuildpackError, Failure
from cnb_python.errors.locks import BadLock, UnsetVariable
from cnb_python.errors.network import IndexRefused, SourceRefused
from cnb_python.managers import install_locked
from cnb_python.managers.base import Pin
from cnb_python.managers.lock_export import LockSources
from cnb_python.managers.pdm import export as pdm_export
from cnb_python.managers.pipenv import export as pipenv_export
from cnb_python.managers.poetry import export as poetry_export
from cnb_python.managers.uv import commands as uv
from tests.support.fake_tools import FakeTools, context_of, write_app

HASH, OTHER = "a" * 64, "b" * 64
OURS, ALL = "https://me:word@ours.example/simple", "https://all.example/simple"
POETRY_LOCK = f"""\
[[package]]
name = "Our.Tools"
version = "2.0"
files = [{{ file = "our_tools-2.0.whl", hash = "sha256:{HASH}" }}]
[package.source]
type = "legacy"
url = "https://ours.example/simple"
reference = "ours"
[[package]]
name = "both"
version = "1.0"
files = [{{ file = "both-1.0.whl", hash = "sha256:{HASH}" }}]
[[package]]
name = "both"
version = "1.0"
files = [{{ file = "both-1.0.whl", hash = "sha256:{OTHER}" }}]
[package.source]
type = "legacy"
url = "https://moved.example/simple/"
[[package]]
name = "six"
version = "1.17.0"
"""


def pin(name: str, version: str = "1.0", hashed: str = HASH) -> Pin:
    return Pin(name, version, "", f"{name}=={version} --hash=sha256:{hashed}")


def installing(
    home: install_locked.Home, directory: Path, *pins: Pin, **variables: str
) -> FakeTools:
    tools, context = FakeTools(), context_of(write_app(directory, [("x", "")]))
    install_locked.install_from_indexes(
        pins,
        install_locked.IndexedLock("PDM", home),
        context,
        tools,
        uv.UvSources(is_own=False, variables=variables),
    )
    return tools


def test_each_home_is_asked_for_its_own_and_first(tmp_path: Path) -> None:
    homes = {"tools": (OURS,), "six": ()}

    ran = installing(lambda one: homes[one.name], tmp_path, pin("tools"), pin("six"), UV_INDEX=ALL)

    usual, company = ran.ran
    assert usual.env["UV_INDEX"] == ALL
    assert "unsafe-best-match" in usual.argv
    assert company.env["UV_INDEX"] == f"{OURS} {ALL}"
    assert "first-index" in company.argv
    assert not any("word" in word for one in ran.ran for word in one.argv)


@pytest.mark.parametrize(("homes", "kind"), [((OURS,), SourceRefused), ((), IndexRefused)])
def test_a_refusal_says_whose_login_is_missing(
    tmp_path: Path, homes: tuple[str, ...], kind: type[BuildpackError]
) -> None:
    tools, context = FakeTools(), context_of(write_app(tmp_path, [("x", "")]))
    said = "error: Failed to fetch: https://ours.example/simple/six/\n  cause: HTTP status "
    tools.answer("install", f"{said}client error (401 Unauthorized) for url (https://h/)", 2)
    lock = install_locked.IndexedLock("Poetry", lambda _: homes)

    with pytest.raises(kind) as raised:
        install_locked.install_from_indexes(
            [pin("six")], lock, context, tools, uv.UvSources(is_own=False)
        )

    steps = cast("Failure", raised.value).describe().steps
    assert ("POETRY_HTTP_BASIC_<NAME>_USERNAME" in steps[0]) == bool(homes)


def test_poetry_s_packages_come_from_the_source_in_the_lock(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK)

    sources = poetry_export.read_sources(
        tmp_path / "poetry.lock", (f"--extra-index-url {OURS}", "", "six")
    )

    assert sources.indexes_of(pin("our-tools", "2.0.0")) == (OURS,)
    assert sources.indexes_of(pin("six", "1.17.0")) == ()
    assert sources.indexes_of(pin("unknown")) == ()


def test_of_two_sources_of_a_release_the_hashes_decide(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK)

    sources = poetry_export.read_sources(tmp_path / "poetry.lock", ())

    assert sources.indexes_of(pin("both", hashed=HASH)) == ()
    assert sources.indexes_of(pin("both", hashed=OTHER)) == ("https://moved.example/simple/",)


def test_a_company_s_source_is_not_asked_for_everybody_s_packages(tmp_path: Path) -> None:
    lock = tmp_path / "poetry.lock"
    lock.write_text(POETRY_LOCK)
    lines = ("--index-url https://all.example", f"--extra-index-url {OURS}", "six==1")

    assert poetry_export.read_sources(lock, lines).lines == (lines[0], lines[2])


def test_poetry_s_certificates_are_trusted_by_uv(tmp_path: Path) -> None:
    sources = '[[tool.poetry.source]]\nname = "old-one"\nurl = "https://me@old.example:8443/x"\n'
    directory = write_app(
        tmp_path,
        [
            ("pyproject.toml", sources),
            ("poetry.toml", '[certificates]\nours.cert = "ours.pem"\nold-one.cert = false\n'),
            ("ours.pem", "of the file"),
            ("variable.pem", "of the variable"),
        ],
    )
    variables = {
        "POETRY_CERTIFICATES_OUR_OWN_CERT": "variable.pem",
        "POETRY_CERTIFICATES_OUR_OWN_CLIENT_CERT": "/client.pem",
    }

    found = poetry_export.certificate_variables(context_of(directory, **variables))

    bundle = Path(found["SSL_CERT_FILE"]).read_text()
    assert "of the file" in bundle
    assert "of the variable" in bundle
    assert found["SSL_CLIENT_CERT"] == "/client.pem"
    assert found["UV_INSECURE_HOST"] == "old.example:8443"


def test_a_variable_for_a_certificate_is_stronger_than_the_app_s_settings(tmp_path: Path) -> None:
    sources = '[[tool.poetry.source]]\nname = "ours"\nurl = "https://ours.example/x"\n'
    files = [("pyproject.toml", sources), ("poetry.toml", '[certificates.ours]\ncert = "x.pem"\n')]
    context = context_of(write_app(tmp_path, files), POETRY_CERTIFICATES_OURS_CERT="false")

    assert poetry_export.certificate_variables(context) == {"UV_INSECURE_HOST": "ours.example"}


def test_nothing_said_of_certificates_changes_nothing(tmp_path: Path) -> None:
    context = context_of(write_app(tmp_path, [("pyproject.toml", "")]))

    assert poetry_export.certificate_variables(context) == {}


PIPFILE_LOCK: Mapping[str, object] = {
    "_meta": {
        "sources": [
            {"name": "all", "url": ALL, "verify_ssl": True},
            {"name": "ours", "url": "https://$U:${P}@ours.example:1/simple", "verify_ssl": False},
        ]
    },
    "default": {
        "Our.Tools": {"index": "ours", "version": "==2.0"},
        "six": {"index": "all", "version": "==1.0"},
        "dependency": {"version": "==1.0"},
    },
}
LOGIN = {"U": "me", "P": "w/rd"}
OURS_FILLED = "https://me:w%2Frd@ours.example:1/simple"
SAID = (f"-i {ALL}", "--extra-index-url https://${U}:${P}@ours.example:1/simple")


def of_pipenv(
    lock: Mapping[str, object] = PIPFILE_LOCK, pipfile: str = "", said: Sequence[str] = SAID
) -> LockSources:
    return pipenv_export.read_sources(lock, toml.parse(pipfile, Path("Pipfile")), said, LOGIN)


def test_pipenv_s_packages_come_from_their_source_or_the_first() -> None:
    found = of_pipenv()

    assert found.indexes_of(pin("our-tools")) == (OURS_FILLED,)
    assert found.indexes_of(pin("six")) == (ALL,)
    assert found.indexes_of(pin("dependency")) == (ALL,)
    assert found.lines == (f"--index-url {ALL}", "--trusted-host ours.example:1")


def test_pipenv_s_first_source_may_be_a_mirror() -> None:
    found = of_pipenv(said=("-i https://mirror.example/", SAID[1]))

    assert found.indexes_of(pin("six")) == ()
    assert found.indexes_of(pin("our-tools")) == (OURS_FILLED,)
    assert found.lines[0] == "--index-url https://mirror.example/"


def test_pipenv_may_be_told_to_look_everywhere() -> None:
    found = of_pipenv(pipfile="[pipenv]\ninstall_search_all_sources = true\n")

    assert found.indexes_of(pin("our-tools")) == ()
    assert found.lines[:2] == (f"-i {ALL}", f"--extra-index-url {OURS_FILLED}")


def test_a_source_that_the_lock_does_not_have_is_told() -> None:
    lock = {**PIPFILE_LOCK, "default": {"our-tools": {"index": "yours"}}}

    with pytest.raises(BadLock, match=r"our-tools from a source yours, .* all, ours"):
        of_pipenv(lock)


def test_a_variable_that_nobody_gave_the_build_is_named() -> None:
    with pytest.raises(UnsetVariable) as raised:
        pipenv_export.read_sources(PIPFILE_LOCK, {}, SAID, {"U": "me"})

    message = raised.value.describe()
    assert message.title == "The index ours needs P"
    assert "--env P" in message.steps[0]


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("-i https://h.example/", "-i https://h.example/"),
        ("-i https://me:a%40b@h.example/", "-i https://me:a%40b@h.example/"),
        ("https://${U}@h.example/$P", "https://me@h.example/w/rd"),
        ("https://'${P}'@h.example/", "https://w%2Frd@h.example/"),
        ("https://h.example/$NONE", "https://h.example/$NONE"),
    ],
)
def test_variables_in_pipenv_s_addresses_are_filled_in_as_it_does(
    written: str, filled: str
) -> None:
    assert pipenv_export.expanded(written, LOGIN) == filled


PDM = f"""\
[[tool.pdm.source]]
name = "pypi"
url = "{ALL}"
[[tool.pdm.source]]
name = "ours"
url = "https://${{U}}:${{P}}@ours.example/simple"
"""
EXPORTED = (f"--index-url {ALL}", f"--extra-index-url {OURS}")


def of_pdm(directory: Path, more: str = "", own: str = "", **environ: str) -> LockSources:
    files = [("pyproject.toml", PDM + more), ("pdm.toml", own)]
    return pdm_export.read_sources(write_app(directory, files), EXPORTED, {**LOGIN, **environ})


def test_pdm_s_sources_without_rules_are_all_asked(tmp_path: Path) -> None:
    found = of_pdm(tmp_path)

    assert found.indexes_of(pin("our-tools")) == ()
    assert found.lines == EXPORTED


def test_pdm_s_rules_bind_packages_to_sources(tmp_path: Path) -> None:
    found = of_pdm(tmp_path, 'include_packages = ["Our_*"]\nexclude_packages = ["six"]\n')

    assert found.indexes_of(pin("our-tools")) == (OURS,)
    assert found.indexes_of(pin("six")) == ()
    assert found.indexes_of(pin("other")) == (OURS,)
    assert found.lines == (EXPORTED[0],)


def test_logins_for_pdm_come_from_its_variables_and_its_settings(tmp_path: Path) -> None:
    login = {"PDM_PYPI_USERNAME": "you", "PDM_PYPI_PASSWORD": "p/w"}
    own = '[pypi.ours]\nusername = "a"\npassword = "b"\n'

    found = of_pdm(tmp_path, own=own, **login)

    assert found.lines == (
        "--index-url https://you:p%2Fw@all.example/simple",
        "--extra-index-url https://a:b@ours.example/simple",
    )
    assert pdm_export.usual_index({**login, "PDM_PYPI_URL": "https://m.example/s"}) == {
        "UV_DEFAULT_INDEX": "https://you:p%2Fw@m.example/s"
    }


def test_a_variable_for_pdm_that_nobody_gave_the_build_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsetVariable) as raised:
        of_pdm(tmp_path, U="")

    assert (raised.value.source, raised.value.variables) == ("ours", ("U",))


def test_other_addresses_than_sources_are_taken_as_they_are(tmp_path: Path) -> None:
    directory = write_app(tmp_path, [("pyproject.toml", PDM + 'include_packages = ["*"]\n')])

    found = pdm_export.read_sources(directory, EXPORTED[:1], LOGIN)

    assert found.indexes_of(pin("our-tools")) == ()
    assert found.lines == EXPORTED[:1]


def test_without_a_lock_uv_is_told_what_is_bound_in_a_table_of_its_own(tmp_path: Path) -> None:
    lines = (
        "six",
        "Our.Tools[x]>=1; python_version > '3'",
        "-e .",
        "far @ https://h.example/f.whl",
    )

    plain, table = map(Path, pipenv_export.uv_files(lines, of_pipenv(), tmp_path))

    assert plain.read_text().splitlines() == [lines[0], *lines[2:]]
    written = toml.read(table)
    assert toml.table_at(written, "project")["dependencies"] == [lines[1]]
    own = toml.table_at(toml.table_at(written, "tool"), "uv")
    assert own["sources"] == {"our-tools": {"index": "source-0"}}
    assert own["index"] == [{"name": "source-0", "url": OURS_FILLED, "explicit": True}]


def test_without_a_lock_and_bound_packages_there_is_no_table(tmp_path: Path) -> None:
    assert len(pipenv_export.uv_files(["six", "-e ."], of_pipenv(), tmp_path)) == 1
