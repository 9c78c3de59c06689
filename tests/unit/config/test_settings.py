"""Settings: read from variables and pyproject.toml, or refused with all that they may be."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.config.build_commands import BuildCommand
from cnb_python.config.kinds import SettingOrigin
from cnb_python.config.loading import effective, read_settings
from cnb_python.config.settings import (
    BUILD,
    DEFAULTS,
    INSTALLER,
    LAYOUT,
    TABLE,
    VERSION,
    Settings,
)
from cnb_python.errors.config import BadSettings, UnknownSettings
from cnb_python.errors.inputs import UnreadableFile, UnreadableToml
from cnb_python.errors.long_messages import MOST_OWN

NAMES = (LAYOUT, INSTALLER, BUILD)
NOWHERE = Path("/nonexistent")


def chosen(directory: Path, text: str = "", below: str = "", **environ: str) -> Settings:
    """Return the settings of an app with *text* as `pyproject.toml`, and *below* as `api`'s."""
    if text:
        (directory / "pyproject.toml").write_text(text)
    if below:
        (directory / "api").mkdir()
        (directory / "api/pyproject.toml").write_text(below)
    return read_settings(environ, directory)


def variables(**environ: str) -> Settings:
    return read_settings(environ, NOWHERE)


def test_without_settings_the_defaults_count(tmp_path: Path) -> None:
    assert variables() == chosen(tmp_path) == DEFAULTS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_variable_has_no_effect(name: str, value: str) -> None:
    assert variables(**{name: value}) == DEFAULTS


@pytest.mark.parametrize(("value", "meant"), [("UV", "uv"), (" pip\n", "pip"), ("Auto", "auto")])
def test_a_word_is_read_without_case_and_blanks(value: str, meant: str) -> None:
    assert variables(BP_PYTHON_INSTALLER=value).installer == meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [("1", True), ("true", True), ("Yes", True), ("0", False), ("FALSE", False), ("no", False)],
)
def test_a_flag_accepts_several_words(value: str, *, meant: bool) -> None:
    assert variables(BP_PYTHON_BUILD=value).build is meant


@pytest.mark.parametrize(
    "value", ["web,worker", " web worker ", "web, worker,web", "web\nworker,"]
)
def test_names_in_a_variable_are_separated_by_commas_or_spaces(value: str) -> None:
    assert variables(BP_PYTHON_GROUPS=value).groups == ("web", "worker")


@pytest.mark.parametrize(
    ("value", "meant"),
    [("services/api", "services/api"), ("./services//api/", "services/api"), (".", "")],
)
def test_a_directory_is_normalized(value: str, meant: str) -> None:
    assert variables(BP_PYTHON_PROJECT=value).project == meant


@pytest.mark.parametrize("value", ["/api", "..", "api/../..", "api\\web", "api\0"])
def test_a_directory_outside_the_app_is_refused(value: str) -> None:
    with pytest.raises(BadSettings):
        variables(BP_PYTHON_PROJECT=value)


@pytest.mark.parametrize("value", ["healthz", "http://x/healthz", "/a b", "/é", "/a\nb"])
def test_a_health_check_needs_the_path_of_a_url(value: str) -> None:
    assert variables(BP_PYTHON_HEALTH="/healthz?full=1").health == "/healthz?full=1"
    with pytest.raises(BadSettings):
        variables(BP_PYTHON_HEALTH=value)


def test_pyproject_gives_settings(tmp_path: Path) -> None:
    settings = chosen(
        tmp_path,
        """
        [project]
        name = "shop"

        [tool.cnb-python]
        python = "3.13"
        groups = ["web", "db"]
        build = true
        """,
    )

    assert (settings.python, settings.groups, settings.build) == ("3.13", ("web", "db"), True)
    assert settings.origins["python"] == SettingOrigin("pyproject.toml", 6)
    assert settings.origins["build"] == SettingOrigin("pyproject.toml", 8)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('tool.cnb-python.layout = "merged"', 1),
        ('[tool]\ncnb-python = { layout = "merged" }', None),
        ('[tool]\ncnb-python.layout = "merged"', 2),
        ('[tool.x]\nlayout = "other"\n[tool."cnb-python"]\n"layout" = "merged"', 4),
    ],
)
def test_every_toml_form_of_the_table_is_read(tmp_path: Path, text: str, line: int | None) -> None:
    settings = chosen(tmp_path, text)

    assert settings.layout == "merged"
    assert settings.origins["layout"].line == line


