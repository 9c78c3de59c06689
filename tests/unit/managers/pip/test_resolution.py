"""Which tool resolves and installs an app with a requirements.txt."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.kinds import SettingOrigin
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.locks import UnreplacedVariable, UnsetVariable
from cnb_python.errors.machine import DiskFull, ProgramNotStarted
from cnb_python.errors.packages.install import InstallFailed, UvRefused
from cnb_python.managers.base import InstallContext, NeedsResolving, PinsRefused, Resolution
from cnb_python.managers.pip import install as pip_install
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.interface import Command, Download, Outcome
from tests.support.installing import resolve_and_install

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
        return ["uv" if command.argv[0] == "/tools/uv" else "pip" for command in self.ran]


@dataclass
class App:
    directory: Path
    environ: dict[str, str]
    settings: Settings = DEFAULTS

    @property
    def context(self) -> InstallContext:
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
    def resolution(self) -> Resolution:
        assert isinstance(self.pins, Resolution), self.pins
        return self.pins


def app(tmp_path: Path, requirements: str, **environ: str) -> App:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "requirements.txt").write_text(requirements)
    return App(directory, NO_FILES | environ)


def test_pinned_file_is_resolved_from_files_alone(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1.0\n")
    tools = Tools()

    assert [pin.line for pin in ready.resolution.pins] == ["a==1.0"]
    assert not Pip().install(ready.resolution, ready.resolution.pins, ready.context, tools)
    assert tools.programs == ["uv"]


@pytest.mark.parametrize(
    ("requirements", "environ", "reason"),
    [
        ("a\n", {}, "line 1 of requirements.txt names no version"),
        ("a==1\n", {"PIP_CONSTRAINT": "c.txt"}, "pip is configured with constraint"),
    ],
)
def test_unpinned_file_needs_resolving(
    tmp_path: Path, requirements: str, environ: dict[str, str], reason: str
) -> None:
    assert app(tmp_path, requirements, **environ).pins == NeedsResolving(reason)


def test_chosen_pip_needs_resolving(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1\n")
    ready.settings = Settings(installer="pip")

    assert ready.pins == NeedsResolving("BP_PYTHON_INSTALLER is pip")


def test_setting_that_chose_pip_is_named(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1\n")
    given = SettingOrigin("pyproject.toml", 3)
    ready.settings = Settings(installer="pip", origins={"installer": given})

    assert ready.pins == NeedsResolving("installer (pyproject.toml, line 3) is pip")


def test_chosen_uv_with_settings_needs_resolving(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1\n", UV_INDEX="x")
    ready.settings = Settings(installer="uv")

    assert ready.pins == NeedsResolving("uv has settings of its own")


def test_pips_settings_do_not_count_for_chosen_uv(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1", PIP_CONSTRAINT="c.txt")
    ready.settings = Settings(installer="uv")

    assert len(ready.resolution.pins) == 1


def test_refusal_of_uv_is_raised(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1.0\n")
    tools = Tools(2, "error: Failed to fetch\n")

    with pytest.raises(PinsRefused, match="uv says: Failed to fetch"):
        Pip().install(ready.resolution, ready.resolution.pins, ready.context, tools)


def test_releases_without_wheel_are_returned_and_others_looked_for(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1.0\nb==1.0\nc==1.0\n")
    hint = "hint: Wheels are required for `{}` because building from source is disabled"
    answers = [Outcome(1, hint.format("B")), Outcome(1, hint.format("c")), Outcome(0, "")]
    ran: list[Command] = []

    def answer(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        ran.append(command)
        return answers[len(ran) - 1]

    unbuilt = Pip().install(ready.resolution, ready.resolution.pins, ready.context, answer)

    assert unbuilt == {"b", "c"}
    assert ["--dry-run" in command.argv for command in ran] == [False, True, True]
    assert all("--no-build" in command.argv for command in ran)


def test_release_whose_wheels_have_other_hashes_may_be_built(tmp_path: Path) -> None:
    ready = app(tmp_path, f"a==1.0 --hash=sha256:{SHA}\n")
    words = "error: Failed to download `a==1.0`\n  cause: Hash mismatch for `a==1.0`\n"
    tools = Tools(1, words)

    assert Pip().install(ready.resolution, ready.resolution.pins, ready.context, tools) == {"a"}
    building = replace(ready.context, builds=True)
    with pytest.raises(PinsRefused, match="Hash mismatch"):
        Pip().install(ready.resolution, ready.resolution.pins, building, tools)


def test_release_that_uv_built_since_its_settings_ask_for_it_is_returned(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1.0\nb==1.0\n")

    unbuilt = Pip().install(
        ready.resolution,
        ready.resolution.pins,
        ready.context,
        Tools(0, "   Building a==1.0\n      Built a==1.0\n"),
    )

    assert unbuilt == {"a"}


def test_single_pin_is_built_if_it_may(tmp_path: Path) -> None:
    ready, tools = app(tmp_path, "a==1.0\n"), Tools(0, "   Building a==1.0\n")
    context = replace(ready.context, builds=True)

    assert not Pip().install(ready.resolution, ready.resolution.pins, context, tools)
    assert "--no-build" not in tools.ran[0].argv


def test_full_disk_is_raised(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1.0\n")

    with pytest.raises(DiskFull):
        Pip().install(
            ready.resolution,
            ready.resolution.pins,
            ready.context,
            Tools(2, "[Errno 28] No space left"),
        )


def test_uv_that_does_not_start_refuses_pins(tmp_path: Path) -> None:
    ready = app(tmp_path, "a==1.0\n")

    def refuse(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        raise ProgramNotStarted(command.argv[0], "Exec format error")

    with pytest.raises(PinsRefused, match="uv does not start here: Exec format error"):
        Pip().install(ready.resolution, ready.resolution.pins, ready.context, refuse)


def test_resolve_then_install_runs_pip_twice(tmp_path: Path) -> None:
    tools, context = Tools(), app(tmp_path, "a\n--pre\n").context

    resolution = Pip().resolve(context, tools)
    Pip().install(resolution, resolution.pins, context, tools)

    assert tools.programs == ["pip", "pip"]
    assert "--dry-run" in tools.ran[0].argv
    assert Path(tools.ran[1].argv[-1]).read_text() == f"--pre\na==1.0 --hash=sha256:{SHA}\n"


def test_failure_of_pip_is_explained(tmp_path: Path) -> None:
    context = app(tmp_path, "a\n").context

    with pytest.raises(InstallFailed):
        Pip().resolve(context, Tools(1, "ERROR: Operation cancelled by user"))
    with pytest.raises(InstallFailed):
        resolve_and_install(Pip(), context, Tools(1, "ERROR: Operation cancelled by user"))


def test_chosen_uv_resolves_and_installs_alone(tmp_path: Path) -> None:
    tools = Tools()

    resolution = resolve_and_install(BY_UV, app(tmp_path, "a\n").context, tools)

    assert [(pin.line, resolution.by) for pin in resolution.pins] == [("a==1.0", "uv")]
    assert tools.programs == ["uv", "uv"]


def test_failure_of_uv_is_explained(tmp_path: Path) -> None:
    context = app(tmp_path, "a\n").context

    with pytest.raises(UvRefused):
        BY_UV.resolve(context, Tools(1, "error: no"))


def test_pins_of_a_pinned_file_are_installed_by_uv(tmp_path: Path) -> None:
    ready, tools = app(tmp_path, "a==1.0\nb==2\n"), Tools()

    Pip().install(ready.resolution, ready.resolution.pins[1:], ready.context, tools)

    assert Path(tools.ran[0].argv[-1]).read_text() == "b==2\n"
    assert "--no-config" in tools.ran[0].argv


def test_remote_include_is_downloaded_with_pips_network(tmp_path: Path) -> None:
    ready, asked = app(tmp_path, "-r https://h.example/base.txt\na\n"), list[Download]()
    (tmp_path / "pip.conf").write_text("[global]\ncert = /company.pem\nproxy = http://other\n")
    environ = {
        "PIP_CONFIG_FILE": f"{tmp_path}/pip.conf",
        "PIP_PROXY": "http://proxy.example:3128",
        "https_proxy": "http://of.the.system",
    }

    def fetch(download: Download, to: Path) -> None:
        asked.append(download)
        to.touch()

    Pip().resolve(replace(ready.context, environ=environ, fetch=fetch), Tools())

    way = asked[0].network
    assert (way["SSL_CERT_FILE"], way["SSL_CERT_DIR"]) == ("/company.pem", "")
    assert (way["HTTPS_PROXY"], way["https_proxy"]) == ("http://proxy.example:3128", "")


def test_options_in_a_remote_include_count(tmp_path: Path) -> None:
    ready = app(tmp_path, "-r https://h.example/base.txt\n-r https://h.example/gone.txt\na\n")
    tools, context = Tools(), ready.context

    def fetch(download: Download, to: Path) -> None:
        if download.url.endswith("gone.txt"):
            raise DownloadFailed(download.title, download.url, "404", 1, 404)
        to.write_text("--extra-index-url https://i.example/simple\nb\n")

    resolution = Pip().resolve(context, tools)
    Pip().install(resolution, resolution.pins, replace(context, fetch=fetch), tools)

    exact = tools.ran[-1].argv[-1]
    assert Path(exact).read_text() == (
        f"--extra-index-url https://i.example/simple\na==1.0 --hash=sha256:{SHA}\n"
    )
    assert not (context.scratch / "included.txt").exists()


@pytest.mark.parametrize("installer", ["auto", "uv"])
@pytest.mark.parametrize(
    ("line", "file", "source", "kind"),
    [
        (
            "--extra-index-url https://${PKG_TOKEN}@h.example/simple/",
            "requirements.txt",
            "h.example/simple/",
            "index",
        ),
        ("-r more.txt", "more.txt", "h.example/simple/", "index"),
        ("a @ git+https://${PKG_TOKEN}@h.example/a", "requirements.txt", "h.example/a", "source"),
    ],
)
def test_unset_variable_in_an_address_is_named_before_any_index_is_asked(
    tmp_path: Path, line: str, file: str, source: str, kind: str, installer: str
) -> None:
    ready = app(tmp_path, f"{line}\na\n", PKG_TOKEN="")
    (ready.directory / "more.txt").write_text("-i https://me:${PKG_TOKEN}@h.example/simple/\n")
    tools = Tools()

    with pytest.raises(UnsetVariable) as raised:
        Pip(Settings(installer=installer)).resolve(ready.context, tools)

    error = raised.value
    assert (error.file, error.variables) == (file, ("PKG_TOKEN",))
    assert (error.source, error.kind) == (source, kind)
    assert tools.programs == []


def test_unset_variable_of_a_line_with_a_marker_is_left_to_pip(tmp_path: Path) -> None:
    ready = app(tmp_path, "a @ https://${HOST}/a.whl ; python_version < '3'\nb\n")

    pip_install.check_variables(["requirements.txt"], ready.directory, ready.environ)


@pytest.mark.parametrize("requirements", ["a==1.0\n", "a\n"])
def test_variable_that_pip_does_not_replace_is_named(tmp_path: Path, requirements: str) -> None:
    ready = app(tmp_path, requirements, PIP_INDEX_URL="https://${T}@h.example/", T="abc")

    def resolve() -> None:
        if isinstance(ready.pins, NeedsResolving):
            Pip().resolve(ready.context, Tools())

    with pytest.raises(UnreplacedVariable):
        resolve()
