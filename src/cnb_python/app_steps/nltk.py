"""Layer `nltk`: the data that `nltk.txt` names, from NLTK's own downloader.

https://www.nltk.org/data.html

Separate from `steps`, which loads it only for apps with NLTK data.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cnb_python.app_steps import file_listing
from cnb_python.app_steps.run import run, variables_in
from cnb_python.cnb import disk
from cnb_python.cnb.layer import (
    LAUNCH,
    Empty,
    EnvDelta,
    Layer,
    LayerTypes,
    Restored,
    layer_of,
)
from cnb_python.errors.frameworks import NltkFailed, added_data
from cnb_python.errors.machine import DamagedStore, Killed
from cnb_python.install.snapshot import Snapshot
from cnb_python.layers import cache_keys
from cnb_python.layers.cache_keys import NltkKey, Rebuild, decide
from cnb_python.layers.store import size_of
from cnb_python.layout.names import VENV
from cnb_python.provision.request import ProvidedEnvironment, StepResults
from cnb_python.system import json_text, regular_file
from cnb_python.system.interface import Command, Outcome, Output, System
from cnb_python.system.redaction import redact

type Cause = Literal["unknown", "network", "index", "damaged", "other"]

VARIABLE = "NLTK_DATA"
TITLE = "NLTK data"
# Not imported: it runs in the app's interpreter.
_PROGRAM = Path(__file__).with_name("nltk_runner.py")
_PACKAGE = "nltk"
_COMMENT = re.compile(r"(?m)#.*$")
_CAUSES: tuple[tuple[Cause, str], ...] = (
    ("unknown", r"not found in index"),
    ("index", r"HTTP Error 404|ParseError|not well-formed"),
    ("damaged", r"(?i)integrity|checksum|mismatch|downloaded zip file|BadZip"),
    ("network", r"(?i)urlopen|HTTP Error|URLError|timed? ?out|connection|SSRF|certificate|host"),
)


@dataclass(slots=True)
class Data:
    """The NLTK data of one build."""

    environment: ProvidedEnvironment
    names: tuple[str, ...]
    key: NltkKey
    reasons: tuple[str, ...]
    """Why the layer of the previous image is invalid."""
    is_in_image: bool
    downloads: tuple[str, ...] = ()
    """SHA-256 and name of each file that the data was made from, if the data is in the image."""
    snapshot: Snapshot = field(default_factory=Snapshot)

    @property
    def layer(self) -> Layer:
        """The layer of the data."""
        return layer_of(self.environment.request.context.layers_dir, cache_keys.NLTK)

    @property
    def is_missing(self) -> bool:
        """Whether the data has to be downloaded for the image."""
        return not self.is_in_image and not self.is_in_store

    @property
    def is_in_store(self) -> bool:
        """Whether the store has the data."""
        return self.environment.store().has_tree(self.key.archive)


def find(environment: ProvidedEnvironment, output: Output) -> Data | None:
    """Return the data that `nltk.txt` names, None if it names none or NLTK is not installed.

    Raises what `App.text` raises.
    """
    app = environment.request.app
    layer = layer_of(environment.request.context.layers_dir, cache_keys.NLTK)
    text = app.text(cache_keys.NLTK_FILE)
    names = tuple(_COMMENT.sub("", text or "").split())
    version = environment.distributions.get(_PACKAGE)
    if names and not version:
        output.warning(
            f"{app.shown(cache_keys.NLTK_FILE)} is not used",
            ("NLTK is not installed. Add nltk to the app's requirements, or delete the file.",),
        )
    if not names or not version:
        layer.drop()
        return None
    key = cache_keys.nltk_key(version, names)
    restored = layer.state()
    state = decide(restored, key)
    if isinstance(state, Rebuild):
        return Data(environment, names, key, state.reasons, is_in_image=False)
    return Data(
        environment, names, key, (), is_in_image=True, downloads=_recorded_downloads(restored)
    )


def provide(data: Data, system: System) -> None:
    """Write the data to the layer's directory, for the image or for the next app steps.

    Raises NltkFailed, Killed, DiskFull and OSError.
    """
    for reason in data.reasons:
        system.output.line(f"Not using the previous build's NLTK data: {reason}")
    if not _restore(data, system.output):
        _download(data, system)
        data.environment.store().put_tree(data.key.archive, data.layer.path)
    data.snapshot.add(data.layer.path)


def finish(data: Data, output: Output) -> StepResults:
    """Make or reuse the layer, and return what it adds to the build record.

    Raises PackagesChanged if another app step changed the data.
    """
    layer, key = data.layer, data.key
    trees = frozenset({key.archive})
    if paths := data.snapshot.remove_new(layer.path):
        message = added_data(sorted(paths))
        output.warning(message.title, message.body)
    if data.is_in_image:
        recorded = data.environment.sizes.get(cache_keys.NLTK, "")
        # An older release, which recorded none, made the layer; its files are in the store too.
        downloads = data.downloads or tuple(_downloads_in_store(data))
        layer.reuse_from_image(_metadata(key, downloads))
        return StepResults(
            layers={cache_keys.NLTK: size_of(recorded) or 0},
            trees=trees,
            downloads=downloads,
        )
    downloads = tuple(_downloads(layer.path))
    size = sum(path.lstat().st_size for path in layer.path.rglob("*") if path.is_file())
    # A default, since users may have their data elsewhere.
    env = (EnvDelta(LAUNCH, VARIABLE, "default", str(layer.path)),)
    layer.finish(LayerTypes(launch=True), _metadata(key, downloads), env)
    return StepResults(
        layers={cache_keys.NLTK: size},
        new_layers=frozenset({cache_keys.NLTK}),
        trees=trees,
        downloads=downloads,
    )


def _metadata(key: NltkKey, downloads: tuple[str, ...]) -> dict[str, str | list[str]]:
    return {**key.metadata(), **({cache_keys.DOWNLOADS: [*downloads]} if downloads else {})}


def _recorded_downloads(state: Restored | Empty) -> tuple[str, ...]:
    listed = state.metadata.get(cache_keys.DOWNLOADS) if isinstance(state, Restored) else None
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


def _downloads(directory: Path) -> Iterator[str]:
    """Yield SHA-256 and path of each file that NLTK downloaded: `corpora/stopwords.zip`."""
    for path in sorted(directory.glob("*/*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield f"{digest} {path.relative_to(directory)}"


def _downloads_in_store(data: Data) -> Iterator[str]:
    """Yield the same from the archive in the store; nothing if the store is damaged."""
    try:
        digests = data.environment.store().tree_digests(data.key.archive)
    except DamagedStore:
        return
    for member, digest in sorted(digests.items(), key=lambda each: each[0].path):
        if member.path.count("/") == 1 and digest:
            yield f"{digest} {member.path}"


def _restore(data: Data, output: Output) -> bool:
    if not data.is_in_store:
        if data.is_in_image:
            output.line(
                "Downloading NLTK data again: app steps need it, and the cache does not have it"
            )
        return False
    try:
        data.environment.store().unpack_tree(data.key.archive, data.layer.begin_in_place())
    except DamagedStore as damage:
        output.line(f"Downloading NLTK data again: {damage.reason}")
        return False
    output.line(f"Using cached NLTK data: {', '.join(data.names)}")
    return True


def _download(data: Data, system: System) -> None:
    request = data.environment.request
    venv = request.context.layers_dir / VENV
    into = data.layer.begin_in_place()
    answer = disk.draft_of(request.context.layers_dir / "answer")
    env = {**variables_in(data.environment, {}), VARIABLE: str(into)}
    argv = (str(venv / "bin/python"), str(_PROGRAM), str(into), str(answer), *data.names)
    shown = f"python -m nltk.downloader {' '.join(data.names)}"
    try:
        command = Command(argv, env, into, shown)
        outcome = run(command, request.context.layers_dir, system)
        if outcome.code < 0:
            raise Killed(shown, -outcome.code)
        if outcome.code:
            raise _failed(answer, outcome, data.names)
    finally:
        answer.unlink(missing_ok=True)
    file_listing.normalize(into, tuple(file_listing.listing(into)))


def _failed(answer: Path, outcome: Outcome, names: tuple[str, ...]) -> NltkFailed:
    try:
        match json_text.parse(regular_file.read(answer, follow=False)):
            case [str(name), str(message)]:
                pass
            case other:
                raise ValueError(other)  # noqa: TRY301 - as if it were not JSON
    except OSError, ValueError:
        # NLTK itself could not be loaded.
        name, message = names[0], outcome.output.strip().rpartition("\n")[2]
    message = redact(str(message))
    return NltkFailed(str(name), cause(message), short_reason(str(name), message))


def cause(message: str) -> Cause:
    """Return the probable cause of a failed download that printed *message*."""
    return next((name for name, pattern in _CAUSES if re.search(pattern, message)), "other")


def short_reason(name: str, message: str) -> str:
    """Return *message* of NLTK about *name* in one line, without the parts that it repeats."""
    text = " ".join(message.split())
    return re.sub(rf"^\w+: (?:Error loading {re.escape(name)}: )?", "", text)
