"""Layer `defaults` is made when the program or the processes change, else reused."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.base import IncompleteBuildpack
from cnb_python.layers import process_defaults
from cnb_python.layers.process_defaults import Defaults
from tests.support import layer_env
from tests.support.fake_build import contents, context
from tests.support.fake_system import Log
from tests.support.sbom_schemas import check_cyclonedx, check_spdx

VARIABLES = {"FLASK_RUN_PORT": "$PORT", "FLASK_RUN_HOST": "0.0.0.0"}


@pytest.fixture
def phase(tmp_path: Path) -> BuildContext:
    build_context = context(tmp_path)
    (build_context.buildpack.directory / "tools").mkdir()
    (build_context.buildpack.directory / "tools/defaults").write_bytes(b"a program")
    return build_context


def provide(phase: BuildContext, *single: str) -> list[str]:
    log = Log()
    process_defaults.provide_defaults(Defaults(frozenset(single), VARIABLES), phase, log)
    return log.lines


def in_image(phase: BuildContext, *single: str) -> BuildContext:
    """Leave the layer as the restorer does: with metadata, without contents."""
    provide(phase, *single)
    path = phase.layers_dir / "defaults.toml"
    metadata = toml.table_at(toml.read(path), "metadata")
    for file in sorted((phase.layers_dir / "defaults").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (phase.layers_dir / "defaults").rmdir()
    toml.write(path, {"metadata": metadata})
    return phase


def started(phase: BuildContext, kind: str, user: dict[str, str] | None = None) -> dict[str, str]:
    """Return the variables of the layer for a process of type *kind*."""
    deltas = layer_env.read(phase.layers_dir / "defaults")
    return layer_env.apply(user or {}, deltas, layer_env.launch_scopes(kind))


def is_made(phase: BuildContext) -> bool:
    return (phase.layers_dir / "defaults").exists()


def test_exec_d_program_is_in_the_layer(phase: BuildContext) -> None:
    provide(phase)

    program = phase.layers_dir / "defaults/exec.d/defaults"
    assert program.read_bytes() == b"a program"
    assert program.stat().st_mode & 0o777 == 0o755
    assert process_defaults.find_init(phase.layers_dir).read_bytes() == b"a program"
    for shell in ("sh", "bash"):
        path = process_defaults.find_shells(phase.layers_dir) / shell
        assert path.read_bytes() == b"a program"
    assert (phase.layers_dir / "defaults/variables").read_text() == (
        "FLASK_RUN_HOST=0.0.0.0\nFLASK_RUN_PORT=$PORT"
    )
    assert toml.read(phase.layers_dir / "defaults.toml")["types"] == {
        "build": False,
        "launch": True,
        "cache": False,
    }


def test_provide_returns_the_size(phase: BuildContext) -> None:
    assert process_defaults.provide_defaults(Defaults(), phase, Log()) == len(b"a program")


def test_single_worker_process_defaults_to_one_worker(
    phase: BuildContext,
) -> None:
    provide(phase, "bot")

    assert started(phase, "bot") == {"WEB_CONCURRENCY": "1"}
    assert started(phase, "bot", {"WEB_CONCURRENCY": "3"}) == {"WEB_CONCURRENCY": "3"}
    assert started(phase, "worker") == {}


def test_only_web_logs_its_defaults(
    phase: BuildContext,
) -> None:
    provide(phase)

    assert started(phase, "web") == {"BPL_PYTHON_LOG": "1"}
    assert started(phase, "web", {"BPL_PYTHON_LOG": "0"}) == {"BPL_PYTHON_LOG": "0"}
    assert started(phase, "worker") == {}


def test_unchanged_layer_is_reused(phase: BuildContext) -> None:
    messages = provide(in_image(phase, "web", "bot"), "bot", "web")

    assert messages == []
    assert not is_made(phase)
    assert toml.read(phase.layers_dir / "defaults.toml")["types"] == {
        "build": False,
        "launch": True,
        "cache": False,
    }


def test_other_program_rebuilds_the_layer(phase: BuildContext) -> None:
    in_image(phase)
    (phase.buildpack.directory / "tools/defaults").write_bytes(b"a newer program")

    [messages] = provide(phase)

    assert messages.startswith(
        "Rebuilding layer defaults: the digest of its exec.d program has changed"
    )
    assert is_made(phase)


def test_other_processes_rebuild_the_layer(phase: BuildContext) -> None:
    [messages] = provide(in_image(phase, "web"))

    assert "processes with one worker has changed from web to (none)" in messages
    assert started(phase, "web") == {"BPL_PYTHON_LOG": "1"}


def test_other_variables_rebuild_the_layer(phase: BuildContext) -> None:
    log = Log()

    process_defaults.provide_defaults(Defaults(), in_image(phase), log)

    assert "list of variables of servers has changed" in log.lines[0]


def test_directories_are_in_the_layer(phase: BuildContext) -> None:
    directories = ("HF_HOME\t$XDG_CACHE_HOME/huggingface\t{}\t", "MEM0_DIR\t$HOME/.mem0\t{}\t")
    log = Log()

    process_defaults.provide_defaults(Defaults(directories=directories), in_image(phase), log)

    assert "list of directories that packages write to has changed" in log.lines[-1]
    assert (phase.layers_dir / "defaults/directories").read_text() == "\n".join(directories)


def test_layer_has_no_file_without_directories(phase: BuildContext) -> None:
    provide(phase)

    assert not (phase.layers_dir / "defaults/directories").exists()


def test_safe_process_has_a_safe_path_by_default(phase: BuildContext) -> None:
    log = Log()
    safe = Defaults(safe=frozenset({"worker"}))

    process_defaults.provide_defaults(safe, in_image(phase), log)

    assert "processes with PYTHONSAFEPATH has changed from (none) to worker" in log.lines[-1]
    assert started(phase, "worker") == {"PYTHONSAFEPATH": "1"}
    assert started(phase, "web") == {"BPL_PYTHON_LOG": "1"}


def test_rebuilt_layer_equals_that_of_a_first_build(phase: BuildContext, tmp_path: Path) -> None:
    first = replace(phase, layers_dir=tmp_path / "first")
    first.layers_dir.mkdir()

    provide(first, "bot")
    provide(in_image(phase, "web"), "bot")

    assert contents(first.layers_dir) == contents(phase.layers_dir)


def test_buildpack_without_the_program_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(IncompleteBuildpack):
        process_defaults.provide_defaults(Defaults(), context(tmp_path), Log())


def test_health_check_is_the_program_with_a_path(phase: BuildContext) -> None:
    process_defaults.provide_defaults(Defaults(health="/healthz"), phase, Log())

    program = process_defaults.find_health(phase.layers_dir)
    assert program.read_bytes() == b"a program"
    assert (program.parent / "health_path").read_text() == "/healthz"


def test_health_check_is_only_in_images_that_have_its_setting(phase: BuildContext) -> None:
    in_image(phase)
    assert not process_defaults.find_health(phase.layers_dir).is_symlink()
    log = Log()

    process_defaults.provide_defaults(Defaults(health="/up"), phase, log)

    assert log.lines[-1].endswith("the path of the health check has changed from (none) to /up")


def test_processes_beside_the_app_are_told_apart_if_a_package_gets_new_directories(
    phase: BuildContext,
) -> None:
    """A health check would make one every few seconds."""
    new = Defaults(directories=("PROMETHEUS_MULTIPROC_DIR\t\t{}\t",))
    usual = Defaults(directories=("KERAS_HOME\t$HOME/.keras\t{}\t",))
    for defaults, types in ((new, {"console", "health"}), (usual, set())):
        process_defaults.provide_defaults(defaults, phase, Log())
        kinds = ("web", "worker", "console", "health")
        seen = {kind for kind in kinds if "BPL_PYTHON_PROCESS" in started(phase, kind)}

        assert seen == types


def sboms(phase: BuildContext) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in phase.layers_dir.glob("*.sbom.*")}


def test_layer_has_an_sbom_of_its_program(phase: BuildContext) -> None:
    provide(phase)

    (program,) = check_cyclonedx(sboms(phase)["defaults.sbom.cdx.json"])["components"]
    assert program["name"] == "cnb-python-defaults"
    check_spdx(sboms(phase)["defaults.sbom.spdx.json"])


@pytest.mark.parametrize("content", ["{}", ""], ids=["other", "missing"])
def test_reused_layer_has_the_same_sbom(phase: BuildContext, content: str) -> None:
    in_image(phase)
    first = sboms(phase)
    path = phase.layers_dir / "defaults.sbom.spdx.json"
    path.unlink()
    if content:
        path.write_text(content)

    provide(phase)

    assert not is_made(phase)
    assert sboms(phase) == first


def test_layer_of_a_release_without_sboms_is_reused(phase: BuildContext) -> None:
    in_image(phase)
    first = sboms(phase)
    for file in phase.layers_dir.glob("*.sbom.*"):
        file.unlink()
    path = phase.layers_dir / "defaults.toml"
    metadata = toml.table_at(toml.read(path), "metadata")
    toml.write(path, {"metadata": {k: v for k, v in metadata.items() if k != "sbom"}})

    assert provide(phase) == []

    assert not is_made(phase)
    assert sboms(phase) == first
