"""What packages are known to install too is a table of packages that decide processes."""

from itertools import pairwise
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.explain.declared_packages import TABLE
from cnb_python.launch.servers import SERVERS
from cnb_python.launch.tables.background import BACKGROUND_TOOLS
from cnb_python.launch.tables.frameworks import FRAMEWORKS
from cnb_python.launch.tables.web_programs import WEB_PROGRAMS
from tests.unit.explain.test_explain import explained

ROWS = toml.tables_at(toml.read(TABLE), "package")


def test_the_rows_are_sorted_and_each_required_package_decides_a_process() -> None:
    deciding = {
        "alembic",
        *(each.distribution for each in FRAMEWORKS),
        *(name for each in SERVERS for name in each.needs),
        *(name for each in WEB_PROGRAMS for name in (each.distribution, *each.needs)),
        *(name for each in BACKGROUND_TOOLS for name in (*each.distributions, *each.needs)),
    }

    assert all(str(first["name"]) < str(second["name"]) for first, second in pairwise(ROWS))
    for row in ROWS:
        requires = row["requires"]
        assert isinstance(requires, list)
        assert requires
        assert deciding.issuperset(map(str, requires)), row["name"]


@pytest.mark.parametrize(
    ("requirements", "command"),
    [
        ({"requirements.txt": "fastapi[standard] >= 0.100\n"}, "uvicorn "),
        ({"requirements.txt": "FastAPI[Standard, all]\n"}, "uvicorn "),
        (
            {"pyproject.toml": '[project]\nname="a"\ndependencies=["fastapi[standard]"]\n'},
            "uvicorn ",
        ),
        ({"requirements.txt": "fastapi\n"}, ""),
    ],
    ids=["requirements", "several extras", "project", "without the extra"],
)
def test_a_server_that_an_extra_installs_serves_the_app(
    tmp_path: Path, requirements: dict[str, str], command: str
) -> None:
    code = {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}

    explanation = explained(tmp_path, code | requirements)

    assert explanation.error is None
    (web, *_) = explanation.processes
    assert web.command.startswith(command) if command else not web.command
    assert explanation.packages is not None
    assert set(explanation.packages.versions) == {"fastapi"}


def test_the_file_of_a_process_is_relative_to_the_app(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "flask==3.1\ngunicorn==25\n",
        "backend/app.py": "from flask import Flask\napp = Flask(__name__)\n",
    }

    explanation = explained(tmp_path, files)

    processes = {each.type: each for each in explanation.processes}
    assert (processes["web"].file, processes["web"].line) == ("backend/app.py", 2)
    assert processes["console"].file == "backend/app.py"
