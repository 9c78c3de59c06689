"""A build after others gives bit for bit the image of a build from nothing.

The real lifecycle exports every image here, and it is the exported images that are compared.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support import index
from tests.support.build_variants import (
    digest_of,
    layers_beside_the_lifecycles,
    layers_of,
    members,
    odd_machine,
)
from tests.support.builds import Builds, Built
from tests.support.sdists import c_module, checkout, sdist
from tests.support.trees import Files, write_files
from tests.support.wheels import wheel
from tools.platforms.sandbox import Bind

# Large enough for its own layer, and for several shards.
BULKY = 33 * 1024 * 1024
PINNED = "alpha==1.0\nbeta==1.0\nbulk==1.0\ngamma==1.0\nleft==1.0\nright==1.0\n"
DECIDED = "alpha==1.1\nbeta[more]>=1.0\nbulk==1.1\n./local\nnative==1.0\nleft==1.0\nright==1.0\n"
# Each edit: requirements, version of the local code, a distribution in the image, and one not.
EDITS = (
    (PINNED, 1, "gamma-1.0", "native"),
    (
        PINNED.replace("alpha==1.0", "alpha==1.1").replace("gamma==1.0\n", ""),
        1,
        "alpha-1.1",
        "gamma",
    ),
    ("alpha\nbeta>=1.0\n./local\n", 1, "local-1.0", "left"),
    (PINNED, 1, "alpha-1.0", "local"),
    (DECIDED.replace("[more]", ""), 1, "native-1.0", "gamma"),
    (DECIDED, 2, "gamma-1.0", "alpha-1.0"),
)


@dataclass(frozen=True, slots=True)
class EditedApp:
    """An index, and an app to edit."""

    env: dict[str, str]
    app: Path
    packages: Path
    """The files of the index."""

    def edit(self, requirements: str, code: int) -> Path:
        """Write these requirements, and the code of the local package."""
        local = checkout("local", "1.0", {"local/__init__.py": f"CODE = {code}\n"})
        files: Files = {f"local/{path}": content for path, content in local.items()}
        app_files = {"requirements.txt": requirements, "Procfile": "web: python -V"}
        return write_files(self.app, {**files, **app_files})


@pytest.fixture(scope="module")
def edited_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditedApp]:
    packages = tmp_path_factory.mktemp("packages")
    for version in ("1.0", "1.1"):
        code = {f"alpha/m{number}.py": f"V = {version}\n" for number in range(9)}
        wheel(packages, "alpha", version, {"alpha/__init__.py": "", **code})
        wheel(packages, "bulk", version, {"bulk/data.bin": version.encode() * (BULKY // 3)})
    more = ["gamma; extra == 'more'"]
    scripts = {"beta": "beta:main"}
    wheel(packages, "beta", "1.0", {"beta.py": "N = {*'abc'}\n"}, requires=more, scripts=scripts)
    wheel(packages, "gamma", "1.0", {"space/gamma.py": "D = {'a', 'b'}\n"})
    for name in ("left", "right"):
        files = {"space/common.py": f"WHO = '{name}'\n", f"space/{name}.py": ""}
        wheel(packages, name, "1.0", files)
    sdist(packages, "native", "1.0", {"native.c": c_module("native", 42), "helper.py": "A = 1\n"})
    app = tmp_path_factory.mktemp("edited") / "app"
    app.mkdir(mode=0o755)
    with index.running(packages) as running:
        yield EditedApp({"PIP_INDEX_URL": running.url}, app, packages)


@pytest.fixture(scope="module")
def clean(builds: Builds, edited_app: EditedApp) -> Built:
    """Build the last edit from nothing."""
    requirements, code, *_ = EDITS[-1]
    built = builds.image(edited_app.edit(requirements, code), env=edited_app.env)
    assert built.code == 0, built.output
    return built


def test_materials_are_the_files_that_were_downloaded(clean: Built, edited_app: EditedApp) -> None:
    files = {
        path.name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in edited_app.packages.iterdir()
    }
    materials = clean.materials()

    assert materials.items() <= files.items()
    # The local package is the app's own.
    assert {name.partition("-")[0] for name in materials} == {
        *("alpha", "beta", "bulk", "gamma", "left", "native", "right")
    }


def test_image_after_edits_equals_that_of_a_clean_build(
    builds: Builds, edited_app: EditedApp, clean: Built, flask: Built
) -> None:
    built = flask  # the first edit replaces the Flask app
    for requirements, code, present, absent in EDITS:
        built = builds.image(edited_app.edit(requirements, code), built, env=edited_app.env)
        assert built.code == 0, built.output
        metadata_files_in = [
            name for name in _installed(built) if name.endswith(".dist-info/METADATA")
        ]
        assert any(f"/{present}.dist-info" in name for name in metadata_files_in), built.output
        assert not any(f"/{absent}" in name for name in metadata_files_in), metadata_files_in
    assert layers_of(built) == layers_of(clean)
    assert digest_of(built) == digest_of(clean)


def test_image_does_not_depend_on_the_machine(
    builds: Builds, edited_app: EditedApp, clean: Built, tmp_path: Path
) -> None:
    requirements, code, *_ = EDITS[-1]
    app = edited_app.edit(requirements, code)
    with odd_machine(builds.platform, tmp_path, edited_app.env) as odd:
        built = builds.image(app, **odd)
    assert built.code == 0, built.output
    assert {"clock-cc1", "clock-python", "order-python", "order-python3"} <= set(built.scratch)
    assert layers_beside_the_lifecycles(built) == layers_beside_the_lifecycles(clean)


def test_user_of_the_build_only_owns_files(
    builds: Builds, edited_app: EditedApp, clean: Built, tmp_path: Path
) -> None:
    requirements, code, *_ = EDITS[-1]
    other_builds = replace(builds, platform=replace(builds.platform, user=4321, group=4321))
    passwd = (builds.platform.build_rootfs / "etc/passwd").read_text()
    users = tmp_path / "passwd"
    users.write_text(f"{passwd}other:x:4321:4321::/home/other:/bin/sh\n")
    binds = (Bind(users, "/etc/passwd"),)
    built = other_builds.image(
        edited_app.edit(requirements, code), env=edited_app.env, binds=binds
    )
    assert built.code == 0, built.output
    names = {title.partition(":")[2] for title in layers_of(clean) if "python:" in title}
    assert {"python", "venv", "deps-bulk"} < names
    for name in names:
        assert members(built, name) == members(clean, name)


def _installed(built: Built) -> list[str]:
    shards = [layer.title.partition(":")[2] for layer in built.image.layers]
    return [path for name in shards if name.startswith("deps-") for path in built.names(name)]
