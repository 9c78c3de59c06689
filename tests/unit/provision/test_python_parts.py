"""libpython and C headers are in the image only while something needs them."""

import shutil
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.python.releases import Release
from tests.support.elf_files import elf
from tests.support.fake_build import FakeBuild, contents, fake_build, release
from tests.support.fake_manager import FakeManager, package, resolution_of
from tests.support.stages import SITE

LIBRARY = "lib/libpython3.14.so.1.0"
HEADER = "include/python3.14/Python.h"
LINKED = elf(needed=["libpython3.14.so.1.0"])
# All bytes of such a small file are below 128.
NATIVE = f"{SITE}/_embeds.so"
INDEX = {
    "a==1.0": package("a"),
    "embeds==1.0": package("embeds")._replace(files={NATIVE: LINKED.decode("ascii")}),
    "other==1.0": package("other")._replace(
        files={NATIVE: elf(needed=["libpython3.9.so.1.0"]).decode("ascii")}
    ),
    "find-libpython==1.0": package("find_libpython"),
    "triton==1.0": package("triton"),
}
EMBEDS = ("a==1.0", "embeds==1.0")


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    built = fake_build(tmp_path, FakeManager(dict(INDEX), from_files=resolution_of("a==1.0")))
    built.release = release_of(tmp_path)
    return built


def release_of(directory: Path, version: str = "3.14.6") -> Release:
    files = {LIBRARY: "a library", HEADER: "a header", "lib/python3.14/config-3/Makefile": "CC="}
    return release(directory, version, **{path.replace("/", "__"): files[path] for path in files})


def require(app: FakeBuild, *lines: str) -> None:
    app.manager.from_files = resolution_of(*lines)


def parts(app: FakeBuild) -> str:
    """Return what the metadata of the layer has, after comparing it with the files on disk."""
    text = (app.layers / "python.toml").read_text("utf-8")
    named = text.partition('parts = "')[2].partition('"')[0]
    if (layer := app.layers / "python").is_dir():
        assert (layer / LIBRARY).exists() == ("libpython" in named)
        assert (layer / HEADER).exists() == ("headers" in named)
        assert (layer / "lib/python3.14/config-3").exists() == ("headers" in named)
    return named


def said(app: FakeBuild) -> list[str]:
    return [line for line in app.log.lines if "libpython" in line or "C headers" in line]


def test_image_has_neither_by_default(app: FakeBuild) -> None:
    app.build()

    assert parts(app) == ""
    assert said(app) == []


def test_interpreter_is_complete_while_steps_run(app: FakeBuild) -> None:
    seen: list[bool] = []
    app.steps_needing_environment = lambda _: "bin/post_compile"
    app.use = lambda environment: seen.extend(
        (environment.request.context.layers_dir / "python" / path).exists()
        for path in (LIBRARY, HEADER)
    )
    app.build()
    app.restore().build()

    assert seen == [True] * 4
    assert parts(app) == ""
    assert app.layers_on_disk() == {"deps"}


def test_store_has_all_parts(app: FakeBuild) -> None:
    app.build()
    require(app, *EMBEDS)
    app.restore().build()

    assert "Using cached Python 3.14.6" in app.log.lines
    assert (app.layers / "python" / LIBRARY).read_text("utf-8") == "a library"


@pytest.mark.parametrize(
    ("line", "named", "message"),
    [
        ("embeds==1.0", "libpython", "Keeping libpython for embeds"),
        ("find-libpython==1.0", "libpython", "Keeping libpython for find-libpython"),
        ("triton==1.0", "headers", "Keeping C headers for triton"),
        ("other==1.0", "", ""),
    ],
)
def test_package_keeps_what_it_needs(app: FakeBuild, line: str, named: str, message: str) -> None:
    require(app, "a==1.0", line)
    app.build()

    assert parts(app) == named
    assert said(app) == [message] * bool(message)


