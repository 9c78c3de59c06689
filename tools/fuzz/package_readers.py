"""Readers of what packages, the store, the lifecycle, the platform and mirrors contain."""

import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from compression import zstd
from contextlib import suppress
from functools import partial
from pathlib import Path

from cnb_python import preflight
from cnb_python.app_steps import file_listing, read_record, recording
from cnb_python.app_steps.file_trees import FileTree
from cnb_python.bindings.apply import apply_bindings
from cnb_python.bindings.hidden_values import binding_secrets
from cnb_python.cnb import context, disk, toml
from cnb_python.cnb.bindings import read_bindings
from cnb_python.cnb.context import BuildContext, Buildpack, Platform, Target
from cnb_python.cnb.layer import layer_of
from cnb_python.distributions import collect, dist_info, elf, entry_points, record, scan, wheel
from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.machine import DamagedStore
from cnb_python.install import process_env
from cnb_python.install.verify import verify_pins
from cnb_python.layers import python_archive
from cnb_python.layers.python_archive import Archive
from cnb_python.layers.store import record_of
from cnb_python.managers import lock_export, tool_settings
from cnb_python.managers.base import Pin
from cnb_python.managers.pip.install import read_report
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.source_lines import OwnLines
from cnb_python.python import mirror
from cnb_python.store import archive, manifest
from cnb_python.store.archive import Member
from cnb_python.store.manifest import UnusableManifest
from cnb_python.system import certificates
from tools.fuzz import seeds
from tools.fuzz.app_readers import FAILURES, PROCESSOR, PYTHON, Silent
from tools.fuzz.engine import Reader

_SITE, _FINAL = "lib/python3.14/site-packages", "/layers/x/venv"
_INFO = "six-1.17.0.dist-info"
_OF_PACKAGE: Mapping[str, bytes] = {
    f"{_INFO}/METADATA": seeds.METADATA,
    f"{_INFO}/RECORD": seeds.RECORD,
    f"{_INFO}/entry_points.txt": seeds.ENTRY_POINTS,
    f"{_INFO}/direct_url.json": seeds.DIRECT_URL,
    "six.py": b"x = 1\n",
    "../../../bin/own": seeds.SCRIPT,
}
_MEMBERS = (
    Member("a", "d"),
    Member("a/file", "f", 600),
    Member("a/link", "l", 0, "../b"),
    Member("b", "x", 3),
)


def readers() -> tuple[Reader, ...]:
    """Return a reader for each kind of file."""
    return (
        Reader("METADATA", (seeds.METADATA,), _metadata),
        Reader("RECORD", (seeds.RECORD,), _record),
        *(
            Reader(f"installed {Path(name).name}", (content,), partial(_installed, name), FAILURES)
            for name, content in _OF_PACKAGE.items()
        ),
        Reader("entry_points.txt", (seeds.ENTRY_POINTS,), _entry_points),
        Reader("direct_url.json", (seeds.DIRECT_URL,), _direct_url),
        Reader("scripts", (seeds.SCRIPT, b"#!python\nimport x\n"), _script),
        Reader("ELF", (elf_file(),), _elf),
        Reader("wheel", (wheel_file(),), _wheel, FAILURES),
        Reader("archive of Python", (python_file(b""), python_file(b"zst")), _python, FAILURES),
        Reader("archive of the store", (store_archive(),), _store_archive, (DamagedStore,)),
        Reader("manifest of the store", (store_manifest(),), _manifest, (UnusableManifest,)),
        Reader(
            "manifest, unpacked",
            (zstd.decompress(store_manifest()),),
            _packed_manifest,
            (UnusableManifest,),
        ),
        Reader("layer.toml", (seeds.LAYER, seeds.STORE_TOML), _layer),
        Reader("plan.toml", (seeds.PLAN,), partial(_phase_input, "plan"), FAILURES),
        Reader("buildpack.toml", (seeds.BUILDPACK,), partial(_phase_input, "buildpack"), FAILURES),
        Reader("bindings", _BINDINGS, _binding, FAILURES),
        Reader("certificates", (seeds.PEM,), _certificates),
        Reader("pip.conf", (seeds.PIP_CONF,), _pip_conf, FAILURES),
        Reader("uv.toml of the user", (seeds.UV_TOML,), _uv_toml),
        Reader(".netrc", (seeds.NETRC,), _netrc),
        Reader("table of a mirror", (seeds.MIRROR_TABLE,), _mirror_table, FAILURES),
        Reader("exported lock", (seeds.EXPORT,), _export, FAILURES),
        Reader("pip's report", (seeds.REPORT,), _report, (*FAILURES, ContractBroken)),
        Reader("record of collectstatic", (_read_record(),), _load_read_record),
        Reader("recording of collectstatic", (seeds.RECORDING,), _recording),
        Reader("paths", (b"a/b\nc\n" + b"d/" * 30, b"x" * 200), _paths),
    )


