"""Programs of package managers are installed once, and unpacked from the store afterwards."""

from pathlib import Path

import pytest

from cnb_python.errors.programs import ToolUnavailable
from cnb_python.install import tools as install_tools
from cnb_python.install.tools import ToolCache
from cnb_python.managers.tool import Program
from cnb_python.store.store import Store
from tests.support.fake_system import Log

POETRY = Program("poetry")
PYTHON = Path("/python")


class Installer:
    """Installs a program by writing a file, and records it."""

    def __init__(self) -> None:
        self.installed: list[Program] = []

    def __call__(self, program: Program, into: Path, python: Path) -> None:
        assert python == PYTHON
        self.installed.append(program)
        (into / "module.py").write_text(program.name)


def tool_cache(directory: Path, store: Store, log: Log | None = None) -> ToolCache:
    return ToolCache(store, directory, log or Log(), PYTHON)


def opened(directory: Path) -> Store:
    directory.mkdir(exist_ok=True)
    return Store(directory)


def reopened(store: Store) -> Store:
    """Return the store of the next build."""
    manifest = store.close([], install_tools.keys_to_keep(store, "poetry"), ())
    again = Store(store.directory)
    assert again.read(manifest) == {}
    return again


def test_tool_is_installed_once_per_build(tmp_path: Path) -> None:
    install, log = Installer(), Log()
    tools = tool_cache(tmp_path / "a", opened(tmp_path / "store"), log)

    words = tools.start_command(POETRY, install)

    assert tools.start_command(POETRY, install) == words
    assert install.installed == [POETRY]
    assert log.lines == [f"Downloading poetry {POETRY.version}"]
    assert str(tmp_path / "a/poetry") in words


def test_distributions_of_the_programs_that_were_used_are_listed(tmp_path: Path) -> None:
    def install(_program: Program, into: Path, _python: Path) -> None:
        for name in ("poetry-2.1", "Poetry_Core-2.1.post1", "broken"):
            (into / f"{name}.dist-info").mkdir()

    tools = tool_cache(tmp_path / "a", opened(tmp_path / "store"))
    assert tools.installed == {}

    tools.start_command(POETRY, install)

    expected = [("poetry", "2.1"), ("poetry-core", "2.1.post1")]
    assert tools.installed == {"poetry": expected}
    tools.forget()
    (tmp_path / "a/poetry/evil-1.dist-info").mkdir()
    assert tools.installed == {"poetry": expected}


def test_next_build_unpacks_tool_from_store(tmp_path: Path) -> None:
    install, log, store = Installer(), Log(), opened(tmp_path / "store")
    tool_cache(tmp_path / "a", store).start_command(POETRY, install)

    tool_cache(tmp_path / "b", reopened(store), log).start_command(POETRY, install)

    assert install.installed == [POETRY]
    assert (tmp_path / "b/poetry/module.py").read_text() == "poetry"
    assert log.lines == [f"Using cached poetry {POETRY.version}"]


def test_build_without_tool_keeps_it_in_store(tmp_path: Path) -> None:
    install, store = Installer(), opened(tmp_path / "store")
    tool_cache(tmp_path / "a", store).start_command(POETRY, install)

    unused = reopened(reopened(store))

    assert unused.trees == {install_tools.key_of(POETRY)}
    assert unused.used == frozenset()


def test_other_release_replaces_tool_with_warning(tmp_path: Path) -> None:
    install, log, store = Installer(), Log(), opened(tmp_path / "store")
    tool_cache(tmp_path / "a", store).start_command(POETRY, install)
    older, next_store = Program("poetry", "==1.8.5"), reopened(store)

    tool_cache(tmp_path / "b", next_store, log).start_command(older, install)

    assert install.installed == [POETRY, older]
    assert any("This buildpack has no hashes for poetry 1.8.5" in line for line in log.lines)
    assert install_tools.keys_to_keep(next_store, "poetry") == {install_tools.key_of(older)}
    assert install_tools.keys_to_keep(next_store, "pdm") == frozenset()


def test_damaged_tool_is_installed_again(tmp_path: Path) -> None:
    install, log, store = Installer(), Log(), opened(tmp_path / "store")
    tool_cache(tmp_path / "a", store).start_command(POETRY, install)
    again = reopened(store)
    (archive,) = store.directory.glob("*.tar.zst")
    archive.write_bytes(b"nonsense")

    tool_cache(tmp_path / "b", again, log).start_command(POETRY, install)

    assert install.installed == [POETRY, POETRY]
    assert log.lines[0].startswith("Downloading poetry again: ")
    assert (tmp_path / "b/poetry/module.py").is_file()


def test_failed_installation_is_not_stored(tmp_path: Path) -> None:
    store = opened(tmp_path / "store")

    def fail(program: Program, into: Path, python: Path) -> None:
        (into / "half.py").touch()
        del python
        raise ToolUnavailable(program.name, program.version, ("no route",))

    with pytest.raises(ToolUnavailable):
        tool_cache(tmp_path / "a", store).start_command(POETRY, fail)

    assert store.trees == frozenset()
