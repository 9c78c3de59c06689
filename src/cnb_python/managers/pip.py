"""pip: `requirements.txt`, decided and installed by pip itself."""

import codecs
import re
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.errors import BuildpackError, InstallFailed, NotUtf8, UnknownEncoding
from cnb_python.managers import build_failures, pip_failures
from cnb_python.managers.manager import Workplace
from cnb_python.project import REQUIREMENTS, Project
from cnb_python.system.outside import Command, Outcome, Run

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_MARKS = tuple(mark for mark, _ in _MARKS[1:])
# PEP 263, which pip honours in requirements files too.
_CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")
# Options of a requirements file that say where and among what to look.
_FINDING = re.compile(
    r"\s*(-i|-f|--index-url|--extra-index-url|--find-links|--no-index|--pre|--trusted-host"
    r"|--only-binary|--no-binary|--prefer-binary)\b"
)
_LAST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Pip:
    """Apps with a `requirements.txt`."""

    name: str = "pip"
    deciding_file: str = REQUIREMENTS

    def check(self, project: Project) -> tuple[str, ...]:
        """Refuse a file that pip would misread; warn of one that others do.

        Raises NotAFile, UnreadableFile, NotUtf8 or UnknownEncoding.
        """
        content = project.content(REQUIREMENTS) or b""
        _refuse_unreadable(content)
        if content.startswith(_WIDE_MARKS):
            return (
                (
                    f"{REQUIREMENTS} is saved as UTF-16, as PowerShell's > does. pip reads it, "
                    "but many other tools do not. Save it as UTF-8, in PowerShell: "
                    f"(Get-Content {REQUIREMENTS}) | Set-Content -Encoding utf8 {REQUIREMENTS}"
                ),
            )
        if b"\0" in content:
            raise _not_utf8(content, content.index(b"\0"))
        return ()

    def commands(self, place: Workplace) -> tuple[Command, ...]:
        """Return the one command that resolves and installs."""
        return (
            Command(
                (*_pip(place, "install"), "--no-compile", "--requirement", REQUIREMENTS),
                place.environ,
                place.app_dir,
                shown=f"pip install -r {REQUIREMENTS}",
            ),
        )

    def explain(
        self, command: Command, outcome: Outcome, place: Workplace, run: Run
    ) -> BuildpackError:
        """Say why pip failed. Asks it again where its first answer does not tell."""
        # Paths as the app's author knows them.
        output = outcome.output.replace(f"{place.app_dir}/", "")
        known = (
            build_failures.machine_failure(outcome.code, output, self.name)
            or build_failures.build_failure(output, place.python)
            or pip_failures.recognise(output, place.python)
        )
        if known:
            return known
        if requirement := pip_failures.unmatched(output):
            return _ask_again(requirement, output, place, run)
        if trouble := pip_failures.index_trouble(output):
            return trouble
        last_words = tuple(output.strip().splitlines()[-_LAST_WORDS:])
        return InstallFailed(self.name, command.shown, outcome.code, last_words)


def _pip(place: Workplace, action: str) -> tuple[str, ...]:
    # -I: neither modules of the app, in whose directory pip runs, nor PYTHON* variables count.
    # The runner imports pip from where it is, without adding that place to `sys.path`: pip looks
    # there for what is installed, and pip itself must not count as installed.
    cache = ("--cache-dir", str(place.cache)) if place.cache else ("--no-cache-dir",)
    return (
        *(str(place.environment / "bin/python"), "-I", str(place.tool / "__pip-runner__.py")),
        *(action, "--no-input", "--progress-bar", "off", "--disable-pip-version-check", *cache),
        # Containers are built as root now and then; the environment is ours alone.
        "--root-user-action=ignore",
    ) + (("--no-warn-script-location",) if action == "install" else ())


def _ask_again(requirement: str, output: str, place: Workplace, run: Run) -> BuildpackError:
    """Find out why there is nothing: pip tells about refusals and skipped wheels with -vv only."""
    lines = [*_finding_options(place.app_dir / REQUIREMENTS), requirement]
    question = place.scratch / "question.txt"
    question.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ask = Command(
        (
            *_pip(replace(place, cache=None), "install"),
            *("--dry-run", "--ignore-installed", "--no-deps", "-vv", "--requirement"),
            str(question),
        ),
        place.environ,
        place.app_dir,
    )
    telling: list[str] = output.splitlines()
    run(ask, lambda line: telling.append(line) if pip_failures.TELLING.search(line) else None)
    return pip_failures.nothing_found(requirement, "\n".join(telling), place.python)


def _finding_options(requirements: Path) -> list[str]:
    text = _decode(requirements.read_bytes(), "replace")
    return [line for line in text.splitlines() if _FINDING.match(line)]


def _decode(content: bytes, errors: str = "strict") -> str:
    """Decode as pip does. Raises LookupError or UnicodeError."""
    mark, encoding = _encoding(content)
    return content.removeprefix(mark).decode(encoding, errors)


def _encoding(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark and the encoding; a mark is stronger than a declaration."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return mark, encoding
    declared = (_CODING.match(line) for line in content.split(b"\n")[:2])
    return b"", next((found[1].decode("ascii") for found in declared if found), "utf-8")


def _refuse_unreadable(content: bytes) -> None:
    try:
        _decode(content)
    except LookupError:
        raise UnknownEncoding(REQUIREMENTS, _encoding(content)[1]) from None
    except UnicodeError as error:
        # In wide text no single byte is to blame; the mark shows what the file is.
        is_wide = content.startswith(_WIDE_MARKS)
        start = error.start if isinstance(error, UnicodeDecodeError) and not is_wide else 0
        raise _not_utf8(content, start + len(b"" if is_wide else _encoding(content)[0])) from None


def _not_utf8(content: bytes, offset: int) -> NotUtf8:
    return NotUtf8(REQUIREMENTS, content.count(b"\n", 0, offset) + 1, content[offset])
