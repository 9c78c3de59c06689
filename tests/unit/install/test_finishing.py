"""A distribution is hashed and archived in a helper as it is here."""

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.distributions import scan
from cnb_python.distributions.elf import Dynamic
from cnb_python.distributions.model import Distribution
from cnb_python.install import finishing
from cnb_python.install.finishing import Archives, Finished, Unfinished, finish
from cnb_python.store.store import Store
from cnb_python.store.unpacking import unpack
from tests.support.elf_files import elf

SITE = "lib/python3.14/site-packages"
RECORD = f"{SITE}/six-1.0.dist-info/RECORD"
MIB = 1024 * 1024
ODD = f"{SITE}/odd-\udcff\n.py"


@pytest.fixture
def job(tmp_path: Path) -> Unfinished:
    """A compiled distribution with a library, a link, and a name that is not UTF-8."""
    root = tmp_path / "root"
    contents = {
        f"{SITE}/six.py": b"x = 1\n",
        f"{SITE}/__pycache__/six.cpython-314.pyc": b"bytecode",
        f"{SITE}/_six.so": elf(
            "$ORIGIN/../lib",
            needed=["libpython3.14.so"],
            versions={"libc.so.6": ["GLIBC_2.4"]},
        ),
        f"{SITE}/six-1.0.dist-info/METADATA": b"Name: six\n",
        RECORD: b"what was installed",
        ODD: b"",
    }
    for path, content in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / f"{SITE}/link.py").symlink_to("six.py")
    compiled = f"{SITE}/__pycache__/six.cpython-314.pyc"
    (tmp_path / "store").mkdir()
    cache = (root / compiled).read_bytes()
    entries = scan.walk(root, "3.14")
    (root / compiled).parent.mkdir()
    (root / compiled).write_bytes(cache)
    return Unfinished("six", root, SITE, RECORD, entries, tmp_path / "store", None)


def finish_in_helper(job: Unfinished) -> Finished:
    answers = io.BytesIO()
    line = json.dumps(finishing.request_of(job)).encode("ascii") + b"\n"
    finishing.serve(io.BytesIO(line), answers)
    return finishing.result_of(json.loads(answers.getvalue())["value"])


def distribution(finished: Finished) -> Distribution:
    return Distribution("six", "1.0", "", tuple(each.file for each in finished.contents))


BOTH: list[Callable[[Unfinished], Finished]] = [finish, finish_in_helper]


@pytest.mark.parametrize("run", BOTH)
def test_every_file_is_hashed_and_recorded(
    job: Unfinished, run: Callable[[Unfinished], Finished]
) -> None:
    finished = run(job)

    files = distribution(finished).files
    assert [file.path for file in files] == sorted(
        {*job.entries, f"{SITE}/__pycache__/six.cpython-314.pyc"}
    )
    assert scan.has_files(job.root, files)
    (dynamic,) = (each.dynamic for each in finished.contents if each.file.path.endswith(".so"))
    machine = 2 << 16 | 62
    assert dynamic == Dynamic(
        ("$ORIGIN/../lib",), ("libpython3.14.so",), (("libc.so.6", "GLIBC_2.4"),), machine
    )
    assert b"six.py,sha256=" in (job.root / RECORD).read_bytes()


@pytest.mark.parametrize("run", BOTH)
def test_archive_is_the_one_of_the_files_on_disk(
    job: Unfinished, run: Callable[[Unfinished], Finished], tmp_path: Path
) -> None:
    finished = run(job)

    (tmp_path / "other").mkdir()
    described = distribution(finished)
    entry = Store(tmp_path / "other").put(described, job.root)
    assert finished.archives == (entry.archive, entry.info)
    (tmp_path / "unpacked").mkdir()
    unpack(Store(tmp_path / "store").job(entry, tmp_path / "unpacked"))
    assert scan.has_files(tmp_path / "unpacked", described.files)


def test_result_is_the_same_if_it_was_begun_before(job: Unfinished) -> None:
    assert finish(job) == finish_in_helper(job) == finish(job)


@pytest.mark.parametrize("kept_bytes", [0, 10])
def test_files_that_are_not_kept_are_read_again(job: Unfinished, kept_bytes: int) -> None:
    assert finish(job, kept_bytes) == finish(job)


def test_large_wheel_has_only_its_small_parts_in_the_store(job: Unfinished) -> None:
    size = distribution(finish(job)).size

    assert finish(job._replace(largest_archived=size)).archives.archive != ""
    archives = finish(job._replace(largest_archived=size - 1)).archives
    assert archives.archive == ""
    assert archives.info != ""


def test_distribution_that_no_build_may_use_again_is_not_archived(job: Unfinished) -> None:
    assert finish_in_helper(job._replace(store=None)).archives == Archives("", "")


def test_memory_does_not_grow_with_the_distribution(job: Unfinished) -> None:
    # What is kept, the pieces of one file, and the compressor with 2 MB of history.
    bound = 24 * MIB
    for number in range(20):
        (job.root / SITE / f"part-{number}.bin").write_bytes(bytes([number]) * MIB)
    (job.root / SITE / "large.so").write_bytes(b"\x7fELF" + bytes(40 * MIB))
    entries = scan.walk(job.root, "3.14")

    tracemalloc.start()
    finished = finish(job._replace(entries=entries))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert distribution(finished).size > 60 * MIB
    assert finished.archives.archive != ""
    assert peak < bound