def _metadata(content: bytes, _: Path) -> None:
    dist_info.identity(content, _INFO)
    pin = Pin("six", "1.17.0", "", "six==1.17.0", extras=("x",))
    verify_pins([pin], lambda _name: content, PYTHON, PROCESSOR)
    text = content.decode("utf-8", "replace")
    verify_pins([pin], lambda _name: text, PYTHON, PROCESSOR)


def _record(content: bytes, _: Path) -> None:
    record.read_record(content, _SITE, _FINAL)


def _installed(name: str, content: bytes, directory: Path) -> None:
    """Put *content* into the file *name* of an installed distribution, and collect that."""
    root = DistributionRoot(_fresh(directory), Path(_FINAL), "3.14")
    for path, text in {**_OF_PACKAGE, name: content}.items():
        file = root.site_packages / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    _collect(root)


def _entry_points(content: bytes, _: Path) -> None:
    for entry in entry_points.declared(content, "3.14").values():
        entry_points.script(entry, f"{_FINAL}/bin/python")


def _direct_url(content: bytes, _: Path) -> None:
    dist_info.read_direct_url(content)


def _script(content: bytes, _: Path) -> None:
    entry_points.with_interpreter(content, "/tmp/root", _FINAL)  # noqa: S108 - a text
    entry_points.with_placeholder(content, _FINAL)


def _elf(content: bytes, directory: Path) -> None:
    (directory / "a.so").write_bytes(content)
    found = elf.read(directory / "a.so")
    scan.reaches([("lib/a.so", found.run_paths)])
    elf.libpython_names([found])
    elf.defined_versions(directory / "a.so")
    elf.soname(directory / "a.so")
    elf.is_elf(directory / "a.so")
    elf.machine_of(directory / "a.so")


def _fresh(directory: Path) -> Path:
    disk.remove(directory / "into")
    (directory / "into").mkdir()
    return directory / "into"


def _wheel(content: bytes, directory: Path) -> None:
    into = _fresh(directory)
    file = directory / "six-1.17.0-py3-none-any.whl"
    file.write_bytes(content)
    wheel.unpack(file, into / "unpacked")
    unpacked = wheel.read(into / "unpacked")
    root = DistributionRoot(into / "root", Path(_FINAL), "3.14")
    wheel.make_root(unpacked, root)
    _collect(root)


def _collect(root: DistributionRoot) -> None:
    """Normalize and describe the distribution in *root*."""
    entries = scan.walk(root.path, root.line)
    installed = dist_info.installed_in(root.path, entries, root.site, _FINAL)
    name = installed[0].name
    pin = Pin(name, "1.17.0", "", "six==1.17.0")
    normalized = collect.normalize(InstalledPin(pin, root, may_be_built=True))
    contents = [
        scan.read(root.path, path, entry)[0] for path, entry in sorted(normalized.entries.items())
    ]
    files = [content.file for content in contents]
    record.render_record(files, normalized.record, root.site)
    collect.record_messages(normalized, contents)
    collect.modules_of(normalized)
    collect.described(normalized, contents)
    dist_info.metadata(root, name)
    scan.has_files(root.path, files)


def _python(content: bytes, directory: Path) -> None:
    file = directory / "python.tar"
    file.write_bytes(content)
    python_archive.unpack(Archive(file, "Python 3.14.6"), _fresh(directory))


def _store_archive(content: bytes, directory: Path) -> None:
    for read in (
        lambda packed: archive.unpack(_MEMBERS, packed, _fresh(directory), "testing"),
        lambda packed: archive.digests_of(_MEMBERS, packed),
        lambda packed: archive.read_member(_MEMBERS, packed, "b"),
    ):
        with suppress(DamagedStore):
            read(io.BytesIO(content))


def _manifest(content: bytes, _: Path) -> None:
    manifest.load_trees(content)
    manifest.dump(manifest.load(content))


def _packed_manifest(content: bytes, directory: Path) -> None:
    _manifest(zstd.compress(content), directory)


