"""The inputs of a phase: variables, arguments, and the files that they name."""

import os
from pathlib import Path

import pytest

from cnb_python.cnb.context import (
    BuildContext,
    Buildpack,
    DetectContext,
    PlanEntry,
    Target,
    build_context,
    detect_context,
)
from cnb_python.errors.inputs import MissingInput, UnreadableInput, UnsupportedApi

DESCRIPTOR = 'api = "0.12"\n\n[buildpack]\nid = "acme/python"\nversion = "1.2.3"\n'


class World:
    """The directories and variables of a lifecycle."""

    def __init__(self, root: Path) -> None:
        self.app, self.buildpack, self.platform, self.layers = (
            root / name for name in ("app", "buildpack", "platform", "layers")
        )
        for directory in (self.app, self.buildpack, self.platform, self.layers):
            directory.mkdir()
        self.plan = root / "plan.toml"
        self.plan.touch()
        self.describe(DESCRIPTOR)
        self.environ = {
            "PATH": "/bin",
            "CNB_BUILDPACK_DIR": str(self.buildpack),
            "CNB_PLATFORM_DIR": str(self.platform),
            "CNB_BUILD_PLAN_PATH": str(self.plan),
            "CNB_BP_PLAN_PATH": str(self.plan),
            "CNB_LAYERS_DIR": str(self.layers),
            "CNB_TARGET_OS": "linux",
            "CNB_TARGET_ARCH": "amd64",
        }

    def describe(self, text: str) -> None:
        (self.buildpack / "buildpack.toml").write_text(text, encoding="utf-8")

    def without(self, *variables: str) -> None:
        for variable in variables:
            del self.environ[variable]

    def detect(self, *argv: str, fallback: Path | None = None) -> DetectContext:
        return detect_context(argv, self.environ, self.app, fallback)

    def build(self, *argv: str, fallback: Path | None = None) -> BuildContext:
        return build_context(argv, self.environ, self.app, fallback)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_detect_reads_all_inputs_from_variables(world: World) -> None:
    context = world.detect()

    assert context == DetectContext(
        app_dir=world.app,
        buildpack=Buildpack("acme/python", "1.2.3", "0.12", world.buildpack),
        platform=context.platform,
        target=Target("linux", "amd64", "", "", ""),
        exec_env="production",
        environ=world.environ,
        plan_path=world.plan,
    )
    assert context.platform.directory == world.platform
    assert context.platform.env == {}
    assert context.platform.bindings == ()


def test_buildpack_may_have_a_name_and_a_homepage(world: World) -> None:
    world.describe(f'{DESCRIPTOR}name = "Python"\nhomepage = "https://example.org"\n')

    buildpack = world.build().buildpack

    assert (buildpack.name, buildpack.homepage) == ("Python", "https://example.org")


def test_build_reads_all_inputs_from_variables(world: World) -> None:
    context = world.build()

    assert context.layers_dir == world.layers
    assert context.plan == ()
    assert context.store == {}
    assert context.app_dir == world.app
    assert context.buildpack.api == "0.12"
    assert context.environ["PATH"] == "/bin"


def test_arguments_replace_missing_variables(world: World) -> None:
    world.without("CNB_PLATFORM_DIR", "CNB_BUILD_PLAN_PATH", "CNB_LAYERS_DIR", "CNB_BP_PLAN_PATH")

    detect = world.detect("p", "plan")
    build = world.build(str(world.layers), "p", str(world.plan))

    assert detect.platform.directory == world.app / "p"
    assert detect.plan_path == world.app / "plan"
    assert build.platform.directory == world.app / "p"
    assert build.layers_dir == world.layers


def test_variables_win_over_arguments(world: World) -> None:
    context = world.build("/other", "/other", "/other")

    assert context.layers_dir == world.layers
    assert context.platform.directory == world.platform


@pytest.mark.parametrize(
    ("variable", "position"),
    [
        ("CNB_BUILDPACK_DIR", None),
        ("CNB_TARGET_OS", None),
        ("CNB_TARGET_ARCH", None),
        ("CNB_PLATFORM_DIR", 1),
        ("CNB_BUILD_PLAN_PATH", 2),
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_input_of_detect_is_named(
    world: World, variable: str, position: int | None, value: str | None
) -> None:
    world.without(variable)
    world.environ |= {} if value is None else {variable: value}

    with pytest.raises(MissingInput) as caught:
        world.detect()

    assert (caught.value.variable, caught.value.position) == (variable, position)


@pytest.mark.parametrize(
    ("variable", "position"),
    [("CNB_LAYERS_DIR", 1), ("CNB_PLATFORM_DIR", 2), ("CNB_BP_PLAN_PATH", 3)],
)
def test_a_missing_input_of_build_is_named(world: World, variable: str, position: int) -> None:
    world.without(variable)

    with pytest.raises(MissingInput) as caught:
        world.build(*["/x"] * (position - 1))

    assert (caught.value.variable, caught.value.position) == (variable, position)


def test_the_buildpack_directory_defaults_to_the_running_one(world: World) -> None:
    world.without("CNB_BUILDPACK_DIR")

    assert world.detect(fallback=world.buildpack).buildpack.directory == world.buildpack


@pytest.mark.parametrize("api", ["0.10", "0.11", "0.12"])
def test_every_supported_api_is_accepted(world: World, api: str) -> None:
    world.describe(DESCRIPTOR.replace("0.12", api))

    assert world.build().buildpack.api == api


@pytest.mark.parametrize(
    ("text", "api"),
    [
        ('api = "0.13"\n[buildpack]\nid = "a"\nversion = "1"\n', "0.13"),
        ('api = "0.9"\n', "0.9"),
        ("# api = '0.12'\napi='1.0' # new\n[[[ not TOML as we know it", "1.0"),
        ('\ufeffid = 1\n[buildpack]\napi = "0.12"\n', ""),
        ("", ""),
    ],
)
def test_an_unknown_api_is_refused_before_all_other_inputs(
    world: World, text: str, api: str
) -> None:
    world.describe(text)
    world.environ = {"CNB_BUILDPACK_DIR": str(world.buildpack)}

    with pytest.raises(UnsupportedApi) as caught:
        world.build()

    assert caught.value.declared == api
    assert caught.value.supported == ("0.10", "0.11", "0.12")


@pytest.mark.parametrize(
    "line", ["api = '0.10'", 'api="0.10"', '  api\t=  "0.10"  # for kpack', 'x = 1\napi = "0.10"']
)
def test_every_toml_form_of_the_api_is_read(world: World, line: str) -> None:
    world.describe(DESCRIPTOR.replace('api = "0.12"', line))

    assert world.detect().buildpack.api == "0.10"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('api = "0.12"\n[buildpack]\nversion = "1"\n', "it has no id, or id is not text"),
        ('api = "0.12"\n[buildpack]\nid = "a"\n', "it has no version, or version is not text"),
        (
            'api = "0.12"\n[buildpack]\nid = "a"\nversion = 1\n',
            "it has no version, or version is not text",
        ),
        ('api = "0.12"\nbuildpack = 1\n', "it has no id, or id is not text"),
        (
            'api = "0.12"\n[buildpack\n',
            "Expected ']' at the end of a table declaration (at line 2, column 11)",
        ),
    ],
)
def test_an_invalid_buildpack_toml_is_refused(world: World, text: str, reason: str) -> None:
    world.describe(text)

    with pytest.raises(UnreadableInput) as caught:
        world.detect()

    assert caught.value.path == world.buildpack / "buildpack.toml"
    assert caught.value.reason == reason


