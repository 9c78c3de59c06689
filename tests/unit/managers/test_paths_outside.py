"""A path that leads out of the app counts only if what is there is installed."""

import json
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.locks import PathOutsideApp
from cnb_python.managers.base import Manager, NeedsResolving
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from tests.support.fake_tools import PYTHON, FakeTools, context_of, write_app

FAR = '[[package]]\nname = "far"\nversion = "1"\n'
SOURCE = '[package.source]\ntype = "directory"\nurl = "../far"\n'
PROJECT = '[project]\nname = "shop"\n'
PYLOCK = 'lock-version = "1.0"\ncreated-by = "x"\ndependency-groups = ["dev"]\n[[packages]]\n'
PYLOCK += 'name = "far"\n{}[packages.directory]\npath = "../far"\n'
ROWS: dict[str, tuple[Manager, dict[str, str]]] = {
    "poetry": (
        Poetry(),
        {
            "poetry.lock": FAR + SOURCE,
            "pyproject.toml": f"{PROJECT}[tool.poetry]\npackage-mode = false\n",
        },
    ),
    "pdm": (
        Pdm(),
        {
            "pdm.lock": f'{FAR}path = "../far"\n',
            "pyproject.toml": f"{PROJECT}[tool.pdm]\ndistribution = false\n",
        },
    ),
    "pipenv": (
        Pipenv(),
        {
            "Pipfile.lock": json.dumps(
                {"_meta": {}, "default": {}, "develop": {"far": {"path": "../far"}}}
            ),
            "Pipfile": "",
        },
    ),
    "pylock": (Pylock(), {}),
}


def exporting(line: str) -> FakeTools:
    tools = FakeTools()
    tools.answer("export", exported=line)
    tools.answer("requirements", line)
    return tools


@pytest.mark.parametrize("name", ROWS)
def test_path_outside_is_refused_only_if_it_is_installed(tmp_path: Path, name: str) -> None:
    manager, files = ROWS[name]
    marker = "marker = \"'dev' in dependency_groups\"\n"
    app = write_app(tmp_path, [*files.items(), ("pylock.toml", PYLOCK.format(marker))])

    needs = manager.resolve_from_files(read_app(app), PYTHON, {})
    assert isinstance(needs, NeedsResolving)
    assert needs.fingerprint
    assert manager.resolve(context_of(app), exporting("")).pins == ()

    (app / "pylock.toml").write_text(PYLOCK.format(""))
    with pytest.raises(PathOutsideApp) as raised:
        manager.resolve(context_of(app), exporting("-e ../far\n"))
    assert raised.value.path == "../far"
