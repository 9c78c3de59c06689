"""Who says that a file of a stage is his, and what makes that credible."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnb_python.environment import content, tree
from cnb_python.environment.installed import KINDS, Installed
from cnb_python.environment.ownership import Claim
from cnb_python.environment.tree import Entry

_SHARED = ("", "bin", "etc", "include", "include/site", "lib", "share", tree.CHECKOUTS)


def shared_directories(line: str) -> frozenset[str]:
    """Return the directories of an environment that no distribution has for itself."""
    python = f"python{line}"
    inside = (f"lib/{python}", f"lib/{python}/site-packages", f"include/site/{python}")
    return frozenset((*_SHARED, *inside))


def claims_of(
    everyone: Iterable[Installed],
    directories: Mapping[str, str],
    found: Mapping[str, Entry],
    root: Path,
) -> list[Claim]:
    """Return what *everyone* claims of *found*, the files below *root*.

    *directories* are those that distributions were installed from, below the environment, by name.
    Where several claim a file, what they say of it holds only if the file is like that.
    """
    informing = _by_information(found)
    made = [
        *(claim for one in everyone for claim in _recorded(one, informing[one.info])),
        *(claim for item in directories.items() for claim in _checked_out(*item, found)),
    ]
    times = Counter(path for _, path in {(claim.owner, claim.path) for claim in made})
    return [
        claim if times[claim.path] == 1 else _verified(claim, found, root)
        for claim in made
        if claim.path in found
    ]


def _by_information(found: Iterable[str]) -> defaultdict[str, list[str]]:
    """Return the files of each `*.dist-info` and `*.egg-info`, which may be a file itself."""
    informing = defaultdict[str, list[str]](list)
    for path in found:
        for kind in KINDS:
            before, is_inside, _ = f"{path}/".partition(f"{kind}/")
            if is_inside:
                informing[f"{before}{kind}"].append(path)
    return informing


def _recorded(one: Installed, informing: Iterable[str]) -> Iterator[Claim]:
    scripts = {f"bin/{name}": entry for name, entry in one.scripts.items()}
    for path, digest in one.claims.digests.items():
        # What lies there was written by the last of several, in a form of its tool's own.
        entry = scripts.get(path)
        yield Claim(one.name, path, f"calls {entry.module}:{entry.attribute}" if entry else digest)
    # Whatever its RECORD says, or if there is none.
    for path in informing:
        if path not in one.claims.digests:
            yield Claim(one.name, path, "")


def _checked_out(name: str, directory: str, found: Mapping[str, Entry]) -> Iterator[Claim]:
    parts = directory.split("/")
    if len(parts) > 1 and parts[0] == tree.CHECKOUTS:
        # The whole of it, though the project be a subdirectory; what another project that is
        # built there leaves behind cannot be told apart.
        top = f"{parts[0]}/{parts[1]}/"
        yield from (Claim(name, path, "") for path in found if path.startswith(top))


def _verified(claim: Claim, found: Mapping[str, Entry], root: Path) -> Claim:
    if claim.content.startswith("calls "):
        return claim
    entry = found[claim.path]
    is_true = not entry.target and content.digest(root, claim.path, entry) == claim.content
    return claim if is_true else claim._replace(content="")
