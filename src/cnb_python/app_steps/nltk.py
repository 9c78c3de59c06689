"""The data that `nltk.txt` names, had by NLTK's own downloader, in a layer of its own.

https://www.nltk.org/data.html
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cnb_python.app_steps import file_listing
from cnb_python.app_steps.run import run, variables_in
from cnb_python.cnb import disk
from cnb_python.cnb.env import LAUNCH, EnvDelta
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.errors.frameworks import NltkFailed, added_data
from cnb_python.errors.machine import DamagedStore, Killed
from cnb_python.install.snapshot import Snapshot
from cnb_python.layers import nltk as nltk_layer
from cnb_python.layers.cache_keys import Rebuild, decide
from cnb_python.layers.nltk import NltkKey
from cnb_python.layout.names import VENV
from cnb_python.provision.environment import ProvidedEnvironment, StepResults
from cnb_python.system.interface import Command, Outcome, Output, System
from cnb_python.system.redaction import redact

type Cause = Literal["unknown", "network", "index", "damaged", "other"]

_CAUSES: tuple[tuple[Cause, str], ...] = (
    ("unknown", r"not found in index"),
    ("index", r"HTTP Error 404|ParseError|not well-formed"),
    ("damaged", r"(?i)integrity|checksum|mismatch|downloaded zip file|BadZip"),
    ("network", r"(?i)urlopen|HTTP Error|URLError|timed? ?out|connection|SSRF|certificate|host"),
)


def cause(said: str) -> Cause:
    """Return what probably is the matter."""
    return next((name for name, pattern in _CAUSES if re.search(pattern, said)), "other")


def shown(name: str, said: str) -> str:
    """Return *said*, which NLTK repeats names and kinds in, in one short line."""
    text = " ".join(said.split())
    return re.sub(rf"^\w+: (?:Error loading {re.escape(name)}: )?", "", text)


VARIABLE = "NLTK_DATA"
TITLE = "NLTK data"
# Not imported: it is for another interpreter.
_PROGRAM = Path(__file__).with_name("nltk_runner.py")
_PACKAGE = "nltk"
_COMMENT = re.compile(r"(?m)#.*$")


@dataclass(slots=True)
class Data:
    """The data of one build."""

    environment: ProvidedEnvironment
    names: tuple[str, ...]
    key: NltkKey
    reasons: tuple[str, ...]
    """Why what the image has is of no use."""
    is_in_image: bool
    untouched: Snapshot = field(default_factory=Snapshot)

    @property
    def layer(self) -> Layer:
        """Where the data is while it is here, and in the image."""
        return layer_of(self.environment.request.context.layers_dir, nltk_layer.NAME)

    @property
    def is_missing(self) -> bool:
        """Whether NLTK itself has to be run for the image to have it."""
        return not self.is_in_image and not self.is_kept

    @property
    def is_kept(self) -> bool:
        """Whether the store has it."""
        return self.environment.store().has_tree(self.key.archive)


def find(environment: ProvidedEnvironment, output: Output) -> Data | None:
    """Return the data that the app wants, None where it wants none.

    Raises what `App.text` raises.
    """
    app = environment.request.app
    layer = layer_of(environment.request.context.layers_dir, nltk_layer.NAME)
    text = app.text(nltk_layer.FILE)
    names = tuple(_COMMENT.sub("", text or "").split())
    version = environment.distributions.get(_PACKAGE)
    if names and not version:
        output.warning(
            f"{app.shown(nltk_layer.FILE)} is not used",
            ("NLTK is not installed: list nltk with the app's requirements, or delete the file.",),
        )
    if not names or not version:
        layer.drop()
        return None
    key = nltk_layer.nltk_key(version, names)
    state = decide(layer.state(), key)
    reasons = state.reasons if isinstance(state, Rebuild) else ()
    return Data(environment, names, key, reasons, not isinstance(state, Rebuild))


def provide(data: Data, system: System) -> None:
    """Put the data in its place, for the image or for whom runs next.

    Raises NltkFailed, Killed, DiskFull and OSError.
    """
    for reason in data.reasons:
        system.output.line(f"Not using the previous build's data: {reason}")
    if not _is_brought(data, system.output):
        _download(data, system)
        data.environment.store().put_tree(data.key.archive, data.layer.path)
    data.untouched.remember(data.layer.path)


def close(data: Data, output: Output) -> StepResults:
    """Make what is here the layer, unless the previous image has it.

    Raises PackagesChanged when what ran beside it changed it.
    """
    layer, key = data.layer, data.key
    trees = frozenset({key.archive})
    if written := data.untouched.check(layer.path):
        message = added_data(sorted(written))
        output.warning(message.title, message.body)
    if data.is_in_image:
        known = data.environment.sizes.get(nltk_layer.NAME, "")
        layer.reuse_from_image(key.metadata())
        return StepResults(
            layers={nltk_layer.NAME: int(known) if known.isdecimal() else 0}, trees=trees
        )
    size = sum(path.lstat().st_size for path in layer.path.rglob("*") if path.is_file())
    # It gives way to the user's own, who may have other data elsewhere.
    env = (EnvDelta(LAUNCH, VARIABLE, "default", str(layer.path)),)
    layer.finish(LayerTypes(launch=True), key.metadata(), env)
    return StepResults(
        layers={nltk_layer.NAME: size}, made=frozenset({nltk_layer.NAME}), trees=trees
    )


def _is_brought(data: Data, output: Output) -> bool:
    if not data.is_kept:
        if data.is_in_image:
            output.line("The store does not have what the image has: it is fetched for what runs")
        return False
    try:
        data.environment.store().unpack_tree(data.key.archive, data.layer.begin_in_place())
    except DamagedStore as damage:
        output.line(f"Downloading NLTK's data again: {damage.reason}")
        return False
    output.line(f"{', '.join(data.names)}: from the store")
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
        outcome = run(Command(argv, env, into, shown), system)
        if outcome.code < 0:
            raise Killed(shown, -outcome.code)
        if outcome.code:
            raise _failed(answer, outcome, data.names)
    finally:
        answer.unlink(missing_ok=True)
    file_listing.normalize(into, tuple(file_listing.listing(into)))


def _failed(answer: Path, outcome: Outcome, names: tuple[str, ...]) -> NltkFailed:
    try:
        name, said = json.loads(answer.read_bytes())
    except FileNotFoundError, ValueError:
        # NLTK itself could not be loaded.
        name, said = names[0], outcome.output.strip().rpartition("\n")[2]
    said = redact(str(said))
    return NltkFailed(str(name), cause(said), shown(str(name), said))
