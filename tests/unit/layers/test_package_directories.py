"""The table of directories that packages write to, and the rows that apply to an app."""

import re
from pathlib import Path
from typing import Annotated

import pytest
import tomli
from pydantic import BaseModel, ConfigDict, Field

from cnb_python.layers import package_directories
from cnb_python.layers.package_directories import TABLE
from tests.support.trees import write_files

ROOT = Path(__file__).parents[3]
Usual = Annotated[
    str,
    Field(
        pattern=r"^(\$(HOME|XDG_(CACHE|CONFIG|DATA)_HOME)(/[\w./-]+)?|\.\w[\w/]*|\.|\*[\w-]+)?$"
    ),
]


class Row(BaseModel):
    """A variable of a package."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    package: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    usual: Usual
    value: Annotated[str, Field(pattern=r"^[^{}]+\{\}$|^\{\}.+$")] = "{}"
    files: Annotated[str, Field(pattern=r"^[\w.* ]*$")] = ""
    mentioned: str = ""
    unless: str = ""
    source: Annotated[str, Field(pattern=r"^https://[^@?\s]+$")]


def table() -> list[Row]:
    return [Row.model_validate(row) for row in tomli.loads(TABLE.read_text())["directory"]]


def test_rows_are_unique_and_sorted() -> None:
    keys = [(row.package, row.variable) for row in table()]

    assert keys == sorted(set(keys))


def test_rows_of_one_variable_are_equal() -> None:
    usual: dict[str, str] = {}
    for row in table():
        assert usual.setdefault(row.variable, row.usual) == row.usual
        re.compile(row.mentioned)


def test_page_lists_every_row() -> None:
    page = (ROOT / "docs/running.md").read_text()

    missing = [
        row.variable
        for row in table()
        if not re.search(
            rf"^\|[^|]*\b{re.escape(row.package)}\b[^|]*\|[^|]*`{row.variable}`",
            page,
            re.MULTILINE,
        )
    ]
    assert missing == []


def test_rows_of_installed_packages_apply(tmp_path: Path) -> None:
    lines = package_directories.rows(tmp_path, {"numba", "matplotlib", "pytensor", "flask"})

    assert lines == (
        "MPLCONFIGDIR\t$XDG_CONFIG_HOME/matplotlib\t{}\t",
        "NUMBA_CACHE_DIR\t$XDG_CACHE_HOME/numba\t{}\t",
        "PYTENSOR_FLAGS\t$HOME/.pytensor\tbase_compiledir={}\t",
    )


def test_package_that_reads_the_apps_files_names_them(tmp_path: Path) -> None:
    assert package_directories.rows(tmp_path, {"chainlit"}) == (
        "CHAINLIT_APP_ROOT\t.\t{}\t.chainlit public chainlit*.md",
    )


def test_directory_of_faust_has_the_name_of_the_app(tmp_path: Path) -> None:
    lines = package_directories.rows(tmp_path, {"faust-streaming", "aiohttp"})

    assert lines == ("F_DATADIR\t*-data\t{}\t",)


def test_app_without_such_packages_has_no_rows(tmp_path: Path) -> None:
    assert package_directories.rows(tmp_path, {"flask", "gunicorn"}) == ()


def test_variable_of_several_packages_has_one_row(tmp_path: Path) -> None:
    lines = package_directories.rows(tmp_path, {"appdirs", "platformdirs", "weasyprint"})

    assert [line.partition("\t")[0] for line in lines] == [
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
    ]


def test_prometheus_has_a_directory_if_the_app_collects_processes(tmp_path: Path) -> None:
    code = "from prometheus_client import multiprocess\nmultiprocess.MultiProcessCollector(None)\n"
    write_files(tmp_path, {"shop/metrics.py": code})

    lines = package_directories.rows(tmp_path, {"prometheus-client"})

    assert lines == ("PROMETHEUS_MULTIPROC_DIR\t\t{}\t",)


@pytest.mark.parametrize(
    "files",
    [
        {
            "app.py": "in_all = 'PROMETHEUS_MULTIPROC_DIR' in os.environ\n"
            "if in_all:\n    MultiProcessCollector(registry)\n"
        },
        {
            "app.py": "if settings.prometheus_multiproc_dir:\n    collect()\n",
            "metrics.py": "def collect():\n    multiprocess.MultiProcessCollector(registry)\n",
        },
        {
            "app.py": "MultiProcessCollector(registry)\n",
            "Procfile": "web: PROMETHEUS_MULTIPROC_DIR=/run/m gunicorn a:b\n",
        },
        {"app.py": "MultiProcessCollector(registry)\n", ".env": "PROMETHEUS_MULTIPROC_DIR=/m\n"},
        {"app.py": "from prometheus_client.multiprocess import MultiProcessCollector\n"},
    ],
)
def test_prometheus_has_no_directory_if_the_app_chooses(
    tmp_path: Path, files: dict[str, str]
) -> None:
    """A guard would switch from one process to several."""
    write_files(tmp_path, files)

    assert package_directories.rows(tmp_path, {"prometheus-client"}) == ()


def test_only_rows_without_a_usual_directory_are_new_at_each_start() -> None:
    assert package_directories.has_new(("A\t$HOME/a\t{}", "B\t\t{}"))
    assert not package_directories.has_new(("A\t$HOME/a\t{}",))
    assert not package_directories.has_new(())


def test_prometheus_without_that_has_no_directory(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": "from prometheus_client import Counter\n"})

    assert package_directories.rows(tmp_path, {"prometheus-client"}) == ()
