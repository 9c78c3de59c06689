"""Text that looks like a version or an address, and that Python's own functions refuse."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnb_python.distributions import dist_info
from cnb_python.errors.python_requests import InvalidPythonRange
from cnb_python.launch import incompatible
from cnb_python.layers.store import size_of
from cnb_python.managers.pip import index_errors
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import errors as uv_errors
from cnb_python.python.origin import Origin
from cnb_python.python.specifiers import parse_constraint, parse_specifier
from cnb_python.python.versions import is_at_least, normalized_version

SOURCE = Path(dist_info.__file__).parents[1]
ORIGIN = Origin("pyproject.toml", 1)
# Python reads no number of more than 4,300 digits.
DIGITS = "9" * 5000
LONG = f"1.{DIGITS}"


def test_version_is_normalized() -> None:
    assert normalized_version("v1.0-RC1") == "1rc1"
    assert normalized_version("1.0", keep_zeros=True) == "1.0"
    assert normalized_version("of a fork") == "of a fork"


READERS: dict[str, tuple[Callable[[], object], object]] = {
    "normalized": (lambda: normalized_version(LONG), LONG),
    "metadata": (
        lambda: dist_info.identity(f"Name: a\nVersion: {LONG}\n".encode(), "x"),
        ("a", LONG),
    ),
    "comparison": (lambda: is_at_least(LONG, "1"), False),
    "table": (lambda: incompatible.warnings({"gunicorn": f"{DIGITS}.0"}), ()),
    "tool": (lambda: Program("poetry").satisfies(f">={LONG}"), False),
    "size": (lambda: size_of(DIGITS), None),
    "wheel": (
        lambda: index_errors.unsupported_wheel(
            f"a-1-cp3{DIGITS}-none-any.whl is not a supported wheel", "3.14.6", "x86_64"
        ),
        None,
    ),
    "line": (
        lambda: uv_errors.recognize(
            f"Failed to parse: `a`\n  cause: TOML parse error at line {DIGITS}, column 1\n", "3.14"
        ),
        None,
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_numbers_of_thousands_of_digits_are_no_versions(name: str) -> None:
    read, expected = READERS[name]

    assert read() == expected


@pytest.mark.parametrize("text", [f">={LONG}", f"=={LONG}.*", f"~={LONG}", f"^{LONG}", f"~{LONG}"])
def test_range_with_thousands_of_digits_is_refused(text: str) -> None:
    for parse in (parse_specifier, parse_constraint):
        with pytest.raises(InvalidPythonRange):
            parse(text, ORIGIN)


# They raise ValueError for what files may contain. `packaging` has a class for some of it, but not
# for all: numbers of thousands of digits, a part of an IPv6 address.
RAISING = {
    *("urlsplit", "urlparse", "urljoin", "Version", "SpecifierSet", "Requirement", "Marker"),
    *("canonicalize_version", "parse_wheel_filename", "parse_tag"),
}
# Their callers catch ValueError, or have checked the text.
CHECKED = {
    *(
        "python/mirror.py",
        "managers/pip/install.py",
        "managers/pip/pinned.py",
        "managers/index_config.py",
    ),
    *("bindings/indexes.py", "system/connections.py", "system/download.py"),
    *("managers/markers.py", "install/verify.py"),
    "supply_chain/cooldown/release_files.py",
}


def unguarded(path: Path) -> Iterator[str]:
    """Yield each call of RAISING that is in no `try` which catches ValueError."""
    text = path.read_text(encoding="utf-8")
    if not any(f"{name}(" in text for name in RAISING):
        return
    tree = ast.parse(text)
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.Try) and any(map(catches_value_errors, block.handlers))
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            is_constant = all(isinstance(each, ast.Constant) for each in node.args)
            if node.func.id in RAISING and not is_constant and id(node) not in guarded:
                yield f"{path.relative_to(SOURCE)}:{node.lineno} {node.func.id}"


def catches_value_errors(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(each, ast.Name) and each.id == "ValueError" for each in caught)


def test_every_call_that_refuses_text_of_files_is_guarded() -> None:
    found = [call for path in SOURCE.rglob("*.py") for call in unguarded(path)]

    assert [call for call in found if call.partition(":")[0] not in CHECKED] == []
    assert {call.partition(":")[0] for call in found} == CHECKED
