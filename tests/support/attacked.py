"""Builds an app with a hostile package in each situation, and compares with clean builds."""

import hashlib
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.support.build_variants import layers_of, without_cache, without_image
from tests.support.builds import Builds, Built
from tests.support.hostile_sdists import hostile_sdist, witness_sdist
from tests.support.index import Index
from tests.support.trees import Files, write_files
from tests.support.wheels import wheel

type Form = Literal["pinned", "hashed", "names"]
"""How requirements.txt lists the packages: with versions, with hashes too, or by name alone."""

EVIL = "evil"
SBOM = "sbom"
"""The title of the layer with all SBOMs."""
# In the order of their names: built before it, and after it.
OTHERS = ("aardvark", "neighbour", "zebra")
APP: Files = {
    "Procfile": "web: python -V",
    "shop/__init__.py": "",
    "shop/settings.py": "DEBUG = False\n",
}


@dataclass(frozen=True, slots=True)
class Attacked:
    """An index with packages, one of which is hostile or harmless, and apps that need them."""

    builds: Builds
    index: Index
    directory: Path
    """For apps, and for copies of builds."""
    _clean: dict[tuple[Form, bool], Built] = field(default_factory=dict)

    def first_build(self, form: Form, attacks: Iterable[str], *, code: int | None = 0) -> Built:
        """Build from nothing, with the hostile package; *code*: what it must exit with, if any."""
        self._publish(attacks)
        return self._build(form, with_evil=True, code=code)

    def next_build(self, form: Form, after: Built) -> Built:
        """Build the same after *after*."""
        return self._build(form, with_evil=True, after=after)

    def build_without(self, form: Form, after: Built) -> Built:
        """Build after *after* without the hostile package."""
        return self._build(form, with_evil=False, after=after)

    def without_image(self, build: Built) -> Built:
        """Return a copy of *build* with its cache only."""
        return without_image(build, self.directory / f"cache-{next(self.builds.numbers)}")

    def without_cache(self, build: Built) -> Built:
        """Return a copy of *build* with its image only."""
        return without_cache(build, self.directory / f"image-{next(self.builds.numbers)}")

    def clean(self, form: Form, *, with_evil: bool) -> Built:
        """Return a build from nothing with a harmless package of the same name, or without it."""
        if (form, with_evil) not in self._clean:
            self._publish(())
            self._clean[form, with_evil] = self._build(form, with_evil=with_evil)
        return self._clean[form, with_evil]

    def _publish(self, attacks: Iterable[str]) -> None:
        hostile_sdist(self.index.packages, EVIL, attacks)

    def _build(
        self, form: Form, *, with_evil: bool, after: Built | None = None, code: int | None = 0
    ) -> Built:
        names = sorted((*OTHERS, *((EVIL,) if with_evil else ())))
        lines = "\n".join(self._line(form, name) for name in names)
        app = self.directory / f"app-{next(self.builds.numbers)}"
        write_files(app, {**APP, "requirements.txt": f"{lines}\n"}).chmod(0o755)
        built = self.builds.image(app, after, env={"PIP_INDEX_URL": self.index.url})
        assert code in {built.code, None}, built.output
        return built

    def _line(self, form: Form, name: str) -> str:
        if form == "names":
            return name
        (file,) = self.index.packages.glob(f"{name}-1.0*")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return f"{name}==1.0" + (f" --hash=sha256:{digest}" if form == "hashed" else "")


def publish_others(packages: Path) -> None:
    """Write the packages that are attacked: two source distributions and a wheel."""
    before, between, later = OTHERS
    witness_sdist(packages, before)
    wheel(packages, between, "1.0", {f"{between}.py": f"NAME = '{between}'\n"})
    witness_sdist(packages, later)


def image_layers(build: Built, form: Form) -> dict[str, str]:
    """Return the diff id of each layer by title, as far as equal apps must have equal ones.

    The hostile package differs from the harmless one, and the SBOM has its digest. With hashes,
    requirements.txt has it too, and is in the app's layer.
    """
    digests = {
        title: diff_id
        for title, diff_id in layers_of(build).items()
        if not (form == "hashed" and title == "app")
    }
    return {**digests, SBOM: _equal_sboms(build)}


def _equal_sboms(build: Built) -> str:
    """Return the SBOMs of the image without what they tell of the file of `EVIL`.

    Its build may also remove what the installer fetched, so its own entry may lack the digest.
    """
    layer = next(layer for layer in build.image.layers if layer.title == SBOM)
    with tarfile.open(build.image.blob(layer)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        texts = {name: file.read() for name, file in files.items() if file}
    return "\n".join(f"{name} {_without_file(json.loads(texts[name]))}" for name in sorted(texts))


def _without_file(document: dict[str, Any] | None) -> str:
    listed = document or {}
    for entry in (*listed.get("components", ()), *listed.get("packages", ())):
        if entry["name"] == EVIL:
            for about_file in ("hashes", "properties", "checksums", "comment"):
                entry.pop(about_file, None)
    # They are computed from the content.
    identifiers = {"serialNumber", "documentNamespace"}
    return json.dumps({key: listed[key] for key in listed if key not in identifiers})
