"""Layer `deps`: what the package manager may keep from one build to the next, within a budget."""

from pathlib import Path

from cnb_python.cnb.context import Target
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.system.outside import Output

# A cache layer is restored, archived and hashed on every build, changed or not: measured 0.2 s for
# 60 MB and 3.3 s for 600 MB.
BUDGET_BYTES = 64 * 1024 * 1024
FORMAT = "1"
_TYPES = LayerTypes(cache=True)
_TITLES = {
    "format": "format of the cache",
    "python": "Python line",
    "arch": "processor",
    "distro": "distribution of the image",
}


def cache_key(line: str, target: Target) -> dict[str, str]:
    """Return what a cache for the Python line *line* (`3.14`) and *target* depends on."""
    distro = f"{target.distro_name} {target.distro_version}".strip()
    return {"format": FORMAT, "python": line, "arch": target.arch, "distro": distro}


def open_cache(layers_dir: Path, key: dict[str, str], output: Output) -> Path:
    """Return the cache directory: the previous build's where its key is *key*, else an empty one.

    Says every reason for starting anew.
    """
    layer = layer_of(layers_dir, "deps")
    restored = layer.restored()
    if restored == key and layer.path.is_dir():
        layer.keep(_TYPES, key)
        return layer.path
    for name, title in _TITLES.items():
        if restored is not None and restored.get(name) != key[name]:
            output.line(f"Cache dropped: {title} was {restored.get(name)}, is {key[name]}")
    return _empty(layer, key)


def prune(cache: Path, budget: int = BUDGET_BYTES) -> None:
    """Remove from *cache* until it holds at most *budget* bytes.

    Downloads go first, the largest first: they are fetched again. What was built from source stays
    longest.
    """
    files = sorted(path for path in cache.rglob("*") if path.is_file() and not path.is_symlink())
    sizes = {path: path.stat().st_size for path in files}
    total = sum(sizes.values())
    for path in sorted(files, key=lambda path: (_was_built(path, cache), -sizes[path])):
        if total <= budget:
            return
        path.unlink()
        total -= sizes[path]


def _empty(layer: Layer, key: dict[str, str]) -> Path:
    layer.begin()
    layer.finish(_TYPES, key)
    return layer.path


def _was_built(path: Path, cache: Path) -> bool:
    return path.relative_to(cache).parts[0] == "wheels"
