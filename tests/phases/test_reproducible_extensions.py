"""C extensions of real source distributions: the same bytes on two machines."""

from pathlib import Path

from tests.support.build_variants import layers_beside_the_lifecycles, layers_of, odd_machine
from tests.support.builds import Builds, Built
from tests.support.trees import App

# setuptools builds both.
REQUIREMENTS = """\
--no-binary markupsafe
--no-binary wrapt
markupsafe==3.0.2
wrapt==1.17.3
"""


def test_extensions_compiled_on_two_machines_are_the_same(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    source = app({"requirements.txt": REQUIREMENTS, "Procfile": "web: python -V"})
    plain = builds.image(source, flask)
    assert plain.code == 0, plain.output
    with odd_machine(builds.platform, tmp_path, {}) as odd:
        other = builds.image(source, flask, **odd)
    assert other.code == 0, other.output
    assert {"clock-cc1", "order-python3"} <= set(other.scratch)
    extensions = [name for name in other.names("deps-00") if name.endswith(".so")]
    assert {name.rpartition("/")[2].partition(".")[0] for name in extensions} == {
        "_speedups",
        "_wrappers",
    }
    assert layers_beside_the_lifecycles(other) == layers_beside_the_lifecycles(plain)
    assert layers_of(plain)["cnb-python/python:python"] == flask.layer("python").diff_id
