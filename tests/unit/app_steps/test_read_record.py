"""What a run read, sorted by place, and whether the answers are still the same."""

import ast
import json
from pathlib import Path

import pytest

from cnb_python.app_steps import read_record, recording
from cnb_python.app_steps.file_trees import FileTree, MachineTree, installed_tree
from cnb_python.app_steps.read_record import ReadRecord, Reads, answers
from cnb_python.app_steps.recording import Places
from cnb_python.distributions.model import Distribution, File

PROGRAMS = Path(recording.__file__).parent
PLACES = Places("/workspace", "/layers/own", frozenset({"/layers/own/.answer"}))
SITE = "lib/python3.14/site-packages"
SIX = Distribution(
    "six",
    "1.17.0",
    "",
    (File(f"{SITE}/six.py", "a", 1), File(f"{SITE}/six-1.17.0.dist-info/METADATA", "b", 1)),
)
APP = FileTree(
    {"manage.py": "f12", "shop": "d", "shop/a.css": "f34", "link": "lshop/a.css"},
    Path("/workspace"),
)


def record(**facts: object) -> ReadRecord:
    """Return the record of a recording with *facts*."""
    content = {"unknown": "", "variables": [], **facts}
    return recording.record_of(content, PLACES, APP, {"venv": "1"}, (SIX,), ("s3cret-value",))


class Counting(dict[str, object]):
    """A recording that counts the items which are read from it."""

    read = 0

    def get(self, key: str, default: object = None) -> object:
        value = super().get(key, default)
        self.read += len(value) if isinstance(value, list) else 1
        return value


def test_a_recording_is_read_in_linear_time() -> None:
    def read(count: int) -> int:
        paths = [f"/etc/{number}" for number in range(count)]
        content = Counting(unknown="", variables=[], contents=paths, created=paths, listed=paths)
        recording.record_of(content, PLACES, APP, {}, (), ())
        return content.read

    assert read(2000) < 2.1 * read(1000)


@pytest.mark.parametrize(
    ("path", "where", "below"),
    [
        ("/workspace/shop/a.css", "app", "shop/a.css"),
        ("/workspace", "app", ""),
        (f"/layers/own/venv/{SITE}/six.py", "environment", f"{SITE}/six.py"),
        (f"/layers/own/deps-00/tree/{SITE}/six.py", "environment", f"{SITE}/six.py"),
        ("/etc/mime.types", "machine", "/etc/mime.types"),
        ("/layers/node/bin/node", "machine", "/layers/node/bin/node"),
        ("/layers/own/nltk/corpora", "machine", "/layers/own/nltk/corpora"),
    ],
)
def test_read_paths_are_sorted_by_place(path: str, where: str, below: str) -> None:
    assert getattr(record(contents=[path]), where).contents == (below,)


@pytest.mark.parametrize(
    "path", ["/dev/urandom", "/layers/own/.answer", "/layers/own/python/lib/python3.14/os.py"]
)
def test_files_of_the_buildpack_and_devices_do_not_count(path: str) -> None:
    reads = record(contents=[path])
    assert (reads.app, reads.environment, reads.machine) == (Reads(), Reads(), Reads())


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"unknown": "starts a program"}, "starts a program"),
        ({"contents": ["/proc/cpuinfo"]}, "reads /proc/cpuinfo"),
        ({"contents": ["/workspace/.git/index"]}, "reads the Git repository"),
        ({"kinds": ["/workspace/s3cret-value.txt"]}, "reads a path that contains a secret"),
        ({"moved": ["/workspace/shop"]}, "renames a directory of the app"),
        (
            {"native": [f"/layers/own/venv/{SITE}/psutil/_psutil_linux.abi3.so"]},
            "imports psutil, which is not written in Python",
        ),
    ],
)
def test_record_is_incomplete_if_reads_are_invisible(
    facts: dict[str, object], reason: str
) -> None:
    assert record(**facts).unknown == reason


def test_missing_recording_is_incomplete(tmp_path: Path) -> None:
    assert recording.read(tmp_path / "none")["unknown"]
    (tmp_path / "half").write_text('{"unknown": ')
    assert recording.read(tmp_path / "half")["unknown"]


