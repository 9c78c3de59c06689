"""The files of `deploy/`: those of CI services fit their schemas, and pages quote all of them."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.docs import site

DEPLOY = site.ROOT / "deploy"
SCHEMAS = {
    "github-actions/image.yml": "vendor.github-workflows",
    "gitlab-ci/.gitlab-ci.yml": "vendor.gitlab-ci",
}
_BLOCK = re.compile(r'^( *)```\w+ title="(deploy/[^"]+)"\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)


def check(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    """Validate *file*; check-jsonschema has the schemas of SchemaStore."""
    options: tuple[str, ...] = ("--builtin-schema", schema)
    # GitLab's files have YAML tags such as !reference.
    options += ("--data-transform", "gitlab-ci") if "gitlab" in schema else ()
    return subprocess.run(
        (sys.executable, "-m", "check_jsonschema", *options, file),
        env={**os.environ, "PYTHONPATH": str(site.programs())},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_workflows_fit_the_schemas_of_their_services(
    tmp_path: Path, name: str, schema: str
) -> None:
    done = check(DEPLOY / name, schema)
    assert done.returncode == 0, done.stdout + done.stderr

    broken = tmp_path / "broken.yml"
    text = (DEPLOY / name).read_text()
    broken.write_text(
        re.sub(r"^(\s+)(services|runs-on):", r"\1\2: 5\n\1unknown:", text, flags=re.MULTILINE)
    )
    assert broken.read_text() != text
    assert check(broken, schema).returncode == 1


def test_project_descriptor_names_two_buildpacks() -> None:
    descriptor = tomllib.loads((DEPLOY / "heroku/project.toml").read_text())

    assert [
        group.get("id", group.get("uri")) for group in descriptor["io"]["buildpacks"]["group"]
    ] == [
        "docker://registry.example.com/cnb-python/python:0.1.0",
        "heroku/procfile",
    ]


def test_pages_quote_the_files_as_they_are() -> None:
    quoted = list(_quoted())

    assert [name for name, text in quoted if text not in (site.ROOT / name).read_text()] == []
    files = {str(path.relative_to(site.ROOT)) for path in DEPLOY.rglob("*") if path.is_file()}
    pages = "".join(page.read_text() for page in site.DOCS.rglob("*.md"))
    assert (
        files - {name for name, _ in quoted} - {name for name in files if name in pages} == set()
    )


def _quoted() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each block that is said to be from `deploy/`."""
    for page in sorted(site.DOCS.rglob("*.md")):
        for indent, name, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            yield name, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)
