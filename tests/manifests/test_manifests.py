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
    text = (manifests.DEPLOY / file).read_text()
    assert right in text
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace(right, wrong))

    assert reason in manifests.problems([broken])