def test_record_is_read_as_it_was_written() -> None:
    written = record(
        contents=["/workspace/a", "/etc/b"],
        modules={"/workspace": ["six"]},
        metadata={f"/layers/own/venv/{SITE}": [""]},
    )
    assert read_record.load(written.dump()) == written


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 0}', b'{"format": 1}'])
def test_damaged_record_is_none(content: bytes) -> None:
    assert read_record.load(content) is None


def test_incomplete_fields_are_none() -> None:
    document = json.loads(record().dump())
    document["app"]["contents"] = 1
    assert read_record.load(json.dumps(document).encode()) is None


def test_native_package_makes_every_variable_count() -> None:
    path = f"/layers/own/venv/{SITE}/psycopg_binary/pq.so"
    assert record(native=[path]).variables is None
    assert record(variables=["A"]).relevant({"A": "1", "B": "2", "TZ": "UTC"}) == {
        "A": "1",
        "TZ": "UTC",
    }


def test_touched_distributions_are_named() -> None:
    assert record(contents=[f"/layers/own/venv/{SITE}/six.py"]).distributions == ("six",)
    assert record(listed=[f"/layers/own/venv/{SITE}"]).distributions == ()


def test_packages_are_compared_by_what_was_read() -> None:
    reads = record(contents=[f"/layers/own/venv/{SITE}/six.py"])
    other = Distribution("other", "1", "", (File(f"{SITE}/other.py", "c", 1),))
    changed = Distribution("six", "2", "", (File(f"{SITE}/six.py", "z", 1),))
    assert reads.packages_answer({"venv": "1"}, ()) == reads.packages
    assert reads.packages_answer({"venv": "2"}, ()) == ""
    assert reads.packages_answer({"venv": "2"}, (SIX, other)) == reads.packages
    assert reads.packages_answer({"venv": "2"}, (changed,)) != reads.packages


def test_module_of_another_distribution_counts_if_it_was_searched() -> None:
    reads = record(modules={f"/layers/own/venv/{SITE}": ["local_settings"]})
    added = Distribution("x", "1", "", (File(f"{SITE}/local_settings/__init__.py", "c", 1),))
    assert reads.packages_answer({}, (SIX, added)) != reads.packages


@pytest.mark.parametrize(
    ("reads", "answer"),
    [
        (Reads(contents=("shop/a.css",)), "contents 'shop/a.css': f34"),
        (Reads(contents=("none",)), "contents 'none': -"),
        (Reads(kinds=("shop",)), "kind 'shop': d"),
        (Reads(kinds=("link",)), "kind 'link': lshop/a.css f"),
        (Reads(listed=("shop",)), "listed 'shop': ['f a.css']"),
        (Reads(entries=("shop",)), "entries 'shop': ['f34 a.css']"),
        (Reads(modules={"": ("shop", "x")}), "modules '': ['d shop']"),
    ],
)
def test_answers_of_an_app(reads: Reads, answer: str) -> None:
    assert list(answers(reads, APP)) == [answer]


def test_metadata_is_found_by_name_and_without_version() -> None:
    tree = installed_tree((SIX,))
    for names, answer in (
        (("six",), "['d six.dist-info']"),
        (("",), "['d six.dist-info']"),
        (("x",), "[]"),
    ):
        [line] = answers(Reads(metadata={SITE: names}), tree)
        assert line == f"metadata {SITE!r}: {answer}"


def test_machine_answers_with_what_is_on_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    tree = MachineTree()
    assert tree.entry(str(tmp_path / "file")).startswith("f")
    assert tree.entry(str(tmp_path / "link")) == "lfile"
    assert tree.entry(str(tmp_path / "file/below")) == "-"
    assert (tree.kind(str(tmp_path)), tree.kind(str(tmp_path / "none"))) == ("d", "-")
    assert sorted(tree.names(str(tmp_path))) == ["file", "link"]
    assert tree.names(str(tmp_path / "none")) == ()


@pytest.mark.parametrize(
    "name", ["django_runner", "read_recorder", "recorded_functions", "missing_files"]
)
def test_programs_are_valid_in_the_oldest_python(name: str) -> None:
    ast.parse((PROGRAMS / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 10))
