"""The rules of docs/architecture.md about files, modules and names, kept true by a test."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "cnb_python"
ROOT = Path(__file__).parents[1] / "src" / PACKAGE
LARGEST_MODULE = 480
LARGEST_FOLDER = 20

# They say nothing about what a module holds.
VAGUE_MODULES = {
    *("utils", "util", "helpers", "common", "core", "misc", "shared"),
    *("given", "provided", "bound", "committed", "untouched", "exact", "locked", "asking"),
    *("closing", "lent", "crop", "precedent"),
}
# Names that say nothing about a value.
FILLERS = {
    *("found", "one", "said", "told", "made", "wanted", "place", "known", "brought", "others"),
    *("rest", "here", "there", "nobody", "whoever"),
}
# `Separate from x` in the docstring of a module, with the reason.
_REASON = re.compile(r"\bSeparate from\s+`[\w./]+`")


@cache
def trees() -> dict[str, ast.Module]:
    """Every module below src, by its name."""
    return {
        _name(path): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
        if path.name != "__init__.py"
    }


def _name(path: Path) -> str:
    return ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts))


def imports(name: str) -> Iterator[tuple[str, bool]]:
    """Yield each module that *name* imports, and whether it does so when it is loaded itself."""
    tree = trees()[name]
    at_top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                for target in (f"{node.module}.{alias.name}", node.module):
                    if target in trees() and target != name:
                        yield target, id(node) in at_top
                        break


def test_no_module_has_a_vague_name() -> None:
    assert [name for name in trees() if name.rpartition(".")[2] in VAGUE_MODULES] == []


def test_no_module_is_too_large() -> None:
    sizes = {_name(path): path.read_text("utf-8").count("\n") for path in ROOT.rglob("*.py")}

    assert {name: size for name, size in sizes.items() if size > LARGEST_MODULE} == {}


def test_no_folder_has_too_many_modules() -> None:
    folders = Counter(name.rpartition(".")[0] for name in trees())

    assert {name: count for name, count in folders.items() if count > LARGEST_FOLDER} == {}


def test_no_two_classes_have_one_name() -> None:
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                modules[node.name.lstrip("_")].add(name)

    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_module_with_one_importer_says_why_it_is_separate() -> None:
    """Otherwise it belongs into its importer; what is loaded only when needed is separate."""
    importers: defaultdict[str, set[str]] = defaultdict(set)
    loaded: set[str] = set()
    for name in trees():
        for target, at_top in imports(name):
            importers[target].add(name)
            if at_top:
                loaded.add(target)
    single = [name for name in sorted(loaded) if len(importers[name]) == 1]

    assert [
        name for name in single if not _REASON.search(ast.get_docstring(trees()[name]) or "")
    ] == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {name: {target for target, _ in imports(name)} for name in trees()}
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]

    assert graph == {}


def test_no_value_has_a_name_that_says_nothing() -> None:
    names: Counter[str] = Counter()
    for name, tree in trees().items():
        for node in ast.walk(tree):
            bound = None
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound = node.id
            elif isinstance(node, ast.arg):
                bound = node.arg
            if bound in FILLERS:
                names[f"{name}: {bound}"] += 1

    assert names == Counter()
