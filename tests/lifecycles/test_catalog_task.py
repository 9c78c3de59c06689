"""The task of Tekton's catalog builds an app, and builds it again without a new layer."""

import json
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.lifecycles.catalog_task import CatalogTask
from tests.lifecycles.conftest import ADDED, APP, REUSED, TEKTON, platform_of
from tests.support.builds import Builds
from tests.support.trees import App
from tools.bench.registry import published


def test_task_builds_and_reuses(builds: Builds, images: str, tmp_path: Path) -> None:
    platform = platform_of(builds, TEKTON)
    commit = f"{images}/app-0.13:commit"
    task = CatalogTask(
        builds, platform, tmp_path, images, "0.13", tag="task", tags=commit, process_type="web"
    )

    first = task.build(APP)
    digest = task.digest
    second = task.build(APP)

    assert second.layers == first.layers
    assert REUSED in second.output
    assert ADDED not in second.output
    assert task.digest == digest
    # So deploy/tekton/pipeline.yaml adds the name of the commit by itself.
    with pytest.raises(HTTPError, match="404") as unpublished:
        published(commit)
    unpublished.value.close()


def test_task_builds_an_app_without_a_web_process(
    builds: Builds, images: str, app: App, tmp_path: Path
) -> None:
    source = app({"requirements.txt": "", "Procfile": "worker: python w.py\n", "w.py": ""})
    platform = platform_of(builds, TEKTON)

    CatalogTask(builds, platform, tmp_path, images, "0.13", tag="worker").build(source)

    labels = published(f"{images}/app-0.13:worker").labels
    processes = json.loads(labels["io.buildpacks.build.metadata"])["processes"]
    assert "worker" in {process["type"] for process in processes}
    assert "web" not in {process["type"] for process in processes}
