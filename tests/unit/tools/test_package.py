import re
import tomllib
from pathlib import Path

import pytest

from cnb_python.cnb.context import SUPPORTED_APIS
from tools import stage0
from tools.package import assemble, bundled, trim

API = assemble.declared_api()


def product(api: str = API, *offline: str) -> assemble.Product:
    return assemble.Product("arm64", api, offline)


def test_default_product_has_the_plain_name() -> None:
    assert product().file.name == "cnb-python-linux-arm64.cnb"


def test_different_products_have_different_names() -> None:
    products = [product(), product("0.12"), product(API, "3.14.6"), product("0.12", "3.14.6")]

    assert len({each.file for each in products}) == len(products)


def test_tree_is_where_pack_expects_it() -> None:
    assert product().folder.relative_to(product().root) == Path("linux/arm64")


def test_default_package_declares_the_api_that_every_platform_supports() -> None:
    """The lifecycles of kpack and Tekton, 0.20, refuse a buildpack of API 0.12."""
    assert API == SUPPORTED_APIS[0] == "0.10"


def test_only_the_api_differs_in_the_descriptor_for_newer_lifecycles() -> None:
    ours, newer = (tomllib.loads(assemble.descriptor(api)) for api in (API, "0.12"))

    assert newer.pop("api") == "0.12"
    assert ours.pop("api") == API
    assert ours == newer


def test_every_target_of_the_descriptor_is_packaged() -> None:
    targets = tomllib.loads(assemble.descriptor())["targets"]

    assert {row["arch"] for row in targets} == set(assemble.ARCHES) == set(bundled.MACHINES)


def test_all_targets_are_made_unless_one_is_named() -> None:
    everything, packed = assemble.products([])
    arm64, _ = assemble.products(["--arch", "arm64"])

    assert [each.arch for each in everything] == ["amd64", "arm64"]
    assert [each.arch for each in arm64] == ["arm64"]
    assert packed


def test_package_is_for_others_unless_go_modules_are_allowed() -> None:
    for_others, _ = assemble.products([])
    own, _ = assemble.products(["--go-modules"])

    assert [each.released for each in for_others] == [True, True]
    assert [each.released for each in own] == [False, False]


def test_unsupported_api_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        assemble.products(["--api", "0.9"])

    assert "invalid choice: '0.9'" in capsys.readouterr().err


def test_offline_product_has_the_requested_versions() -> None:
    products, _ = assemble.products(["--offline", "3.13.13", "3.14.6"])

    assert products[0].offline == ("3.13.13", "3.14.6")


def test_everything_bundled_is_pinned_by_hash() -> None:
    pins = bundled.PINS
    hashes = [row["sha256"] for row in pins["interpreter"]["archive"]]
    hashes += [pins["pip"]["sha256"], *pins["uv"]["sha256"].values()]

    assert {row["arch"] for row in pins["interpreter"]["archive"]} == set(assemble.ARCHES)
    assert set(pins["uv"]["sha256"]) == set(assemble.ARCHES)
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in hashes)


def test_every_bundled_package_is_declared_with_hashes() -> None:
    lock = bundled.LOCK.read_text()
    named = re.findall(
        r"^([a-z0-9-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE
    )

    declared = tomllib.loads((stage0.ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split("[>=]", each)[0] for each in declared["dependencies"]}
    assert len(named) == lock.count("==")
    assert names <= set(named)


@pytest.fixture(name="unpacked")
def _unpacked(tmp_path: Path) -> Path:
    root = tmp_path / "unpacked"
    for name in (
        *("bin/python3.14", "bin/python3.14-config", "bin/pip3", "lib/libpython3.14.so.1.0"),
        *("lib/python3.14/os.py", "lib/python3.14/__pycache__/os.pyc", "lib/tcl9/init.tcl"),
        *("lib/python3.14/test/x.py", "lib/python3.14/config-3.14-x86_64-linux-gnu/Makefile"),
        *("lib/python3.14/lib-dynload/_testcapi.so", "lib/python3.14/lib-dynload/zlib.so"),
        *("lib/python3.14/site-packages/pip/a.py", "include/python3.14/Python.h", "share/man"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "bin/python3").symlink_to("python3.14")
    (root / "lib/libpython3.so").symlink_to("libpython3.14.so.1.0")
    return root


def test_only_needed_parts_of_python_are_bundled(unpacked: Path, tmp_path: Path) -> None:
    trim.interpreter(unpacked, tmp_path / "kept")

    kept = {
        str(path.relative_to(tmp_path / "kept"))
        for path in (tmp_path / "kept").rglob("*")
        if not path.is_dir()
    }
    assert kept == {
        "bin/python3",
        "lib/python3.14/os.py",
        "lib/python3.14/lib-dynload/zlib.so",
    }
    assert not (tmp_path / "kept/bin/python3").is_symlink()


def test_licence_and_metadata_of_a_package_are_kept(tmp_path: Path) -> None:
    for name in ("METADATA", "RECORD", "INSTALLER", "REQUESTED", "licenses/LICENSE"):
        path = tmp_path / "x-1.dist-info" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/__init__.py").write_text("")
    (tmp_path / "x/py.typed").write_text("")

    trim.packages(tmp_path)

    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        "x-1.dist-info/METADATA",
        "x-1.dist-info/licenses/LICENSE",
        "x/__init__.py",
    }
