"""No function that reads a file is forgotten by the fuzzer."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

import cnb_python
from tools.fuzz.runs import readers

SOURCE = Path(cnb_python.__file__).parent
# What opens a file, or parses text.
OPENING = {
    *("toml.read", "toml.parse", "toml.read_metadata", "json_text.parse", "json_text.parse_file"),
    *("regular_file.read", "regular_file.opened", "ast.parse", "json.loads", "csv.reader"),
    *("zipfile.ZipFile", "tarfile.open", "elf.read"),
}
METHODS = {"read_text", "read_bytes", "RawConfigParser", "parsebytes", "parsestr", "open"}
EXEMPT = {
    "the buildpack's own files": {
        *("launch/incompatible.py warnings", "layers/carried_bytecode.py _is_intact"),
        *("layers/carried_bytecode.py _key", "layers/process_defaults.py provide_defaults"),
        *("layers/package_directories.py rows", "managers/misleading_names.py _meaning"),
        *("managers/tool.py _pins", "managers/tool.py versions", "install/staging.py copy_pip"),
        *("provision/native_libraries.py _instead", "provision/libraries.py read"),
        *("provision/native_libraries.py _loaded_by_name",),
    },
    "it runs a tool first; what parses its answer has a reader": {
        *("managers/pip/install.py resolve", "managers/pip/install.py _download"),
        *("managers/pip/manager.py _plan", "managers/pdm/export.py resolve"),
        *("managers/pdm/export.py _exported", "managers/pdm/export.py local_sources"),
        *("managers/pipenv/export.py _resolve_pipfile", "managers/pipenv/export.py _run"),
        *("managers/pipenv/export.py install", "managers/poetry/export.py resolve"),
        *("managers/poetry/export.py local_sources", "managers/pylock/manager.py resolve"),
        *("managers/pyproject/manager.py resolve", "managers/pyproject/manager.py _source"),
        *("managers/pyproject/manager.py _is_package", "managers/uv/export.py _defined"),
        *("managers/uv/commands.py preferred_by_pip", "app_steps/collectstatic.py _read_facts"),
        *("app_steps/nltk.py _failed", "app_steps/collectstatic_causes.py _read"),
    },
    "it hashes, copies or compares bytes, or looks at a fixed number of them": {
        *("app_steps/file_trees.py _entry_on_disk", "app_steps/hooks.py _first_line"),
        *("app_steps/collectstatic.py _is_django", "install/foreign_files.py entries"),
        *("install/foreign_files.py _has_same_content", "install/snapshot.py _digest"),
        *("install/user_files.py _read", "launch/listening.py _text"),
        *("layers/python_install.py _on_disk", "layout/materialize.py _copy"),
        *("store/files.py verified", "store/files.py writing"),
        *("system/verified_file.py _copy", "system/verified_file.py _write"),
        *("system/verified_file.py store",),
    },
    "it reads libraries with `elf.read`, which has a reader": {
        *("layers/python_parts.py _is_linked", "provision/python_parts.py _linked_files"),
        *("provision/native_libraries.py _of_interpreter", "store/older_entries.py scanned"),
    },
    "it runs in a process of its own": {
        *("app_steps/django_runner.py _lacks_root", "distributions/compiler.py _compile"),
        *(
            "app_steps/recorded_functions.py _check_startup_lines",
            "distributions/compiler.py main",
        ),
        *("app_steps/recorded_functions.py _finish", "distributions/compiler.py main"),
        *("system/workers.py _value_of", "system/workers.py serve"),
    },
    "the kernel or the operating system of the build writes it": {
        *("explain/inputs.py _target", "system/orphans.py _children_of"),
        *("system/orphans.py _status", "system/progress_limit.py _connections"),
        *("system/progress_limit.py _stat", "system/progress_limit.py _written"),
    },
}


def opening_functions() -> Iterator[str]:
    """Yield each function of the buildpack that opens or parses a file: module and name."""
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef) and any(map(opens, ast.walk(function))):
                yield f"{path.relative_to(SOURCE)} {function.name}"


def opens(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name in OPENING or (name != "os.open" and name.rpartition(".")[2] in METHODS)


@contextmanager
def called() -> Iterator[set[str]]:
    """Collect the functions of the buildpack that are called in the block."""
    functions: set[str] = set()
    tool, events = sys.monitoring.OPTIMIZER_ID - 1, sys.monitoring.events

    def start(code: CodeType, _offset: int) -> object:
        path = Path(code.co_filename)
        if path.is_relative_to(SOURCE):
            functions.add(f"{path.relative_to(SOURCE)} {code.co_name}")
        return sys.monitoring.DISABLE

    sys.monitoring.use_tool_id(tool, "readers")
    sys.monitoring.register_callback(tool, events.PY_START, start)
    sys.monitoring.set_events(tool, events.PY_START)
    try:
        yield functions
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)


def test_every_function_that_reads_a_file_is_called_by_a_reader(tmp_path: Path) -> None:
    """If this fails for a new function, give its file a reader in `tools/fuzz`."""
    with called() as functions:
        for number, reader in enumerate(readers()):
            directory = tmp_path / str(number)
            directory.mkdir()
            for seed in reader.seeds:
                try:
                    reader.read(seed, directory)
                except reader.allowed:
                    continue

    exempt = set[str]().union(*EXEMPT.values())
    assert set(opening_functions()) - functions - exempt == set()
    assert exempt - (set(opening_functions()) - functions) == set()
