from tools.platforms.image_report import Row, of_history, table

# Output of `docker history`: the newest first, 0 bytes for commands without a layer.
HISTORY = (
    "Buildpacks Process Types|23",
    "Buildpacks Launcher Config|208",
    "Buildpacks Application Launcher|2920000",
    "Application Layer|300",
    "Application Slice: 1|40",
    "Software Bill-of-Materials|5",
    "Layer: 'venv', Created by buildpack: cnb-python/python@0.1.0|90000000",
    "Layer: 'python', Created by buildpack: cnb-python/python@0.1.0|60000000",
    "|0",
    "RUN apt-get install|31000000",
    "|100000000",
)


def test_history_starts_with_the_run_image() -> None:
    titles = [row.title for row in of_history(HISTORY)]

    assert titles == [
        "run image",
        "cnb-python/python:python",
        "cnb-python/python:venv",
        "sbom",
        "application slice: 1",
        "app",
        "launcher",
        "config",
        "process-types",
    ]


def test_run_image_is_one_row() -> None:
    assert of_history(HISTORY)[0] == Row("run image", None, 131_000_000)


def test_table_ends_with_the_sum() -> None:
    rows = [Row("run image", 40_000_000, 130_000_000), Row("app", 500, 2_500)]

    assert table(rows) == (
        "  layer        compressed      unpacked\n"
        "  run image       40.0 MB      130.0 MB\n"
        "  app              0.5 kB        2.5 kB\n"
        "  total           40.0 MB      130.0 MB"
    )


def test_unknown_column_is_left_out() -> None:
    assert "compressed" not in table([Row("app", None, 2_500)])


def test_unknown_size_is_empty() -> None:
    lines = table([Row("run image", 40_000_000, None), Row("app", 500, 2_500)]).splitlines()

    assert lines[1].rstrip().endswith("40.0 MB")
