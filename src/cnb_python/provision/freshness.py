"""Whether the previous build's result is still what this build would make."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cnb_python.config.settings import UV
from cnb_python.layers import previous_image, sbom_files
from cnb_python.layers.store import SBOM_OF_PACKAGES, BuildRecord, PreviousBuild
from cnb_python.managers.base import NeedsResolving, Resolution
from cnb_python.provision.request import ProvisionRequest, env_digest, resolution_digest
from cnb_python.system.interface import Output

if TYPE_CHECKING:
    from cnb_python.install.request import InstallResult, SameAsPrevious
    from cnb_python.store.manifest import StoreEntry

_CLOUD_FOUNDRY = "VCAP_APPLICATION"


def unchanged_record(
    request: ProvisionRequest, previous: PreviousBuild, from_files: Resolution | NeedsResolving
) -> BuildRecord | None:
    """Return the previous build's record if its environment is certainly this build's too.

    *from_files* is what the app's files alone resolve to. None if anything may have changed.
    """
    record = previous.record
    if record is None or any(changes(request, previous, from_files)):
        return None
    return record if _has_sboms(request, record) else None


def _has_sboms(request: ProvisionRequest, record: BuildRecord) -> bool:
    """Whether the SBOMs of the packages are restored as the previous build wrote them."""
    sboms = record.sboms or {}
    return sbom_files.are_restored(
        request.context,
        record.layers,
        sboms.get(SBOM_OF_PACKAGES, ""),
        may_be_lost=SBOM_OF_PACKAGES in sboms,
    )


def changes(
    request: ProvisionRequest, previous: PreviousBuild, from_files: Resolution | NeedsResolving
) -> Iterator[str]:
    """Yield each reason why the previous build's environment may not be this build's."""
    record = previous.record
    if record is None:
        yield "there is no previous build"
        return
    yield from previous.cache_invalid_because
    yield from previous.layout_changed_because
    if reason := age_reason(request, record):
        yield reason
    if record.embedding is None or record.libraries is None or record.sboms is None:
        yield "the previous release of this buildpack recorded less"
    if not _has_same_resolution(record, from_files):
        yield _resolution_changed(from_files)
    if record.python_patch not in {"", request.release.version}:
        yield f"the packages were resolved for Python {record.python_patch}"
    if record.env != env_digest(request.env(record.distributions)):
        yield "the variables of the app's processes have changed"
    if record.layers != previous_image.digests(request.context.layers_dir):
        yield "the previous image does not have all of its layers"


def age_reason(request: ProvisionRequest, record: BuildRecord) -> str:
    """Return why the ages of the packages in *record* have to be checked; empty: they passed."""
    if not request.settings.cooldown:
        return ""
    from cnb_python.supply_chain.cooldown import passed  # noqa: PLC0415 - few apps need it

    return passed.reason_to_check(request.settings, record.cooldown)


def _resolution_changed(from_files: Resolution | NeedsResolving) -> str:
    if isinstance(from_files, Resolution):
        return "the packages have changed"
    if not from_files.fingerprint:
        return f"every build has to resolve: {from_files.reason}"
    return "the files or settings that the packages are resolved from have changed"


def lacks_previous_image(request: ProvisionRequest, previous: PreviousBuild) -> bool:
    """Whether the platform restored the cache of a build, but not the image of that build.

    store.toml comes with the image. Cloud Foundry's droplets are not images, so it never has one.
    """
    context = request.context
    return previous.has_store and not context.store and _CLOUD_FOUNDRY not in context.environ


def resolve_without_manager(
    request: ProvisionRequest,
    previous: PreviousBuild,
    from_files: Resolution | NeedsResolving,
    cached: Mapping[str, StoreEntry],
    output: Output,
) -> Resolution | SameAsPrevious | None:
    """Return the resolution if the package manager need not run; else None, and log the reason.

    *cached* has what the store holds of the previous build's distributions, by name.
    """
    manager = UV if request.settings.installer == UV else request.manager.name
    if isinstance(from_files, Resolution):
        missing = _known_missing(request, previous, from_files)
        if missing:
            output.line(f"Resolving with {manager}: {missing}")
        return None if missing else from_files
    if previous.record and _has_same_inputs(request, previous.record, from_files, cached):
        from cnb_python.install.request import SameAsPrevious  # noqa: PLC0415 - only for rebuilds

        return SameAsPrevious(
            frozenset(previous.record.distributions), frozenset(previous.record.development)
        )
    output.line(from_files.log_line or f"Resolving with {manager}: {from_files.reason}")
    return None


def recorded_resolution(
    install_result: InstallResult, previous: PreviousBuild
) -> tuple[str, bool]:
    """Return `resolution` and `from_files_alone` of this build's record."""
    if install_result.resolution:
        return resolution_digest(
            install_result.resolution
        ), install_result.resolution.from_files_alone
    record = previous.record
    return (record.resolution, record.from_files_alone) if record else ("", False)


def recorded_known_missing(
    request: ProvisionRequest,
    install_result: InstallResult,
    previous: PreviousBuild,
    from_files: Resolution | NeedsResolving,
) -> str:
    """Return `known_missing` of this build's record."""
    if isinstance(from_files, NeedsResolving):
        return ""
    missing = install_result.known_missing or _known_missing(request, previous, from_files)
    return f"{_pins_digest(request, from_files)} {missing}" if missing else ""


def _usable_record(previous: PreviousBuild) -> BuildRecord | None:
    """Return the previous build's record, None if a cache key has changed."""
    is_valid = not (previous.cache_invalid_because or previous.layout_changed_because)
    return previous.record if is_valid else None


def _has_same_resolution(record: BuildRecord, from_files: Resolution | NeedsResolving) -> bool:
    if isinstance(from_files, NeedsResolving):
        return bool(from_files.fingerprint) and from_files.fingerprint == record.manager_inputs
    return record.from_files_alone and record.resolution == resolution_digest(from_files)


def _known_missing(
    request: ProvisionRequest, previous: PreviousBuild, from_files: Resolution
) -> str:
    """Return what an earlier build missed in the same pins; empty if nothing is known.

    A published release never changes, so installing the pins again would miss the same.
    """
    record = _usable_record(previous)
    if record is None:
        return ""
    digest, _, missing = record.known_missing.partition(" ")
    return missing if digest == _pins_digest(request, from_files) else ""


def _pins_digest(request: ProvisionRequest, resolution: Resolution) -> str:
    """Return a SHA-256 in hex over the pins and the release of Python that they are for."""
    text = f"{resolution_digest(resolution)} {request.release.version}"
    return hashlib.sha256(text.encode()).hexdigest()


def _has_same_inputs(
    request: ProvisionRequest,
    record: BuildRecord,
    from_files: NeedsResolving,
    cached: Mapping[str, StoreEntry],
) -> bool:
    """Whether the manager would resolve and install what the previous build did.

    The app has to lie in the same directory, since an editable install contains its path.
    """
    return (
        bool(from_files.fingerprint)
        and from_files.fingerprint == record.manager_inputs
        and not age_reason(request, record)
        and record.environment_key.get("app") == request.environment_key.app
        and cached.keys() == record.distributions.keys()
    )
