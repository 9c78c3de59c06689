"""Compares the configuration of two images: variables, entry point, processes and labels."""

import json
from collections.abc import Mapping
from typing import Any

from tools.platforms.image_differences import configuration, first_value
from tools.platforms.oci import Image
from tools.verify.recorded import METADATA

# https://github.com/opencontainers/image-spec/blob/main/config.md#properties
_FIELDS = (
    *("Cmd", "Entrypoint", "ExposedPorts", "Healthcheck", "StopSignal", "User", "Volumes"),
    "WorkingDir",
)
# What the platform records about the source, such as a commit. The rebuild has only a directory.
_OF_SOURCE = "io.buildpacks.project.metadata"
_ADDRESS = "downloadLocation"
# What the lifecycle sets in each build; the rest may come from the run image. It removes Cmd,
# whose words would be arguments of the process:
# https://github.com/buildpacks/lifecycle/blob/v0.21.17/phase/exporter.go#L163-L185
_FIELDS_OF_BUILD = ("architecture", "os", "Cmd", "Entrypoint", "WorkingDir")
_VARIABLES_OF_BUILD = "CNB_"
_LABELS_OF_BUILD = (METADATA, "io.buildpacks.build.", "io.github.cnb-python.")

type _Json = dict[str, Any]


def difference(before: Image, after: Image, *, of_build: bool = False) -> str:
    """Return the first difference as a path with both values; empty if there is none.

    Leaves out the digests of layers, which `comparison` compares, and where images are stored.
    *of_build*: only what the build decides, for images on two run images.
    """
    old, new = (_described(configuration(image.directory)) for image in (before, after))
    return first_value(_of_build(old), _of_build(new)) if of_build else first_value(old, new)


def _of_build(described: _Json) -> _Json:
    env, labels = described["Env"].items(), described["Labels"].items()
    return {
        **{name: described.get(name) for name in _FIELDS_OF_BUILD},
        "Env": {name: value for name, value in env if name.startswith(_VARIABLES_OF_BUILD)},
        "Labels": {name: value for name, value in labels if name.startswith(_LABELS_OF_BUILD)},
    }


def _described(text: str) -> _Json:
    document = json.loads(text)
    config: _Json = document.get("config") or {}
    labels: dict[str, str] = config.get("Labels") or {}
    return {
        **{name: document.get(name) for name in ("architecture", "os")},
        # Docker writes empty values for what is not set.
        **{name: config[name] for name in _FIELDS if config.get(name)},
        "Env": dict(entry.split("=", 1) for entry in config.get("Env") or []),
        "Labels": {
            name: _buildpacks(json.loads(value)) if name == METADATA else value
            for name, value in labels.items()
            if name != _OF_SOURCE
        },
    }


def _buildpacks(metadata: Mapping[str, Any]) -> _Json:
    """Return the buildpacks in the label of the lifecycle, by their IDs."""
    return {each["key"]: _buildpack(each) for each in metadata.get("buildpacks") or []}


def _buildpack(described: _Json) -> _Json:
    stored = (described.get("store") or {}).get("metadata") or {}
    layers = {
        name: {field: value for field, value in layer.items() if field != "sha"}
        for name, layer in (described.get("layers") or {}).items()
    }
    rows = map(json.loads, stored.get("materials") or [])
    materials = [{name: value for name, value in row.items() if name != _ADDRESS} for row in rows]
    return {
        "version": described.get("version"),
        "layers": layers,
        "store": {**stored, "materials": materials},
    }
