"""Several archives are unpacked at once, with helpers or without, with the same result."""

import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.machine import DamagedStore, DiskFull, ProgramNotStarted
from cnb_python.store import unpacking
from cnb_python.store.archive import Changes, Member, pack
from cnb_python.store.files import writing
from cnb_python.store.unpacking import Job, States, unpack_all
from cnb_python.system.interface import Helper, HelperLost, System
from tests.support.fake_system import world

MEGABYTE = 1024 * 1024
NAMES = ("a", "b", "c", "d")
ODD = "odd-\udcff\n"


def tree_of(root: Path) -> dict[str, tuple[int, object]]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.is_dir() or path.read_bytes(),
        )
        for path in root.rglob("*")
    }


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Four archives, large enough for a helper, whose files belong into one directory."""
    (tmp_path / "store").mkdir()
    (tmp_path / "tree").mkdir()
    return [archived(name, tmp_path) for name in NAMES]


def archived(name: str, directory: Path) -> Job:
    root = directory / "roots" / name
    members = (
        Member(f"lib/{name}.py", "f", 2 * MEGABYTE),
        Member(f"lib/{name}/{ODD}", "x", 3),
        Member(f"lib/{name}/link", "l", target=f"../{name}.py"),
    )
    (root / "lib" / name).mkdir(parents=True)
    (root / f"lib/{name}.py").write_bytes(name.encode() * 2 * MEGABYTE)
    (root / f"lib/{name}/{ODD}").write_bytes(b"odd")
    (root / f"lib/{name}/{ODD}").chmod(0o755)
    (root / f"lib/{name}/link").symlink_to(f"../{name}.py")
    with writing(directory / "store", unpacking.ARCHIVE, "") as draft:
        pack(members, root, draft.write)
    return Job(directory / "store", draft.digest, members, directory / "tree")


class HelperHere:
    """A helper whose program runs in this process."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_closed = False

    def ask(self, request: bytes) -> bytes:
        assert not self.is_closed
        self.asked += 1
        answers = io.BytesIO()
        unpacking.serve(io.BytesIO(request + b"\n"), answers)
        return answers.getvalue()

    def close(self) -> None:
        self.is_closed = True


def line_of(job: Job) -> bytes:
    return json.dumps(unpacking.request_of(job)).encode("ascii")


def system_with(helper: Helper | Callable[[], Helper]) -> System:
    def start(module: str) -> Helper:
        assert module == "cnb_python.store.unpacking"
        return helper() if callable(helper) else helper

    return replace(world(lambda command: pytest.fail(str(command)))[0], start_helper=start)


ALONE = replace(system_with(HelperHere()), start_helper=None)


def every_file_there(jobs: Sequence[Job], results: Sequence[States | DamagedStore]) -> None:
    tree = jobs[0].into
    for job, states in zip(jobs, results, strict=True):
        assert not isinstance(states, DamagedStore)
        assert states.keys() == {member.path for member in job.members}
        for path, state in states.items():
            assert state == disk.state_of(os.lstat(tree / path))
    assert tree_of(tree) == {
        path: content
        for name in NAMES
        for path, content in tree_of(tree.parent / "roots" / name).items()
    }


def test_all_archives_are_unpacked_in_this_process(jobs: list[Job]) -> None:
    every_file_there(jobs, unpack_all(jobs, ALONE))


def test_all_archives_are_unpacked_with_a_helper(jobs: list[Job]) -> None:
    helper = HelperHere()

    every_file_there(jobs, unpack_all(jobs, system_with(helper)))

    assert helper.is_closed


def test_helper_gives_the_same_states(jobs: list[Job]) -> None:
    helper = HelperHere()
    answer = json.loads(helper.ask(line_of(jobs[0])))
    every = unpack_all(jobs[1:], ALONE)
    states = {path: State(*numbers) for path, numbers in answer["value"].items()}

    every_file_there(jobs, [states, *every])


def test_few_bytes_start_no_helper(jobs: list[Job]) -> None:
    unpack_all(jobs[:1], system_with(lambda: pytest.fail("it was started")))


def test_changes_reach_a_helper(jobs: list[Job], tmp_path: Path) -> None:
    changes = Changes(frozenset({"lib/a.py"}), {"lib/a/link": "elsewhere/./x"})
    helper = HelperHere()

    helper.ask(line_of(jobs[0]._replace(changes=changes)))

    assert not (tmp_path / "tree/lib/a.py").exists()
    assert os.readlink(tmp_path / "tree/lib/a/link") == "elsewhere/./x"  # noqa: PTH115 - unchanged
    assert (tmp_path / "tree/lib/a" / ODD).read_bytes() == b"odd"


def test_helper_that_is_not_started_is_not_needed(jobs: list[Job]) -> None:
    def fail() -> Helper:
        raise ProgramNotStarted("python", "no more processes")

    every_file_there(jobs, unpack_all(jobs, system_with(fail)))


class KilledHelper(HelperHere):
    """It wrote a part of the files before it was killed."""

    def ask(self, request: bytes) -> bytes:
        self.asked += 1
        job = unpacking.job_of(json.loads(request))
        (job.into / job.members[0].path).parent.mkdir(parents=True, exist_ok=True)
        (job.into / job.members[0].path).write_bytes(b"a part")
        raise HelperLost


def test_job_of_a_killed_helper_is_done_again(jobs: list[Job]) -> None:
    every_file_there(jobs, unpack_all(jobs, system_with(KilledHelper())))


@pytest.mark.parametrize("system", [ALONE, system_with(HelperHere)])
def test_damaged_archives_are_returned_and_others_unpacked(
    jobs: list[Job], system: System, tmp_path: Path
) -> None:
    (tmp_path / "store" / f"{jobs[0].digest}{unpacking.ARCHIVE}").write_bytes(b"x")
    jobs[1] = jobs[1]._replace(digest="")
    jobs[2] = jobs[2]._replace(members=jobs[2].members[:-1])

    *damages, states = unpack_all(jobs, system)

    assert [each.reason for each in damages if isinstance(each, DamagedStore)] == [
        "its archive has changed",
        "",
        "its archive contains more than expected",
    ]
    assert not isinstance(states, DamagedStore)
    assert states.keys() == {member.path for member in jobs[3].members}


class FailingHelper(HelperHere):
    """A helper that answers with a failure."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def ask(self, request: bytes) -> bytes:
        super().ask(request)
        return json.dumps(self.answer).encode()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"full": "unpacking the store"}, DiskFull),
        ({"error": [errno.EACCES, "Permission denied", "/x/y"]}, PermissionError),
        ({"what": "a bug"}, KeyError),
    ],
)
def test_failure_of_a_helper_is_raised(
    answer: object, expected: type[Exception], jobs: list[Job]
) -> None:
    helper = FailingHelper(answer)

    with pytest.raises(expected) as caught:
        unpack_all(jobs * 3, system_with(helper))

    assert helper.asked == 1
    assert helper.is_closed
    assert not isinstance(caught.value, OSError) or caught.value.filename == "/x/y"


def test_failure_in_this_process_ends_the_helper(jobs: list[Job], tmp_path: Path) -> None:
    helper = HelperHere()
    shutil.rmtree(tmp_path / "tree")

    with pytest.raises((OSError, BuildpackError)):
        unpack_all(jobs, system_with(helper))

    assert helper.is_closed


def test_program_reports_each_failure(jobs: list[Job], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "tree")

    answer = json.loads(HelperHere().ask(line_of(jobs[0])))

    assert answer["error"][0] == errno.ENOENT
    assert answer["error"][2].startswith(str(tmp_path / "tree"))