def test_a_variable_wins_over_pyproject(tmp_path: Path) -> None:
    text = "[tool.cnb-python]\nlayout = 'merged'\nbuild = true\n"

    settings = chosen(tmp_path, text, BP_PYTHON_LAYOUT="linked")

    assert (settings.layout, settings.build) == ("linked", True)
    assert settings.origins["layout"] == SettingOrigin(LAYOUT)


def test_the_projects_pyproject_wins_over_the_one_at_the_top(tmp_path: Path) -> None:
    top = "[tool.cnb-python]\nproject = 'api'\nlayout = 'merged'\npython = '3.12'\n"

    settings = chosen(tmp_path, top, "[tool.cnb-python]\npython = '3.13'\n")

    assert (settings.layout, settings.python, settings.project) == ("merged", "3.13", "api")
    assert settings.origins["python"] == SettingOrigin("api/pyproject.toml", 2)


def test_the_key_project_in_the_projects_pyproject_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownSettings) as raised:
        chosen(tmp_path, "", "[tool.cnb-python]\nproject = 'x'\n", BP_PYTHON_PROJECT="api")

    assert raised.value.unknown[0][:2] == ("project", "api/pyproject.toml, line 2")


@pytest.mark.parametrize(
    ("name", "value"),
    [(LAYOUT, "Merge"), (INSTALLER, "poetry"), (BUILD, "on"), (BUILD, "2")],
)
def test_a_wrong_value_is_refused_as_it_was_given(name: str, value: str) -> None:
    with pytest.raises(BadSettings) as raised:
        variables(**{name: value})

    ((_, origin, text, expected),) = raised.value.wrong
    assert (origin, text) == (name, value)
    assert value not in expected.split()


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("python = 3.10", "3.1", 'text in quotes, such as "3.14"'),
        ("layout = true", "true", 'one of "linked", "merged"'),
        ("build = 'yes'", '"yes"', "true or false, without quotes"),
        ("groups = 'web'", '"web"', 'a list of texts, such as ["web", "worker"]'),
        ("groups = ['web', 1]", '["web", 1]', 'a list of texts, such as ["web", "worker"]'),
        ("extras = {}", "a table", 'a list of texts, such as ["postgres", "s3"]'),
        (
            "project = '../x'",
            '"../x"',
            'a directory below the top of the app, such as "services/api"',
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    tmp_path: Path, line: str, text: str, expected: str
) -> None:
    with pytest.raises(BadSettings) as raised:
        chosen(tmp_path, f"[tool.cnb-python]\n{line}\n")

    name = line.split(maxsplit=1)[0]
    assert raised.value.wrong == ((name, "pyproject.toml, line 2", text, expected),)


def test_all_wrong_values_are_refused_together(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as raised:
        chosen(
            tmp_path,
            "[tool.cnb-python]\npython = 3.14\nbuild = 1\n",
            BP_PYTHON_LAYOUT="x",
        )

    assert [wrong[0] for wrong in raised.value.wrong] == ["layout", "python", "build"]


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("BP_PYTHON_LAYOUTS", LAYOUT),
        ("BP_PYTHON_VERSIONS", VERSION),
        ("BP_PYTHON_INSTALER", INSTALLER),
        ("BP_PYTHON_QQQQQQQ", ""),
    ],
)
def test_an_unknown_variable_is_refused(name: str, likely: str) -> None:
    with pytest.raises(UnknownSettings) as raised:
        variables(**{name: "x"})

    assert raised.value.unknown == ((name, name, likely),)


