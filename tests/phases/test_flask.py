"""A small app, from its source to HTTP responses, and the contents of its image."""

import re
import struct
from pathlib import Path

import pytest

from tests.support.builds import BUILDPACK, Built, fixture
from tests.support.sbom_schemas import check_cyclonedx, check_spdx

LAYERS = f"/layers/{BUILDPACK}"
# https://peps.python.org/pep-0552/: bit 0 says "checked by hash", bit 1 "check the source".
UNCHECKED_HASH = 0b01


@pytest.fixture(scope="module")
def root(flask: Built) -> Path:
    """The layers that the image adds to the run image."""
    return flask.root


@pytest.fixture(scope="module")
def variables(flask: Built) -> dict[str, str]:
    """The variables of a process of the image."""
    lines = flask.run("env").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_page_is_served_read_only_to_another_user(flask: Built) -> None:
    with flask.serve() as served:
        assert "Hello, world!" in served.fetch()
        assert '"python":"3.14.6"' in served.fetch("/health")


def test_launch_variables_reach_the_app(flask: Built) -> None:
    with flask.serve(env={"GREETING_NAME": "Ada"}) as served:
        assert "Hello, Ada!" in served.fetch()


def test_server_is_process_1_and_stops_gracefully(flask: Built) -> None:
    with flask.serve() as served:
        served.fetch()
        assert "gunicorn" in served.command
        assert served.stop() == 0
        assert "Shutting down: Master" in served.output


def test_other_process_type_runs_by_name(flask: Built) -> None:
    with flask.serve("count") as served:
        assert served.process.wait(30) == 0
        assert served.output.strip() == "3"


def test_web_is_the_default_and_needs_no_shell(flask: Built) -> None:
    processes = flask.documents()["launch.toml"]["processes"]
    assert [(row["type"], row.get("default", False)) for row in processes] == [
        ("web", True),
        ("count", False),
        ("console", False),
    ]
    assert processes[1]["command"] == [f"{LAYERS}/defaults/init", "flask", "count"]


def test_process_environment_is_exactly_this(variables: dict[str, str]) -> None:
    ours = {"PATH", "VIRTUAL_ENV", "PYTHONUNBUFFERED", "GUNICORN_CMD_ARGS", "LD_LIBRARY_PATH"}
    ours |= {"FORWARDED_ALLOW_IPS", "TMPDIR", "USER", "LOGNAME"}
    ours |= {"FLASK_RUN_HOST", "FLASK_RUN_PORT"}
    machine_s = {"HOME", "HOSTNAME", "PORT", "PWD"}
    assert {name for name in variables if not name.startswith("CNB_")} - machine_s == ours
    assert variables["VIRTUAL_ENV"] == f"{LAYERS}/venv"
    assert variables["PYTHONUNBUFFERED"] == "1"
    assert variables["GUNICORN_CMD_ARGS"] == (
        "--worker-tmp-dir /dev/shm --no-control-socket --access-logfile -"
    )


def test_venv_programs_come_before_those_of_python(
    variables: dict[str, str],
) -> None:
    assert variables["PATH"] == (
        f"{LAYERS}/venv/bin:{LAYERS}/python/bin:"
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    )


def test_python_libraries_do_not_shadow_system_libraries(
    variables: dict[str, str], root: Path
) -> None:
    # Wheels may install libraries into `lib` of the environment.
    assert f"{LAYERS}/venv/lib" not in variables["LD_LIBRARY_PATH"].split(":")
    directories = [root / path[1:] for path in variables["LD_LIBRARY_PATH"].split(":")]
    libraries = {path.name for directory in directories for path in directory.glob("*.so*")}
    assert {name for name in libraries if not name.startswith("libpython3")} == set()


def test_user_can_override_defaults(flask: Built) -> None:
    assert flask.run("printenv", "PYTHONUNBUFFERED", env={"PYTHONUNBUFFERED": "0"}) == "0\n"


