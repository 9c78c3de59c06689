"""A `.python-version` that disagrees with the files of Poetry, Pipenv or PDM."""

import pytest

from tests.support.builds import Builds, fixture
from tests.support.trees import App, Files

NEWER = ">=3.14,<4.0"


@pytest.mark.parametrize(
    ("name", "origin", "wider", "narrower"),
    [
        (
            "poetry_flask",
            "requires-python in pyproject.toml, line 5",
            {"pyproject.toml": ">=3.11,<4.0"},
            "3.14.*",  # in Poetry's grammar
        ),
        (
            "poetry_old_lock",
            "python in pyproject.toml, line 9",
            {"pyproject.toml": "^3.11"},
            NEWER,
        ),
        (
            "pdm_flask",
            "requires-python in pyproject.toml, line 4",
            {"pyproject.toml": ">=3.11"},
            NEWER,
        ),
        ("pdm_flask", "requires_python in pdm.lock, line 11", {"pdm.lock": ">=3.11"}, NEWER),
        ("pipenv_flask", "python_version in Pipfile.lock, line 8", {}, "3.14"),
    ],
)
def test_version_file_and_lock_that_disagree_are_both_named(
    builds: Builds, app: App, name: str, origin: str, wider: dict[str, str], narrower: str
) -> None:
    changed: Files = {
        file: (fixture(name) / file).read_text().replace(f'"{old}"', f'"{narrower}"', 1)
        for file, old in wider.items()
    }
    built = builds.phases(app({**changed, ".python-version": "3.13\n"}, fixture(name)))

    title, body, steps = built.error.split("\n\n")
    assert title == f".python-version, line 1 and {origin} contradict each other"
    assert f"in the range {narrower} ({origin})." in body
    assert "Change the version in .python-version, line 1 to one in that range: 3.14" in steps
    assert "Downloading" not in built.output
