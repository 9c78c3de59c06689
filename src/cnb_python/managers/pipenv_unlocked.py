"""Has uv look for what a `Pipfile` without a lock binds to a source there, and nowhere else.

There are no hashes yet: of two indexes with one name the wrong one must not be asked at all.
https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import Writable
from cnb_python.managers.decision import Pin
from cnb_python.managers.pipenv_sources import Sources

# uv wants one; nobody has a package of that name.
_PROJECT = "cnb-python-pipfile"


def files(lines: Iterable[str], sources: Sources, scratch: Path) -> tuple[str, ...]:
    """Write what *lines* ask for into files for `uv pip compile`, in *scratch*; return these.

    What is bound to another than the first of *sources* goes into a project, whose table says so:
    a requirements file has no words for it.
    """
    plain, bound = scratch / "Pipfile.txt", scratch / "pipfile" / "pyproject.toml"
    homes = {line: _address(line, sources) for line in lines}
    others = [line for line, address in homes.items() if not address]
    plain.write_text("\n".join(others) + "\n", encoding="utf-8")
    if len(others) == len(homes):
        return (str(plain),)
    elsewhere = {line: address for line, address in homes.items() if address}
    bound.parent.mkdir(exist_ok=True)
    toml.write(bound, _project(elsewhere))
    return (str(plain), str(bound))


def _project(addresses: Mapping[str, str]) -> Mapping[str, Writable]:
    """Return a project that asks for each line of *addresses*, from there."""
    names = {
        one: f"source-{number}" for number, one in enumerate(dict.fromkeys(addresses.values()))
    }
    sources = {_name(line): {"index": names[one]} for line, one in addresses.items()}
    index: list[Writable] = [
        {"name": name, "url": one, "explicit": True} for one, name in names.items()
    ]
    return {
        "project": {"name": _PROJECT, "version": "0", "dependencies": list(addresses)},
        "tool": {"uv": {"sources": sources, "index": index}},
    }


def _address(line: str, sources: Sources) -> str:
    """Return the one source of what *line* asks for; empty: the first, or it names a place."""
    name = _name(line)
    found = sources.home(Pin(name, "", "", line)) if name else ()
    return next((one for one in found if f"--index-url {one}" not in sources.lines), "")


def _name(line: str) -> str:
    """Return the name of what comes from an index; empty: *line* is about something else."""
    try:
        read = Requirement(line)
    except InvalidRequirement:
        return ""
    return "" if read.url else canonicalize_name(read.name)
