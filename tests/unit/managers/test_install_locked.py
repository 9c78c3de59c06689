"""What a pylock.toml holds for one Python, and how uv installs it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import BadLock, LockForOtherPython, UnknownGroup
from cnb_python.errors.packages.install import UvRefused
from cnb_python.managers import pylock_file
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv import commands as uv_commands
from cnb_python.system.interface import Command, Outcome

HERE = Choice("3.13.1", "x86_64")
HASH = "a" * 64
WHEEL = (
    f"{{ url = 'https://files.example/six-1.17.0-py3-none-any.whl', hashes.sha256 = '{HASH}' }}"
)
SIX = f"[[packages]]\nname = 'six'\nversion = '1.17.0'\nwheels = [{WHEEL}]\n"


def lock(directory: Path, packages: str = SIX, head: str = "") -> Path:
    file = directory / "pylock.toml"
    file.write_text(f"lock-version = '1.0'\ncreated-by = 'uv'\n{head}\n{packages}", "utf-8")
    return file


def read(directory: Path, packages: str, choice: Choice = HERE, head: str = "") -> Resolution:
    return pylock_file.read_lock(lock(directory, packages, head), choice)


def only(resolution: Resolution) -> Pin:
    (pin,) = resolution.pins
    return pin


def table(pin: Pin) -> dict[str, object]:
    (package,) = toml.tables_at(toml.parse(pin.line, Path("line")), "packages")
    return dict(package)


def context(directory: Path) -> InstallContext:
    scratch = directory / "scratch"
    scratch.mkdir()
    return InstallContext(
        app_dir=directory / "app",
        environment=Path("/layers/venv"),
        tool=Path("/tools/pip"),
        cache=None,
        scratch=scratch,
        environ={"UV_INDEX_URL": "https://me:secret@index.example/", "PATH": "/bin"},
        python="3.13.1",
        uv=Path("/tools/uv"),
    )


def test_release_is_pinned_with_its_sources(tmp_path: Path) -> None:
    pin = only(read(tmp_path, SIX + "marker = 'os_name == \"posix\"'\ntool.other = 1\n"))

    assert (pin.name, pin.version, pin.is_cacheable) == ("six", "1.17.0", True)
    assert table(pin).keys() == {"name", "version", "wheels"}


def test_resolution_is_from_files_alone_and_for_uv(tmp_path: Path) -> None:
    resolution = read(tmp_path, SIX)

    assert resolution.from_files_alone
    assert resolution.by == "uv"


def test_hashes_are_the_origin(tmp_path: Path) -> None:
    before = only(read(tmp_path, SIX))
    after = only(read(tmp_path, SIX.replace(HASH, "b" * 64)))
    elsewhere = only(read(tmp_path, SIX.replace("files.example", "mirror.example")))

    assert before.origin != after.origin
    assert before.origin == elsewhere.origin


@pytest.mark.parametrize(
    ("marker", "counts"),
    [
        ("python_version < '3.13'", False),
        ("python_full_version >= '3.13.1'", True),
        ("sys_platform == 'win32'", False),
        ("platform_machine == 'x86_64'", True),
        ("'web' in extras", False),
        ("'dev' in dependency_groups", False),
    ],
)
def test_package_whose_marker_is_false_is_left_out(
    tmp_path: Path, marker: str, *, counts: bool
) -> None:
    resolution = read(tmp_path, f'{SIX}marker = "{marker}"\n')

    assert bool(resolution.pins) is counts


def test_chosen_extras_and_groups_apply(tmp_path: Path) -> None:
    head = "extras = ['web']\ndependency-groups = ['dev', 'docs']\ndefault-groups = ['docs']"
    packages = (
        SIX
        + "marker = \"'web' in extras\"\n"
        + SIX.replace("six", "b")
        + "marker = \"'docs' in dependency_groups\"\n"
        + SIX.replace("six", "c")
        + "marker = \"'dev' in dependency_groups\"\n"
    )

    def names(choice: Choice) -> list[str]:
        return [pin.name for pin in read(tmp_path, packages, choice, head).pins]

    assert names(HERE) == ["b"]
    assert names(HERE._replace(extras=("Web",))) == ["b", "six"]
    assert names(HERE._replace(groups=("dev",))) == ["b", "c"]


@pytest.mark.parametrize(
    ("choice", "kind"),
    [(HERE._replace(extras=("wbe",)), "extra"), (HERE._replace(groups=("wbe",)), "group")],
)
def test_unknown_extra_or_group_is_refused(tmp_path: Path, choice: Choice, kind: str) -> None:
    with pytest.raises(UnknownGroup) as raised:
        read(tmp_path, SIX, choice, "extras = ['web']\ndependency-groups = ['web']")

    message = raised.value.describe()
    assert message.title == f"There is no {kind} wbe in pylock.toml"
    assert any("web" in line for line in message.body)


def test_directory_is_not_cacheable_and_has_an_absolute_path(tmp_path: Path) -> None:
    packages = (
        "[[packages]]\nname = 'core'\ndirectory = { path = '../libs/core', editable = true }"
    )
    (tmp_path / "app").mkdir()

    pin = only(read(tmp_path / "app", packages))

    assert not pin.is_cacheable
    assert table(pin)["directory"] == {"path": f"{tmp_path}/libs/core", "editable": True}


def test_path_relative_to_the_project_is_resolved(tmp_path: Path) -> None:
    """As uv 0.9 does, wherever it writes the file."""
    (tmp_path / "scratch/libs/core").mkdir(parents=True)
    (tmp_path / "app/libs/core").mkdir(parents=True)
    (tmp_path / "app/libs/core/setup.py").touch()
    file = lock(
        tmp_path / "scratch", "[[packages]]\nname = 'core'\ndirectory = { path = 'libs/core' }"
    )

    resolution = pylock_file.read_lock(file, HERE, directories=(tmp_path / "app",))

    assert table(only(resolution))["directory"] == {"path": f"{tmp_path}/app/libs/core"}


def test_commit_and_requested_revision_are_the_origin(tmp_path: Path) -> None:
    def origin(commit: str, revision: str, login: str = "") -> str:
        source = (
            f"{{ type = 'git', url = 'https://{login}git.example/x', commit-id = '{commit}', "
            f"requested-revision = '{revision}' }}"
        )
        pin = only(read(tmp_path, f"[[packages]]\nname = 'x'\nvcs = {source}"))
        assert pin.is_cacheable
        return pin.origin

    assert len({origin("1", "main"), origin("2", "main"), origin("1", "v1")}) == 3
    assert origin("1", "main", "token@") == origin("1", "main")


def test_archive_on_disk_has_an_absolute_path(tmp_path: Path) -> None:
    source = f"{{ path = 'vendor/x-1.whl', hashes.sha256 = '{HASH}' }}"

    pin = only(read(tmp_path, f"[[packages]]\nname = 'x'\narchive = {source}"))

    assert f'path = "{tmp_path}/vendor/x-1.whl"' in pin.line
    assert pin.is_cacheable


@pytest.mark.parametrize(
    ("packages", "head"),
    [
        (SIX, "requires-python = '>=3.14'"),
        (SIX + "requires-python = '<3.13'\n", ""),
    ],
)
def test_lock_for_another_python_is_refused_with_both_versions(
    tmp_path: Path, packages: str, head: str
) -> None:
    with pytest.raises(LockForOtherPython) as raised:
        read(tmp_path, packages, HERE, head)

    message = raised.value.describe()
    assert message.title == "pylock.toml is not for Python 3.13.1"
    assert "requires Python" in message.body[0]


@pytest.mark.parametrize(
    ("packages", "head", "problem"),
    [
        (SIX + SIX, "", "two of its entries for six"),
        (SIX, "environments = [\"sys_platform == 'win32'\"]", "other environments"),
        ("[[packages]]\nversion = '1'", "", "name"),
        ("[[packages]]\nname = 'x'", "", "x"),
        (SIX.replace("'1.17.0'", "'new'"), "", "version"),
        (SIX.replace("'1.17.0'", "3"), "", "version"),
        ("packages = 3", "", "packages"),
        (SIX.replace(HASH, "xyz"), "", "the sha256 of six is 'xyz', not 64 hexadecimal digits"),
    ],
)
def test_inconsistent_lock_is_refused(
    tmp_path: Path, packages: str, head: str, problem: str
) -> None:
    with pytest.raises(BadLock) as raised:
        read(tmp_path, packages, HERE, head)

    assert problem in raised.value.problem
    assert "pylock.toml cannot be used" in raised.value.describe().title


def test_lock_of_a_later_standard_is_refused(tmp_path: Path) -> None:
    file = lock(tmp_path)
    file.write_text(file.read_text("utf-8").replace("'1.0'", "'2.0'"), "utf-8")

    with pytest.raises(BadLock, match=r"2\.0"):
        pylock_file.read_lock(file, HERE)


def test_lock_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableToml, match="line 4"):
        read(tmp_path, "<<<<<<< HEAD")


def installed(
    pins: tuple[Pin, ...], where: InstallContext, sources: uv.UvSources = uv.OWN
) -> list[Command]:
    commands: list[Command] = []

    def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        commands.append(command)
        return Outcome(0, "")

    uv_commands.install(pins, where, run, sources)
    return commands


def test_pins_with_tables_are_installed_from_a_lock(tmp_path: Path) -> None:
    resolution = read(tmp_path, SIX + SIX.replace("six", "b"))
    where = context(tmp_path)

    (command,) = installed(resolution.pins, where)

    written = where.scratch / "pylock.resolved.toml"
    assert str(written) in command.argv
    assert [pin.name for pin in pylock_file.read_lock(written, HERE).pins] == ["b", "six"]
    assert command.cwd == where.app_dir
    assert command.env["UV_INDEX_URL"] == where.environ["UV_INDEX_URL"]


def test_pins_with_lines_are_installed_without_uvs_settings(tmp_path: Path) -> None:
    pin = Pin("six", "1.17.0", "1", f"six==1.17.0 --hash=sha256:{HASH}")
    where = context(tmp_path)
    sources = uv.UvSources(is_own=False, variables={"UV_DEFAULT_INDEX": "https://u:p@i.example/"})

    (command,) = installed((pin,), where, sources)

    assert (where.scratch / "locked.txt").read_text("utf-8") == f"{pin.line}\n"
    assert command.env["UV_DEFAULT_INDEX"] == "https://u:p@i.example/"
    assert "UV_INDEX_URL" not in command.env
    assert "--no-config" in command.argv
    assert not any("u:p" in word for word in command.argv)


def test_refusal_of_uv_is_shown_in_its_words(tmp_path: Path) -> None:
    def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del command, on_line
        return Outcome(2, "error: no such wheel\n")

    with pytest.raises(BuildpackError) as raised:
        uv_commands.install(read(tmp_path, SIX).pins, context(tmp_path), run, uv.OWN)

    assert isinstance(raised.value, UvRefused)
    assert raised.value.reasons == ("no such wheel",)
