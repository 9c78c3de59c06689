"""What is the same for every package manager that has to be asked what its lock means."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from tests.support.builds import Builds, Built

# Where nobody listens: nothing can be fetched.
NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}


def asks_nobody(builds: Builds, app: Path, before: Built) -> None:
    """Build *app* again, as it was *before*: nothing runs, and nothing is made."""
    again = builds.phases(app, before, env=NOWHERE)
    assert again.code == 0, again.output
    assert "  Nothing changed: " in again.output
    assert not {"Asking", "Running", "Fetching"} & set(again.output.split()), again.output
    assert {path.name for path in again.layers.iterdir() if path.is_dir()} == {"deps"}
    for name in ("python", "venv", "deps-00"):
        made, known = (_described(one.layers / f"{name}.toml") for one in (again, before))
        assert made == known


def serves(built: Built, there: Iterable[str], absent: Iterable[str]) -> None:
    """Look that the sample app answers, and of which packages it knows."""
    with built.serve() as served:
        assert "Hello, world!" in served.fetch()
        found = served.fetch("/health")
    assert [name for name in there if f'"{name}"' not in found] == []
    assert [name for name in absent if f'"{name}"' in found] == []


def is_tidy(built: Built, app: Path, *names: str) -> None:
    """Look that nothing of the tools *names* is in the image of *app*, or left in `/tmp`."""
    found = (path for name in names for path in built.root.rglob(f"*{name}*"))
    assert [path for path in found if "workspace" not in str(path)] == []
    assert built.scratch == []
    there, own = (sorted(one.name for one in place.iterdir()) for place in (built.workspace, app))
    assert there == own


def _described(file: Path) -> object:
    return tomllib.loads(file.read_text()).get("metadata")
