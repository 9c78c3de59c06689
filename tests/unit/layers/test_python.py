"""Layer `python`: its key, and whether the previous image has it."""

import hashlib
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext, Target
from cnb_python.layers.python import (
    ALL_PARTS,
    HEADERS,
    LIBPYTHON,
    Interpreter,
    Parts,
    Runtime,
    find_runtime,
    finish,
    reuse,
)
from cnb_python.python.releases import Release
from tests.support.fake_build import context
from tests.support.fake_system import Log

RELEASE = Release("3.14.6", "amd64", "plain", "https://example.org/a.tar.gz", "5" * 64)
REASON = "Not using the previous build's Python: "
NONE: Parts = frozenset()


@pytest.fixture
def phase(tmp_path: Path) -> BuildContext:
    return context(tmp_path)


def find_python(phase: BuildContext, release: Release = RELEASE) -> tuple[Runtime, list[str]]:
    log = Log()
    return find_runtime(release, phase, log), log.lines


def in_image(phase: BuildContext, parts: Parts = NONE) -> BuildContext:
    """Leave the layer as the restorer does: with metadata, without contents."""
    reuse(find_python(phase)[0], parts)
    return phase


def test_interpreter_has_its_final_path(phase: BuildContext) -> None:
    runtime, _ = find_python(phase)

    layer = phase.layers_dir / "python"
    assert runtime.interpreter == Interpreter(layer / "bin/python3.14", "3.14.6", layer)


def test_free_threaded_interpreter_has_suffix_t(phase: BuildContext) -> None:
    runtime, _ = find_python(phase, replace(RELEASE, flavour="freethreaded"))

    assert runtime.interpreter.path.name == "python3.14t"


def test_first_build_logs_no_reason(phase: BuildContext) -> None:
    runtime, messages = find_python(phase)

    assert (runtime.parts_in_image, messages) == (None, [])


def test_layer_with_equal_key_is_in_the_image(phase: BuildContext) -> None:
    runtime, messages = find_python(in_image(phase))

    assert (runtime.parts_in_image, messages) == (NONE, [])


@pytest.mark.parametrize(
    "parts", [NONE, frozenset({LIBPYTHON}), frozenset({HEADERS}), ALL_PARTS], ids=sorted
)
def test_layer_with_other_parts_is_not_in_the_image(phase: BuildContext, parts: Parts) -> None:
    runtime, messages = find_python(in_image(phase, parts))

    others = [NONE, frozenset({LIBPYTHON}), frozenset({HEADERS}), ALL_PARTS]
    assert [each for each in others if runtime.is_in_image(each)] == [parts]
    assert messages == []


def test_archive_url_does_not_change_the_key(phase: BuildContext) -> None:
    mirrored = replace(RELEASE, url="https://mirror.example.org/b.tar.gz")

    assert find_python(in_image(phase), mirrored)[0].is_in_image(NONE)


def test_find_writes_nothing(phase: BuildContext) -> None:
    in_image(phase)
    before = (phase.layers_dir / "python.toml").read_bytes()

    find_python(phase, replace(RELEASE, version="3.14.7"))

    assert (phase.layers_dir / "python.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "3.14.7"}, "the Python release has changed from 3.14.6 to 3.14.7"),
        (
            {"flavour": "freethreaded"},
            "the Python flavor has changed from plain to freethreaded",
        ),
        (
            {"sha256": "6" * 64},
            f"the SHA-256 of the Python archive has changed from {'5' * 64} to {'6' * 64}",
        ),
    ],
)
def test_layer_of_another_release_is_not_in_the_image(
    phase: BuildContext, change: dict[str, str], reason: str
) -> None:
    runtime, messages = find_python(in_image(phase), replace(RELEASE, **change))

    assert (runtime.parts_in_image, messages) == (None, [f"{REASON}{reason}"])


def test_every_reason_for_another_target_is_logged(phase: BuildContext) -> None:
    in_image(phase)
    target = Target("linux", "arm64", "v8", "ubuntu", "26.04")

    _, messages = find_python(replace(phase, target=target))

    assert messages == [
        f"{REASON}the architecture has changed from amd64 to arm64",
        f"{REASON}the Linux distribution of the image has changed from debian 12 to ubuntu 26.04",
    ]


@pytest.mark.parametrize("text", ["nonsense", "[metadata]\npython = 3\n", 'metadata = "x"'])
def test_foreign_metadata_is_invalid(phase: BuildContext, text: str) -> None:
    (phase.layers_dir / "python.toml").write_text(text, encoding="utf-8")

    runtime, messages = find_python(phase)

    assert runtime.parts_in_image is None
    assert messages[0].startswith(REASON)


def test_reused_layer_has_no_directory(phase: BuildContext) -> None:
    (phase.layers_dir / "python/bin").mkdir(parents=True)

    reuse(find_python(phase)[0], NONE)

    assert not (phase.layers_dir / "python").exists()
    table = toml.read(phase.layers_dir / "python.toml")
    assert table["types"] == {"build": False, "launch": True, "cache": False}


@pytest.mark.parametrize("build", [True, False])
def test_finished_layer_has_the_key_as_metadata(phase: BuildContext, *, build: bool) -> None:
    runtime, _ = find_python(phase)
    (phase.layers_dir / "python/bin").mkdir(parents=True)

    finish(runtime, ALL_PARTS, build=build)

    table = toml.read(phase.layers_dir / "python.toml")
    assert table["types"] == {"build": build, "launch": True, "cache": False}
    assert table["metadata"] == {
        **runtime.key.metadata(),
        "python": "3.14.6",
        "flavour": "plain",
        "sha256": "5" * 64,
        "arch": "amd64",
        "distro": "debian 12",
        "directory": str(phase.layers_dir),
        "parts": "headers libpython",
    }


def test_layer_of_the_previous_release_is_not_in_the_image(phase: BuildContext) -> None:
    """It has all parts, and no record of them; its archive in the store is the same."""
    metadata = {**find_python(phase)[0].key.metadata(), "format": "1.1"}
    toml.write(phase.layers_dir / "python.toml", {"metadata": metadata})

    runtime, messages = find_python(phase)

    assert runtime.parts_in_image is None
    assert messages == [f"{REASON}the format of the Python layer has changed from 1.1 to 2.1"]
    values = "\0".join(metadata.values()).encode()
    assert runtime.archive == f"python-3.14.6-{hashlib.sha256(values).hexdigest()[:16]}"


def test_archive_key_depends_on_the_layer_key(phase: BuildContext) -> None:
    other = replace(phase, target=replace(phase.target, distro_version="13"))

    names = {
        find_python(phase)[0].archive,
        find_python(other)[0].archive,
        find_python(phase, replace(RELEASE, version="3.14.7"))[0].archive,
        find_python(phase, replace(RELEASE, sha256="6" * 64))[0].archive,
    }

    assert len(names) == 4
    assert find_python(phase)[0].archive in names