@pytest.mark.parametrize(
    ("key", "likely"),
    [
        ("layouts", "layout"),
        ("group", "groups"),
        ("version", "python"),
        ("Requirements", "requirements"),
        ("zzz", ""),
    ],
)
def test_an_unknown_key_is_refused(tmp_path: Path, key: str, likely: str) -> None:
    with pytest.raises(UnknownSettings) as raised:
        chosen(tmp_path, f"[tool.cnb-python]\n{key} = 1\n")

    assert raised.value.unknown == ((key, "pyproject.toml, line 2", likely),)
    assert 30 < len(raised.value.settings) <= MOST_OWN


@pytest.mark.parametrize("name", ["cnb_python", "cnbpython", "CNB-Python"])
def test_a_misspelt_table_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownSettings) as raised:
        chosen(tmp_path, f"[tool.{name}]\nlayout = 'merged'\n")

    assert raised.value.unknown == (
        (f"[tool.{name}]", "pyproject.toml, line 1", "[tool.cnb-python]"),
    )


def test_a_value_in_place_of_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownSettings):
        chosen(tmp_path, "[tool]\ncnb-python = 1\n")


def test_a_pyproject_without_settings_is_not_parsed(tmp_path: Path) -> None:
    assert chosen(tmp_path, "[[[ not TOML") == DEFAULTS


@pytest.mark.parametrize("content", [b"[tool.cnb-python]\nlayout =", b"# cnb-python\n\xff"])
def test_a_pyproject_that_is_not_toml_is_refused_by_its_name(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)

    with pytest.raises(UnreadableToml) as raised:
        read_settings({}, tmp_path)

    assert str(raised.value.path) == "pyproject.toml"


def test_an_unreadable_pyproject_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").symlink_to("/proc/self/mem")

    with pytest.raises(UnreadableFile) as raised:
        read_settings({}, tmp_path)

    assert raised.value.name == "pyproject.toml"


