"""The packages that a project names itself."""

import tomli

from cnb_python.cnb.toml import TomlTable
from cnb_python.sbom.declared import declared

PYPROJECT = """
[project]
dependencies = ["Django>=5", "ruamel.yaml[x] ; python_version > '3'", "", 3]
optional-dependencies = {fast = ["uvloop"]}
[dependency-groups]
dev = ["pytest", {include-group = "x"}]
[tool.uv]
dev-dependencies = ["mypy"]
[tool.pdm.dev-dependencies]
lint = ["ruff"]
[tool.poetry.dependencies]
python = "^3.12"
flask = "*"
[tool.poetry.group.docs.dependencies]
sphinx = "*"
[tool.poetry.dev-dependencies]
black = "*"
"""
PIPFILE = """
[[source]]
url = "https://pypi.example"
[packages]
requests = "*"
[dev-packages]
tox = "*"
[requires]
python_version = "3.14"
"""


def test_names_of_all_tables_are_found() -> None:
    assert declared(tomli.loads(PYPROJECT), tomli.loads(PIPFILE)) == {
        *("django", "ruamel-yaml", "uvloop", "pytest", "mypy", "ruff", "flask", "sphinx"),
        *("black", "requests", "tox"),
    }


def test_files_of_another_shape_name_nothing() -> None:
    odd: TomlTable = {
        "project": {"dependencies": "django"},
        "tool": 3,
        "dependency-groups": {"a": "b"},
    }

    assert declared(odd, {"packages": 3}) == frozenset()
