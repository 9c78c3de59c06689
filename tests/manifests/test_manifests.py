"""The manifests of `deploy/` are accepted by kpack and Tekton, and wrong ones are not."""

from pathlib import Path

import pytest

from tools.platforms import manifests


def test_manifests_are_accepted() -> None:
    assert len(manifests.deployed()) == 5
    assert manifests.problems(manifests.deployed()) == ""


@pytest.mark.parametrize(
    ("file", "right", "wrong", "reason"),
    [
        (
            "kpack/image.yaml",
            "    services:",
            "    service:",
            'unknown field "service"',
        ),
        ("kpack/image.yaml", "  tag: registry", "  tag: REGISTRY/A", "invalid value"),
        ("kpack/builder.yaml", "kind: ClusterStack\n    name", "kind: Stack\n    name", "Stack"),
        ("tekton/run.yaml", "  pipelineRef:", "  pipelineReference:", "unknown field"),
        ("tekton/pipeline.yaml", "        - clone", "        - fetch", "fetch wasn't present"),
        ("tekton/pipeline.yaml", "$(params.image)", "$(params.name)", "params.name"),
    ],
)
def test_wrong_manifests_are_refused(
    tmp_path: Path, file: str, right: str, wrong: str, reason: str
) -> None:
    assert reason in manifests.problems([changed(file, right, wrong, tmp_path)])


def test_api_server_accepts_manifests() -> None:
    assert manifests.cluster_problems(manifests.deployed()) == ""


@pytest.mark.parametrize(
    ("file", "right", "wrong", "reason"),
    [
        ("kpack/image.yaml", "kpack.io/v1alpha2", "kpack.io/v1alpha9", "does not have this kind"),
        (
            "kpack/builder.yaml",
            "kind: ClusterBuilder\nmetadata:\n",
            "kind: ClusterBuilder\nmetadata:\n  namespace: kpack\n",
            "no namespace",
        ),
        ("tekton/pipeline.yaml", "      runAfter:", "      runsAfter:", "unknown field"),
        ("tekton/run.yaml", "pipelineRef:\n    name: ", "pipelineRef:\n    name: 5 # ", "string"),
    ],
)
def test_api_server_refuses_wrong_manifests(
    tmp_path: Path, file: str, right: str, wrong: str, reason: str
) -> None:
    assert reason in manifests.cluster_problems([changed(file, right, wrong, tmp_path)])


def changed(file: str, right: str, wrong: str, directory: Path) -> Path:
    """Write the manifest *file* with *wrong* in the place of *right*; return its path."""
    text = (manifests.DEPLOY / file).read_text()
    assert right in text
    broken = directory / "broken.yaml"
    broken.write_text(text.replace(right, wrong))
    return broken