def test_every_user_of_a_part_is_named(app: FakeBuild) -> None:
    require(app, *EMBEDS, "find-libpython==1.0", "triton==1.0")
    app.build()

    assert parts(app) == "headers libpython"
    assert said(app) == [
        "Keeping C headers for triton",
        "Keeping libpython for embeds, find-libpython",
    ]


@pytest.mark.parametrize("kept", ["image and cache", "image", "cache"])
def test_package_that_embeds_python_comes_and_goes(
    app: FakeBuild, tmp_path: Path, kept: str
) -> None:
    without, with_it = (clean(app, tmp_path / name, name) for name in ("a", "embeds"))
    app.build()
    for lines, expected in ((EMBEDS, with_it), (("a==1.0",), without)):
        require(app, *lines)
        app.restore()
        if "image" not in kept:
            app.lose_image()
        if "cache" not in kept:
            app.lose_cache()
        app.build()
        assert app.layers_on_disk() >= {"python"}
        assert python_files(app) == expected
    assert said(app) == (
        ["Leaving out libpython: nothing needs it any more"] if "image" in kept else []
    )


def clean(app: FakeBuild, directory: Path, name: str) -> dict[str, tuple[int, bytes]]:
    """Return the files of the layer that a first build makes in *directory*."""
    first = fake_build(directory, replace(app.manager))
    first.release = app.release
    require(first, *(EMBEDS if name == "embeds" else ("a==1.0",)))
    first.build()
    return python_files(first)


def python_files(app: FakeBuild) -> dict[str, tuple[int, bytes]]:
    """Return the files of the layer without those that contain its path."""
    files = contents(app.layers / "python")
    return {path: content for path, content in files.items() if "_sysconfigdata" not in path}


@pytest.mark.parametrize("lines", [("a==1.0",), EMBEDS])
def test_unchanged_build_reuses_the_layer(app: FakeBuild, lines: tuple[str, ...]) -> None:
    require(app, *lines)
    app.build()
    named = parts(app)

    for lose in (False, True):
        app.restore()
        if lose:
            app.lose_cache()
        app.build()
        assert app.layers_on_disk() <= {"deps"}
        assert parts(app) == named
        assert said(app) == []


def test_other_package_leaves_the_layer_reused(app: FakeBuild) -> None:
    require(app, "embeds==1.0")
    app.build()
    require(app, *EMBEDS)

    app.restore().build()

    assert "python" not in app.layers_on_disk()
    assert parts(app) == "libpython"


def test_new_patch_release_keeps_the_part(app: FakeBuild, tmp_path: Path) -> None:
    require(app, *EMBEDS)
    app.build()
    app.release = release_of(tmp_path, "3.14.7")

    app.restore().build()

    assert app.manager.calls == []
    assert app.layers_on_disk() == {"python", "deps"}
    assert parts(app) == "libpython"


def program(app: FakeBuild, path: str, content: bytes = LINKED, mode: int = 0o755) -> Path:
    file = app.context.app_dir / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_program_of_the_app_in_an_otherwise_unchanged_build(app: FakeBuild) -> None:
    app.build()
    embedded = program(app, "bin/worker")
    app.restore().build()
    assert app.layers_on_disk() == {"python", "deps"}
    assert parts(app) == "libpython"
    assert said(app) == ["Keeping libpython for the app's file bin/worker"]
    app.restore().build()
    assert app.layers_on_disk() == {"deps"}

    embedded.unlink()
    app.restore().build()

    assert app.layers_on_disk() == {"python", "deps"}
    assert parts(app) == ""


def void(_: object) -> None:
    """Return nothing, as an app step does."""


def test_program_that_a_step_compiles_counts(app: FakeBuild) -> None:
    app.steps_needing_environment = lambda _: "bin/post_compile"
    app.use = lambda _: void(program(app, "worker"))

    app.build()

    assert parts(app) == "libpython"


