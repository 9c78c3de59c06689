"""Pinned lines that turn out to be incomplete: pip resolves, and installs what it resolved."""

from pathlib import Path

from tests.support import index
from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built
from tests.support.trees import App
from tests.support.wheels import wheel

UNSET = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
LONELY = "/lonely-1.0-py3-none-any.whl 200"


def test_wheels_that_uv_fetched_are_not_fetched_again_after_pip_resolved(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "lonely", "1.0", {"lonely.py": "import needed"}, requires=["needed"])
    wheel(packages, "needed", "1.0", {"needed.py": ""})
    source = app({"requirements.txt": "lonely==1.0\n", "Procfile": "web: python -V\n"})
    with index.running(packages) as served:
        env = {**UNSET, "PIP_INDEX_URL": served.url}
        built = builds.image(source, flask, env=env)
        count = sum(request.endswith(LONELY) for request in served.requests)
        by_pip = builds.image(source, flask, env={**env, "BP_PYTHON_INSTALLER": "pip"})
        count_by_pip = sum(request.endswith(LONELY) for request in served.requests) - count
        by_uv = builds.image(source, flask, env={**env, "BP_PYTHON_INSTALLER": "uv"})
        again = builds.phases(source, built, env=env)

    assert built.code == 0, built.output
    assert "lonely requires needed, which no line names" in built.output
    # pip reads the metadata in the wheel: this index does not have it apart.
    assert (count, count_by_pip) == (2, 2)
    assert layers_of(built) == layers_of(by_pip)
    assert "lonely requires needed, which no line names" in by_uv.output
    assert "Running `uv pip install` (1 resolved package)" in by_uv.output
    assert layers_of(built) == layers_of(by_uv)
    assert again.code == 0, again.output
    assert "  Changed: " not in again.output
