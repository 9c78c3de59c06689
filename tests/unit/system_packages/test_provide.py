"""When system packages are fetched and unpacked, and when they are reused."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from cnb_python.cnb import disk
from cnb_python.cnb.layer import layer_of
from cnb_python.config.settings import Settings
from cnb_python.distributions.model import LibraryNeed
from cnb_python.errors.base import Failure
from cnb_python.errors.downloads import DamagedArchive
from cnb_python.errors.libraries import (
    AptFailed,
    NoApt,
    OtherDistribution,
    RefusedSystemPackages,
    SystemPackagesConflict,
    UnknownSystemPackages,
    cause_of,
)
from cnb_python.provision.request import SystemLayers
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system_packages import provide
from cnb_python.system_packages.provide import CACHE, DEVELOPMENT, NAME
from tests.support import elf_files
from tests.support.debs import DebFile
from tests.support.fake_build import context
from tests.support.fake_system import Log, Programs, refuse_fetch
from tests.support.messages import explained
from tests.support.sbom_schemas import check_cyclonedx, check_spdx

X = "x86_64-linux-gnu"
LIBPQ = DebFile("libpq5", {"Section": "libs"}, {f"usr/lib/{X}/libpq.so.5.15": "PQ"})
HEADERS = DebFile(
    "libpq-dev",
    {"Section": "libdevel", "Depends": "libpq5"},
    {
        "usr/include/postgresql/libpq-fe.h": "H",
        f"usr/lib/{X}/pkgconfig/libpq.pc": "prefix=/usr\nincludedir=/usr/include\nlibs=-L/usr/lib",
    },
    {f"usr/lib/{X}/libpq.so": "libpq.so.5.15"},
)
MAGIC = DebFile("libmagic1", {"Section": "libs"}, {"usr/lib/file/magic.mgc": "M"})
DAEMON = DebFile("dbus", scripts={"postinst": "adduser --system messagebus\n"})
BASE = DebFile("libc6", {"Section": "libs"}, {f"usr/lib/{X}/libc.so.6": "C"})


@dataclass
class Mirror:
    """Answers as apt-get and apt-cache do."""

    packages: tuple[DebFile, ...] = (LIBPQ, HEADERS, MAGIC, DAEMON)
    fails: dict[str, str] = field(default_factory=dict)
    """What a command prints that fails, by its name."""
    needed: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"libpq-dev": ("libpq5",)})
    """What apt installs with a package."""

    def __call__(self, command: Command) -> Outcome:
        _, _, _, *arguments = command.argv
        action, *words = (word for word in arguments if not word.startswith("-"))
        names = [word.partition("=")[0] for word in words]
        # The base system alone can always be installed.
        if (output := self.fails.get(action)) and (action != "install" or "libpq5" in names):
            return Outcome(100, output)
        if action == "download":
            for each in self.packages:
                if each.name in names:
                    each.write(command.cwd)
        answers: dict[str, Callable[[list[str]], list[str]]] = {
            "madison": self._rows,
            "install": self._uris,
            "pkgnames": lambda _: [each.name for each in self.packages],
            "showpkg": lambda _: [self.fails.get("providers", "Package: x\n")],
        }
        answer = answers.get(action)
        return Outcome(0, "\n".join(answer(names)) if answer else "")

    def _rows(self, names: list[str]) -> list[str]:
        rows = [each.name for each in self.packages if each.name in names]
        return [f" {name} | 1.0-1 | http://deb.example" for name in rows]

    def _uris(self, names: list[str]) -> list[str]:
        needed = {*names, *(other for name in names for other in self.needed.get(name, ()))}
        return [BASE.uri, *(each.uri for each in self.packages if each.name in needed)]


@dataclass
class Machine:
    """A build image with apt, and the builds on it."""

    directory: Path
    mirror: Mirror = field(default_factory=Mirror)
    log: Log = field(default_factory=Log)
    ran: list[Command] = field(default_factory=list)

    def build(
        self, *packages: str, build: bool = False, between: Callable[[], object] = lambda: None
    ) -> SystemLayers:
        """Provide *packages*; *between* is what foreign code does."""
        programs = Programs(self.mirror)
        system = System(
            programs, refuse_fetch, self.log, date(2026, 1, 1), 2, root=self.directory / "root"
        )
        settings = Settings(system_packages=packages)
        result = provide.provide(
            settings, context(self.directory), system, build=build, budget=1_000_000
        )
        between()
        result.finish()
        self.ran = programs.ran
        return result

    def export(self) -> None:
        """Leave what the lifecycle restores for the next build: the image has no contents."""
        disk.remove(self.layer(NAME))
        disk.remove(self.layer(DEVELOPMENT))

    def layer(self, name: str) -> Path:
        return self.directory / "layers" / name

    def library_directories(self, *layers: str) -> list[str]:
        """Return the directories of libraries in the trees of *layers*."""
        roots = (f"{self.layer(name)}/usr/lib" for name in layers)
        return [directory for root in roots for directory in (f"{root}/{X}", root)]

    def commands(self) -> list[str]:
        words = [[each for each in run.argv[3:] if not each.startswith("-")] for run in self.ran]
        return [each[0] for each in words]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for path, text in {
        "usr/bin/apt-get": "",
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
    }.items():
        file = tmp_path / "root" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return Machine(tmp_path)


def sboms(machine: Machine) -> dict[str, bytes]:
    paths = (machine.directory / "layers").glob("*.sbom.*")
    return {path.name: path.read_bytes() for path in paths}


def failure(machine: Machine, *packages: str) -> Failure:
    with pytest.raises(Failure) as caught:
        machine.build(*packages)
    assert not (machine.directory / "layers/system-packages.toml").exists()
    explained(caught.value)
    return caught.value


def test_packages_are_unpacked_for_the_image_with_their_variables(machine: Machine) -> None:
    result = machine.build("libmagic1", "libpq5")

    layer = machine.layer(NAME)
    assert (layer / f"usr/lib/{X}/libpq.so.5.15").read_text() == "PQ"
    assert (layer / "env.launch/MAGIC.default").read_text() == f"{layer}/usr/lib/file/magic.mgc"
    path = (layer / "env.launch/LD_LIBRARY_PATH.append").read_text()
    assert path.split(":")[0] == f"{layer}/usr/lib/{X}"
    assert result.environ["LD_LIBRARY_PATH"].startswith(path)
    assert f"{layer}/usr/lib/{X}" in result.libraries
    assert not (layer / f"usr/lib/{X}/libc.so.6").exists()


def test_unchanged_list_runs_no_program(machine: Machine) -> None:
    first = machine.build("libmagic1", "libpq5")
    machine.export()

    second = machine.build("libpq5", "libmagic1")

    assert machine.ran == []
    assert (first.is_changed, second.is_changed) == (True, False)
    assert second.environ == first.environ
    assert not machine.layer(NAME).exists()
    assert second.directories == {CACHE}


def test_programs_are_known_in_every_build(machine: Machine) -> None:
    files = {"usr/bin/ffmpeg": "F", "usr/sbin/nginx": "N", "usr/lib/ffmpeg/presets": "P"}
    machine.mirror = Mirror((DebFile("ffmpeg", files=files, links={"usr/bin/ff": "ffmpeg"}),))

    first = machine.build("ffmpeg")
    machine.export()
    second = machine.build("ffmpeg")

    assert machine.ran == []
    assert {"ffmpeg", "ff", "nginx"} <= first.programs
    assert "presets" not in first.programs
    assert second.programs == first.programs


def test_files_come_from_the_cache_when_they_are_needed_again(machine: Machine) -> None:
    machine.build("libmagic1")
    machine.export()

    def on_disk() -> None:
        result.materialize()
        assert (machine.layer(NAME) / "usr/lib/file/magic.mgc").exists()

    programs = Programs(machine.mirror)
    system = System(
        programs, refuse_fetch, machine.log, date(2026, 1, 1), 2, root=machine.directory / "root"
    )
    settings = Settings(system_packages=("libmagic1",))
    result = provide.provide(settings, context(machine.directory), system, build=False)
    on_disk()
    result.finish()

    assert programs.ran == []
    assert not machine.layer(NAME).exists()


def test_changed_list_is_fetched(machine: Machine) -> None:
    machine.build("libmagic1")
    machine.export()

    result = machine.build("libmagic1", "libpq5")

    assert machine.commands() == ["update", "madison", "install", "install", "download"]
    assert result.is_changed
    assert any("the list of system packages has changed" in line for line in machine.log.lines)


def test_libraries_that_the_packages_need_are_known_in_every_build(machine: Machine) -> None:
    needed = {"libc.so.6": ["GLIBC_2.36"]}
    program = elf_files.elf(needed=["libx.so.1", "libc.so.6", "libgone.so.3"], versions=needed)
    files = {"usr/bin/x": program, f"usr/lib/{X}/libx.so.1.2": elf_files.elf()}
    links = {f"usr/lib/{X}/libx.so.1": "libx.so.1.2"}
    machine.mirror = Mirror((DebFile("x1", files=files, links=links),))

    first = machine.build("x1")
    machine.export()
    second = machine.build("x1")

    expected = (LibraryNeed("libc.so.6", ("GLIBC_2.36",)), LibraryNeed("libgone.so.3"))
    assert first.library_needs == expected
    assert second.library_needs == expected


@pytest.fixture
def large(machine: Machine) -> Machine:
    """The next build of a large package, of which the cache has no file."""
    noise = random.Random(1).randbytes(1_000_001)
    machine.mirror = Mirror((DebFile("large", files={"usr/share/large/data": noise}),))
    machine.build("large")
    machine.export()
    return machine


def test_cache_does_not_keep_files_beyond_its_budget(large: Machine) -> None:
    line = "Not keeping the fetched packages in the cache: 1.0 MB, more than 1.0 MB"
    assert line in large.log.lines
    assert list(large.layer(CACHE).iterdir()) == []

    unchanged = large.build("large")
    assert large.ran == []
    assert unchanged.directories == {CACHE}

    unchanged.materialize()

    assert large.commands() == ["update", "download"]
    line = "Fetching 1 system package with apt, as in the previous build"
    assert line in large.log.lines


def test_versions_that_are_gone_are_replaced(large: Machine) -> None:
    new = DebFile("large", files={"usr/share/large/data": "new"})
    large.mirror = Mirror((new,))
    unchanged = large.build("large")

    unchanged.materialize()

    assert large.commands() == ["update", "download", "madison", "install", "install", "download"]
    assert "The package sources no longer have these versions" in large.log.lines
    assert (large.layer(NAME) / "usr/share/large/data").read_text() == "new"


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_damaged_cache_is_fetched_again(machine: Machine, damage: str) -> None:
    machine.build("libmagic1")
    disk.remove(machine.layer(NAME))
    layer_of(machine.directory / "layers", NAME).drop()
    if damage == "lost":
        (machine.layer(CACHE) / "libmagic1.deb").unlink()
    else:
        (machine.layer(CACHE) / "libmagic1.deb").write_bytes(b"")

    machine.build("libmagic1")

    assert "download" in machine.commands()
    assert (machine.layer(NAME) / "usr/lib/file/magic.mgc").read_text() == "M"


def test_headers_are_for_the_build_only(machine: Machine) -> None:
    seen: list[str] = []

    def compile_something() -> None:
        tree = machine.layer(DEVELOPMENT)
        seen.append((tree / f"usr/lib/{X}/libpq.so").read_text())
        seen.append((tree / f"usr/lib/{X}/pkgconfig/libpq.pc").read_text())

    result = machine.build("libpq-dev", between=compile_something)

    tree = machine.layer(DEVELOPMENT)
    assert seen[0] == "PQ"
    assert seen[1] == f"prefix={tree}/usr\nincludedir={tree}/usr/include\nlibs=-L{tree}/usr/lib"
    assert f"{tree}/usr/include/postgresql" in result.environ["CPATH"].split(":")
    libraries = result.environ["LD_LIBRARY_PATH"].split(":")
    assert libraries == machine.library_directories(NAME, DEVELOPMENT)
    assert not tree.exists()
    assert not (machine.layer(NAME) / "usr/include").exists()
    assert (machine.layer(NAME) / f"usr/lib/{X}/libpq.so.5.15").exists()


def test_later_buildpacks_get_the_headers_too(machine: Machine) -> None:
    machine.build("libpq-dev", build=True)

    tree = machine.layer(DEVELOPMENT)
    assert (tree / "env.build/CPATH.append").exists()
    # Both trees have libraries.
    libraries = (tree / "env.build/LD_LIBRARY_PATH.append").read_text()
    assert libraries.split(":") == machine.library_directories(NAME, DEVELOPMENT)
    assert (tree / "usr/include/postgresql/libpq-fe.h").exists()


@pytest.mark.parametrize("change", ["write", "add", "remove"])
def test_what_foreign_code_changed_is_undone(machine: Machine, change: str) -> None:
    def attack() -> None:
        file = machine.layer(NAME) / "usr/lib/file/magic.mgc"
        times = file.stat()
        match change:
            case "write":
                file.write_text("X")
                os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
            case "add":
                (machine.layer(NAME) / f"usr/lib/{X}").mkdir(parents=True)
                (machine.layer(NAME) / f"usr/lib/{X}/libssl.so.3").write_text("evil")
            case _:
                file.unlink()

    machine.build("libmagic1", between=attack)

    files = [path for path in machine.layer(NAME).rglob("*") if path.is_file()]
    texts = {path.name: path.read_text() for path in files}
    assert texts.pop("magic.mgc") == "M"
    assert "libssl.so.3" not in texts
    assert any(line.startswith("System packages were changed") for line in machine.log.lines)


def test_removed_setting_removes_the_layers(machine: Machine) -> None:
    machine.build("libmagic1")
    machine.export()

    result = machine.build()

    assert result.is_changed
    assert list((machine.directory / "layers").iterdir()) == []


def test_metadata_has_name_version_architecture_and_digest(machine: Machine) -> None:
    machine.build("libmagic1")

    metadata = layer_of(machine.directory / "layers", NAME).restored()
    assert metadata is not None
    digest = MAGIC.uri.rpartition(":")[2]
    assert metadata["packages"] == [f"libmagic1=1.0-1 amd64 {digest}"]


def test_layer_has_an_sbom_of_its_packages(machine: Machine) -> None:
    machine.build("libpq5")
    first = sboms(machine)

    (package,) = check_cyclonedx(first["system-packages.sbom.cdx.json"])["components"]
    assert package["purl"].startswith("pkg:deb/debian/libpq5@")
    assert package["purl"].endswith("?arch=amd64&distro=debian-12")
    check_spdx(first["system-packages.sbom.spdx.json"])

    machine.export()
    machine.build("libpq5")
    assert sboms(machine) == first
    (machine.directory / "layers/system-packages.sbom.spdx.json").write_text("{}")
    machine.build("libpq5")
    assert sboms(machine) == first
    assert machine.ran == []


def test_dependency_that_needs_an_installation_is_left_out(machine: Machine) -> None:
    gtk = DebFile("libgtk", {"Depends": "dbus"}, {"usr/lib/gtk": "G"})
    machine.mirror = Mirror((gtk, DAEMON), needed={"libgtk": ("dbus",)})

    machine.build("libgtk")

    assert (machine.layer(NAME) / "usr/lib/gtk").exists()
    reason = "Leaving out dbus: its installation adds a user or a group"
    assert reason in machine.log.lines


def test_package_that_needs_an_installation_is_refused(machine: Machine) -> None:
    error = failure(machine, "dbus")

    assert isinstance(error, RefusedSystemPackages)
    assert error.refused == (("dbus", "its installation adds a user or a group"),)


def test_package_that_stands_for_a_refused_one_is_refused(machine: Machine) -> None:
    files = {"usr/share/doc/default-bus/copyright": "C"}
    empty = DebFile("default-bus", {"Depends": "gone | dbus, libpq5"}, files)
    full = DebFile("bus-tools", {"Depends": "dbus"}, {"usr/bin/bus": "B"})
    machine.mirror = Mirror((empty, full, DAEMON, LIBPQ), needed={"default-bus": ("dbus",)})

    error = failure(machine, "default-bus")

    assert isinstance(error, RefusedSystemPackages)
    reason = "it stands for dbus, and its installation adds a user or a group"
    assert error.refused == (("default-bus", reason),)
    machine.build("bus-tools")
    assert (machine.layer(NAME) / "usr/bin/bus").exists()


def test_package_with_a_set_id_program_is_refused(machine: Machine) -> None:
    package = DebFile("sudo", files={"usr/bin/sudo": "S"}, modes={"usr/bin/sudo": 0o4755})
    machine.mirror = Mirror((package,))

    error = failure(machine, "sudo")

    assert isinstance(error, RefusedSystemPackages)
    assert error.refused == (("sudo", "its program /usr/bin/sudo runs as another user"),)


def test_unknown_package_names_the_nearest(machine: Machine) -> None:
    error = failure(machine, "libmagik1")

    assert isinstance(error, UnknownSystemPackages)
    assert error.unknown[0].sentence == "libmagik1 does not exist. Similar: libmagic1."


def test_unknown_version_names_those_that_exist(machine: Machine) -> None:
    error = failure(machine, "libmagic1=9")

    assert isinstance(error, UnknownSystemPackages)
    assert error.unknown[0].nearest == ("libmagic1=1.0-1",)


def test_virtual_package_names_its_providers(machine: Machine) -> None:
    providers = "Package: awk\nVersions: \n\nReverse Provides: \nmawk 1.3 (= )\ngawk 5.2 (= )\n"
    machine.mirror = Mirror(fails={"providers": providers})

    error = failure(machine, "awk")

    assert isinstance(error, UnknownSystemPackages)
    assert error.unknown[0].sentence == "awk is provided by several packages: gawk, mawk."


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("E: The repository 'http://x bookworm InRelease' is not signed.", "unsigned"),
        ("W: GPG error: http://x InRelease: ... NO_PUBKEY 123\nE: x", "unsigned"),
        ("E: Failed to fetch http://x/a.deb  404  Not Found [IP: 1.2.3.4 80]", "gone"),
        ("W: Failed to fetch http://x/InRelease  Could not resolve 'x'", "network"),
        ("E: Type 'foo' is not known on line 1 in source list /etc/apt/sources.list", "other"),
    ],
)
def test_failed_update_names_its_cause(machine: Machine, output: str, cause: str) -> None:
    machine.mirror = Mirror(fails={"update": f"Hit:1 http://y\n{output}\n"})

    error = failure(machine, "libmagic1")

    assert isinstance(error, AptFailed)
    assert (error.action, error.cause) == ("update", cause)
    assert error.cause == cause_of(output)
    assert "Hit:1 http://y" not in error.lines


def test_password_of_a_source_is_not_shown(machine: Machine) -> None:
    output = "E: Failed to fetch https://me:geheim@deb.example/x  401  Unauthorized"
    machine.mirror = Mirror(fails={"update": output})

    assert "geheim" not in str(failure(machine, "libmagic1"))


def test_packages_that_conflict_are_an_error(machine: Machine) -> None:
    output = (
        "The following packages have unmet dependencies:\n a : Depends: b\n"
        "E: Unable to correct problems, you have held broken packages.\n"
    )
    machine.mirror = Mirror(fails={"install": output})

    error = failure(machine, "libpq5", "libmagic1")

    assert isinstance(error, SystemPackagesConflict)
    assert error.requested == ("libmagic1", "libpq5")
    assert error.lines == ("E: Unable to correct problems, you have held broken packages.",)


def test_file_with_another_digest_is_refused(machine: Machine) -> None:
    original = machine.mirror

    def doctored(command: Command) -> Outcome:
        outcome = original(command)
        if "download" in command.argv:
            (command.cwd / "libmagic1.deb").write_bytes(b"other")
        return outcome

    machine.mirror = doctored  # type: ignore[assignment]

    assert isinstance(failure(machine, "libmagic1"), DamagedArchive)


def test_image_without_apt_is_named(machine: Machine) -> None:
    (machine.directory / "root/usr/bin/apt-get").unlink()
    release = machine.directory / "root/etc/os-release"
    release.write_text('ID=alpine\nPRETTY_NAME="Alpine Linux v3.22"\n')

    error = failure(machine, "libmagic1")

    assert isinstance(error, NoApt)
    assert error.system == "Alpine Linux v3.22"


def test_run_image_of_another_release_is_refused(machine: Machine) -> None:
    release = machine.directory / "root/etc/os-release"
    release.write_text('ID=debian\nVERSION_ID="13"\n')

    error = failure(machine, "libmagic1")

    assert isinstance(error, OtherDistribution)
    assert (error.build, error.run) == ("debian 13", "debian 12")


def test_c_library_is_refused(machine: Machine) -> None:
    machine.mirror = Mirror((BASE,))

    assert isinstance(failure(machine, "libc6"), RefusedSystemPackages)


def test_layer_of_a_killed_build_is_not_used(machine: Machine) -> None:
    machine.build("libmagic1")
    (machine.layer(NAME) / "usr/lib/file/magic.mgc").write_text("half")

    machine.build("libmagic1")

    assert (machine.layer(NAME) / "usr/lib/file/magic.mgc").read_text() == "M"
    assert layer_of(machine.directory / "layers", DEVELOPMENT).restored() is None