def test_a_directory_called_pyproject_toml_has_no_effect(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()

    assert read_settings({}, tmp_path) == DEFAULTS


@given(st.sampled_from([setting.variable for setting in TABLE]), st.text())
def test_any_text_is_a_value_or_refused(name: str, text: str) -> None:
    try:
        settings = variables(**{name: text})
    except BadSettings:
        assert text.strip()
    else:
        assert settings.layout in {"linked", "merged"}


def test_variables_without_the_prefix_have_no_effect() -> None:
    assert variables(PYTHON_LAYOUT="x", BP_CPYTHON_VERSION="3.9", BP_PYTHON_NO="") == DEFAULTS


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_row_has_a_field_of_its_type(setting: object) -> None:
    """`read_settings` puts values into fields by name, which the type checker does not see."""
    (row,) = (entry for entry in TABLE if entry is setting)
    examples = {"text": "auto", "flag": "no"}
    others = (
        "linked",
        "one/two",
        "warn",
        "test",
        "web: python a.py",
        "60",
        "/up",
        "A=b",
        "7 days",
        "high",
        "a = { run = 'b', outputs = ['c'] }",
    )
    hints = get_type_hints(Settings)
    given = [
        value
        for text in (*examples.values(), *others)
        if (value := row.kind.from_text(text)) is not None
    ]

    assert given, "no text is a value: add one that is"
    for value in (*given, getattr(DEFAULTS, row.name)):
        expected_type = hints[row.name]
        assert type(value) is (getattr(expected_type, "__origin__", None) or expected_type)


def test_every_field_has_a_row_and_a_variable_of_its_name() -> None:
    assert [row.name for row in TABLE] == [name for name in Settings._fields if name != "origins"]
    for row in TABLE:
        suffix = "version" if row.name == "python" else row.name
        assert row.variable == f"BP_PYTHON_{suffix.upper()}"


def test_values_that_are_not_defaults_are_shown_with_their_origin(tmp_path: Path) -> None:
    settings = chosen(
        tmp_path,
        "[tool.cnb-python]\nlayout = 'merged'\ninstaller = 'auto'\ngroups = ['a', 'b']\n",
        BP_PYTHON_MIRROR="https://me:secret@mirror.example/python?token=1",
        BP_PYTHON_BUILD="1",
    )

    assert effective(settings) == (
        "groups = a, b (pyproject.toml, line 4)",
        "layout = merged (pyproject.toml, line 2)",
        "build = true (BP_PYTHON_BUILD)",
        "mirror = https://mirror.example/python (BP_PYTHON_MIRROR)",
    )


def test_a_setting_is_named_by_its_origin() -> None:
    by_file = Settings(origins={"layout": SettingOrigin("pyproject.toml", 3)})

    assert by_file.named("layout") == "layout (pyproject.toml, line 3)"
    assert by_file.named("build") == BUILD
    assert variables(BP_PYTHON_LAYOUT="merged").named("layout") == LAYOUT


def test_a_refusal_names_the_value_and_all_that_is_allowed() -> None:
    message = BadSettings((("layout", LAYOUT, "Merge", "one of linked, merged"),)).describe()

    assert message.title == "layout has a value that is not allowed"
    assert message.body == (
        "layout (BP_PYTHON_LAYOUT):",
        "  Found:    Merge",
        "  Expected: one of linked, merged",
    )


def test_an_unknown_setting_is_answered_with_the_nearest_and_with_all() -> None:
    with pytest.raises(UnknownSettings) as raised:
        variables(BP_PYTHON_LAYOUTS="x")

    message = raised.value.describe()
    assert message.title == "There is no setting BP_PYTHON_LAYOUTS"
    assert message.body[1] == "  - BP_PYTHON_LAYOUTS: did you mean BP_PYTHON_LAYOUT?"
    for setting in TABLE:
        assert any(setting.variable in line for line in message.body)


def test_requirements_files_choose_pip() -> None:
    assert variables(BP_PYTHON_REQUIREMENTS="a.txt").decider == "pip"
    assert variables(BP_PYTHON_MANAGER="uv").decider == "uv"
    assert DEFAULTS.decider == "auto"


def test_requirements_files_for_another_manager_are_refused() -> None:
    with pytest.raises(BadSettings) as raised:
        variables(BP_PYTHON_REQUIREMENTS="a.txt", BP_PYTHON_MANAGER="uv")

    expected = "none, or BP_PYTHON_MANAGER as pip: uv reads no requirements files"
    assert raised.value.wrong == (("requirements", "BP_PYTHON_REQUIREMENTS", "a.txt", expected),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SECRET_KEY=build", {"SECRET_KEY": "build"}),
        (
            "A=1 URL=sqlite://:memory:\nHOSTS=a,b",
            {"A": "1", "URL": "sqlite://:memory:", "HOSTS": "a,b"},
        ),
        ("A='x y' B=\"it's\" C=", {"A": "x y", "B": "it's", "C": ""}),
        ("A=b=c", {"A": "b=c"}),
    ],
)
def test_variables_for_collectstatic_are_words_of_a_shell(
    text: str, expected: Mapping[str, str]
) -> None:
    settings = variables(BP_PYTHON_COLLECTSTATIC_ENV=text)

    assert dict(settings.collectstatic_env) == expected


@pytest.mark.parametrize("text", ["build", "1A=b", "A=b A=c", "A='b", "A=b c", "A B=c", "=b"])
def test_wrong_variables_for_collectstatic_are_refused_without_their_values(text: str) -> None:
    with pytest.raises(BadSettings) as refused:
        variables(BP_PYTHON_COLLECTSTATIC_ENV=text)

    [(name, origin, written, _)] = refused.value.wrong
    assert (name, origin) == ("collectstatic_env", "BP_PYTHON_COLLECTSTATIC_ENV")
    assert written == "another value, not shown since it may contain secrets"