def _layer(content: bytes, directory: Path) -> None:
    (directory / "deps.toml").write_bytes(content)
    layer_of(directory, "deps").state()
    metadata = toml.read_metadata(directory / "deps.toml")
    if not isinstance(metadata, toml.Unusable):
        record_of(metadata, frozenset({"format"}), frozenset({"layers"}))


def _phase_input(name: str, content: bytes, directory: Path) -> None:
    files = {"plan": seeds.PLAN, "buildpack": seeds.BUILDPACK, name: content}
    for each, text in files.items():
        (directory / f"{each}.toml").write_bytes(text)
    environ = {
        "CNB_BUILDPACK_DIR": str(directory),
        "CNB_PLATFORM_DIR": str(directory / "platform"),
        "CNB_LAYERS_DIR": str(directory),
        "CNB_BP_PLAN_PATH": str(directory / "plan.toml"),
        "CNB_TARGET_OS": "linux",
        "CNB_TARGET_ARCH": "amd64",
    }
    found = context.build_context((), environ, directory)
    context.merged(found.plan, "python")


# One binding as lines `key=value`; a value may have other lines behind it.
_BINDINGS = (
    b"type\0pypi\0url\0https://me:secret@index.example.org/simple\0password\0a b\0username\0me",
    b"type\0pypi\0extra-url\0https://index.example.org/simple\0token\0abc\0name\0own",
    b"type\0pip\0pip.conf\0" + seeds.PIP_CONF,
    b"type\0uv\0uv.toml\0" + seeds.UV_TOML,
    b"type\0netrc\0.netrc\0" + seeds.NETRC,
    b"type\0ca-certificates\0a.pem\0" + seeds.PEM,
)


def _binding(content: bytes, directory: Path) -> None:
    root = _fresh(directory) / "bindings" / "own"
    root.mkdir(parents=True)
    parts = content.split(b"\0")
    for key, value in zip(parts[::2], parts[1::2], strict=False):
        name = os.fsdecode(key.replace(b"/", b""))[:100]
        if name not in {"", ".", ".."} and len(key) < 200:
            (root / name).write_bytes(value)
    found = read_bindings(root.parent)
    binding_secrets(found)
    with apply_bindings(context_of(directory / "into", found), Silent()) as applied:
        for variable in applied.environ.values():
            if "\0" in variable:
                raise ValueError(variable)  # no process can be started with it


def context_of(directory: Path, bindings: tuple[object, ...]) -> BuildContext:
    """Return the inputs of a build whose directories are all *directory*."""
    return BuildContext(
        app_dir=directory,
        buildpack=Buildpack("cnb-python/python", "1", "0.12", directory),
        platform=Platform(directory, {}, bindings),  # type: ignore[arg-type]
        target=Target("linux", "amd64", "", "debian", "13"),
        exec_env="production",
        environ={"HOME": str(directory)},
        layers_dir=directory,
        plan=(),
        store={},
    )


def _certificates(content: bytes, directory: Path) -> None:
    text = content.decode("utf-8", "surrogateescape")
    (directory / "a.pem").write_bytes(content)
    certificates.bundle_with((text,), (directory / "a.pem",), {}, ())
    certificates.certificates_in(text)


def _pip_conf(content: bytes, directory: Path) -> None:
    (directory / "pip.conf").write_bytes(content)
    environ = {"PIP_CONFIG_FILE": str(directory / "pip.conf")}
    tool_settings.read_pip_settings(environ, ())
    tool_settings.settings_digest(environ, directory)
    with suppress(*FAILURES):
        preflight.check_environment(environ)
    process_env.secrets(environ, directory)


def _uv_toml(content: bytes, directory: Path) -> None:
    (directory / "uv.toml").write_bytes(content)
    environ = {"UV_CONFIG_FILE": str(directory / "uv.toml")}
    tool_settings.settings_digest(environ, directory)
    tool_settings.uv_refuses_wheels(environ, directory)
    process_env.secrets(environ, directory)


def _netrc(content: bytes, directory: Path) -> None:
    (directory / ".netrc").write_bytes(content)
    process_env.secrets({"HOME": str(directory)}, directory)


def _mirror_table(content: bytes, directory: Path) -> None:
    (directory / "python.toml").write_bytes(content)
    found = mirror.find_inventory(str(directory / "python.toml"), directory, _no_download)
    for release in found.releases:
        mirror.download_url(release, (), {})


def _no_download(download: object, to: Path) -> None:
    raise AssertionError(download, to)


