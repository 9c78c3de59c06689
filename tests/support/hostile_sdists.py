"""Makes source distributions that attack the build, and those that show whether it succeeded."""

from collections.abc import Iterable
from pathlib import Path

from tests.support.sdists import archive, checkout

HERE = Path(__file__).parent
# Their wheel differs if code of another package runs in their build.
WITNESS = """
import builtins
(HERE / "files/{name}_witness.py").write_text(f"EVIL = {{hasattr(builtins, 'EVIL')}}\\n")
"""


def hostile_sdist(into: Path, name: str, attacks: Iterable[str] = ()) -> Path:
    """Write an sdist of *name* into *into* that runs *attacks* whenever its code runs.

    Its wheel is the same for all attacks, and for none.
    """
    members = dict(checkout(name, "1.0", {f"{name}.py": f"NAME = '{name}'\n"}))
    start = f"\nimport attacks\nattacks.run({list(attacks)!r})\n"
    members["backend.py"] = (HERE / "backend.py").read_text() + start
    members["attacks.py"] = (HERE / "attacks.py").read_bytes()
    return archive(into, f"{name}-1.0", members)


def witness_sdist(into: Path, name: str) -> Path:
    """Write an sdist of *name* into *into* that records whether foreign code ran in its build."""
    members = dict(checkout(name, "1.0", {f"{name}.py": f"NAME = '{name}'\n"}))
    members["backend.py"] = (HERE / "backend.py").read_text() + WITNESS.format(name=name)
    return archive(into, f"{name}-1.0", members)