def test_a_missing_buildpack_toml_is_refused(world: World) -> None:
    (world.buildpack / "buildpack.toml").unlink()

    with pytest.raises(UnreadableInput) as caught:
        world.detect()

    assert caught.value.reason == "No such file or directory"


def test_unknown_fields_of_the_target_are_empty(world: World) -> None:
    world.environ |= {
        "CNB_TARGET_ARCH": "arm64",
        "CNB_TARGET_ARCH_VARIANT": "v8",
        "CNB_TARGET_DISTRO_NAME": "debian",
        "CNB_TARGET_DISTRO_VERSION": "12",
    }

    assert world.detect().target == Target("linux", "arm64", "v8", "debian", "12")


@pytest.mark.parametrize(
    ("value", "exec_env"), [("test", "test"), ("", "production"), (None, "production")]
)
def test_the_execution_environment_is_production_by_default(
    world: World, value: str | None, exec_env: str
) -> None:
    world.environ |= {} if value is None else {"CNB_EXEC_ENV": value}

    assert world.detect().exec_env == exec_env
    assert world.build().exec_env == exec_env


def test_platform_variables_are_not_changed(world: World) -> None:
    directory = world.platform / "env"
    (directory / "nested").mkdir(parents=True)
    (directory / "BP_A").write_bytes(b" as is \n")
    (directory / "with.dot").write_bytes(b"")
    (directory / "BYTES").write_bytes(b"caf\xe9")
    (directory / "linked").symlink_to("BP_A")

    env = world.detect().platform.env

    assert list(env) == ["BP_A", "BYTES", "linked", "with.dot"]
    assert env["BP_A"] == env["linked"] == " as is \n"
    assert os.fsencode(env["BYTES"]) == b"caf\xe9"


def test_an_unreadable_platform_directory_is_refused(world: World) -> None:
    (world.platform / "env").symlink_to("env")

    with pytest.raises(UnreadableInput) as caught:
        world.detect()

    assert caught.value.path == world.platform / "env"


def test_bindings_come_from_the_platform_directory(world: World) -> None:
    binding = world.platform / "bindings" / "index"
    binding.mkdir(parents=True)
    (binding / "type").write_text("pypi")

    assert [binding.name for binding in world.build().platform.bindings] == ["index"]


def test_bindings_come_from_service_binding_root(world: World, tmp_path: Path) -> None:
    (world.platform / "bindings" / "not-this").mkdir(parents=True)
    (tmp_path / "bound" / "this").mkdir(parents=True)
    world.environ["SERVICE_BINDING_ROOT"] = str(tmp_path / "bound")

    assert [binding.name for binding in world.detect().platform.bindings] == ["this"]


def test_the_plan_has_the_requirements_of_the_group(world: World) -> None:
    world.plan.write_text(
        '[[entries]]\nname = "python"\n[entries.metadata]\nbuild = true\n'
        '[[entries]]\nname = "python"\n'
    )

    assert world.build().plan == (PlanEntry("python", {"build": True}), PlanEntry("python"))


@pytest.mark.parametrize("text", ["[[entries", "[[entries]]\nversion = '1'\n"])
def test_an_invalid_plan_is_refused(world: World, text: str) -> None:
    world.plan.write_text(text)

    with pytest.raises(UnreadableInput) as caught:
        world.build()

    assert caught.value.path == world.plan


def test_store_toml_comes_back_from_the_previous_build(world: World) -> None:
    (world.layers / "store.toml").write_text('[metadata]\n  python = "3.14.6"\n')

    assert world.build().store == {"python": "3.14.6"}


@pytest.mark.parametrize("text", ["[metadata", "[metadata]\nbuilds = 5.0\n"])
def test_an_unusable_store_toml_is_empty(world: World, text: str) -> None:
    (world.layers / "store.toml").write_text(text)

    assert world.build().store == {}
