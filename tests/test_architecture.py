"""The import rules of docs/architecture.md, kept true by a test."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "cnb_python"
ROOT = Path(__file__).parents[1] / "src" / PACKAGE

# Top to bottom. A module imports only from rows below its own, or from inside
# its own package. Names on one row never import each other.
ROWS: list[set[str]] = [
    {"__main__"},
    {"build", "explain"},
    {"launch_configuration"},
    {"result"},
    {"app_steps", "decisions"},
    {"system_packages"},
    {"provision", "summary"},
    {"supply_chain"},
    {"layers"},
    {"install"},
    {"layout", "sbom", "store"},
    {"distributions", "launch", "preflight"},
    {"managers"},
    {"python"},
    {"app_cleanup", "bindings", "config", "detect"},
    {"app", "cnb"},
    {"system"},
    {"errors"},
]
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names}

# Third-party packages and the only places that may import them.
ONLY_IN = {
    "httpx": {"system.download"},
    "tomli": {"cnb.toml"},
    "tomli_w": {"cnb.toml"},
    "cvss": {"supply_chain.audit.severity"},
    "cyclonedx": {"sbom.cyclonedx"},
    "packageurl": {"sbom.cyclonedx", "sbom.embedded"},
    "subprocess": {"system.process"},
    "tarfile": {"layers.python_archive", "system_packages.deb", "system_packages.tree"},
}

# The only module that imports the packages of all managers.
JOINS_MANAGERS = "managers.registry"
# uv installs what the other managers resolve, so all of them may run it.
INSTALLER = (
    "managers.uv.address_variables",
    "managers.uv.build_needs",
    "managers.uv.commands",
    "managers.uv.required_version",
)
# Each manager names what images for tests and development have besides.
DEVELOPMENT = ("managers.development.groups", "managers.development.requirement_groups")

MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    """A module imports only from the rows beneath it."""
    name = name_of(path)
    top = name.partition(".")[0]
    assert top in ROW_OF, f"{name} has no row: add it to ROWS"
    for imported in imports_of(path):
        owner, _, inner = imported.partition(".")
        if owner != PACKAGE:
            assert name in ONLY_IN.get(owner, {name}), f"{name} may not import {owner}"
            continue
        target = inner.partition(".")[0]
        if target == top:
            continue
        assert ROW_OF[top] < ROW_OF[target], f"{name} may not import {target}"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if name_of(path).startswith("managers.")], ids=name_of
)
def test_manager_imports_no_other_manager(path: Path) -> None:
    """What two managers need lies in a module of `managers` itself, not in one of the two."""
    name = name_of(path)
    own = name.rpartition(".")[0]
    packages = {f"managers.{each.name}" for each in (ROOT / "managers").iterdir() if each.is_dir()}
    for imported in imports_of(path):
        module = imported.removeprefix(f"{PACKAGE}.")
        package = ".".join(module.split(".")[:2])
        if package in packages - {own} and name != JOINS_MANAGERS:
            assert module.startswith((*INSTALLER, *DEVELOPMENT)), f"{name} may not import {module}"


def test_every_row_exists() -> None:
    """The table names no module that is gone."""
    present = {name_of(path).partition(".")[0] for path in MODULES}
    assert present == set(ROW_OF)


def test_packages_hold_no_code() -> None:
    """An ``__init__`` is a docstring: every name has one home and one import path."""
    for path in ROOT.rglob("__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert [type(node) for node in body] == [ast.Expr], path


def test_a_plain_range_of_pythons_is_read_without_packaging() -> None:
    """Importing `packaging.specifiers` takes an eighth of an unchanged build."""
    code = """if True:
        import sys
        from cnb_python.python.specifiers import parse_constraint, parse_specifier
        from cnb_python.python.origin import Origin
        parse_specifier(">=3.11,<3.15,!=3.12.*", Origin("x")).admits("3.13.1")
        parse_constraint("^3.12 || ~3.9", Origin("x")).admits("3.13.1")
        sys.exit(any(name.startswith("packaging") for name in sys.modules))
    """
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT.parent)})


@pytest.mark.parametrize("heavy", ["httpx", "pydantic", "tomli_w", "subprocess", "dataclasses"])
def test_detect_does_not_load_what_it_does_not_need(heavy: str) -> None:
    """Detection runs for every app on every build, so it stays light."""
    code = f"import sys, cnb_python.__main__, cnb_python.detect;sys.exit({heavy!r} in sys.modules)"

    # Nothing else of the environment: coverage would follow, with imports of its own.
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT.parent)})


# What an unchanged build of a Django app imports, lazily imported parts included.
UNCHANGED = (
    "__main__",
    *("bindings.apply", "build", "system.verified_file"),
    *("store.store", "app_steps.collectstatic"),
)
HEAVY = {
    *("httpx", "pydantic", "subprocess", "packaging.requirements", "packaging.utils"),
    *("configparser", "difflib", "email", "http", "logging", "tempfile", "traceback", "zipfile"),
    *("asyncio", "concurrent.futures", "queue", "random", "shutil", "socket", "ssl", "tarfile"),
    *("tomli_w", "urllib.request", "cyclonedx"),
    *(f"{PACKAGE}.install.installer", f"{PACKAGE}.layers.python_install"),
    *(f"{PACKAGE}.provision.rebuild", f"{PACKAGE}.system.download"),
    *(f"{PACKAGE}.system.process", f"{PACKAGE}.system.small_download"),
}


def test_an_unchanged_build_does_not_load_what_only_changes_need() -> None:
    """Two thirds of its time are imports."""
    modules = ", ".join(f"{PACKAGE}.{name}" for name in UNCHANGED)
    code = f"import sys, {modules}; print(*sys.modules)"

    command = [sys.executable, "-c", code]
    loaded = subprocess.check_output(command, env={"PYTHONPATH": str(ROOT.parent)}, text=True)

    assert HEAVY & set(loaded.split()) == set()


def test_the_table_of_a_mirror_is_read_without_an_http_client_of_a_package() -> None:
    """Every build with a mirror downloads it: loading httpx takes a third of an unchanged one."""
    code = f"import sys, {PACKAGE}.system.small_download; print(*sys.modules)"

    command = [sys.executable, "-c", code]
    loaded = subprocess.check_output(command, env={"PYTHONPATH": str(ROOT.parent)}, text=True)

    assert {"httpx", "logging", "traceback", "tempfile"} & set(loaded.split()) == set()
