"""An environment that is far larger than usual is built and stored."""

import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from cnb_python.store.store import Damaged, Store
from cnb_python.store.unpacking import unpack
from tests.support.builds import Builds, Built
from tests.support.faults import DirectBuild, cache_of
from tests.support.trees import write_files
from tests.support.wheels import wheel
from tools.package import tree
from tools.pythons import mirror

DISTRIBUTIONS = 2_000
FILES = 50_000
PAGE = '<!DOCTYPE html><a href="../../{name}#sha256={digest}">{name}</a>\n'


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve all wheels from files, since pypiserver would take minutes for them."""
    folder = tmp_path_factory.mktemp("index")
    for number in range(DISTRIBUTIONS):
        name = f"tiny-{number}"
        files = {f"tiny_{number}.py": f"N = {number}\n", f"ns/part_{number}/data.txt": ""}
        _serve(wheel(folder, name, "1.0", files), name)
    many = {f"huge/{number % 250}/{number}.txt": "" for number in range(FILES)}
    _serve(wheel(folder, "huge", "1.0", {"huge/__init__.py": "", **many}), "huge")
    with mirror.serving(folder) as url:
        yield f"{url}/simple/"


def test_two_thousand_distributions_and_fifty_thousand_files_are_built(
    builds: Builds, flask: Built, index: str, tmp_path: Path
) -> None:
    names = ["huge", *(f"tiny-{number}" for number in range(DISTRIBUTIONS))]
    requirements = "".join(f"{name}==1.0\n" for name in names)
    files = {"requirements.txt": requirements, "Procfile": "web: python -V"}
    bench = DirectBuild(builds, write_files(tmp_path / "app", files), {"PIP_INDEX_URL": index})
    layers = cache_of(flask.layers, bench.own(tmp_path / "layers"))

    ended = bench.build(layers)

    assert ended.code == 0, ended.output
    site = layers / "venv/lib/python3.14/site-packages"
    assert sum(1 for _ in site.glob("tiny_*.dist-info")) == DISTRIBUTIONS
    assert sum(1 for path in (site / "huge").rglob("*.txt", recurse_symlinks=True)) == FILES
    _check_store(layers, tmp_path / "kept")


def _check_store(layers: Path, into: Path) -> None:
    """Assert that the store has everything, and the largest distribution unchanged."""
    store = Store(layers / "deps")
    document = tomllib.loads((layers / "deps.toml").read_text())
    manifest = store.read(document["metadata"]["manifest"])
    assert not isinstance(manifest, Damaged)
    assert len(manifest) == DISTRIBUTIONS + 1
    assert store.lost == {}
    into.mkdir()
    unpack(store.job(manifest["huge"], into))
    laid_out = layers / "deps-00/tree/lib/python3.14/site-packages/huge"
    assert tree.digest(into / "lib/python3.14/site-packages/huge") == tree.digest(laid_out)


def _serve(environment: Path, name: str) -> None:
    page = PAGE.format(name=environment.name, digest=sha256(environment.read_bytes()).hexdigest())
    write_files(environment.parent / "simple" / name, {"index.html": page})
