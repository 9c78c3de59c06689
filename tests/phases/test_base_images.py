"""Images on other run images: without a shell, and of a distribution that no target names."""

import re
import shutil
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from cnb_python.launch import procfile, servers
from cnb_python.launch.tables.background import BACKGROUND_TOOLS
from cnb_python.launch.tables.web_programs import WEB_PROGRAMS
from tests.support.builds import BUILDPACK, Builds, Built, fixture
from tests.support.locked_managers import Images
from tests.support.trees import linked_copy
from tools.platforms import distroless, lifecycle, rootfs, sandbox
from tools.platforms.sandbox import Bind, Sandbox
from tools.platforms.serving import Served

DEFAULTS = f"/layers/{BUILDPACK}/defaults"
PYTHON = f"/layers/{BUILDPACK}/python/bin/python3.14"
OTHER = ("rhel", "9.6")
# What a shell would expand: set, empty, with blanks and quotes.
VARIABLES = {"PORT": "5000", "TMPDIR": "/var/tmp/a b", "REDIS_URL": "", "WEB_CONCURRENCY": "3"}
# Every command starts this in place of the program.
PRINTS = f"""\
#!{PYTHON} -ISB
import os, sys
print(os.path.basename(sys.argv[0]), *map(repr, sys.argv[1:]))
"""


def started(image: Built, process: str | None, *arguments: str) -> AbstractContextManager[Served]:
    """Start a process of *image* on a run image without a shell."""
    return image.serve(process, *arguments, run_rootfs=distroless.tree())


def test_apps_run_without_a_shell(flask: Built, images: Images) -> None:
    with started(flask, None) as served:
        assert "Hello" in served.fetch("/")
        assert served.stop() == 0
    with started(images("uv_fastapi"), None) as served:
        assert '"message":"Hello, Ada!"' in served.fetch("/?name=Ada")
        assert served.stop() is not None


def test_script_without_a_shell_explains_what_is_missing(flask: Built) -> None:
    script = "flask db upgrade; gunicorn app:app"

    for shell in ("sh", "bash"):
        command = (f"{DEFAULTS}/{shell}", "-c", script, shell)
        with started(flask, "launcher", "--", *command) as served:
            assert served.process.wait(30) == 127
            assert f"run image has no /bin/{shell}, which this command needs:" in served.output
            assert f"\n  {script}\n" in served.output


def found_commands() -> dict[str, str]:
    """Return every command that is found in code, by the title of its server or tool."""
    rows = {each.title: each.template for each in WEB_PROGRAMS}
    rows |= {each.title: each.template for each in BACKGROUND_TOOLS}
    rows |= {f"{each.title} {each.interface}": each.template for each in servers.SERVERS}
    rows |= {f"{title} factory": rows[title] + " 'a:b()'" for title in list(rows)}
    return {
        title: re.sub(r"\{\w+\}", "word", servers.command_text(template))
        for title, template in rows.items()
    }


def test_found_commands_are_the_same_without_a_shell(flask: Built, tmp_path: Path) -> None:
    commands = {title: procfile.parse_command(text) for title, text in found_commands().items()}
    scripts = [each for each in commands.values() if each.argv[0] in procfile.SHELLS]
    assert len(scripts) > 20
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in {each.program for each in scripts}:
        (folder / program).write_text(PRINTS)
        (folder / program).chmod(0o755)
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import subprocess\n"
        f"for argv in {[each.argv for each in scripts]!r}:\n"
        f"    argv = (argv[0].replace('/bin', {DEFAULTS!r}), *argv[1:], 'user', 'x y')\n"
        "    subprocess.run(argv, stderr=subprocess.STDOUT)\n"
    )

    outputs = [
        _output(flask, tree, tmp_path, driver)
        for tree in (rootfs.rootfs("run"), distroless.tree())
    ]

    assert len(outputs[0].splitlines()) == len(scripts)
    assert outputs[1] == outputs[0]


def _output(image: Built, run_rootfs: Path, work: Path, driver: Path) -> str:
    scratch = work / "scratch"
    scratch.mkdir(exist_ok=True)
    room = Sandbox(
        lower=(image.root, run_rootfs),
        scratch=scratch,
        binds=(Bind(work / "bin", "/programs"), Bind(driver, "/driver.py")),
        env={"PATH": "/programs", **VARIABLES},
        has_programs=(run_rootfs / "usr/bin/env").exists(),
    )
    ended = sandbox.run(room, PYTHON, "-ISB", "/driver.py", timeout=120)
    assert ended.code == 0, ended.output
    return ended.output


def on_another_distribution(builds: Builds) -> Builds:
    """Return *builds* with a run image of a distribution that no target names."""
    tree = distroless.tree()
    facts = replace(rootfs.base("run"), distro=OTHER)
    run_image = lifecycle.run_image(tree, facts)
    platform = replace(builds.platform, run_image=run_image, run_rootfs=tree)
    return replace(builds, platform=platform)


def test_another_distribution_moves_no_layer_of_the_environment(
    builds: Builds, flask: Built
) -> None:
    built = on_another_distribution(builds).image(fixture("pip_flask"), flask)

    assert built.code == 0, built.output
    assert built.image.labels["io.buildpacks.base.distro.name"] == OTHER[0]
    assert "the Linux distribution of the image has changed from debian 12" in built.output
    own = {layer.title: layer.diff_id for layer in built.image.layers if ":" in layer.title}
    assert own == {each.title: each.diff_id for each in flask.image.layers if ":" in each.title}


def test_only_the_targets_without_a_distribution_allow_another_one(
    builds: Builds, tmp_path: Path
) -> None:
    tree = linked_copy(builds.buildpack, tmp_path / "buildpack")
    descriptor = (tree / "buildpack.toml").read_text()
    (tree / "buildpack.toml").unlink()
    named, _, _ = descriptor.rpartition('\n[[targets]]\nos = "linux"\narch = "amd64"\n')
    (tree / "buildpack.toml").write_text(named)

    refused = on_another_distribution(builds).image(fixture("pip_flask"), buildpack=tree)

    assert refused.code == 21
    assert "unable to satisfy target os/arch constraints" in refused.output
    shutil.rmtree(tree)