@pytest.mark.parametrize(
    ("path", "mode", "named"),
    [
        ("native/x.so", 0o644, "libpython"),
        ("native/x.so.1", 0o644, "libpython"),
        ("native/x.node", 0o755, "libpython"),
        ("native/x.node", 0o644, ""),
        (".git/x.so", 0o644, ""),
        ("data/x.json", 0o755, ""),
    ],
)
def test_programs_and_libraries_of_the_app_are_read(
    app: FakeBuild, path: str, mode: int, named: str
) -> None:
    program(app, path, mode=mode)
    program(app, "bin/start", b"#!/bin/sh\n")

    app.build()

    assert parts(app) == named


def test_odd_files_of_the_app_are_ignored(app: FakeBuild) -> None:
    target = program(app, "../elsewhere/x.so")
    top = app.context.app_dir
    (top / "linked.so").symlink_to(target)
    (top / "linked").symlink_to(target.parent, target_is_directory=True)
    (top / "circle").symlink_to(".", target_is_directory=True)
    (top / "broken.so").symlink_to("nowhere")
    program(app, "empty.so", b"")
    program(app, "damaged.so", LINKED[:0x210])

    app.build()

    assert parts(app) == ""


@pytest.mark.parametrize("by", ["setting", "consumer"])
def test_everything_stays_on_request(app: FakeBuild, by: str) -> None:
    if by == "setting":
        app.settings = Settings(full=True)
    else:
        app.build_consumers = "another buildpack"
    app.build()
    assert parts(app) == "headers libpython"
    reason = "the setting BP_PYTHON_FULL" if by == "setting" else "another buildpack"
    assert said(app) == [f"Keeping C headers for {reason}", f"Keeping libpython for {reason}"]

    app.settings, app.build_consumers = Settings(), ""
    app.restore().build()

    assert "python" in app.layers_on_disk()
    assert parts(app) == ""


def test_setting_in_an_unchanged_build(app: FakeBuild) -> None:
    app.settings = Settings(full=True)
    app.build()

    app.restore().build()

    assert app.layers_on_disk() == {"deps"}
    assert parts(app) == "headers libpython"


def test_recorded_size_is_that_of_the_image(app: FakeBuild) -> None:
    size = app.build().layer_sizes["python"]
    require(app, "a==1.0", "other==1.0")
    for _ in range(2):
        assert app.restore().build().layer_sizes["python"] == size

    require(app, *EMBEDS)
    assert int(app.restore().build().layer_sizes["python"]) > int(size)


def older(app: FakeBuild) -> FakeBuild:
    """Make the restored record one of a release without `embedding`."""
    metadata = toml.table_at(toml.read(app.layers / "deps.toml"), "metadata")
    del metadata["embedding"]
    toml.write(app.layers / "deps.toml", {"metadata": metadata})
    stored = {key: value for key, value in app.context.store.items() if key != "embedding"}
    app.context = replace(app.context, store=stored)
    return app


@pytest.mark.parametrize("has_cache", [True, False])
def test_record_of_an_older_release_is_completed_once(app: FakeBuild, *, has_cache: bool) -> None:
    require(app, *EMBEDS)
    app.build()
    older(app.restore())
    if not has_cache:
        app.lose_cache()

    app.build()

    assert bool(app.manager.calls) == (not has_cache)
    assert app.layers_on_disk() == {"deps"}
    assert parts(app) == "libpython"
    app.restore().build()
    assert "Nothing changed: reusing 2 packages from the previous image" in app.log.lines


def test_lost_directory_of_the_app_is_no_error(app: FakeBuild) -> None:
    app.build()
    unreadable = app.context.app_dir / "private"
    unreadable.mkdir()
    unreadable.chmod(0)
    try:
        app.restore().build()
    finally:
        unreadable.chmod(0o755)
        shutil.rmtree(unreadable)

    assert parts(app) == ""
