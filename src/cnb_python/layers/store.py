"""Layer `deps`: the store, and the record of the previous build."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import write_store
from cnb_python.cnb.layer import Empty, LayerTypes, layer_of
from cnb_python.cnb.toml import Metadata
from cnb_python.layers.cache_keys import EnvironmentKey, PackageKey, differences, names

NAME = "deps"
_TYPES = LayerTypes(cache=True)
# Python reads no number of thousands of digits.
_MOST_DIGITS = 18
SBOM_OF_PYTHON, SBOM_OF_PACKAGES = "python", "packages"
_LISTS = {"distributions", "layers", "sizes", "largest"}


class BuildRecord(NamedTuple):
    """What a build records about its result for the next one.

    Some names in its metadata are older than the fields' and stay, so that caches stay valid.
    """

    package_key: Mapping[str, str]
    """The fields of the `PackageKey`."""
    environment_key: Mapping[str, str]
    """The fields of the `EnvironmentKey`."""
    resolution: str
    """Digest over every pin of the resolution, in hex."""
    from_files_alone: bool
    """Whether equal files of the app always give this resolution."""
    python_patch: str
    """The release of Python if the resolution depends on the patch release, else empty."""
    env: str
    """Digest over the variables of the app's processes."""
    distributions: Mapping[str, str]
    """Version by name."""
    layers: Mapping[str, str]
    """Digest of its contents by name of each launch layer of the environment."""
    layer_sizes: Mapping[str, str]
    """Bytes by name of layer, in digits."""
    largest: Mapping[str, str]
    """Bytes by name of the largest distributions, in digits."""
    manager_inputs: str = ""
    """`NeedsResolving.fingerprint`; empty if the manager has to run in every build."""
    known_missing: str = ""
    """A digest over pins, a space, and the dependency that they lack; empty if none is missing."""
    manifest: str = ""
    """Digest of the store's manifest; empty in store.toml."""
    static_files_key: str = ""
    """Salt and digest, in hex, over everything that the static files depend on.

    Empty in store.toml, which is in the image: the digest covers variables, which may be secret.
    """
    libraries: Mapping[str, str] | None = None
    """What the image needs of the run image, by library: see `provision/libraries.py`.

    None in a record of a release that did not find that out.
    """
    embedding: tuple[str, ...] | None = None
    """The names of the distributions that are linked with libpython, sorted.

    None in a record of a release that did not find that out.
    """
    programs: tuple[str, ...] | None = None
    """The names of the programs that distributions install, sorted.

    None in a record of a release that did not find that out.
    """

    sboms: Mapping[str, str] | None = None
    """Digest over the SBOMs of layer `python`, and over those of the other layers.

    By `SBOM_OF_PYTHON` and `SBOM_OF_PACKAGES`. None in a record of a release that wrote no SBOMs.
    """

    development: tuple[str, ...] = ()
    """The names of the distributions that only tests and development need, sorted."""
    cooldown: str = ""
    """The ages that were checked, see `supply_chain/cooldown/passed.py`; empty: none."""
    audited: str = ""
    """A digest over the inputs of the audit, in hex; empty: there was none."""
    findings: tuple[str, ...] = ()
    """The results of the audit, see `supply_chain/audit/finding.py`."""

    materials: tuple[str, ...] = ()
    """The materials of the image, each as JSON: see `provision/materials.py`.

    They are in store.toml alone, which is in the image.
    """

    def metadata(self) -> dict[str, str | bool | list[str]]:
        """Return the record as metadata, which `record_of` reads."""
        return {
            **self.package_key,
            **self.environment_key,
            "decision": self.resolution,
            "pure": self.from_files_alone,
            "patch": self.python_patch,
            "env": self.env,
            "distributions": _pairs(self.distributions),
            "layers": _pairs(self.layers),
            "sizes": _pairs(self.layer_sizes),
            "largest": [f"{name} {size}" for name, size in self.largest.items()],
            **({} if self.embedding is None else {"embedding": [*self.embedding]}),
            **({} if self.programs is None else {"programs": [*self.programs]}),
            **({} if self.libraries is None else {"libraries": _pairs(self.libraries)}),
            **({} if self.sboms is None else {"sboms": _pairs(self.sboms)}),
            **({"development": [*self.development]} if self.development else {}),
            **({"cooldown": self.cooldown} if self.cooldown else {}),
            **({"audited": self.audited} if self.audited else {}),
            **({"findings": [*self.findings]} if self.findings else {}),
            **({"inputs": self.manager_inputs} if self.manager_inputs else {}),
            **({"gap": self.known_missing} if self.known_missing else {}),
            **({"manifest": self.manifest} if self.manifest else {}),
            **({"collected": self.static_files_key} if self.static_files_key else {}),
            **({"materials": [*self.materials]} if self.materials else {}),
        }


