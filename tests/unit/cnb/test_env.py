"""The environment variables of a layer: their values, their files, and how they are applied."""

import os
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.cnb import layer as cnb_layer
from cnb_python.cnb.layer import BOTH, BUILD, LAUNCH, Action, EnvDelta, process_scope
from cnb_python.errors.base import ContractBroken
from tests.support import layer_env
from tests.support.layer_env import BUILD_SCOPES, launch_scopes

WEB = process_scope("web")
# Any bytes but NUL, as Python sees the environment.
VALUES = st.binary(max_size=8).map(
    lambda value: value.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)
SCOPES = st.sampled_from([BOTH, BUILD, LAUNCH, WEB])
NAMES = st.sampled_from(["A", "AB", "a", "PATH", "Ü"])
ACTIONS: st.SearchStrategy[Action] = st.sampled_from(
    ("set", "append", "default", "override", "prepend")
)


@st.composite
def one_delta(draw: st.DrawFn) -> EnvDelta:
    scope, name, action = draw(SCOPES), draw(NAMES), draw(ACTIONS)
    # The delimiter belongs to the variable in its directory: a function of both here.
    delimiter = {"PATH": ":", "A": scope}.get(name, "")
    glued = action in {"append", "prepend"}
    return EnvDelta(scope, name, action, draw(VALUES), delimiter if glued else "")


DELTAS = st.lists(
    one_delta(), max_size=8, unique_by=lambda delta: (delta.scope, delta.file_name)
).map(tuple)
ENVIRONS = st.dictionaries(NAMES, VALUES, max_size=3)


def as_the_lifecycle_does(
    layer: Path, environ: dict[str, str], scopes: tuple[str, ...]
) -> dict[str, str]:
    """Apply files as `addEnvDir` in the lifecycle's env/env.go, which reads files."""
    after = dict(environ)
    for scope in scopes:
        directory = layer / scope
        for file_name in sorted(os.listdir(directory)) if directory.exists() else []:  # noqa: PTH208 - by name, like Go
            path = directory / file_name
            if path.is_dir():
                continue
            value = path.read_bytes().decode("utf-8", "surrogateescape")
            name, _, action = file_name.partition(".")
            delim = directory / f"{name}.delim"
            glue = delim.read_bytes().decode("utf-8", "surrogateescape") if delim.exists() else ""
            old = after.get(name, "")
            match action:
                case "prepend":
                    after[name] = value + (glue + old if old else "")
                case "append":
                    after[name] = (old + glue if old else "") + value
                case "override" | "":
                    after[name] = value
                case "default":
                    after[name] = old or value
                case _:
                    pass
    return after


