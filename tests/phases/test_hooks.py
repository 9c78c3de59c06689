"""Hooks run as with Heroku's classic buildpack: before everything, and after everything."""

import re
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of, without_image
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, linked_copy

FLASK = fixture("pip_flask")
LAYERS = ["defaults", "deps", "deps-00", "python", "venv"]
AFTER = """#!/usr/bin/env bash
set -e
python -c 'import flask, sys; print("Flask in", sys.prefix)' | tee flask.txt
echo "for the build: $MEANT" >> flask.txt
# Bytecode of another kind, and a file that a library makes if it is missing.
env -u PYTHONDONTWRITEBYTECODE python -O -c 'import flask, json.tool'
ls $VIRTUAL_ENV/../python/lib/python3.14/json/__pycache__/tool.*.opt-1.pyc
touch $VIRTUAL_ENV/dropin.cache
"""


def script(directory: Path, name: str, text: str, mode: int = 0o755) -> Path:
    path = directory / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
    return directory


def ours(built: Built) -> dict[str, str]:
    return {title: sha for title, sha in layers_of(built).items() if "/python:" in title}


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = linked_copy(FLASK, tmp_path_factory.mktemp("hooked") / "app")
    directory.chmod(0o755)
    script(directory, "pre_compile", "#!/bin/sh\nmkdir -p made && pwd > made/before.txt\n")
    return script(directory, "post_compile", AFTER)


@pytest.fixture(scope="module")
def hooked(builds: Builds, flask: Built, scripted: Path) -> Built:
    built = builds.image(scripted, flask, env={"MEANT": "yes"})
    assert built.code == 0, built.output
    return built


def test_files_written_by_hooks_are_in_the_image(hooked: Built) -> None:
    assert hooked.run("cat", "made/before.txt") == "/workspace\n"
    assert hooked.run("cat", "flask.txt") == (
        "Flask in /layers/cnb-python_python/venv\nfor the build: yes\n"
    )


def test_pre_compile_runs_first_and_post_compile_last(hooked: Built) -> None:
    order = ["Running `bin/pre_compile`", "Python 3.14", "Running `bin/post_compile`", "Launch"]
    places = [hooked.output.index(words) for words in order]
    assert places == sorted(places)


def test_hooks_leave_package_layers_reused(hooked: Built, flask: Built) -> None:
    assert [path.name for path in hooked.layers.iterdir() if path.is_dir()] == ["deps"]
    assert ours(flask).items() <= ours(hooked).items()


def test_files_left_in_layers_are_not_in_the_image(
    builds: Builds, flask: Built, scripted: Path, tmp_path: Path
) -> None:
    built = builds.image(scripted, without_image(flask, tmp_path / "w"), env={"MEANT": "yes"})
    assert built.code == 0, built.output
    assert [path.name for path in sorted(built.layers.iterdir()) if path.is_dir()] == LAYERS
    assert ours(built) == ours(flask)
    assert "[Warning" not in built.output
    assert list(built.workspace.rglob("*.pyc")) == []


def test_failed_hook_fails_the_build(builds: Builds, flask: Built, app: App) -> None:
    failing = script(app({}, based_on=FLASK), "post_compile", "#!/bin/sh\necho why\nexit 3\n")
    built = builds.phases(failing, flask)
    assert built.code
    assert "    why\n" in built.output
    assert "The app's script bin/post_compile ended with exit code 3" in built.error


@pytest.mark.parametrize(
    "hook", ["pre_compile", pytest.param("post_compile", marks=pytest.mark.thorough)]
)
def test_hook_that_waits_without_end_is_ended(
    builds: Builds, flask: Built, app: App, hook: str
) -> None:
    waiting = script(app({}, based_on=FLASK), hook, "#!/bin/sh\nsleep 1000\n")
    built = builds.phases(waiting, flask, env={"BP_PYTHON_IDLE_TIMEOUT": "3"})
    assert built.code
    assert built.error.startswith(f"bin/{hook} made no progress for 3 s\n")


