"""A build and a served image leave no mount or process; fixture `base` checks again at the end."""

import subprocess
from pathlib import Path

from tests.support.builds import Built
from tests.support.leftovers import mounts_below, processes_of


def test_served_image_is_reported_only_while_it_runs(flask: Built) -> None:
    # Another worker of pytest may have built it, in its own base directory.
    with flask.serve() as served:
        served.fetch()
        assert any("gunicorn" in process for process in processes_of(flask.root))
        assert mounts_below(flask.root) == []
    assert processes_of(flask.root) == []


def test_mount_is_reported(tmp_path: Path, base: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "cnb-python-test", tmp_path], check=True)
    try:
        assert mounts_below(base) == [str(tmp_path)]
    finally:
        subprocess.run(["umount", tmp_path], check=True)