def test_python_is_that_of_the_environment(flask: Built) -> None:
    code = "import sys, ssl, sqlite3, ctypes, flask; print(sys.prefix, sys.base_prefix)"
    assert flask.run("python", "-c", code) == f"{LAYERS}/venv {LAYERS}/python\n"


def test_pip_is_not_in_the_image(flask: Built, root: Path) -> None:
    kept = [path for path in root.rglob("pip*") if path.name.startswith(("pip", "ensurepip"))]
    assert [path for path in kept if path.name != "pipes.py"] == []
    code = "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('ensurepip'))"
    assert flask.run("python", "-c", code) == "None None\n"


def test_bytecode_is_unchecked(root: Path) -> None:
    compiled = [*root.rglob("*.pyc")]
    flags = {struct.unpack_from("<I", path.read_bytes(), 4)[0] for path in compiled}
    assert len(compiled) > 500
    assert flags == {UNCHECKED_HASH}


def test_every_module_of_the_environment_is_compiled(root: Path) -> None:
    packages = root / f"{LAYERS[1:]}/deps-00/tree/lib/python3.14/site-packages"
    sources = list(packages.rglob("*.py"))
    missing = [path for path in sources if not _bytecode(path).exists()]
    assert len(sources) > 100
    assert missing == []


def test_start_compiles_nothing(flask: Built) -> None:
    lines = flask.run("python", "-v", "-c", "import flask, gunicorn.app.wsgiapp")
    assert re.findall(r"code object from '?(/layers\S*\.py)\b", lines) == []
    assert "# wrote" not in lines
    assert f"matches {LAYERS}/venv/lib/python3.14/site-packages/flask/__init__.py" in lines


def test_python_is_trimmed(root: Path) -> None:
    library = root / f"{LAYERS[1:]}/python/lib/python3.14"
    unwanted = ("test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip")
    assert [name for name in unwanted if (library / name).exists()] == []
    assert [*(root / LAYERS[1:]).rglob("*.a")] == []


def test_python_has_no_files_for_builds(flask: Built, root: Path) -> None:
    python = root / f"{LAYERS[1:]}/python"
    assert sorted(path.name for path in python.iterdir()) == ["bin", "lib"]
    assert sorted(path.name for path in (python / "bin").iterdir()) == [
        *("python", "python3", "python3.14")
    ]
    assert [path.name for path in (python / "lib").iterdir()] == ["python3.14"]
    # The settings of builds stay, since the standard library imports them.
    assert "Traceback" not in flask.run("python", "-m", "sysconfig")


def test_python_contains_no_build_path(root: Path) -> None:
    # python-build-standalone has /install here.
    named = [
        path
        for path in (root / f"{LAYERS[1:]}/python").rglob("*")
        if path.suffix in {".py", ".pc", ".json"} or path.parent.name == "bin"
        if path.is_file() and re.search(rb"['\"= ]/install\b", path.read_bytes())
    ]
    assert named == []


def test_sysconfig_names_the_layer(flask: Built) -> None:
    code = "import sysconfig as s; print(*map(s.get_config_var, ('prefix', 'CC', 'INCLUDEPY')))"
    assert flask.run(f"{LAYERS}/python/bin/python3", "-c", code) == (
        f"{LAYERS}/python cc -pthread {LAYERS}/python/include/python3.14\n"
    )


def test_files_are_readable_by_all_and_writable_by_the_owner(root: Path) -> None:
    layers = [path for path in (root / LAYERS[1:]).rglob("*") if not path.is_symlink()]
    modes = {path.stat().st_mode & 0o7777 for path in layers}
    assert modes <= {0o755, 0o644}


def test_links_in_the_image_are_not_broken(root: Path) -> None:
    links = [path for path in (root / LAYERS[1:]).rglob("*") if path.is_symlink()]
    assert [str(path) for path in links if not _target(root, path).exists()] == []


def test_layer_metadata_is_restored(flask: Built) -> None:
    # The lifecycle turns integers into floats, and dates into text.
    for name, document in flask.documents().items():
        for value in document.get("metadata", {}).values():
            assert isinstance(value, str | bool) or all(isinstance(v, str) for v in value), name


