"""The static files of one build: their key, and the files that the store has.

Separate from `collectstatic`, which runs the command.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cnb_python.app_steps import collectstatic_variables, file_listing, read_record
from cnb_python.app_steps.collectstatic_variables import CollectstaticVariables
from cnb_python.app_steps.file_listing import Listing
from cnb_python.app_steps.file_trees import FileTree
from cnb_python.app_steps.read_record import ReadRecord
from cnb_python.app_steps.run import SALT_BYTES, is_salt, variables_digest
from cnb_python.cnb import disk
from cnb_python.errors.machine import DamagedStore
from cnb_python.layers import cache_keys
from cnb_python.provision.request import ProvidedEnvironment, StepResults

# The keys of the archives in the store: the files, and the record of what the run read. The static
# files key says which app they belong to.
_TREE, _RECORD = "static-files", "static-files-record"
_RECORD_FILE = "reads.json"
# Raise it when a release of the buildpack collects other files for the same app.
_FORMAT = "2"


@dataclass(slots=True)
class StaticFiles:
    """The static files of one build."""

    manage: Path
    variables: CollectstaticVariables
    files_before: Listing
    """The files of the app before any app step ran."""
    salt: str
    """Of the digest, in hex."""
    reads: ReadRecord | None
    """What the run read that the static files come from; None if it is not recorded."""
    record_key: str
    """The static files key of the build record: `<salt> <digest>`, in hex."""
    restored: int | None = None
    """The number of files from the store; None if it does not have them."""

    @property
    def is_missing(self) -> bool:
        """Whether collectstatic has to run."""
        return self.restored is None


def describe(environment: ProvidedEnvironment, manage: Path) -> StaticFiles:
    """Return the static files of the project of *manage*, before they are restored."""
    files_before = file_listing.listing(environment.request.context.app_dir)
    salt = environment.static_files_key.partition(" ")[0]
    salt = salt if is_salt(salt) else os.urandom(SALT_BYTES).hex()
    variables = collectstatic_variables.variables_of(environment)
    static = StaticFiles(manage, variables, files_before, salt, _stored_reads(environment), "")
    static.record_key = _record_key(environment, static)
    return static


def _record_key(environment: ProvidedEnvironment, static: StaticFiles) -> str:
    """Return the static files key over what the run read, or over everything if it is unknown."""
    context, reads = environment.request.context, static.reads
    if reads is None or reads.unknown:
        layers = (f"{name} {digest}" for name, digest in sorted(environment.layers.items()))
        inputs = ("", *layers, file_listing.digest(static.files_before))
        environ = static.variables.compared
    else:
        tree = FileTree(static.files_before, context.app_dir)
        packages = reads.packages_answer(environment.layers, environment.installed)
        inputs = ("reads", reads.app_answers(tree), packages)
        environ = reads.relevant(static.variables.compared)
    content = "\0".join((*_fixed_inputs(environment, static.manage), *inputs))
    digest = variables_digest(environ, content, bytes.fromhex(static.salt))
    return f"{static.salt} {digest}"


def _fixed_inputs(environment: ProvidedEnvironment, manage: Path) -> tuple[str, ...]:
    request, context = environment.request, environment.request.context
    return (
        _FORMAT,
        request.release.version,
        request.release.flavour,
        *(context.target.os, context.target.arch, context.target.distro),
        *(str(context.layers_dir), str(context.app_dir), str(request.app.directory)),
        str(manage.relative_to(context.app_dir)),
        # It adds a variable.
        cache_keys.NLTK if cache_keys.NLTK_FILE in request.app.names else "",
    )


def _stored_reads(environment: ProvidedEnvironment) -> ReadRecord | None:
    if not (environment.static_files_key and environment.request.settings.collectstatic_record):
        return None
    try:
        content = environment.store().read_tree_file(_RECORD, _RECORD_FILE)
    except DamagedStore:
        return None
    return read_record.load(content)


def restore(environment: ProvidedEnvironment, static: StaticFiles) -> StaticFiles:
    """Write the files to their places if the store has those of exactly this app."""
    if static.record_key != environment.static_files_key:
        return static
    store = environment.store()
    if store.has_tree(_TREE):
        try:
            static.restored = store.unpack_tree(_TREE, environment.request.context.app_dir)
        except DamagedStore:
            return static
    return static


def keep(environment: ProvidedEnvironment, static: StaticFiles) -> StepResults:
    """Put the new files of the app into the store, unless a file was removed."""
    app_dir = environment.request.context.app_dir
    paths = file_listing.added(static.files_before, file_listing.listing(app_dir))
    if paths is None:
        return StepResults()
    file_listing.normalize(app_dir, paths)
    environment.store().put_tree(_TREE, app_dir, frozenset(paths))
    static.record_key = _record_key(environment, static)
    return results(environment, static)


def results(environment: ProvidedEnvironment, static: StaticFiles) -> StepResults:
    """Keep the record of what was read in the store, and return what the store has to keep."""
    trees, reads = {_TREE}, static.reads
    if reads:
        trees.add(_RECORD)
        if reads.layers != environment.layers:
            reads = _with_layers(environment, reads)
        if static.restored is None or reads is not static.reads:
            _put_reads(environment, reads)
    return StepResults(
        trees=frozenset(trees),
        records=frozenset({_RECORD}),
        static_files_key=static.record_key,
    )


def _put_reads(environment: ProvidedEnvironment, reads: ReadRecord) -> None:
    directory = disk.draft_of(environment.request.context.layers_dir / "reads")
    disk.remove(directory)
    disk.make_directory(directory)
    try:
        disk.write(directory / _RECORD_FILE, reads.dump())
        environment.store().put_tree(_RECORD, directory)
    finally:
        disk.remove(directory)


def _with_layers(environment: ProvidedEnvironment, reads: ReadRecord) -> ReadRecord:
    packages = reads.packages_answer(environment.layers, environment.installed)
    return reads._replace(layers=dict(environment.layers), packages=packages)