def test_hook_without_execute_permission_runs_with_a_warning(
    builds: Builds, flask: Built, app: App
) -> None:
    plain = script(app({}, based_on=FLASK), "pre_compile", "echo from a shell\n", 0o644)
    built = builds.phases(plain, flask)
    assert built.code == 0, built.output
    assert "[Warning: bin/pre_compile is not executable]" in built.output
    assert "git update-index --chmod=+x bin/pre_compile" in built.output
    assert "    from a shell\n" in built.output


def test_windows_line_ends_are_recognized(builds: Builds, flask: Built, app: App) -> None:
    windows = script(app({}, based_on=FLASK), "pre_compile", "#!/bin/bash\r\necho no\r\n")
    built = builds.phases(windows, flask)
    assert built.code
    assert "bin/pre_compile cannot be started" in built.error
    assert "dos2unix bin/pre_compile" in built.error


def test_hook_that_changes_packages_fails_the_build(
    builds: Builds, flask: Built, app: App
) -> None:
    text = "#!/bin/sh\necho >> $VIRTUAL_ENV/pyvenv.cfg\n"
    built = builds.phases(script(app({}, based_on=FLASK), "post_compile", text), flask)
    assert built.code
    assert built.error.startswith("The app's code changed installed packages during the build\n")
    assert "/venv/pyvenv.cfg." in built.error


def test_hook_that_installs_packages_fails_the_build(
    builds: Builds, flask: Built, app: App
) -> None:
    text = (
        "#!/bin/sh\nset -e\n"
        "python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))' > place\n"
        'mkdir "$(cat place)/six-1.17.0.dist-info"\n'
        'touch "$(cat place)/six.py" "$(cat place)/six-1.17.0.dist-info/METADATA"\n'
    )
    built = builds.phases(script(app({}, based_on=FLASK), "post_compile", text), flask)
    assert built.code
    assert "bin/post_compile installed packages" in built.error
    assert "Found: six-1.17.0, besides the app's own packages." in built.error


@pytest.mark.parametrize(("call", "ends"), [("python -m pip install six", 1), ("pip list", 127)])
def test_hook_that_calls_pip_gets_a_warning(
    builds: Builds, flask: Built, app: App, call: str, ends: int
) -> None:
    failing = script(app({}, based_on=FLASK), "post_compile", f"#!/bin/sh\n{call}\n")
    built = builds.phases(failing, flask)
    assert built.code
    assert f"bin/post_compile ended with exit code {ends}" in built.error
    assert "It calls pip, which is missing." in built.error
    assert "List the package with the app's other requirements" in built.error


def test_what_a_hook_leaves_running_and_in_the_layers_directory_has_no_effect(
    builds: Builds, flask: Built, app: App
) -> None:
    """The process would change files of the environment after they were compared."""
    text = (
        "#!/bin/sh\n"
        "own=$(dirname $VIRTUAL_ENV)\n"
        "touch $own/evil.toml $own/launch.sbom.cdx.json\n"
        "mkdir -p $own/evil/env.launch\n"
        "echo '[types]' > $own/deps-00.toml\n"
        "trap '' TERM\n"
        'setsid sh -c "sleep 0.5; while :; do echo evil >> $VIRTUAL_ENV/evil; sleep 0.1; done" '
        "> /dev/null 2>&1 < /dev/null &\n"
    )
    hooked = script(app({}, based_on=FLASK), "post_compile", text)
    built = builds.image(hooked, flask)
    assert built.code == 0, built.output
    assert ours(built) == ours(flask)
    assert re.search(
        r"\n  Ended \d background process(es)? that bin/post_compile left", built.output
    )
    title = "The directory of the image's layers was changed by bin/post_compile"
    assert f"[Warning: {title}]\n" in built.output
    assert "Removed:  evil, evil.toml, launch.sbom.cdx.json.\n" in built.output
    assert "Restored: deps-00.toml.\n" in built.output
