"""The commands with which pip resolves and installs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.managers.base import InstallContext, Pin
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.system.interface import Command

SHA = "ab" * 32
FILES = ("requirements.txt",)
INDEX = {"PIP_INDEX_URL": "https://index.example.org/simple"}


def workplace(
    scratch: Path, cache: Path | None = None, environ: Mapping[str, str] = INDEX
) -> InstallContext:
    return InstallContext(
        app_dir=Path("/workspace"),
        environment=Path("/layers/venv"),
        tool=Path("/tmp/tool/pip"),
        cache=cache,
        scratch=scratch,
        environ=environ,
        python="3.14.6",
        uv=Path("/tools/uv"),
    )


def pin(line: str) -> Pin:
    return Pin("a", "1.0", "", line)


def written(command: Command) -> list[str]:
    assert command.argv[-2] == "--requirement"
    return Path(command.argv[-1]).read_text(encoding="utf-8").splitlines()


def exactly(
    scratch: Path, lines: Sequence[str], finding: Sequence[str] = (), **environ: str
) -> tuple[Command, ...]:
    context = replace(workplace(scratch, environ=INDEX | environ), builds=True)
    return pip_commands.install_exactly([pin(line) for line in lines], finding, context)


def test_pip_runs_isolated_in_the_apps_directory(tmp_path: Path) -> None:
    command = pip_commands.resolve(FILES, workplace(tmp_path), tmp_path / "report.json")

    assert command.argv[:4] == (
        "/layers/venv/bin/python",
        "-I",
        "/tmp/tool/pip/__pip-runner__.py",
        "install",
    )
    assert command.argv[-2:] == ("--requirement", "requirements.txt")
    assert {"--no-input", "--no-cache-dir"} <= set(command.argv)
    assert command.cwd == Path("/workspace")
    assert command.shown == "pip install --dry-run -r requirements.txt"
    assert command.env == INDEX


def test_several_files_are_resolved_together(tmp_path: Path) -> None:
    files = ("requirements/base.txt", "requirements/web.txt")
    report = tmp_path / "report.json"

    command = pip_commands.resolve(files, workplace(tmp_path), report)

    assert command.argv[-4:] == ("--requirement", files[0], "--requirement", files[1])
    assert command.shown.endswith("-r requirements/base.txt -r requirements/web.txt")


def test_pip_caches_downloads_if_a_cache_exists(tmp_path: Path) -> None:
    context = workplace(tmp_path, cache=Path("/layers/deps"))
    command = pip_commands.resolve(FILES, context, tmp_path / "report.json")

    assert "--no-cache-dir" not in command.argv
    place_of_cache = command.argv.index("--cache-dir")
    assert command.argv[place_of_cache + 1] == "/layers/deps"


def test_resolve_installs_nothing_and_reports_everything(tmp_path: Path) -> None:
    command = pip_commands.resolve(FILES, workplace(tmp_path), tmp_path / "report.json")

    assert {"--dry-run", "--ignore-installed"} <= set(command.argv)
    assert command.argv[command.argv.index("--report") + 1] == str(tmp_path / "report.json")


def test_wheels_are_fetched_without_building(tmp_path: Path) -> None:
    context = workplace(tmp_path, environ=INDEX)
    finding = ["--no-binary a", "--only-binary=b", "--prefer-binary", "--pre"]

    (command,) = pip_commands.install_exactly([pin("a==1.0")], finding, context)

    assert command.argv[3] == "download"
    assert command.argv[command.argv.index("--only-binary") + 1] == ":all:"
    assert command.argv[command.argv.index("--dest") + 1] == str(context.wheels)
    assert written(command) == ["--pre", "a==1.0"]
    assert command.shown == "pip download"


def test_install_exactly_ignores_dependencies(tmp_path: Path) -> None:
    line = f"a==1.0 --hash=sha256:{SHA}"
    (command,) = exactly(tmp_path, [line], ["--extra-index-url https://x.example/simple"])

    assert {"--no-deps", "--no-compile"} <= set(command.argv)
    assert written(command) == ["--extra-index-url https://x.example/simple", line]
    assert command.cwd == Path("/workspace"), "paths are relative to it"


def test_lines_with_and_without_hashes_are_installed_apart(tmp_path: Path) -> None:
    hashed, other = f"a==1.0 --hash=sha256:{SHA}", "a @ git+https://x.example/a.git@c0ffee"
    first, second = exactly(tmp_path, [other, hashed], ["--pre"])

    assert written(first) == ["--pre", hashed]
    assert written(second) == ["--pre", other]


def test_no_pins_need_no_command(tmp_path: Path) -> None:
    assert exactly(tmp_path, []) == ()


@pytest.mark.parametrize("name", ["PIP_REQUIREMENT", "PIP_constraint", "PIP_REQUIRE-HASHES"])
def test_variables_for_resolving_do_not_reach_install_exactly(tmp_path: Path, name: str) -> None:
    (command,) = exactly(tmp_path, ["a==1.0"], **{name: "x"})

    assert command.env == INDEX
