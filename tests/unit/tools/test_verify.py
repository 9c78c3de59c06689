"""Comparing two images, and the likely cause of a difference."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.result.build_result import LABEL
from tools.platforms.oci import Image, Layer
from tools.processes import Unavailable
from tools.verify import causes, comparison, recorded
from tools.verify.causes import Builds
from tools.verify.comparison import Difference
from tools.verify.recorded import Material

SITE = "layers/cnb-python_python/deps-00/tree/lib/python3.14/site-packages"
TIME = 315532801


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of an archive."""

    content: bytes = b"same"
    mode: int = 0o644
    time: int = TIME
    owner: int = 1001
    link: str = ""
    xattrs: Mapping[str, str] = field(default_factory=dict)


type Tree = Mapping[str, Member]
type Trees = Mapping[str, Tree]

BASE: Tree = {f"{SITE}/six.py": Member()}


def image(directory: Path, layers: Trees, labels: Mapping[str, str] | None = None) -> Image:
    directory.mkdir()
    described = []
    for number, (title, tree) in enumerate(layers.items()):
        digest = f"sha256/{number}"
        path = directory / "blobs" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            for name, member in tree.items():
                _add(archive, name, member)
        diff_id = f"sha256:{hash(path.read_bytes())}"
        described.append(Layer(digest.replace("/", ":"), diff_id, 0, 0, title))
    return Image(directory, {}, (), "/", "", labels or {}, tuple(described))


def _add(archive: tarfile.TarFile, name: str, member: Member) -> None:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.uid = member.mode, member.time, member.owner
    info.pax_headers = {f"SCHILY.xattr.{key}": value for key, value in member.xattrs.items()}
    if member.link:
        info.type, info.linkname = tarfile.SYMTYPE, member.link
        archive.addfile(info)
    else:
        info.size = len(member.content)
        archive.addfile(info, io.BytesIO(member.content))


def difference(tmp_path: Path, before: Trees, after: Trees) -> Difference:
    old, new = image(tmp_path / "old", before), image(tmp_path / "new", after)
    found = comparison.compare(old, new).difference
    assert found is not None
    return found


OWN = f"{comparison.OWN}deps-00"


def test_equal_images_are_equal(tmp_path: Path) -> None:
    images = [image(tmp_path / name, {OWN: BASE, "app": BASE}) for name in ("old", "new")]

    compared = comparison.compare(images[0], images[1])

    assert (compared.equal, compared.difference) == ((OWN, "app"), None)


def test_mode_of_the_directory_that_the_platform_makes_may_differ(tmp_path: Path) -> None:
    file = {"workspace/app.py": Member()}
    old, new, other = (
        image(tmp_path / name, {"app": {"workspace": Member(mode=mode), **file}})
        for name, mode in (("old", 0o777), ("new", 0o755), ("other", 0o755))
    )

    assert comparison.compare(old, new).difference is None
    assert comparison.compare(old, new).equal == ()
    assert comparison.compare(new, other).equal == ("app",)


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        (Member(content=b"evil"), ("content",)),
        (Member(mode=0o755), ("mode",)),
        (Member(time=TIME + 1), ("time",)),
        (Member(owner=0), ("owner",)),
        (Member(link="other.py"), ("type", "target", "content")),
        (Member(xattrs={"security.capability": "x"}), ("xattrs",)),
        (Member(content=b"evil", mode=0o755), ("mode", "content")),
    ],
)
def test_file_and_what_differs_of_it_are_named(
    tmp_path: Path, changed: Member, fields: tuple[str, ...]
) -> None:
    path = f"{SITE}/six.py"

    first = difference(tmp_path, {OWN: BASE}, {OWN: {path: changed}})

    assert (first.layer, first.path, first.fields) == (OWN, path, fields)


def test_new_and_missing_files_and_layers_are_named(tmp_path: Path) -> None:
    path = f"{SITE}/new.py"
    added = difference(tmp_path, {OWN: BASE}, {OWN: {**BASE, path: Member()}})
    assert (added.path, added.fields) == (path, ("added",))

    (tmp_path / "second").mkdir()
    missing = difference(tmp_path / "second", {OWN: BASE, "app": BASE}, {"app": BASE})
    assert comparison.title_of(missing) == f"layer {OWN} is in the image alone"


