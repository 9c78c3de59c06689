"""Reading entry points and normalizing scripts."""

import runpy
from pathlib import Path

import pytest

from cnb_python.distributions.entry_points import EntryPoint, declared, script, with_interpreter

ROOT, FINAL = "/work/stage-0", "/layers/cnb/venv"
SHEBANG = b"#!/layers/cnb/venv/bin/python\n"
LONG = "/" + "long" * 40
SPACED = "/with space/venv"


def test_console_and_gui_scripts_are_read() -> None:
    text = b"""
# a comment
[console_scripts]
django-admin = django.core.management:execute_from_command_line
with-extra = a.b : C.run [extra, more]

[ gui_scripts ]
shown=gui:main
[other]
plugin = a:b
"""
    assert declared(text, "3.14") == {
        "django-admin": EntryPoint("django.core.management", "execute_from_command_line"),
        "with-extra": EntryPoint("a.b", "C.run"),
        "shown": EntryPoint("gui", "main"),
    }


@pytest.mark.parametrize(
    "line",
    [
        "../../evil = a:b",
        ".. = a:b",
        "/etc/cron.d/evil = a:b",
        "no-callable = module",
        "injected = os;import evil:main",
        "injected = os:system('x')",
        "= a:b",
        "no equals sign",
        f"{'long' * 61} = a:b",
        "\xff\xfe",
    ],
)
def test_invalid_entries_are_ignored(line: str) -> None:
    scripts = declared(f"[console_scripts]\n{line}\nfine = a:b\n".encode("latin-1"), "3.14")

    assert scripts.pop("fine") == EntryPoint("a", "b")
    assert set(scripts) <= {""}


def test_pip_scripts_have_version_of_interpreter() -> None:
    text = b"[console_scripts]\npip = p:main\npip3 = p:main\npip3.9 = p:main\npipx = x:main\n"

    assert sorted(declared(text, "3.14t")) == ["pip", "pip3", "pip3.14", "pipx"]


def test_easy_install_has_versioned_script_as_with_pip() -> None:
    text = b"[console_scripts]\neasy_install = e:main\neasy_install-3.6 = e:main\n"

    assert sorted(declared(text, "3.10")) == ["easy_install", "easy_install-3.10"]


def test_script_calls_entry_point() -> None:
    content = script(EntryPoint("operator", "neg.__self__.index"), f"{FINAL}/bin/python")

    assert content.startswith(SHEBANG)
    assert b"from operator import neg\n" in content
    assert b"sys.exit(neg.__self__.index())" in content
    compile(content, "script", "exec")


@pytest.mark.parametrize("home", [LONG, SPACED])
def test_long_interpreter_path_uses_shell(tmp_path: Path, home: str) -> None:
    content = script(EntryPoint("os", "getpid"), f"{home}/bin/python")

    lines = content.decode().splitlines()
    assert lines[:3] == ["#!/bin/sh", f'\'\'\'exec\' "{home}/bin/python" "$0" "$@"', "' '''"]
    file = tmp_path / "script.py"
    file.write_bytes(content)
    runpy.run_path(str(file))  # Python reads the second and third line as a string


@pytest.mark.parametrize(
    "first",
    [
        "#!/layers/cnb/venv/bin/python",
        "#!/layers/cnb/venv/bin/python3",
        "#!/layers/cnb/venv/bin/python3.14 -u",
        "#!/work/stage-0/bin/python\r",
        "#!/bin/sh\n'''exec' \"/layers/cnb/venv/bin/python\" \"$0\" \"$@\"\n' '''",
        "#!/bin/sh\n'''exec' '/layers/cnb/venv/bin/python3' \"$0\" \"$@\"\n' '''",
        "#!/bin/sh\n'''exec' /layers/cnb/venv/bin/python \"$0\" \"$@\"\n' '''",
    ],
)
def test_every_shebang_of_environment_is_normalized(first: str) -> None:
    assert (
        with_interpreter(f"{first}\nimport sys\n".encode(), ROOT, FINAL)
        == SHEBANG + b"import sys\n"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"#!/usr/bin/env python\n",
        b"#!/bin/sh\necho hello\n",
        b"#!/layers/cnb/venv/bin/python-config\n",
        b"#!/layers/cnb/venv-2/bin/python\n",
        b"#!/layers/cnb/venv/bin/python",
        b"\x7fELF",
        b"",
    ],
)
def test_other_shebangs_are_kept(content: bytes) -> None:
    assert with_interpreter(content, ROOT, FINAL) is None


def test_normalizing_shebang_is_idempotent() -> None:
    for home in (FINAL, LONG, SPACED):
        once = script(EntryPoint("a", "b"), f"{home}/bin/python")
        assert with_interpreter(once, ROOT, home) == once
