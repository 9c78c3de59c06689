"""Names, settings, metadata and output that try to control the log, and what is secret in it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.trees import write_files
from tests.support.wheels import wheel

TOKEN = "T0K3Nab12"
PASSWORD = "pA55'w\"0rd"
BOUND = "b0und-sEcret"
EVIL = "\x1b]8;;https://evil.example\x1b\\x\u202ey"
# Prints what the build has, in several forms, and leaves files in the directory of the layers.
HOOK = r"""#!/usr/bin/env python
import base64, json, os, pathlib, sys
print(dict(os.environ))
print(json.dumps(dict(os.environ)))
print(base64.b64encode(os.environ["DB_PASSWORD"].encode()).decode())
print(pathlib.Path("/platform/bindings/db/password").read_text())
print("::add-mask::o\n  ::error::x\n##vso[task.complete]\n\x1b]8;;x\x1b\\ \u202e\x9b2J")
print("y" * 30_000_000)
print("\n" * 300_000)
layers = pathlib.Path(os.environ["VIRTUAL_ENV"]).parent
for name in ("evil.toml", "launch.sbom.cdx.json", "build.toml", "store.toml", "deps-00.toml"):
    (layers / name).write_text("[types]\nlaunch = true\n")
(layers / "link").symlink_to("/etc")
(layers / "evil").mkdir()
os.mkfifo(layers / "pipe.toml")
print("the end")
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[index.Index]:
    directory = tmp_path_factory.mktemp("packages")
    wheel(directory, "odd", "1.0", {"odd.py": ""})
    wheel(directory, "worse", "1.0", {"worse.py": ""}, requires=[f"six {EVIL}", "::error::x"])
    with index.running(directory, prefix=TOKEN) as running:
        yield running


def build(
    builds: Builds, packages: index.Index, directory: Path, files: dict[str, str], **env: str
) -> Built:
    source = write_files(directory / "app", files)
    for hook in source.glob("bin/*"):
        hook.chmod(0o755)
    bindings = write_files(
        directory / "bindings", {"db/type": "postgresql\n", "db/password": f"{BOUND}\n"}
    )
    variables = {"PIP_INDEX_URL": packages.url, "DB_PASSWORD": PASSWORD, **env}
    return builds.phases(source, env=variables, bindings=bindings)


def has_no_control(log: str) -> None:
    assert not set(log) & set("\x1b\x07\x9b\u202e\r")
    lines = [line.strip() for line in log.splitlines()]
    assert not [line for line in lines if line.startswith("::") or "##vso[" in line]


def test_a_hostile_hook_neither_shows_secrets_nor_leaves_layers(
    builds: Builds, packages: index.Index, tmp_path: Path
) -> None:
    files = {"requirements.txt": f"# {EVIL}\nodd\n", "bin/post_compile": HOOK, "app.py": ""}
    built = build(builds, packages, tmp_path, files, BP_PYTHON_KEEP=f"a{EVIL}\n::add-mask::x")

    assert built.code == 0, built.output
    log = built.output
    assert "Looking in indexes" in log
    assert "the end" in log
    has_no_control(log)
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    for secret in (TOKEN, PASSWORD, BOUND, encoded, PASSWORD.replace('"', '\\"')):
        assert secret not in log
    assert len(log) < 200_000
    names = {path.name for path in built.layers.iterdir()}
    assert not names & {"evil.toml", "launch.sbom.cdx.json", "link", "evil", "pipe.toml"}
    assert "evil.toml" in log
    assert "link" in log
    for path in built.layers.glob("*.toml"):
        assert TOKEN not in path.read_text()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"requirements.txt": f"fl{EVIL}==1\n::error::x\n"}, "fl"),
        ({"requirements.txt": "worse\n"}, "worse"),
        ({"requirements.txt": "odd\n", "Procfile": f"::error::x: a\nb{EVIL}: c\n"}, "Procfile"),
        ({"requirements.txt": "odd\n", ".python-version": f"{EVIL}\n::error::\n"}, "version"),
    ],
)
def test_hostile_names_are_printed_as_text(
    builds: Builds, packages: index.Index, tmp_path: Path, files: dict[str, str], words: str
) -> None:
    built = build(builds, packages, tmp_path, files)

    assert built.code != 0
    assert "This is a bug" not in built.output
    assert words in built.error
    assert TOKEN not in built.output
    has_no_control(built.output)
