"""The manager pip."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.app import App, read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.config import NoSuchRequirements
from cnb_python.errors.inputs import NotAFile, NotUtf8, UnknownEncoding
from cnb_python.errors.machine import DiskFull
from cnb_python.errors.network import IndexRefused
from cnb_python.errors.packages.finding import VersionConflict
from cnb_python.errors.packages.install import InstallFailed
from cnb_python.errors.packages.requirements import IncludeMissing
from cnb_python.managers.base import InstallContext, Resolution
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.managers.pip import install as pip_install
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.interface import Command, Outcome

DATA = Path(__file__).parent / "data"


@dataclass
class Answers:
    """Says the same lines to every question, and remembers what was asked."""

    lines: tuple[str, ...]
    asked: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        self.asked.append(command)
        for line in self.lines:
            if on_line is not None:
                on_line(line)
        return Outcome(1, "\n".join(self.lines))


def workplace(directory: Path, cache: Path | None = None) -> InstallContext:
    return InstallContext(
        app_dir=directory,
        environment=Path("/layers/venv"),
        tool=Path("/tmp/tool/pip"),
        cache=cache,
        scratch=directory,
        environ={"PIP_INDEX_URL": "https://index.example.org/simple"},
        python="3.14.6",
        uv=Path("/tools/uv"),
    )


def with_requirements(directory: Path, content: bytes) -> App:
    (directory / "requirements.txt").write_bytes(content)
    return read_app(directory)


def explained(directory: Path, output: str, answers: Answers, code: int = 1) -> BaseException:
    context = workplace(directory)
    command = pip_commands.resolve(("requirements.txt",), context, directory / "report.json")
    return pip_install.explain(
        ("requirements.txt",), command, Outcome(code, output), context, answers
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"flask==3.1.2\r\n", b"\xef\xbb\xbfflask\n", "# naïve\nflask\n".encode()],
    ids=["empty", "blank", "windows lines", "marked", "not ASCII"],
)
def test_ordinary_requirements_have_no_warnings(tmp_path: Path, content: bytes) -> None:
    assert Pip().check(with_requirements(tmp_path, content)) == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf16_requirements_have_a_warning(tmp_path: Path, encoding: str) -> None:
    messages = Pip().check(with_requirements(tmp_path, "flask\r\n".encode(encoding)))

    assert "UTF-16" in messages[0].body[0]
    assert "Set-Content -Encoding utf8 requirements.txt" in messages[0].body[0]


def test_utf16_without_byte_order_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8) as raised:
        Pip().check(with_requirements(tmp_path, "flask\n".encode("utf-16-le")))

    message = raised.value.describe()
    assert "Found:    the byte 0x00 in line 1." in message.body
    assert "iconv -f UTF-16LE -t UTF-8" in message.fixes[1]


def test_legacy_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8):
        Pip().check(with_requirements(tmp_path, b"flask  # caf\xe9\n"))


def test_declared_encoding_is_left_to_pip(tmp_path: Path) -> None:
    content = b"# -*- coding: latin-1 -*-\nflask  # caf\xe9\n"

    assert Pip().check(with_requirements(tmp_path, content)) == ()


@pytest.mark.parametrize("encoding", ["nosuch", "hex", "rot13"])
@pytest.mark.parametrize("before", ["", "# packages\n"])
def test_unknown_declared_encoding_is_refused(tmp_path: Path, before: str, encoding: str) -> None:
    content = f"{before}# -*- coding: {encoding} -*-\nflask\n".encode()

    with pytest.raises(UnknownEncoding) as raised:
        Pip().check(with_requirements(tmp_path, content))

    assert f"`coding: {encoding}`" in raised.value.describe().body[0]


@pytest.mark.parametrize(
    "content",
    [b"flask\n#\n# coding: nosuch\n", b" # coding: nosuch\n", b"\xef\xbb\xbf# coding: nosuch\n"],
    ids=["third line", "indented", "behind a mark"],
)
def test_text_that_declares_no_encoding_passes(tmp_path: Path, content: bytes) -> None:
    assert Pip().check(with_requirements(tmp_path, content)) == ()


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        ("flask\n".encode("utf-16") + b"x", 1, 0xFF),
        (b"\xfe\xff\0", 1, 0xFE),
        (b"# coding: ascii\nflask  # caf\xc3\xa9\n", 2, 0xC3),
        (b"# coding: undefined\nflask\n", 1, 0x23),
        (b"\xef\xbb\xbfflask\n# caf\xe9\n", 2, 0xE9),
    ],
    ids=["odd", "half a letter", "wrongly declared", "unusable", "wrongly marked"],
)
def test_undecodable_file_is_refused(tmp_path: Path, content: bytes, line: int, byte: int) -> None:
    with pytest.raises(NotUtf8) as raised:
        Pip().check(with_requirements(tmp_path, content))

    assert (raised.value.line, raised.value.byte) == (line, byte)


def test_directory_named_requirements_txt_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()

    with pytest.raises(NotAFile):
        Pip().check(read_app(tmp_path))


def test_recognized_failure_does_not_run_pip_again(tmp_path: Path) -> None:
    answers = Answers(())
    output = (DATA / "conflict.txt").read_text(encoding="utf-8")

    assert isinstance(explained(tmp_path, output, answers), VersionConflict)
    assert answers.asked == []


def test_unmatched_requirement_runs_pip_again(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "--index-url https://${TOKEN}@index.example.org/simple\n-r more.txt\ngoodpkg\nother\n"
    )
    answers = Answers(tuple((DATA / "index_401.telling.txt").read_text("utf-8").splitlines()))
    output = (DATA / "refused_without_credentials.txt").read_text(encoding="utf-8")

    failure = explained(tmp_path, output, answers)

    assert isinstance(failure, IndexRefused)
    (question,) = answers.asked
    assert {"--dry-run", "--no-deps", "-vv"} <= set(question.argv)
    assert Path(question.argv[-1]).read_text(encoding="utf-8") == (
        "--index-url https://${TOKEN}@index.example.org/simple\ngoodpkg\n"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_second_run_uses_the_files_index_options(tmp_path: Path, encoding: str) -> None:
    text = "# coding: latin-1\n--index-url https://h\xf6st/simple\ngoodpkg\n"
    (tmp_path / "requirements.txt").write_text(text, encoding=encoding)
    answers = Answers(())

    explained(tmp_path, "ERROR: No matching distribution found for goodpkg\n", answers)

    assert Path(answers.asked[0].argv[-1]).read_text(encoding="utf-8").splitlines() == [
        "--index-url https://h\xf6st/simple",
        "goodpkg",
    ]


def test_full_disk_comes_before_pips_reason(tmp_path: Path) -> None:
    output = "ERROR: No matching distribution found for x\n[Errno 28] No space left on device"
    answers = Answers(())

    assert isinstance(explained(tmp_path, output, answers), DiskFull)
    assert answers.asked == []


def test_unrecognized_failure_is_quoted(tmp_path: Path) -> None:
    failure = explained(
        tmp_path, "one\ntwo\n\nERROR: Operation cancelled by user\n", Answers(()), code=3
    )

    assert isinstance(failure, InstallFailed)
    message = failure.describe()
    assert "exit code 3" in message.body[0]
    assert "  ERROR: Operation cancelled by user" in message.body


def test_paths_in_failures_are_relative_to_the_app(tmp_path: Path) -> None:
    output = (DATA / "include_missing.txt").read_text(encoding="utf-8")

    failure = explained(tmp_path, output.replace("/workspace", str(tmp_path)), Answers(()))

    assert isinstance(failure, IncludeMissing)
    assert failure.file == "base.txt"


SEVERAL = Pip(Settings(requirements=("requirements/base.txt", "../shared.txt")))


def repository(top: Path, base: bytes = b"a==1\n", shared: bytes = b"b==2\n") -> App:
    (top / "api/requirements").mkdir(parents=True)
    (top / "api/requirements/base.txt").write_bytes(base)
    (top / "shared.txt").write_bytes(shared)
    return read_app(top, "api")


def test_several_files_of_the_repository_are_resolved(tmp_path: Path) -> None:
    result = SEVERAL.resolve_from_files(
        repository(tmp_path), "3.13.1", {"PIP_CONFIG_FILE": "/dev/null"}
    )

    assert isinstance(result, Resolution)
    assert [pin.line for pin in result.pins] == ["a==1", "b==2"]


def test_failure_names_the_file_at_fault(tmp_path: Path) -> None:
    app = repository(tmp_path, base=b"flask # caf\xe9\n")

    with pytest.raises(NotUtf8) as raised:
        SEVERAL.check(app)

    assert raised.value.name == "api/requirements/base.txt"


def test_all_missing_files_are_named(tmp_path: Path) -> None:
    app = repository(tmp_path / "top")
    (tmp_path / "outside.txt").touch()
    pip = Pip(Settings(requirements=("prod.txt", "../../outside.txt", "../shared.txt")))

    with pytest.raises(NoSuchRequirements) as raised:
        pip.check(app)

    assert raised.value.missing == ("api/prod.txt", "api/../../outside.txt")
    assert raised.value.variants == ("requirements",)


def test_directory_named_by_the_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAFile):
        Pip(Settings(requirements=("requirements",))).check(repository(tmp_path))


def test_files_of_the_setting_replace_requirements_txt(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    app = read_app(tmp_path)

    assert Pip().deciding_files(app) == ("requirements.txt",)
    assert SEVERAL.deciding_files(app) == ("requirements/base.txt", "../shared.txt")


def test_include_of_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six\n-r more/base.txt\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/base.txt").write_text("-c pipe.txt\n-r ../requirements.txt\n")
    os.mkfifo(tmp_path / "more/pipe.txt")

    with pytest.raises(NotAFile) as raised:
        Pip().check(read_app(tmp_path))

    assert raised.value.name == "pipe.txt"


def test_groups_and_extras_have_a_warning(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    chosen = Settings(groups=("web",), extras=("pg", "s3"))

    messages = Pip(chosen).check(read_app(tmp_path))

    assert [message.title for message in messages] == [
        "BP_PYTHON_GROUPS has no effect",
        "BP_PYTHON_EXTRAS has no effect",
    ]
    assert "pg, s3" in messages[1].body[0]
