"""Packages of which pip accepts releases of any age."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.managers.base import Excepted, InstallContext
from cnb_python.managers.pip import install as pip_install
from cnb_python.system.interface import Command, Outcome

INDEX = "https://index.example.org/packages"
LIMIT = {"PIP_UPLOADED_PRIOR_TO": "2026-11-20T00:00:00Z"}
OWN = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "https://own.example.org/wheels"}
UNLIMITED = {**OWN, "PIP_ONLY_BINARY": ":all:"}


def item(name: str, url: str) -> dict[str, object]:
    hashes = {"sha256": name[0] * 64}
    version = url.rpartition("/")[2].split("-")[1]
    return {
        "download_info": {"url": url, "archive_info": {"hashes": hashes}},
        "is_direct": False,
        "metadata": {"name": name, "version": version},
    }


@dataclass
class FakePip:
    """Resolves to the young release of `a` without a limit, or if it finds the wheel."""

    scratch: Path
    young: str = f"{INDEX}/a-2.0-py3-none-any.whl"
    failing: str = ""
    """What fails: `download`; or `unlimited`, to resolve without a limit."""
    ran: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        self.ran.append(command)
        words = command.argv
        is_limited = "PIP_UPLOADED_PRIOR_TO" in command.env
        if self.failing in words or (self.failing == "unlimited" and not is_limited):
            return Outcome(1, "ERROR: it failed")
        if "--report" in words:
            here = self.scratch / "excepted/wheels/a-2.0-py3-none-any.whl"
            old = f"{INDEX}/a-1.0-py3-none-any.whl"
            limited = here.as_uri() if here.exists() else old
            items = [
                item("a", limited if is_limited else self.young),
                item("b", f"{INDEX}/b-1.0-py3-none-any.whl"),
            ]
            report = json.dumps({"version": "1", "install": items})
            Path(words[words.index("--report") + 1]).write_text(report)
        elif "download" in words and "a==2.0" in Path(words[-1]).read_text():
            wheels = Path(words[words.index("--dest") + 1])
            wheels.mkdir()
            (wheels / "a-2.0-py3-none-any.whl").touch()
        return Outcome(0, "")


@pytest.fixture
def context(tmp_path: Path) -> InstallContext:
    (tmp_path / "requirements.txt").write_text("a\nb\n")
    return InstallContext(
        app_dir=tmp_path,
        environment=tmp_path / "venv",
        tool=tmp_path / "pip",
        cache=None,
        scratch=tmp_path,
        uv=tmp_path / "uv",
        environ={**OWN, **LIMIT},
        python="3.14.6",
        excepted=Excepted(frozenset({"a"}), UNLIMITED),
    )


def test_excepted_package_may_be_young(context: InstallContext) -> None:
    pip = FakePip(context.scratch)

    resolution = pip_install.resolve(["requirements.txt"], context, pip, by_uv=False)

    first, download, limited = pip.ran
    assert first.env == UNLIMITED
    assert {"download", "--only-binary"} <= set(download.argv)
    links = f"{OWN['PIP_FIND_LINKS']} {(context.scratch / 'excepted/wheels').as_uri()}"
    assert limited.env == {**OWN, **LIMIT, "PIP_FIND_LINKS": links}
    assert [(pin.name, pin.version) for pin in resolution.pins] == [("a", "2.0"), ("b", "1.0")]
    # The directory no longer exists when the pin is installed, or in the next build.
    a = resolution.pins[0]
    assert a.address == pip.young
    assert a.line == f"a==2.0 --hash=sha256:{'a' * 64}"
    assert not a.by_itself


@pytest.mark.parametrize("failing", ["download", "unlimited"])
def test_resolution_with_the_limit_counts_if_pip_finds_no_wheels(
    context: InstallContext, failing: str
) -> None:
    pip = FakePip(context.scratch, failing=failing)

    resolution = pip_install.resolve(["requirements.txt"], context, pip, by_uv=False)

    assert [pin.version for pin in resolution.pins] == ["1.0", "1.0"]
    assert pip.ran[-1].env == {**OWN, **LIMIT}


def test_package_without_a_wheel_is_not_downloaded(context: InstallContext) -> None:
    pip = FakePip(context.scratch, young=f"{INDEX}/a-2.0-.tar.gz")

    pip_install.resolve(["requirements.txt"], context, pip, by_uv=False)

    assert len(pip.ran) == 2
