"""The one door, with a package manager that only pretends."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.environment.fill import fill
from cnb_python.environment.request import EnvironmentRequest
from cnb_python.errors import IndexRefused, InstallFailed
from cnb_python.managers.pip import Pip
from cnb_python.project import read_project
from cnb_python.system.outside import Command, Outcome
from tests.unit.environment.worlds import world

SECRET = "https://me:secret@index.example.org/simple"


def request(directory: Path) -> EnvironmentRequest:
    app, pip = directory / "app", directory / "pip"
    app.mkdir()
    pip.mkdir()
    (app / "requirements.txt").write_text("Flask_Thing\n")
    (pip / "__pip-runner__.py").touch()
    return EnvironmentRequest(
        project=read_project(app),
        manager=Pip(),
        interpreter=Path("/layers/python/bin/python3.14"),
        python="3.14.6",
        tool=pip,
        cache=None,
        environ={"PIP_INDEX_URL": SECRET},
    )


def installing(venv: Path) -> Callable[[Command], Outcome]:
    """Answer as pip and the compiler do; pip leaves two distributions."""

    def answer(command: Command) -> Outcome:
        if "install" not in command.argv:
            return Outcome(0, "5 0\n")
        for name, version in (("zlib_ng", "2.0"), ("Flask_Thing", "1.0")):
            metadata = venv / f"lib/python3.14/site-packages/{name}-{version}.dist-info/METADATA"
            metadata.parent.mkdir()
            metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        return Outcome(0, f"Looking in indexes: {SECRET}\nSuccessfully installed\n")

    return answer


def test_the_result_names_what_was_installed(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    system, _, _ = world(installing(venv))

    environment = fill(request(tmp_path), venv, system)

    assert environment.directory == venv
    assert environment.site_packages == venv / "lib/python3.14/site-packages"
    assert list(environment.distributions.items()) == [("flask-thing", "1.0"), ("zlib-ng", "2.0")]


def test_the_environment_is_installed_to_and_then_compiled(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    system, programs, _ = world(installing(venv))

    fill(request(tmp_path), venv, system)

    install, compile_ = programs.ran
    assert install.argv[0] == str(venv / "bin/python")
    assert install.env["PIP_INDEX_URL"] == SECRET
    assert compile_.argv[0] == "/layers/python/bin/python3.14"
    assert compile_.argv[-1] == str(venv / "lib/python3.14/site-packages")


def test_checkouts_of_editable_packages_are_compiled_too(tmp_path: Path) -> None:
    venv = tmp_path / "venv"

    def answer(command: Command) -> Outcome:
        (venv / "src").mkdir(exist_ok=True)
        return installing(venv)(command)

    system, programs, _ = world(answer)

    fill(request(tmp_path), venv, system)

    assert programs.ran[1].argv[-1] == str(venv / "src")


def test_the_managers_words_are_shown_without_secrets(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    system, _, log = world(installing(venv))

    fill(request(tmp_path), venv, system)

    assert "Running `pip install -r requirements.txt`" in log.said
    assert "Looking in indexes: https://****@index.example.org/simple" in log.said
    assert "secret" not in "".join(log.said)


def test_a_failure_is_explained_without_secrets_and_nothing_is_compiled(tmp_path: Path) -> None:
    system, programs, _ = world(lambda _: Outcome(2, f"ERROR: gremlins at {SECRET}\n"))

    with pytest.raises(InstallFailed) as raised:
        fill(request(tmp_path), tmp_path / "venv", system)

    assert raised.value.last_words == ("ERROR: gremlins at https://****@index.example.org/simple",)
    assert len(programs.ran) == 1


def test_a_second_answer_is_stripped_of_secrets_too(tmp_path: Path) -> None:
    said = (
        f"Could not fetch URL {SECRET}/x/: 401 Client Error: Unauthorized - skipping\n"
        "ERROR: No matching distribution found for x\n"
    )
    system, programs, log = world(lambda _: Outcome(1, said))

    with pytest.raises(IndexRefused) as raised:
        fill(request(tmp_path), tmp_path / "venv", system)

    assert len(programs.ran) == 2
    assert "secret" not in raised.value.url
    assert "secret" not in "".join(log.said)


def test_where_an_editable_checkout_came_from_is_forgotten(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    answer = installing(venv)

    def checking_out(command: Command) -> Outcome:
        if "install" in command.argv:
            for name in ("thing/.git/config", "thing/vendored/.git", "thing/thing.py"):
                file = venv / "src" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"url = {SECRET}")
        return answer(command)

    fill(request(tmp_path), venv, world(checking_out)[0])

    assert [path.name for path in (venv / "src").rglob("*") if path.is_file()] == ["thing.py"]


def test_secrets_that_look_like_ordinary_text_are_known_from_the_variables(tmp_path: Path) -> None:
    odd = "http://me:s3/cret@host/simple"
    system, _, log = world(lambda _: Outcome(2, f"Looking in {odd}\nERROR: no s3/cret at {odd}\n"))
    asked = replace(request(tmp_path), environ={"PIP_EXTRA_INDEX_URL": odd})

    with pytest.raises(InstallFailed) as raised:
        fill(asked, tmp_path / "venv", system)

    assert raised.value.last_words[1] == "ERROR: no **** at http://****@host/simple"
    assert "cret" not in "".join(log.said)
