"""uv's commands, and its words for failures."""

from pathlib import Path

import pytest

from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.errors.packages.building import SourceBuildFailed
from cnb_python.errors.packages.install import UvRefused
from cnb_python.managers.base import InstallContext, Pin
from cnb_python.managers.index_config import Network
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_system import Programs

SHA = "ab" * 32
URL = "https://me:secret@index.example.org/simple"
UNUSED = Programs(lambda command: pytest.fail(str(command)))
NOTHING = Network("", {})
NO_SOLUTION = """\
Using Python 3.14.6 environment at: /layers/venv
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because there is no version of idna==999 and you require idna==999, we can
      conclude that your requirements are unsatisfiable.
"""
GREMLINS = """\
error: Gremlins in the works
  cause: they were fed after midnight
"""
NO_INDEX = """\
error: Failed to fetch: `https://index.example.org/simple/idna/`
  Caused by: client error (Connect)
"""


def workplace(scratch: Path, **environ: str) -> InstallContext:
    return InstallContext(
        app_dir=Path("/workspace"),
        environment=Path("/layers/venv"),
        tool=Path("/tmp/tool/pip"),
        cache=scratch / "downloads",
        scratch=scratch,
        environ=environ,
        python="3.14.6",
        uv=Path("/tools/uv"),
    )


def exactly(scratch: Path, *lines: str, network: Network = NOTHING, **environ: str) -> Command:
    pins = [Pin("a", "1.0", "", line) for line in lines]
    return uv.install_exactly(pins, network, workplace(scratch, **environ))


def test_install_exactly_installs_the_pins_alone(tmp_path: Path) -> None:
    command = exactly(tmp_path, "a==1.0", "b[x]==2")

    assert command.argv[:3] == ("/tools/uv", "pip", "install")
    assert {"--no-deps", "--no-config", "--no-sources"} <= set(command.argv)
    assert Path(command.argv[-1]).read_text() == "a==1.0\nb[x]==2\n"
    assert command.cwd == tmp_path, "uv reads settings where it runs"
    assert command.argv[command.argv.index("--python") + 1] == "/layers/venv/bin/python"


@pytest.mark.parametrize(
    ("line", "expected"), [("a==1.0", False), (f"a==1.0 --hash=sha256:{SHA}", True)]
)
def test_hashes_are_required_if_a_pin_has_one(tmp_path: Path, line: str, expected: object) -> None:
    assert ("--require-hashes" in exactly(tmp_path, line).argv) is expected


def test_settings_of_uv_and_pip_do_not_reach_install_exactly(tmp_path: Path) -> None:
    command = exactly(
        tmp_path, "a==1.0", UV_INDEX_URL="x", PIP_PRE="1", PATH="/bin", HOME="/home/cnb"
    )

    assert command.env == {"PATH": "/bin", "HOME": "/home/cnb"}


def test_index_is_passed_as_a_variable(tmp_path: Path) -> None:
    network = Network(URL, {"UV_HTTP_TIMEOUT": "9", "NO_PROXY": ""})
    command = exactly(tmp_path, "a==1.0", network=network, NO_PROXY="*", PATH="/bin")

    assert command.env == {"PATH": "/bin", "UV_DEFAULT_INDEX": URL, "UV_HTTP_TIMEOUT": "9"}
    assert "secret" not in " ".join((*command.argv, command.shown))


def test_uvs_settings_count_for_compile_all(tmp_path: Path) -> None:
    context = workplace(tmp_path, UV_INDEX_URL=URL)
    deciding = uv.compile_all("requirements.txt", tmp_path / "pylock.toml", context)
    pins = [Pin("a", "1.0", "", "a==1.0")]
    installing = uv.install_compiled(pins, ["--no-binary a"], context)

    for command in (deciding, installing):
        assert command.env == {"UV_INDEX_URL": URL}
        assert command.cwd == Path("/workspace")
        assert "--no-config" not in command.argv
    assert Path(installing.argv[-1]).read_text() == "--no-binary a\na==1.0\n"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            NO_SOLUTION,
            (
                "No solution found when resolving dependencies: Because there is no version of "
                "idna==999 and you require idna==999, we can conclude that your requirements are "
                "unsatisfiable."
            ),
        ),
        (
            NO_INDEX,
            (
                "Failed to fetch: `https://index.example.org/simple/idna/` "
                "Caused by: client error (Connect)"
            ),
        ),
        ("gremlins\n", "gremlins"),
        ("", "exit code 2"),
    ],
)
def test_refusal_is_one_sentence(output: str, words: str) -> None:
    assert uv.refusal(Outcome(2, output)) == f"uv says: {words}"


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (Outcome(2, "error: No space left on device (os error 28)"), DiskFull),
        (Outcome(-9, ""), Killed),
    ],
)
def test_full_disk_is_raised_by_refusal(outcome: Outcome, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        uv.refusal(outcome)
    command = Command((), {}, Path("/"))
    explained = uv.explain(command, outcome, workplace(Path("/tmp")), UNUSED)
    assert isinstance(explained, failure)


def test_unrecognized_failure_is_explained_in_uvs_words() -> None:
    command = Command((), {}, Path("/"), shown="uv pip compile requirements.txt")
    outcome = Outcome(1, GREMLINS)
    failure = uv.explain(command, outcome, workplace(Path("/tmp")), UNUSED)

    assert isinstance(failure, UvRefused)
    body = failure.describe().body
    assert "`uv pip compile requirements.txt` ended with exit code 1." in body[0]
    assert any("Gremlins in the works" in line for line in body)
    assert any("cause: they were fed after midnight" in line for line in body)


def test_linux_wheels_on_index_pages_are_preferred_by_pip(tmp_path: Path) -> None:
    page = tmp_path / "uv/simple-v27/index/0/a.rkyv"
    page.parent.mkdir(parents=True)
    page.write_bytes(b"\0a-1.0-cp314-cp314-linux_x86_64.whl\0a-1.0-py3-none-any.whl")
    context = workplace(tmp_path)

    assert "which pip prefers" in uv.preferred_by_pip(context, Network(URL, {}), "x86_64")
    assert uv.preferred_by_pip(context, Network(URL, {}), "aarch64") == ""
    assert uv.preferred_by_pip(context, Network("", {}), "x86_64") == ""


def test_question_of_pip_goes_to_pips_indexes_alone(tmp_path: Path) -> None:
    programs = Programs(lambda _: Outcome(1, ""))
    own = {"UV_INDEX": "https://uv.example.org/simple", "PIP_INDEX_URL": URL}
    context = workplace(tmp_path, **own, PIP_CONFIG_FILE="/dev/null")
    failure = SourceBuildFailed("shop-tools", "no", "3.14.6")
    output = "  Downloading shop_tools-1.0.tar.gz\n"

    uv.alternative_for_pip(failure, output, lambda: ("--no-binary shop-tools",), context, programs)

    assert programs.ran
    for command in programs.ran:
        assert command.env["UV_DEFAULT_INDEX"] == URL
        assert "UV_INDEX" not in command.env
        assert "--no-config" in command.argv
        assert URL not in " ".join(command.argv)