def test_own_layers_come_before_the_run_image_and_records_after_files(tmp_path: Path) -> None:
    record = f"{SITE}/six-1.0.dist-info/RECORD"
    before = {"run image": BASE, OWN: {**BASE, record: Member()}}
    evil = Member(content=b"evil")
    after = {"run image": {"x": Member()}, OWN: {f"{SITE}/six.py": evil, record: evil}}

    first = difference(tmp_path, before, after)

    assert (first.layer, first.path, first.more) == (OWN, f"{SITE}/six.py", 1)


def test_image_on_another_run_image_is_rebased(tmp_path: Path) -> None:
    old = image(tmp_path / "old", {"run image": BASE, OWN: BASE})
    new = image(tmp_path / "new", {"run image": {"x": Member()}, OWN: BASE})

    compared = comparison.compare(old, new)

    assert (compared.equal, compared.is_rebased) == ((OWN,), True)


def test_layer_above_those_of_the_build_is_no_run_image(tmp_path: Path) -> None:
    old = image(tmp_path / "old", {OWN: BASE, "run image": {"evil": Member()}})
    new = image(tmp_path / "new", {OWN: BASE})

    compared = comparison.compare(old, new)

    assert compared.difference is not None
    assert not compared.is_rebased
    assert comparison.title_of(compared.difference) == "layer run image is in the image alone"


def test_another_user_owns_the_files_of_an_equal_image(tmp_path: Path) -> None:
    old = image(tmp_path / "old", {OWN: BASE})
    new = image(tmp_path / "new", {OWN: {f"{SITE}/six.py": Member(owner=4321)}})

    compared = comparison.compare(old, new, ignore_owner=True)

    assert (compared.owner_only, compared.difference) == ((OWN,), None)


def content(path: str, old: bytes, new: bytes, layer: str = OWN) -> Difference:
    return Difference(layer, path, ("content",), old_content=old, new_content=new)


SO = f"{SITE}/native.so"
LONG = b"x" * 5000


@pytest.mark.parametrize(
    ("difference", "cause"),
    [
        (
            content(SO, LONG + b"built 2026-11-30" + LONG, LONG + b"built 2026-12-01" + LONG),
            "clock: the file contains a time in the build of native.so",
        ),
        (content(f"{SITE}/six/a.py", b"T = 1764500000", b"T = 1764500099"), "clock: "),
        (content(f"{SITE}/six/a.py", b"at 12:00:01", b"at 12:00:02"), "clock: "),
        (
            content(f"{SITE}/six/a.py", b"P = '/tmp/pip-a1/x'", b"P = '/tmp/pip-b2/x'"),
            "path: the file contains a directory of the build in the build of six",
        ),
        (content(SO, b"\x7fELF\x01\x02", b"\x7fELF\x01\x03"), "compiler: "),
        (content(f"{SITE}/six/a.py", b"{1, 2}", b"{2, 1}"), "unknown: "),
        (Difference(OWN, SO, ("time",)), "clock: the time of the file"),
        (Difference(OWN, SO, ("mode",)), "umask"),
        (Difference(OWN, SO, ("owner",)), "user: "),
        (Difference(OWN, SO, ("xattrs",)), "extended attributes"),
        (Difference("run image"), "a step after the build: "),
        (Difference("launcher", "cnb/lifecycle/launcher", ("content",)), "another release of the"),
        (Difference("app", "workspace/made.txt", ("added",)), "hook, build command"),
        (
            content("workspace/app.py", b"a", b"b", "app"),
            "the source differs from that of the image",
        ),
    ],
)
def test_cause_is_named(tmp_path: Path, difference: Difference, cause: str) -> None:
    (tmp_path / "app.py").touch()

    assert causes.cause(difference, Builds({}, {}, tmp_path)).startswith(cause)


