"""The inputs of the explain phase: a build's inputs, where no lifecycle has prepared them.

Separate from `explain`, which takes them as a `BuildContext`.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext, build_context
from cnb_python.cnb.layer import is_layer_name
from cnb_python.cnb.toml import Writable
from cnb_python.errors.config import BadArguments
from cnb_python.errors.inputs import UnreadableInput
from cnb_python.system import json_text, regular_file
from cnb_python.system.json_text import InvalidJson, JsonValue

USAGE = "bin/explain [--json] [--previous FILE] [APP]"
_JSON, _PREVIOUS = "--json", "--previous"
# As Go names them.
_ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}
_OS_RELEASE = Path("/etc/os-release")


class Arguments(NamedTuple):
    """The arguments of `bin/explain`."""

    app_dir: Path
    is_json: bool = False
    previous: Path | None = None
    """A file with the image's label `io.buildpacks.lifecycle.metadata`."""


def read_arguments(argv: Sequence[str], cwd: Path) -> Arguments:
    """Return the arguments in *argv*. Raises BadArguments for all that USAGE does not have."""
    arguments, words = Arguments(cwd), iter(argv)
    paths: list[str] = []
    for word in words:
        if word == _JSON:
            arguments = arguments._replace(is_json=True)
        elif word == _PREVIOUS and (file := next(words, "")):
            arguments = arguments._replace(previous=cwd / file)
        elif word.startswith("-"):
            raise BadArguments(word, USAGE)
        else:
            paths.append(word)
    if len(paths) > 1:
        raise BadArguments(paths[1], USAGE)
    app_dir = (cwd / paths[0]).resolve() if paths else cwd
    if not app_dir.is_dir():
        raise BadArguments(str(app_dir), USAGE)
    return arguments._replace(app_dir=app_dir)


def explain_context(
    arguments: Arguments, environ: Mapping[str, str], scratch: Path, buildpack_dir: Path
) -> BuildContext:
    """Return the inputs of a build of the app, as the platform would give them here.

    Variables of the lifecycle in *environ* count. *scratch*, an empty directory, holds what is
    missing. Raises UnreadableInput for a label that cannot be read, and as `build_context`.
    """
    plan = scratch / "plan.toml"
    plan.touch()
    own = {
        "CNB_BUILDPACK_DIR": str(buildpack_dir),
        "CNB_PLATFORM_DIR": "/platform",
        "CNB_BP_PLAN_PATH": str(plan),
        "CNB_LAYERS_DIR": str(scratch / "layers"),
        **_target(),
    }
    complete = {**own, **{name: value for name, value in environ.items() if value}}
    layers_dir = Path(complete["CNB_LAYERS_DIR"])
    layers_dir.mkdir(parents=True, exist_ok=True)
    context = build_context((), complete, arguments.app_dir, buildpack_dir)
    if arguments.previous is None:
        return context
    if any(layers_dir.iterdir()):
        raise UnreadableInput(layers_dir, "it already holds the layers of a build")
    restore_metadata(arguments.previous, context.buildpack.id, layers_dir)
    return build_context((), complete, arguments.app_dir, buildpack_dir)


def _target() -> dict[str, str]:
    machine = os.uname().machine
    target = {"CNB_TARGET_OS": "linux", "CNB_TARGET_ARCH": _ARCHES.get(machine, machine)}
    try:
        lines = regular_file.read(_OS_RELEASE).decode("utf-8", "replace").splitlines()
    except OSError:
        return target
    values = {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}
    return {
        **target,
        "CNB_TARGET_DISTRO_NAME": values.get("ID", ""),
        "CNB_TARGET_DISTRO_VERSION": values.get("VERSION_ID", ""),
    }


def restore_metadata(label: Path, buildpack: str, layers_dir: Path) -> None:
    """Write what the image's *label* holds for the buildpack called *buildpack*, as a restorer.

    https://github.com/buildpacks/spec/blob/main/platform.md#iobuildpackslifecyclemetadata-json
    Raises UnreadableInput.
    """
    try:
        document = json_text.parse(regular_file.read(label).decode("utf-8", "replace"))
    except InvalidJson as error:
        raise UnreadableInput(label, error.reason) from error
    except OSError as error:
        raise UnreadableInput(label, error.strerror or str(error)) from error
    rows = _at(document, "buildpacks")
    own = next((row for row in _list(rows) if _at(row, "key") == buildpack), None)
    if own is None:
        raise UnreadableInput(label, f"it is not the label of an image that {buildpack} built")
    layers = _at(own, "layers")
    for name, layer in layers.items() if isinstance(layers, dict) else ():
        if is_layer_name(name) and _at(layer, "launch") is True:
            _write(layers_dir / f"{name}.toml", _at(layer, "data"))
    _write(layers_dir / "store.toml", _at(_at(own, "store"), "metadata"))


def _at(value: JsonValue, key: str) -> JsonValue:
    return value.get(key) if isinstance(value, dict) else None


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _write(path: Path, metadata: JsonValue) -> None:
    if isinstance(metadata, dict):
        toml.write(path, {"metadata": {key: _writable(each) for key, each in metadata.items()}})


def _writable(value: JsonValue) -> Writable:
    """Return *value* for TOML, which has no null."""
    match value:
        case dict():
            return {key: _writable(each) for key, each in value.items() if each is not None}
        case list():
            return [_writable(each) for each in value if each is not None]
        case None:
            return ""
        case _:
            return value