def test_table_of_variables_is_displayed_without_values(tmp_path: Path) -> None:
    text = '[tool.cnb-python]\ncollectstatic_env = { A = "a b", B = "c" }\n'

    settings = chosen(tmp_path, text)

    assert dict(settings.collectstatic_env) == {"A": "a b", "B": "c"}
    assert effective(settings) == ("collectstatic_env = A, B (pyproject.toml, line 2)",)


@pytest.mark.parametrize("value", ["{ A = 1 }", '"A=b"', '{ "A B" = "c" }', '{ A = "\\u0000" }'])
def test_other_tables_of_variables_are_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadSettings):
        chosen(tmp_path, f"[tool.cnb-python]\ncollectstatic_env = {value}\n")


BLOCK = 3 * "'"
COMMANDS = f"""
[tool.cnb-python.commands.messages]
run = "python manage.py compilemessages"
inputs = ["./locale/**/*.po"]
outputs = ["locale/**/*.mo", "static/"]

[tool.cnb-python.commands.assets]
run = {BLOCK}
set -x
make assets
{BLOCK}
outputs = ["dist"]
"""


def test_commands_are_read_in_their_order(tmp_path: Path) -> None:
    settings = chosen(tmp_path, COMMANDS)

    assert settings.commands == (
        BuildCommand(
            *("messages", "python manage.py compilemessages"),
            *(("locale/**/*.po",), ("locale/**/*.mo", "static")),
        ),
        BuildCommand("assets", "set -x\nmake assets", None, ("dist",)),
    )
    assert effective(settings)[0].startswith("commands = messages, assets (pyproject.toml")


def test_commands_in_a_variable_are_toml() -> None:
    settings = variables(BP_PYTHON_COMMANDS="a = { run = 'b', inputs = [], outputs = ['c'] }")

    assert settings.commands == (BuildCommand("a", "b", (), ("c",)),)


@pytest.mark.parametrize(
    ("table", "name", "line", "written"),
    [
        ("run = 'a'\noutputs = ['b']\ninput = ['c']", "messages.input", 4, "the key input"),
        ("outputs = ['b']", "messages.run", 1, "nothing"),
        ("run = ''\noutputs = ['b']", "messages.run", 2, '""'),
        ("run = ['a']\noutputs = ['b']", "messages.run", 2, '["a"]'),
        ("run = 'a'", "messages.outputs", 1, "nothing"),
        ("run = 'a'\noutputs = []", "messages.outputs", 3, "[]"),
        ("run = 'a'\noutputs = 'b'", "messages.outputs", 3, '"b"'),
        ("run = 'a'\noutputs = ['../b']", "messages.outputs", 3, '"../b"'),
        ("run = 'a'\noutputs = ['/b']", "messages.outputs", 3, '"/b"'),
        ("run = 'a'\noutputs = ['b', '.']", "messages.outputs", 3, '"."'),
        ("run = 'a'\noutputs = ['b']\ninputs = [1]", "messages.inputs", 4, "1"),
        ("run = 'a'\noutputs = ['b']\ninputs = ['a\\b']", "messages.inputs", 4, '"a\\b"'),
    ],
)
def test_wrong_part_of_a_command_is_named(
    tmp_path: Path, table: str, name: str, line: int, written: str
) -> None:
    with pytest.raises(BadSettings) as refused:
        chosen(tmp_path, f"[tool.cnb-python.commands.messages]\n{table}\n")

    [(wrong, origin, text, _)] = refused.value.wrong
    assert (wrong, origin) == (f"commands.{name}", f"pyproject.toml, line {line}")
    assert text == written


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a b", "commands"),
        ("a = 1", "commands.a"),
        ("'a b' = { run = 'b', outputs = ['c'] }", "commands.a b"),
        ("a = { run = 'b', outputs = ['c'], cache = true }", "commands.a.cache"),
    ],
)
def test_wrong_commands_in_a_variable_are_refused(text: str, name: str) -> None:
    with pytest.raises(BadSettings) as refused:
        variables(BP_PYTHON_COMMANDS=text)

    assert [each[:2] for each in refused.value.wrong] == [(name, "BP_PYTHON_COMMANDS")]