def package(version: str, digest: str = "aa") -> Mapping[str, Material]:
    name = f"six-{version}.whl"
    return {"package six": Material(name, "package", "six", version, digest, {})}


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        (package("1.1"), "different download: six 1.0 in the image, 1.1 in this build"),
        ({}, "different download: six only in the image"),
        (
            package("1.0", "bb"),
            "different download: six 1.0 from another file: six-1.0.whl, six-1.0.whl",
        ),
    ],
)
def test_another_download_is_the_cause_of_another_layer(
    tmp_path: Path, after: Mapping[str, Material], cause: str
) -> None:
    builds = Builds(package("1.0"), after, tmp_path)

    assert causes.cause(content(f"{SITE}/six.py", b"12:00:01", b"12:00:02"), builds) == cause


def test_versions_that_an_index_changed_are_named() -> None:
    changed = causes.changed_versions(package("1.0"), package("1.1"))

    assert changed == ["six 1.0 in the image, 1.1 in this build"]
    assert causes.changed_versions(package("1.0"), package("1.0", "bb")) == []
    assert recorded.versions(package("1.0")) == {"six": "1.0"}


def test_other_settings_are_a_cause(tmp_path: Path) -> None:
    def settings(**values: str) -> Mapping[str, Material]:
        return {"settings": Material("settings", "settings", "settings", "", "", values)}

    builds = Builds(settings(layout="merged"), settings(python="3.14.6"), tmp_path)

    assert causes.cause(Difference(OWN), builds).startswith("settings: layout ")


def labelled(*rows: Mapping[str, object]) -> Mapping[str, str]:
    store = {"metadata": {"materials": [json.dumps(row) for row in rows]}}
    own = {"key": recorded.BUILDPACK, "store": store if rows else None}
    return {recorded.METADATA: json.dumps({"buildpacks": [{"key": "other"}, own]})}


def test_recorded_python_and_settings_become_variables(tmp_path: Path) -> None:
    rows = (
        {
            "name": "python",
            "annotations": {"kind": "interpreter", "version": "3.14.6", "flavor": "freethreaded"},
        },
        {
            "name": "settings",
            "annotations": {
                "kind": "settings",
                "python": "3.14",
                "extras": "web, s3",
                "collectstatic_env": "SECRET_KEY",
            },
        },
    )
    made = image(tmp_path / "image", {}, labelled(*rows))

    assert recorded.settings(made, "1.0") == {
        "BP_PYTHON_VERSION": "3.14.6t",
        "BP_PYTHON_EXTRAS": "web,s3",
    }


@pytest.mark.parametrize(
    ("release", "origin", "given"),
    [
        ("1.0", "the default of this buildpack", False),
        ("1.0", ".python-version, line 1", False),
        ("1.0", "the setting BP_PYTHON_VERSION", True),
        ("0.9", "the default of this buildpack", True),
    ],
)
def test_python_is_a_variable_only_if_the_app_would_get_another(
    tmp_path: Path, release: str, origin: str, *, given: bool
) -> None:
    """The image lists what chose its Python."""
    interpreter = {
        "name": "python",
        "annotations": {"kind": "interpreter", "version": "3.14.6", "flavor": "plain"},
    }
    result = {"version": release, "python": {"version": "3.14.6", "origin": origin}}
    labels = {**labelled(interpreter), LABEL: json.dumps(result)}

    settings = recorded.settings(image(tmp_path / "image", {}, labels), "1.0")

    assert settings == ({"BP_PYTHON_VERSION": "3.14.6"} if given else {})


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (labelled(), "has no list of materials"),
        ({}, "did not build this image"),
        ({recorded.METADATA: '{"buildpacks": null}'}, "did not build this image"),
    ],
)
def test_image_without_materials_is_refused(
    tmp_path: Path, labels: Mapping[str, str], reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason):
        recorded.materials(image(tmp_path / "image", {}, labels))


def test_paths_of_the_lifecycle_are_absolute_and_contents_are_found(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"b")
    before, after = ({"app": {"/workspace/app.py": Member(content=each)}} for each in (b"a", b"b"))

    first = difference(tmp_path, before, after)

    assert comparison.title_of(first) == "layer app: /workspace/app.py: content"
    assert (first.old_content, first.new_content) == (b"a", b"b")
    assert causes.cause(first, Builds({}, {}, tmp_path)).startswith("the source differs")
