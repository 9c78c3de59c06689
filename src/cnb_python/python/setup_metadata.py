"""The range of Pythons and the requirements in `setup.py` or `setup.cfg`, without running them.

Separate from `project_ranges`, which reads what is written in TOML.
https://setuptools.pypa.io/en/latest/userguide/declarative_config.html
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from cnb_python.app import App
from cnb_python.python.origin import Origin, toml_line

if TYPE_CHECKING:
    import ast

SETUP_PY = "setup.py"
SETUP_CFG = "setup.cfg"
PYTHON_REQUIRES = "python_requires"
_OPTIONS = "options"
_INSTALL_REQUIRES = "install_requires"
# More than any program that only calls `setup`.
_MAX_BYTES = 512 * 1024


def python_requires(app: App) -> tuple[str, Origin] | None:
    """Return the `python_requires` of the project; None if it has none, or code computes it.

    An argument of `setup()` wins over `setup.cfg`, as in setuptools. Raises what
    `App.bytes_of` raises.
    """
    return _argument(app) or _option(app)


class SetupRequirements(NamedTuple):
    """What a project requires, as one of its two files has it."""

    file: str
    name: str
    """Of the project; empty if code computes it."""
    requirements: tuple[str, ...]


def setup_requirements(app: App) -> tuple[SetupRequirements, ...]:
    """Return what `setup.py` and `setup.cfg` require, as far as it is written in them.

    Raises what `App.bytes_of` raises.
    """
    sections = _sections((app.bytes_of(SETUP_CFG) or b"").decode("utf-8-sig", "replace"))
    options = sections.get(_OPTIONS, {})
    in_file = tuple(options.get(_INSTALL_REQUIRES, "").split("\n"))
    of_file = SetupRequirements(
        SETUP_CFG, sections.get("metadata", {}).get("name", "").strip(), in_file
    )
    tree = _parsed(app, _INSTALL_REQUIRES)
    if tree is None:
        return (of_file,)
    import ast  # noqa: PLC0415 - few apps have such a file

    names = [each.value for each in _values(tree, "name") if isinstance(each, ast.Constant)]
    name = next((each for each in names if isinstance(each, str)), of_file.name)
    texts = (_texts(value, tree) for value in _values(tree, _INSTALL_REQUIRES))
    in_code = SetupRequirements(SETUP_PY, name, tuple(text for each in texts for text in each))
    return (of_file._replace(name=of_file.name or name), in_code)


def _texts(value: ast.expr, tree: ast.Module) -> Iterator[str]:
    """Yield the texts in *value*: a list of them, or the name of one of the module."""
    import ast  # noqa: PLC0415 - as above

    match value:
        case ast.Name(id=name):
            for node in tree.body:
                match node:
                    case ast.Assign(targets=[ast.Name(id=target)], value=ast.List() as assigned):
                        yield from _texts(assigned, tree) if target == name else ()
                    case _:
                        pass
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
        case ast.Constant(value=str(text)):
            yield from text.split("\n")
        case _:
            pass


def _option(app: App) -> tuple[str, Origin] | None:
    # In another encoding only the build of the project fails, and reports it.
    text = (app.bytes_of(SETUP_CFG) or b"").decode("utf-8-sig", "replace")
    value = _sections(text).get(_OPTIONS, {}).get(PYTHON_REQUIRES, "").strip()
    line = toml_line(text, _OPTIONS, PYTHON_REQUIRES)
    return (value, Origin(app.shown(SETUP_CFG), line, PYTHON_REQUIRES)) if value else None


def _sections(text: str) -> Mapping[str, Mapping[str, str]]:
    """Return the options of each section; empty if the file is damaged: its tools report that."""
    if "[metadata" not in text and "[options" not in text:
        return {}
    import configparser  # noqa: PLC0415 - few apps have such a file

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _parsed(app: App, word: str) -> ast.Module | None:
    """Return the program `setup.py`; None if it lacks *word*, or cannot be read."""
    content = app.bytes_of(SETUP_PY)
    if content is None or len(content) > _MAX_BYTES or word.encode() not in content:
        return None
    import ast  # noqa: PLC0415 - as above
    import warnings  # noqa: PLC0415 - as above

    try:
        with warnings.catch_warnings():
            # Warnings about the app's code, such as for `"\d"`, do not belong in the build log.
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except SyntaxError, ValueError, RecursionError, MemoryError:
        return None  # the build of the project reports it


def _argument(app: App) -> tuple[str, Origin] | None:
    tree = _parsed(app, PYTHON_REQUIRES)
    if tree is None:
        return None
    import ast  # noqa: PLC0415 - as above

    constants = _constants(tree)
    for value in _values(tree, PYTHON_REQUIRES):
        match value:
            case ast.Constant(value=str(text)):
                break
            case ast.Name(id=name) if name in constants:
                text = constants[name]
                break
            case _:
                continue
    else:
        return None
    return text.strip(), Origin(app.shown(SETUP_PY), value.lineno, PYTHON_REQUIRES)


def _values(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """Yield each value of *name*: an argument, or an item of a dictionary for one."""
    import ast  # noqa: PLC0415 - as above

    for node in ast.walk(tree):
        match node:
            case ast.Call():
                yield from (each.value for each in node.keywords if each.arg == name)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == name:
                        yield value
            case _:
                pass


def _constants(tree: ast.Module) -> Mapping[str, str]:
    """Return the texts that the module gives names to."""
    import ast  # noqa: PLC0415 - as above

    constants = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                constants[name] = text
            case _:
                pass
    return constants
