"""No reader fails for a mutated file: a few mutations here, far more with `make fuzz`."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

import pytest

import cnb_python
from cnb_python.errors.inputs import NotAFile
from tools.fuzz.__main__ import main, report_of
from tools.fuzz.engine import Finding, Reader, failure, fuzz
from tools.fuzz.mutations import LARGEST
from tools.fuzz.runs import readers, run_again

# `make fuzz` goes on for minutes, with files of 200 kB.
_CALLS = 20
_SMALL = 6_000


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_reader_never_fails_for_a_mutated_file(reader: Reader, tmp_path: Path) -> None:
    assert fuzz(reader, seed=1, directory=tmp_path, calls=_CALLS, largest=_SMALL) is None


def read_brackets(content: bytes, _: Path) -> None:
    if b"[[" in content:
        raise KeyError(content)


def test_file_that_a_reader_fails_for_is_found_and_shrunk(tmp_path: Path) -> None:
    finding = fuzz(Reader("brackets", (b"[a]\n" * 10,), read_brackets), 1, tmp_path, calls=2000)

    assert finding is not None
    assert (finding.error, finding.content) == ("KeyError", b"[[")


def test_file_of_a_finding_is_saved_whole_and_shown_short(tmp_path: Path) -> None:
    content = b"[" * 100_000

    report = report_of(Finding("shop/settings a", content, "KeyError in x.py: y"), tmp_path)

    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == content
    assert len(report) < 1000
    assert "(100,000 bytes)" in report
    assert report.endswith(f"python3 -m tools.fuzz --reader 'shop/settings a' --file {file}")


def test_saved_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"six.py,,")

    assert run_again("RECORD", tmp_path / "a.bin") == ""


def test_file_is_read_again_by_one_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--file", "a.bin"]) == 2
    assert capsys.readouterr().err == "--file needs one --reader\n"


@pytest.mark.parametrize("seed", range(10))
def test_large_files_are_as_large_as_asked(seed: int, tmp_path: Path) -> None:
    sizes: list[int] = []
    reader = Reader("text", (b"a = 1\n",), lambda content, _: sizes.append(len(content)))

    fuzz(reader, seed, tmp_path, calls=10, largest=3 * LARGEST)

    assert max(sizes) <= 3 * LARGEST
    assert sum(size > LARGEST for size in sizes) >= 3


def test_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    def collected(seed: int) -> list[bytes]:
        contents: list[bytes] = []
        reader = Reader("text", (b"a = 1\n", b"b"), lambda content, _: contents.append(content))
        fuzz(reader, seed, tmp_path, calls=50)
        return contents

    assert collected(1) == collected(1)
    assert collected(1) != collected(2)
    assert collected(1)[:2] == [b"a = 1\n", b"b"]
    assert max(map(len, collected(1))) <= LARGEST


def test_failure_of_the_user_is_allowed_where_the_reader_says_so(tmp_path: Path) -> None:
    def refuse(_: bytes, __: Path) -> None:
        raise NotAFile("a", "b")

    assert failure(Reader("a", (b"",), refuse, (NotAFile,)), b"", tmp_path) == ""
    assert failure(Reader("a", (b"",), refuse), b"", tmp_path) == "NotAFile"


def test_reader_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    def read(_: bytes, __: Path) -> None:
        while True:
            pass

    assert failure(Reader("a", (b"",), read), b"", tmp_path, seconds=0.05) == "TooSlow"


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
        *("launch/incompatible.py warnings", "app_steps/known_steps.py warnings"),
        "layers/carried_bytecode.py _is_intact",
        *("layers/carried_bytecode.py _key", "layers/process_defaults.py provide_defaults"),
        *("layers/package_directories.py rows", "managers/misleading_names.py _meaning"),
        *("managers/tool.py _pins", "managers/tool.py versions", "install/staging.py copy_pip"),
        *("provision/native_libraries.py _instead", "provision/libraries.py read"),
        *("provision/native_libraries.py _loaded_by_name", "system_packages/paths.py _of_table"),
        *("system_packages/paths.py steps", "managers/tool.py lines"),
        *("provision/materials.py _installers", "explain/declared_packages.py _rows"),
    },
    "it runs a tool first; what parses its answer has a reader": {
        *("managers/pip/install.py _read_report_file", "managers/pip/install.py _download"),
        *("managers/pip/manager.py _plan", "managers/pdm/export.py resolve"),
        *("managers/pdm/export.py _exported", "managers/pdm/export.py local_sources"),
        *("managers/pipenv/export.py _resolve_pipfile", "managers/pipenv/export.py _run"),
        "managers/poetry/export.py resolve",
        *("managers/poetry/export.py local_sources", "managers/pylock/manager.py resolve"),
        *("managers/pyproject/manager.py resolve", "managers/pyproject/manager.py _source"),
        *("managers/pyproject/manager.py _is_package", "managers/uv/export.py _defined"),
        *("managers/pyproject/manager.py _check_addresses", "managers/uv/export.py resolve"),
        *("managers/uv/commands.py preferred_by_pip", "app_steps/collectstatic.py _read_facts"),
        *("app_steps/nltk.py _failed", "app_steps/collectstatic_causes.py _read"),
        "supply_chain/cooldown/index_pages.py page",
    },
    "it hashes, copies or compares bytes, or looks at a fixed number of them": {
        *("app_steps/file_trees.py _entry_on_disk", "app_steps/hooks.py _first_line"),
        *("app_steps/hooks.py digests", "app_steps/nltk.py _downloads"),
        *("app_steps/collectstatic.py _is_django", "install/foreign_files.py entries"),
        *("install/foreign_files.py _has_same_content", "install/snapshot.py _digest"),
        *("install/user_files.py _read", "launch/listening.py _text"),
        *(
            "app_steps/collectstatic.py _check_random_key",
            "managers/build_errors.py not_an_archive",
        ),
        *("layers/python_install.py _on_disk", "layout/materialize.py _copy"),
        *("system_packages/fetch.py _digest", "system_packages/cache.py _verified"),
        *("store/files.py verified", "store/files.py writing"),
        *("system/verified_file.py _copy", "system/verified_file.py _write"),
        *("system/verified_file.py store", "layers/sbom_files.py _read"),
        # `sbom/embedded.py`, which has a reader, gets the bytes.
        *("provision/sboms.py described", "provision/sboms.py read"),
    },
    "it only searches the text with expressions": {
        *("app_steps/known_steps.py text", "provision/native_libraries.py _requires"),
        "sbom/interpreter.py version",
        "system_packages/contents.py _relocate",
        *(
            "system_packages/paths.py write_configuration",
            "layers/package_directories.py _content",
        ),
    },
    "it reads libraries with `elf.read`, which has a reader": {
        *("layers/python_parts.py _is_linked", "provision/python_parts.py _linked_files"),
        *("sbom/interpreter.py _code_of", "sbom/interpreter.py _of"),
        *("provision/native_libraries.py _of_interpreter", "store/older_entries.py scanned"),
        *("system_packages/paths.py library_directories", "system_packages/contents.py _needs"),
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
        *("system_packages/contents.py _installed", "system_packages/provide.py _release"),
        "supply_chain/fips.py is_enabled",
        *("system/orphans.py _status", "system/progress_limit.py _connections"),
        *("system/progress_limit.py _stat", "system/progress_limit.py _written"),
        "system/progress_limit.py received_bytes",
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
