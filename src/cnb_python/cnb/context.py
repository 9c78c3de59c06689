"""The inputs of a phase from the lifecycle, read once, and the build plan that a phase passes on.

The Buildpack API is read first, then everything else.

https://github.com/buildpacks/spec/blob/main/buildpack.md#buildpack-interface

Here, and in all modules that detection imports, values are named tuples: `dataclasses` takes 12 ms
to import, and detection runs for every app on every build.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.bindings import Binding, read_bindings
from cnb_python.cnb.toml import Metadata, TomlTable, TomlValue, Unusable, Writable
from cnb_python.errors.inputs import MissingInput, UnreadableInput, UnreadableToml, UnsupportedApi
from cnb_python.system import regular_file

# The buildpack also requires it itself: a `provides` without `requires` would fail the group.
# https://github.com/buildpacks/spec/blob/main/buildpack.md#phase-1-detection
PYTHON = "python"
PRODUCTION, TEST, DEVELOPMENT = "production", "test", "development"
EXEC_ENVS = (PRODUCTION, TEST, DEVELOPMENT)
"""The execution environments, that of a platform without them first."""
SUPPORTED_APIS = ("0.10", "0.11", "0.12")


class Require(NamedTuple):
    """What a buildpack requires from another, or from itself."""

    name: str
    metadata: Mapping[str, Writable] = MappingProxyType({})


class BuildPlan(NamedTuple):
    """What a buildpack provides and requires."""

    provides: tuple[str, ...] = ()
    requires: tuple[Require, ...] = ()

    def write(self, path: Path) -> None:
        """Write the plan to *path* for the lifecycle."""
        provides = [{"name": name} for name in self.provides]
        requires = [_require(require) for require in self.requires]
        parts: dict[str, Writable] = {"provides": provides, "requires": requires}
        toml.write(path, {key: value for key, value in parts.items() if value})


def build_plan() -> BuildPlan:
    """Return the plan of this buildpack for an app that passes detection."""
    return BuildPlan(provides=(PYTHON,), requires=(Require(PYTHON),))


def _require(require: Require) -> dict[str, Writable]:
    metadata: dict[str, Writable] = {"metadata": require.metadata} if require.metadata else {}
    return {"name": require.name} | metadata


class PlanEntry(NamedTuple):
    """What a buildpack of the group requires from this one; a name may occur several times."""

    name: str
    metadata: Mapping[str, TomlValue] = MappingProxyType({})


def merged(entries: Iterable[PlanEntry], name: str) -> dict[str, tuple[TomlValue, ...]]:
    """Return the values of each metadata key in the entries called *name*, in order."""
    values: dict[str, tuple[TomlValue, ...]] = {}
    for entry in entries:
        if entry.name == name:
            for key, value in entry.metadata.items():
                values[key] = (*values.get(key, ()), value)
    return values


class Target(NamedTuple):
    """The target of the image, as the run image declares it; unknown fields are empty."""

    os: str
    arch: str
    """As Go names it: amd64, arm64."""
    arch_variant: str
    distro_name: str
    distro_version: str

    @property
    def distro(self) -> str:
        """Name and version: `debian 12`; empty if neither is known."""
        return f"{self.distro_name} {self.distro_version}".strip()


class Platform(NamedTuple):
    """The platform directory."""

    directory: Path
    env: Mapping[str, str]
    """The variables in its files; bytes that are not UTF-8 as surrogate escapes."""
    bindings: tuple[Binding, ...]


class Buildpack(NamedTuple):
    """The buildpack itself, as `buildpack.toml` describes it."""

    id: str
    version: str
    api: str
    """One of SUPPORTED_APIS."""
    directory: Path
    name: str = ""
    """The name for people; empty if `buildpack.toml` has none."""
    homepage: str = ""
    """The address of its homepage; empty if `buildpack.toml` has none."""


class DetectContext(NamedTuple):
    """The inputs of the detect phase."""

    app_dir: Path
    buildpack: Buildpack
    platform: Platform
    target: Target
    exec_env: str
    environ: Mapping[str, str]
    plan_path: Path


class BuildContext(NamedTuple):
    """The inputs of the build phase."""

    app_dir: Path
    buildpack: Buildpack
    platform: Platform
    target: Target
    exec_env: str
    environ: Mapping[str, str]
    layers_dir: Path
    plan: tuple[PlanEntry, ...]
    store: Metadata
    """The metadata in `store.toml` of the previous build of this image; empty if unusable."""

    @property
    def restores_sboms(self) -> bool:
        """Whether the platform certainly restores the SBOMs that an earlier build exported.

        Platforms with API 0.8 or newer do. Before API 0.12, each build image has a stack, so one
        without a stack has a platform that restores SBOMs.
        https://github.com/buildpacks/spec/blob/platform/v0.11/platform.md#build-image
        """
        return "CNB_STACK_ID" not in self.environ

    def without(self, variable: str) -> BuildContext:
        """Return the context without an environment *variable*."""
        left = {name: value for name, value in self.environ.items() if name != variable}
        return self._replace(environ=left)


def detect_context(
    argv: Sequence[str],
    environ: Mapping[str, str],
    cwd: Path,
    buildpack_dir: Path | None = None,
) -> DetectContext:
    """Return the inputs of `bin/detect`, which runs in the app's directory *cwd*.

    *argv* holds only the positional arguments: platform directory, build plan. *buildpack_dir*
    counts if CNB_BUILDPACK_DIR is not set. Raises UnsupportedApi before anything else, then
    MissingInput and UnreadableInput.
    """
    buildpack = _buildpack(environ, buildpack_dir, cwd)
    path = partial(_path, argv, environ, cwd)
    return DetectContext(
        app_dir=cwd,
        buildpack=buildpack,
        platform=_platform(path("CNB_PLATFORM_DIR", 1), environ),
        target=_target(environ),
        exec_env=environ.get("CNB_EXEC_ENV") or PRODUCTION,
        environ=environ,
        plan_path=path("CNB_BUILD_PLAN_PATH", 2),
    )


def build_context(
    argv: Sequence[str],
    environ: Mapping[str, str],
    cwd: Path,
    buildpack_dir: Path | None = None,
) -> BuildContext:
    """Return the inputs of `bin/build`, which runs in the app's directory *cwd*.

    *argv* holds only the positional arguments: layers directory, platform directory, buildpack
    plan. Otherwise as `detect_context`.
    """
    buildpack = _buildpack(environ, buildpack_dir, cwd)
    path = partial(_path, argv, environ, cwd)
    layers_dir = path("CNB_LAYERS_DIR", 1)
    return BuildContext(
        app_dir=cwd,
        buildpack=buildpack,
        platform=_platform(path("CNB_PLATFORM_DIR", 2), environ),
        target=_target(environ),
        exec_env=environ.get("CNB_EXEC_ENV") or PRODUCTION,
        environ=environ,
        layers_dir=layers_dir,
        plan=_plan(path("CNB_BP_PLAN_PATH", 3)),
        store=_store(layers_dir / "store.toml"),
    )


def _path(
    argv: Sequence[str], environ: Mapping[str, str], cwd: Path, variable: str, position: int
) -> Path:
    """Return the path in *variable*, or else in the positional argument of older APIs."""
    given = environ.get(variable, "")
    if not given and len(argv) >= position:
        given = argv[position - 1]
    if not given:
        raise MissingInput(variable, position)
    return cwd / given


def _buildpack(environ: Mapping[str, str], fallback: Path | None, cwd: Path) -> Buildpack:
    given = environ.get("CNB_BUILDPACK_DIR") or fallback
    if not given:
        raise MissingInput("CNB_BUILDPACK_DIR", None)
    directory = cwd / given
    path = directory / "buildpack.toml"
    api = _checked_api(path)
    table = toml.table_at(_input(path), "buildpack")
    return Buildpack(
        id=_text(table, "id", path),
        version=_text(table, "version", path),
        api=api,
        directory=directory,
        name=str(table.get("name", "")),
        homepage=str(table.get("homepage", "")),
    )


def _checked_api(path: Path) -> str:
    """Return the API that *path* declares, even if the rest of it has an unknown form."""
    try:
        lines = regular_file.read(path).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from error
    api = next(filter(None, map(_declared_api, _before_tables(lines))), "")
    if api not in SUPPORTED_APIS:
        raise UnsupportedApi(api, SUPPORTED_APIS)
    return api


def _before_tables(lines: Iterable[str]) -> Iterable[str]:
    return takewhile(lambda line: not line.lstrip().startswith("["), lines)


def _declared_api(line: str) -> str:
    key, _, value = line.partition("=")
    return value.partition("#")[0].strip().strip("\"'") if key.strip() == "api" else ""


def _input(path: Path) -> TomlTable:
    try:
        return toml.read(path)
    except UnreadableToml as error:
        raise UnreadableInput(path, error.reason) from error


def _text(table: TomlTable, key: str, path: Path) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise UnreadableInput(path, f"it has no {key}, or {key} is not text")
    return value


def _target(environ: Mapping[str, str]) -> Target:
    # The lifecycle always sets these two for SUPPORTED_APIS, on every platform.
    for variable in ("CNB_TARGET_OS", "CNB_TARGET_ARCH"):
        if not environ.get(variable):
            raise MissingInput(variable, None)
    return Target(
        os=environ["CNB_TARGET_OS"],
        arch=environ["CNB_TARGET_ARCH"],
        arch_variant=environ.get("CNB_TARGET_ARCH_VARIANT", ""),
        distro_name=environ.get("CNB_TARGET_DISTRO_NAME", ""),
        distro_version=environ.get("CNB_TARGET_DISTRO_VERSION", ""),
    )


def _platform(directory: Path, environ: Mapping[str, str]) -> Platform:
    root = environ.get("SERVICE_BINDING_ROOT") or directory / "bindings"
    return Platform(
        directory=directory,
        env=_platform_env(directory / "env"),
        bindings=read_bindings(Path(root)),
    )


def _platform_env(directory: Path) -> Mapping[str, str]:
    try:
        files = sorted(path for path in directory.iterdir() if path.is_file())
        contents = {path.name: regular_file.read(path) for path in files}
        return {name: text.decode("utf-8", "surrogateescape") for name, text in contents.items()}
    except FileNotFoundError, NotADirectoryError:
        return {}
    except OSError as error:
        raise UnreadableInput(directory, error.strerror or str(error)) from error


def _plan(path: Path) -> tuple[PlanEntry, ...]:
    rows = toml.tables_at(_input(path), "entries")
    return tuple(
        PlanEntry(_text(row, "name", path), toml.table_at(row, "metadata")) for row in rows
    )


def _store(path: Path) -> Metadata:
    if not path.exists():
        return {}
    metadata = toml.read_metadata(path)
    return {} if isinstance(metadata, Unusable) else metadata