def record_of(
    metadata: Metadata, package_fields: frozenset[str], environment_fields: frozenset[str]
) -> BuildRecord | None:
    """Return the record in *metadata*, None if it does not have the format of a record.

    *package_fields* and *environment_fields* are the names of the fields of the two keys.
    """
    texts = {key: value for key, value in metadata.items() if isinstance(value, str)}
    lists = {key: _mapping(value) for key, value in metadata.items() if isinstance(value, list)}
    from_files_alone = metadata.get("pure")
    if not lists.keys() >= _LISTS or not isinstance(from_files_alone, bool):
        return None
    return BuildRecord(
        package_key={key: text for key, text in texts.items() if key in package_fields},
        environment_key={key: text for key, text in texts.items() if key in environment_fields},
        resolution=texts.get("decision", ""),
        from_files_alone=from_files_alone,
        python_patch=texts.get("patch", ""),
        env=texts.get("env", ""),
        distributions=lists["distributions"],
        layers=lists["layers"],
        layer_sizes=lists["sizes"],
        largest=lists["largest"],
        embedding=tuple(lists["embedding"]) if "embedding" in lists else None,
        programs=_names(metadata.get("programs")),
        development=_names(metadata.get("development")) or (),
        cooldown=texts.get("cooldown", ""),
        audited=texts.get("audited", ""),
        findings=_names(metadata.get("findings")) or (),
        libraries=lists.get("libraries"),
        sboms=lists.get("sboms"),
        manager_inputs=texts.get("inputs", ""),
        known_missing=texts.get("gap", ""),
        manifest=texts.get("manifest", ""),
        static_files_key=texts.get("collected", ""),
        materials=_names(metadata.get("materials")) or (),
    )


def size_of(text: str) -> int | None:
    """Return the size *text* of a record; None if a damaged record has something else.

    >>> size_of("1024"), size_of("much")
    (1024, None)
    """
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def recorded_distributions(metadata: Metadata) -> Mapping[str, str]:
    """Return the version by name of each distribution that a record in *metadata* lists."""
    listed = metadata.get("distributions")
    return _mapping(listed) if isinstance(listed, list) else {}


def _pairs(mapping: Mapping[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in sorted(mapping.items())]


def _names(value: object) -> tuple[str, ...] | None:
    return tuple(map(str, value)) if isinstance(value, list) else None


def _mapping(pairs: list[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition(" ") for pair in pairs)}


@dataclass(frozen=True, slots=True)
class PreviousBuild:
    """What the previous build left for this one."""

    directory: Path
    """The directory of the store, which may be missing."""
    record: BuildRecord | None
    """The record of the build that made the cache, else of the one that made the image."""
    has_store: bool
    """Whether the record comes from the store, so that its manifest can be read."""
    cache_invalid_because: tuple[str, ...]
    """Why no installed distribution can be reused; empty if all can, or there was no build."""
    layout_changed_because: tuple[str, ...]
    """Why the layers have to be rebuilt although distributions can be reused."""


def read_previous(
    context: BuildContext, package_key: PackageKey, environment_key: EnvironmentKey
) -> PreviousBuild:
    """Return the previous build, as the cache and the previous image have it."""
    layer = layer_of(context.layers_dir, NAME)
    state = layer.state()
    fields = (names(PackageKey), names(EnvironmentKey))
    cached = None if isinstance(state, Empty) else record_of(state.metadata, *fields)
    has_contents = not isinstance(state, Empty) and state.has_contents
    # store.toml comes with the image, so it exists without the cache too.
    of_image = record_of(context.store, *fields)
    record = cached if cached and has_contents else of_image
    if record is cached and cached and of_image:
        record = cached = cached._replace(materials=of_image.materials)
    damage = (state.reason,) if isinstance(state, Empty) and state.reason else ()
    if record is None:
        return PreviousBuild(
            layer.path,
            None,
            has_store=False,
            cache_invalid_because=damage,
            layout_changed_because=(),
        )
    reasons = (*damage, *differences(record.package_key, package_key))
    return PreviousBuild(
        layer.path,
        record,
        has_store=record is cached,
        cache_invalid_because=reasons,
        layout_changed_because=differences(record.environment_key, environment_key),
    )


def open_store(context: BuildContext, previous: PreviousBuild) -> Path:
    """Return the store's directory, an empty one if the previous build left no store."""
    layer = layer_of(context.layers_dir, NAME)
    if previous.has_store:
        return layer.path
    return layer.begin_in_place()


def close_store(context: BuildContext, record: BuildRecord) -> None:
    """Save the store with *record*, and the record in the image."""
    layer_of(context.layers_dir, NAME).keep(_TYPES, _cached(record))
    _write_store_toml(context, record)


def keep(context: BuildContext, previous: PreviousBuild, record: BuildRecord) -> None:
    """Save the store unchanged, if there is one, with *record*."""
    layer = layer_of(context.layers_dir, NAME)
    if previous.has_store:
        layer.keep(_TYPES, _cached(record))
    else:
        layer.drop()
    _write_store_toml(context, record)


def _cached(record: BuildRecord) -> Metadata:
    return record._replace(materials=()).metadata()


def _write_store_toml(context: BuildContext, record: BuildRecord) -> None:
    metadata: Mapping[str, str | bool | list[str]] = record._replace(
        manifest="", static_files_key=""
    ).metadata()
    # The file that the lifecycle restored is what it reads again: a list of 200 materials takes
    # longer to write than the rest of an unchanged build's metadata.
    if metadata != context.store or not (context.layers_dir / "store.toml").is_file():
        write_store(context.layers_dir, metadata)