def _export(content: bytes, directory: Path) -> None:
    text = lock_export.without_extras(content.decode("utf-8", "replace"))
    choice = Choice(PYTHON, PROCESSOR)
    lock = lock_export.ExportedLock("poetry.lock", directory, choice)
    lock_export.read_export(text, lock, "uv")


def _report(content: bytes, _: Path) -> None:
    read_report(content.decode("utf-8", "replace"), OwnLines((), {}, {}, {}))


def _load_read_record(content: bytes, _: Path) -> None:
    loaded = read_record.load(content)
    if loaded is not None:
        read_record.digest_of_answers(loaded.app, FileTree({}, Path("/app")))
        loaded.dump()


def _recording(content: bytes, directory: Path) -> None:
    (directory / "reads.json").write_bytes(content)
    places = recording.places_of(directory / "app", directory / "layers", ())
    found = recording.read(directory / "reads.json")
    recording.record_of(found, places, FileTree({}, directory), {}, (), ("secret",)).dump()


def _paths(content: bytes, directory: Path) -> None:
    """Make the files that *content* names, one in each line, and walk them."""
    into = _fresh(directory)
    for line in content.split(b"\n")[:50]:
        if line.count(b"/") > 900:
            continue  # what makes the directories is recursive
        path = into / os.fsdecode(line.replace(b"\0", b"").strip(b"/"))
        if ".." in path.parts:
            continue
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    listed = file_listing.listing(into)
    file_listing.digest(listed)
    scan.walk(into, "3.14")
    dict(disk.walk(into))
    disk.remove(into)


def elf_file() -> bytes:
    """Return a shared library with a run path, linked with another."""
    strings = b"\0libpython3.14.so.1.0\0$ORIGIN/../lib\0"
    entries = ((5, 0x400), (1, 1), (29, 22), (0, 0))
    dynamic = b"".join(struct.pack("<QQ", *each) for each in entries)
    ident = elf.MAGIC + bytes([2, 1, 1]).ljust(12, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    loaded = struct.pack("<IIQQQQQQ", 1, 0, 0, 0, 0, 0x500, 0x500, 8)
    section = struct.pack("<IIQQQQQQ", 2, 0, 0x200, 0x200, 0, len(dynamic), len(dynamic), 8)
    start = (header + loaded + section).ljust(0x200, b"\0") + dynamic
    return start.ljust(0x400, b"\0") + strings.ljust(0x100, b"\0")


def wheel_file() -> bytes:
    """Return a wheel with data, scripts and metadata."""
    files: Mapping[str, bytes] = {
        "six.py": b"x = 1\n",
        "six-1.17.0.data/scripts/six": b"#!python\n",
        "six-1.17.0.data/data/share/six.txt": b"x",
        f"{_INFO}/METADATA": seeds.METADATA,
        f"{_INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{_INFO}/entry_points.txt": seeds.ENTRY_POINTS,
        f"{_INFO}/RECORD": seeds.RECORD,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def python_file(compression: bytes) -> bytes:
    """Return an archive of Python; *compression* is empty or `zst`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, kind, target in (
            ("python/bin", tarfile.DIRTYPE, ""),
            ("python/bin/python3.14", tarfile.REGTYPE, ""),
            ("python/bin/python", tarfile.SYMTYPE, "python3.14"),
            ("python/bin/again", tarfile.LNKTYPE, "python/bin/python3.14"),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, target, 0o755
            member.size = 3 if kind == tarfile.REGTYPE else 0
            packed.addfile(member, io.BytesIO(b"elf"[: member.size]))
    return zstd.compress(stream.getvalue()) if compression else stream.getvalue()


def store_archive() -> bytes:
    """Return the archive of `_MEMBERS`."""
    content = b"".join(
        archive.header(member)
        + (b"x" * member.size + bytes(-member.size % 512) if member.kind in "fx" else b"")
        for member in _MEMBERS
    )
    return zstd.compress(content + bytes(1024))


def store_manifest() -> bytes:
    """Return the manifest of a store with one distribution and one tree."""
    tree = manifest.StoredTree("a" * 64, _MEMBERS)
    return manifest.dump(manifest.Manifest({}, {"python": tree}))


def _read_record() -> bytes:
    places = recording.places_of(Path("/app"), Path("/layers"), ())
    found = recording.record_of(
        {"contents": ["/app/a"], "kinds": ["/layers/x/venv/lib/a"], "listed": ["/etc"]},
        places,
        FileTree({"a": "f0"}, Path("/app")),
        {"venv": "x"},
        (),
        (),
    )
    return found.dump()
