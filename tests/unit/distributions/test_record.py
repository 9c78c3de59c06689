"""RECORD of a wheel, compared with what is there: whatever it lists, the new one is right."""

import base64
import csv
import hashlib
import os
from pathlib import Path

import pytest

from cnb_python.errors.packages.install import DamagedPackage
from tests.support.stages import FINAL, SITE, collected, contents_of, install, new_root

INFO = "a-1.0.dist-info"
EMPTY = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
WRONG = f"sha256={'A' * 43}"
HUGE = 65 << 20


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("", ""),
        (f"x.py,{EMPTY},0\n", ""),
        # What no installer checks.
        (f"x.py,{EMPTY},999\n", ""),
        ("x.py,,\n", ""),
        ("x.py\n", ""),
        ("x.py,md5=x,0\n", ""),
        ("x.py,sha256,0\n", ""),
        ("x.py,sha256=***,0\n", ""),
        (f"missing.py,{EMPTY},0\n", ""),
        # Bytecode and what the buildpack writes anew have other contents.
        (f"__pycache__/x.cpython-314.pyc,{WRONG},0\n{INFO}/INSTALLER,{WRONG},0\n", ""),
        (f"{INFO}/RECORD,{WRONG},0\n", ""),
        (f"x.py,{WRONG},0\n", f"has wrong hashes: {SITE}/x.py"),
        ("x.py,sha256=AAAA,0\n", f"has wrong hashes: {SITE}/x.py"),
        # Of several lines for a file the last counts.
        (f"x.py,{WRONG},0\nx.py,{EMPTY},0\n", ""),
        (f"x.py,{EMPTY},0\n./x.py,{WRONG},0\n", f"has wrong hashes: {SITE}/x.py"),
        (f"{FINAL}/{SITE}/x.py,{WRONG},0\n", f"has wrong hashes: {SITE}/x.py"),
        ("/etc/passwd,,\n", "lists files outside the environment: /etc/passwd"),
        (f"../../../../x,{EMPTY},0\n", "lists files outside the environment: ../../../../x"),
        (f"{FINAL}-other/x,,\n", f"lists files outside the environment: {FINAL}-other/x"),
        ("/\n" * 5000, "lists files outside the environment: /, /, /, /, / and 4995 more"),
        ('\0\n,\n"\n', ""),
        ('"x.py' + "y" * 2_000_000, ""),
        ("x" * 2_000_000 + ",,\n", ""),
    ],
    ids=range(23),
)
def test_any_record_is_replaced_by_a_right_one(tmp_path: Path, record: str, message: str) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/x.py": ""}, record=record)

    collection = collected(root, "a")

    rows = list(csv.reader(contents_of(root, collection)[f"{INFO}/RECORD"].splitlines()))
    own = [f"{INFO}/{name}" for name in ("INSTALLER", "METADATA", "RECORD")]
    assert rows == [right_row(root.path / SITE, path) for path in (*own, "x.py")]
    assert [text.removeprefix("The RECORD of a ") for text in collection.messages] == (
        [message] if message else []
    )


def right_row(site: Path, path: str) -> list[str]:
    """Return the row for the file at *path* below *site*; RECORD itself has no hash."""
    if path.endswith("RECORD"):
        return [path, "", ""]
    content = (site / path).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return [path, f"sha256={digest}", str(len(content))]


@pytest.mark.parametrize("name", ["RECORD", "METADATA", "entry_points.txt", "direct_url.json"])
def test_metadata_of_gigabytes_is_not_read(tmp_path: Path, name: str) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/x.py": ""})
    file = root.path / SITE / INFO / name
    file.touch()
    os.truncate(file, HUGE)

    with pytest.raises(DamagedPackage) as raised:
        collected(root, "a")

    assert raised.value.package == "a-1.0"
    assert raised.value.problem == f"its {name} is larger than 64 MB"


def test_record_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/x.py": ""})
    (root.path / SITE / INFO / "RECORD").unlink(missing_ok=True)
    (root.path / SITE / INFO / "RECORD").symlink_to("/dev/zero")

    assert collected(root, "a").messages == ()