@given(DELTAS, ENVIRONS, st.sampled_from([BUILD_SCOPES, launch_scopes(), launch_scopes("web")]))
def test_applied_deltas_agree_with_the_lifecycle_reading_their_files(
    deltas: tuple[EnvDelta, ...], environ: dict[str, str], scopes: tuple[cnb_layer.Scope, ...]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        cnb_layer.write_env(Path(directory), deltas)

        assert layer_env.apply(environ, deltas, scopes) == as_the_lifecycle_does(
            Path(directory), environ, scopes
        )


@given(DELTAS)
def test_written_deltas_are_read_back(deltas: tuple[EnvDelta, ...]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        cnb_layer.write_env(Path(directory), deltas)

        deltas_read = layer_env.read(Path(directory))

    assert set(deltas_read) == set(deltas)
    assert len(deltas_read) == len(deltas)


@given(DELTAS, ENVIRONS, st.randoms())
def test_the_order_of_deltas_does_not_matter(
    deltas: tuple[EnvDelta, ...], environ: dict[str, str], random: Random
) -> None:
    shuffled = random.sample(deltas, len(deltas))

    assert layer_env.apply(environ, deltas, launch_scopes("web")) == layer_env.apply(
        environ, shuffled, launch_scopes("web")
    )


@given(DELTAS, ENVIRONS)
def test_other_variables_are_not_changed(
    deltas: tuple[EnvDelta, ...], environ: dict[str, str]
) -> None:
    after = layer_env.apply(environ, deltas, BUILD_SCOPES)

    changed = {delta.name for delta in deltas if delta.scope in BUILD_SCOPES}
    assert set(after) == set(environ) | changed
    assert all(after[name] == environ[name] for name in set(environ) - changed)


@given(ENVIRONS, VALUES)
def test_override_and_default_count_once(environ: dict[str, str], value: str) -> None:
    actions: tuple[Action, ...] = ("override", "default", "set")
    for action in actions:
        delta = (EnvDelta(BOTH, "A", action, value),)
        once = layer_env.apply(environ, delta, BUILD_SCOPES)

        assert layer_env.apply(once, delta, BUILD_SCOPES) == once


def test_a_directory_is_applied_in_the_order_of_file_names() -> None:
    deltas = (
        EnvDelta(BOTH, "A", "prepend", "p", "-"),
        EnvDelta(BOTH, "A", "default", "d"),
        EnvDelta(BOTH, "A", "append", "a", "-"),
        EnvDelta(BOTH, "A", "set", "s"),
    )

    assert layer_env.apply({}, deltas, BUILD_SCOPES) == {"A": "p-s-a"}
    assert layer_env.apply({}, (*deltas, EnvDelta(BOTH, "A", "override", "o")), BUILD_SCOPES) == {
        "A": "p-o"
    }


def test_a_default_yields_to_a_value_but_not_to_an_empty_one() -> None:
    delta = (EnvDelta(LAUNCH, "PORT", "default", "8000"),)

    assert layer_env.apply({"PORT": "80"}, delta, launch_scopes()) == {"PORT": "80"}
    assert layer_env.apply({"PORT": ""}, delta, launch_scopes()) == {"PORT": "8000"}


def test_a_delimiter_is_only_put_between_two_values() -> None:
    delta = (EnvDelta(BOTH, "PATH", "prepend", "/layer/bin", ":"),)

    assert layer_env.apply({}, delta, BUILD_SCOPES) == {"PATH": "/layer/bin"}
    assert layer_env.apply({"PATH": ""}, delta, BUILD_SCOPES) == {"PATH": "/layer/bin"}
    assert layer_env.apply({"PATH": "/bin"}, delta, BUILD_SCOPES) == {"PATH": "/layer/bin:/bin"}


def test_a_process_type_overrides_what_all_processes_see(tmp_path: Path) -> None:
    deltas = (EnvDelta(WEB, "A", "override", "web"), EnvDelta(LAUNCH, "A", "override", "launch"))

    assert layer_env.apply({}, deltas, launch_scopes("web")) == {"A": "web"}
    assert layer_env.apply({}, deltas, launch_scopes("worker")) == {"A": "launch"}
    assert layer_env.apply({}, deltas, BUILD_SCOPES) == {}
    cnb_layer.write_env(tmp_path, deltas)
    assert (tmp_path / "env.launch" / "web" / "A.override").read_bytes() == b"web"


def test_files_hold_the_value_without_a_newline(tmp_path: Path) -> None:
    cnb_layer.write_env(
        tmp_path,
        [
            EnvDelta(BOTH, "PATH", "prepend", "/a", ":"),
            EnvDelta(BUILD, "B", "append", "b"),
            EnvDelta(LAUNCH, "C", "set", "c"),
        ],
    )

    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert files == {
        "env/PATH.prepend": b"/a",
        "env/PATH.delim": b":",
        "env.build/B.append": b"b",
        "env.launch/C": b"c",
    }


def test_files_and_directories_are_readable_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        cnb_layer.write_env(tmp_path, [EnvDelta(WEB, "A", "override", "x")])
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"env.launch": 0o755, "web": 0o755, "A.override": 0o644}


def test_writing_replaces_older_files(tmp_path: Path) -> None:
    cnb_layer.write_env(
        tmp_path, [EnvDelta(scope, "OLD", "set", "x") for scope in (BOTH, BUILD, WEB)]
    )

    cnb_layer.write_env(tmp_path, [EnvDelta(BOTH, "NEW", "set", "y")])

    assert layer_env.read(tmp_path) == (EnvDelta(BOTH, "NEW", "set", "y"),)


def test_files_that_the_lifecycle_ignores_are_ignored(tmp_path: Path) -> None:
    directory = tmp_path / "env"
    (directory / "nested").mkdir(parents=True)
    for name in ("A.unknown", "A.delim", "A.append.x", ".override"):
        (directory / name).write_text("x")
    (directory / "B").write_text("y\n")

    assert layer_env.read(tmp_path) == (EnvDelta(BOTH, "B", "set", "y\n"),)


def test_a_layer_without_files_has_no_deltas(tmp_path: Path) -> None:
    assert layer_env.read(tmp_path / "none") == ()
    cnb_layer.write_env(tmp_path, ())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "A=B", "A.B", "A/B", "A\0B"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ContractBroken, match="cannot be called"):
        EnvDelta(BOTH, name, "override", "x")


def test_a_value_with_nul_is_refused() -> None:
    with pytest.raises(ContractBroken, match="NUL"):
        EnvDelta(BOTH, "A", "override", "x\0y")


def test_a_delimiter_with_override_is_refused() -> None:
    with pytest.raises(ContractBroken, match="delimiter"):
        EnvDelta(BOTH, "A", "override", "x", ":")


@pytest.mark.parametrize(
    "other",
    [
        EnvDelta(BOTH, "A", "prepend", "y", ":"),
        EnvDelta(BOTH, "A", "append", "x"),
        EnvDelta(BOTH, "A", "append", "x", ";"),
    ],
)
def test_two_contents_for_one_file_are_refused(tmp_path: Path, other: EnvDelta) -> None:
    with pytest.raises(ContractBroken, match="two different contents"):
        cnb_layer.write_env(tmp_path, [EnvDelta(BOTH, "A", "prepend", "x", ":"), other])

    assert list(tmp_path.iterdir()) == []
