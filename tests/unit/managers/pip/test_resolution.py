"""Who is asked for what when an app has a requirements.txt."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.kinds import SettingOrigin
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.install import InstallFailed, UvRefused
from cnb_python.errors.machine import DiskFull, DownloadFailed, ProgramNotStarted
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.interface import Command, Download, Outcome

SHA = "ab" * 32
BY_UV = Pip(Settings(installer="uv"))
NO_FILES = {"PIP_CONFIG_FILE": "/dev/null"}
REPORT = json.dumps(
    {
        "version": "1",
        "install": [
            {
                "download_info": {
                    "url": "https://x.example/a.whl",
                    "archive_info": {"hashes": {"sha256": SHA}},
                },
                "is_direct": False,
                "metadata": {"name": "a", "version": "1.0"},
            }
        ],
    }
)
LOCK = '[[packages]]\nname = "a"\nversion = "1.0"\n'


@dataclass
class Tools:
    """pip and uv, which write what they were asked for and end with *code*."""

    code: int = 0
    output: str = ""
    ran: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        self.ran.append(command)
        for option, text in (("--report", REPORT), ("--output-file", LOCK)):
            if option in command.argv:
                Path(command.argv[command.argv.index(option) + 1]).write_text(text)
        return Outcome(self.code, self.output)

    @property
    def programs(self) -> list[str]:
        return ["uv" if one.argv[0] == "/tools/uv" else "pip" for one in self.ran]


@dataclass
class App:
    directory: Path
    environ: dict[str, str]
    settings: Settings = DEFAULTS

    @property
    def place(self) -> InstallContext:
        scratch = self.directory.parent / "scratch"
        scratch.mkdir(exist_ok=True)
        return InstallContext(
            app_dir=self.directory,
            environment=Path("/layers/venv"),
            tool=Path("/tmp/tool/pip"),
            cache=scratch,
            scratch=scratch,
            environ=self.environ,
            python="3.14.6",
            uv=Path("/tools/uv"),
        )

    @property
    def pins(self) -> Resolution | NeedsResolving:
        return Pip(self.settings, processor="x86_64").resolve_from_files(
            read_app(self.directory), "3.14.6", self.environ
        )

    @property
    def decision(self) -> Resolution:
        assert isinstance(self.pins, Resolution), self.pins
        return self.pins


def app(tmp_path: Path, requirements: str, **environ: str) -> App:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "requirements.txt").write_text(requirements)
    return App(directory, NO_FILES | environ)


def test_an_exact_file_decides_by_itself(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1.0\n")
    tools = Tools()

    assert [pin.line for pin in made.decision.pins] == ["a==1.0"]
    assert Pip().install_pinned(made.decision, made.decision.pins, made.place, tools) == ""
    assert tools.programs == ["uv"]


@pytest.mark.parametrize(
    ("requirements", "environ", "reason"),
    [
        ("a\n", {}, "line 1 of requirements.txt names no version"),
        ("a==1\n", {"PIP_CONSTRAINT": "c.txt"}, "pip is configured with constraint"),
    ],
)
def test_everything_else_is_for_a_tool_to_decide(
    tmp_path: Path, requirements: str, environ: dict[str, str], reason: str
) -> None:
    assert app(tmp_path, requirements, **environ).pins == NeedsResolving(reason)


def test_pip_decides_where_it_was_chosen(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1\n")
    made.settings = Settings(installer="pip")

    assert made.pins == NeedsResolving("BP_PYTHON_INSTALLER is pip")


def test_who_chose_pip_is_named(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1\n")
    given = SettingOrigin("pyproject.toml", 3)
    made.settings = Settings(installer="pip", origins={"installer": given})

    assert made.pins == NeedsResolving("installer (pyproject.toml, line 3) is pip")


def test_uv_with_settings_of_its_own_decides_where_it_was_chosen(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1\n", UV_INDEX="x")
    made.settings = Settings(installer="uv")

    assert made.pins == NeedsResolving("uv has settings of its own")


def test_pips_settings_do_not_concern_those_who_choose_uv(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1", PIP_CONSTRAINT="c.txt")
    made.settings = Settings(installer="uv")

    assert len(made.decision.pins) == 1


def test_why_uv_did_not_is_told_and_no_error(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1.0\n")
    tools = Tools(2, "error: Failed to fetch\n")

    refusal = Pip().install_pinned(made.decision, made.decision.pins, made.place, tools)

    assert refusal == "uv says: Failed to fetch"


def test_a_full_disk_is_an_error_whoever_meets_it(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1.0\n")

    with pytest.raises(DiskFull):
        Pip().install_pinned(
            made.decision, made.decision.pins, made.place, Tools(2, "[Errno 28] No space left")
        )


def test_a_uv_that_does_not_start_is_done_without(tmp_path: Path) -> None:
    made = app(tmp_path, "a==1.0\n")

    def refuse(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        raise ProgramNotStarted(command.argv[0], "Exec format error")

    refusal = Pip().install_pinned(made.decision, made.decision.pins, made.place, refuse)

    assert refusal == "uv does not start here: Exec format error"


def test_pip_is_asked_once_where_everything_is_to_be_installed(tmp_path: Path) -> None:
    tools = Tools()

    decision = Pip().resolve_and_install(app(tmp_path, "a\n").place, tools)

    assert [pin.line for pin in decision.pins] == [f"a==1.0 --hash=sha256:{SHA}"]
    assert tools.programs == ["pip"]
    assert "--dry-run" not in tools.ran[0].argv


def test_pip_decides_first_where_something_is_there(tmp_path: Path) -> None:
    tools, place = Tools(), app(tmp_path, "a\n--pre\n").place

    decision = Pip().resolve(place, tools)
    Pip().install(decision, decision.pins, place, tools)

    assert tools.programs == ["pip", "pip"]
    assert "--dry-run" in tools.ran[0].argv
    assert Path(tools.ran[1].argv[-1]).read_text() == f"--pre\na==1.0 --hash=sha256:{SHA}\n"


def test_what_pip_says_went_wrong_is_explained(tmp_path: Path) -> None:
    place = app(tmp_path, "a\n").place

    with pytest.raises(InstallFailed):
        Pip().resolve(place, Tools(1, "ERROR: Operation cancelled by user"))
    with pytest.raises(InstallFailed):
        Pip().resolve_and_install(place, Tools(1, "ERROR: Operation cancelled by user"))


def test_those_who_choose_uv_are_served_by_it_alone(tmp_path: Path) -> None:
    tools = Tools()

    decision = BY_UV.resolve_and_install(app(tmp_path, "a\n").place, tools)

    assert [(pin.line, decision.by) for pin in decision.pins] == [("a==1.0", "uv")]
    assert tools.programs == ["uv", "uv"]


def test_what_uv_says_went_wrong_is_explained(tmp_path: Path) -> None:
    place = app(tmp_path, "a\n").place

    with pytest.raises(UvRefused):
        BY_UV.resolve(place, Tools(1, "error: no"))


def test_what_an_exact_file_decided_is_installed_again_by_uv(tmp_path: Path) -> None:
    made, tools = app(tmp_path, "a==1.0\nb==2\n"), Tools()

    Pip().install(made.decision, made.decision.pins[1:], made.place, tools)

    assert Path(tools.ran[0].argv[-1]).read_text() == "b==2\n"
    assert "--no-config" in tools.ran[0].argv


def test_an_included_file_is_fetched_on_pip_s_own_way(tmp_path: Path) -> None:
    made, asked = app(tmp_path, "-r https://h.example/base.txt\na\n"), list[Download]()
    (tmp_path / "pip.conf").write_text("[global]\ncert = /company.pem\nproxy = http://other\n")
    environ = {
        "PIP_CONFIG_FILE": f"{tmp_path}/pip.conf",
        "PIP_PROXY": "http://proxy.example:3128",
        "https_proxy": "http://of.the.system",
    }

    def fetch(download: Download, to: Path) -> None:
        asked.append(download)
        to.touch()

    Pip().resolve(replace(made.place, environ=environ, fetch=fetch), Tools())

    way = asked[0].network
    assert (way["SSL_CERT_FILE"], way["SSL_CERT_DIR"]) == ("/company.pem", "")
    assert (way["HTTPS_PROXY"], way["https_proxy"]) == ("http://proxy.example:3128", "")


def test_an_included_file_on_the_web_says_where_to_look_too(tmp_path: Path) -> None:
    made = app(tmp_path, "-r https://h.example/base.txt\n-r https://h.example/gone.txt\na\n")
    tools, place = Tools(), made.place

    def fetch(download: Download, to: Path) -> None:
        if download.url.endswith("gone.txt"):
            raise DownloadFailed(download.title, download.url, "404", 1, 404)
        to.write_text("--extra-index-url https://i.example/simple\nb\n")

    decision = Pip().resolve(place, tools)
    Pip().install(decision, decision.pins, replace(place, fetch=fetch), tools)

    exact = tools.ran[-1].argv[-1]
    assert Path(exact).read_text() == (
        f"--extra-index-url https://i.example/simple\na==1.0 --hash=sha256:{SHA}\n"
    )
    assert not (place.scratch / "included.txt").exists()