def test_only_python_and_the_environment_are_in_the_image(flask: Built) -> None:
    ours = [layer.title for layer in flask.image.layers if "cnb-python" in layer.title]
    names = ("defaults", "deps-00", "python", "venv")
    assert sorted(ours) == [f"cnb-python/python:{name}" for name in names]


def test_venv_links_to_the_packages(root: Path) -> None:
    layers = root / LAYERS[1:]
    packages = layers / "venv/lib/python3.14/site-packages"
    flask = packages / "flask"
    assert str(flask.readlink()) == "../../../../deps-00/tree/lib/python3.14/site-packages/flask"
    # So that one changed package changes one shard, and layer venv with its links.
    assert [path for path in packages.rglob("*") if not path.is_symlink()] == []
    assert [path.name for path in (layers / "deps-00").iterdir()] == ["tree"]


def test_sboms_list_what_is_installed(root: Path) -> None:
    sboms = root / f"layers/sbom/launch/{BUILDPACK}"
    assert sorted(path.name for path in sboms.iterdir()) == ["defaults", "deps-00", "python"]
    packages = root / f"{LAYERS[1:]}/deps-00/tree/lib/python3.14/site-packages"
    installed = sorted(path.stem.replace("-", "@") for path in packages.glob("*.dist-info"))
    listed = check_cyclonedx((sboms / "deps-00/sbom.cdx.json").read_bytes())["components"]
    assert sorted(each["purl"] for each in listed) == [f"pkg:pypi/{each}" for each in installed]
    also = check_spdx((sboms / "deps-00/sbom.spdx.json").read_bytes())["packages"]
    assert sorted(f"{each['name']}@{each['versionInfo']}" for each in also) == installed


def test_sbom_of_python_has_the_libraries_inside(flask: Built, root: Path) -> None:
    sboms = root / f"layers/sbom/launch/{BUILDPACK}/python"
    code = "import ssl, sqlite3; print(ssl.OPENSSL_VERSION.split()[1], sqlite3.sqlite_version)"
    openssl, sqlite = flask.run("python", "-c", code).split()
    components = check_cyclonedx((sboms / "sbom.cdx.json").read_bytes())["components"]
    (python,) = (each for each in components if each["name"] == "python")
    assert python["cpe"] == "cpe:2.3:a:python:python:3.14.6:*:*:*:*:*:*:*"
    libraries = {each["purl"] for each in components}
    assert {f"pkg:generic/openssl@{openssl}", f"pkg:generic/sqlite@{sqlite}"} <= libraries
    check_spdx((sboms / "sbom.spdx.json").read_bytes())


def test_sbom_of_the_exec_d_program_has_the_release_of_go(root: Path) -> None:
    sboms = root / f"layers/sbom/launch/{BUILDPACK}/defaults"
    components = check_cyclonedx((sboms / "sbom.cdx.json").read_bytes())["components"]
    (library,) = (each for each in components if "purl" in each)
    assert re.fullmatch(r"pkg:golang/stdlib@1\.\d+(\.\d+)?", library["purl"])


def test_app_directory_is_unchanged(flask: Built) -> None:
    assert _names(flask.workspace) == _names(fixture("pip_flask"))
    assert flask.scratch == []


def test_build_logs_its_steps(flask: Built) -> None:
    assert "[Error" not in flask.output
    assert "[Warning" not in flask.output
    assert "Python 3.14.6" in flask.output
    assert "  Running `uv pip install` (8 pinned packages)\n" in flask.output
    assert "\nSummary\n  Python " in flask.output
    assert "\n  dependencies " in flask.output


def _bytecode(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.cpython-314.pyc"


def _target(root: Path, link: Path) -> Path:
    """Return the target of *link*, resolved step by step with *root* in place of `/`."""
    while link.is_symlink():
        target = str(link.readlink())
        link = root / target[1:] if target.startswith("/") else link.parent / target
    return link


def _names(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
