"""Packages that cannot be built from source: pip's words and uv's end in the same message."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.failing_installs import Failing, Tool, compiling, legacy, meson, source
from tests.support.index import Index
from tests.support.wheels import wheel
from tools.platforms import this_machine

# pip takes seconds.
TOOLS = pytest.mark.parametrize("tool", [pytest.param("pip", marks=pytest.mark.thorough), "uv"])
KILL_THE_TOOL = "os.kill(os.getppid(), 9)"
KILL_ITSELF = "os.kill(os.getpid(), 9)"
KILL_A_CHILD = "subprocess.run(['sh', '-c', 'kill -9 $$'], check=True)"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with a package for every way to fail when it is built."""
    directory = tmp_path_factory.mktemp("packages")
    for name, code in {
        # A header that is in the table, and that no machine of ours has.
        "wants-header": compiling("#include <libmemcached/memcached.h>\n"),
        "wants-unknown-header": compiling("#include <made/up.h>\n"),
        "wants-library": compiling("int x;", "-lmemcached"),
        "wants-compiler": compiling("int x;"),
        "wants-cmake": "subprocess.run(['cmake', '--version'], check=True)",
        "wants-cargo": "subprocess.run('cargo --version', shell=True, check=True)",
        "wants-pkg-config": "subprocess.check_output(['pkg-config', '--libs', 'libmemcached'])",
        "wants-function": compiling("int f(void); int g(void) { return f(); }", "-Wl,-z,defs"),
        "wants-pg-config": "subprocess.run(['pg_config', '--libdir'], check=True)",
        "wants-distutils": "from distutils.core import setup",
        "outgrown": "from distutils.core import setup",
        "wants-a-friend": "import a_friend",
        "kills-the-tool": KILL_THE_TOOL,
        "kills-itself": KILL_ITSELF,
        "kills-a-child": KILL_A_CHILD,
        "gives-no-reason": "raise ValueError('of all things')",
        "forbidden": "raise ValueError('not from source')",
    }.items():
        source(directory, name, code)
    # What is there in place of the source that cannot be built.
    platform = f"linux_{os.uname().machine}"
    for line in ("310", "311"):
        wheel(directory, "outgrown", "1.0", {}, tag=f"cp{line}-cp{line}-{platform}")
    wheel(directory, "forbidden", "1.0", {})
    for version in ("1.5", "2.0"):
        wheel(directory, "outgrown", version, {})
    wheel(directory, "large", "1.0", {f"large/{n}.txt": "x" * 400_000 for n in range(40)})
    with index.running(directory) as running:
        yield running


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Failing:
    return Failing(tmp_path_factory.mktemp("failing"), base)


@pytest.fixture(scope="module")
def small(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    """A disk that is soon full."""
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "cnb-python-test", disk], check=True)
    try:
        yield Failing(disk, base)
    finally:
        subprocess.run(["umount", disk], check=True)


@TOOLS
def test_a_header_is_named_with_the_package_that_holds_it(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "wants-header\n", index=served.url)

    assert told.title == "wants-header needs the header libmemcached/memcached.h"
    assert "no wheel for Python 3.14.6 on this image" in told.message
    assert 'Add the line `system-packages = ["libmemcached-dev"]`' in told.message
    assert "The run image needs the library as well" in told.message
    assert "fatal error: libmemcached/memcached.h: No such file" in told.output


@TOOLS
def test_a_header_that_is_in_no_package_that_we_know(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "wants-unknown-header\n", index=served.url)

    assert told.title == "wants-unknown-header needs the header made/up.h"
    assert "`apt-file search made/up.h` names the package" in told.message


@TOOLS
def test_a_library_that_the_linker_lacks(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "wants-library\n", index=served.url)

    assert told.title == "wants-library needs the library memcached"
    assert 'system-packages = ["libmemcached-dev"]' in told.message


@TOOLS
def test_a_build_image_without_a_compiler(failing: Failing, tool: Tool, served: Index) -> None:
    env = {"PATH": failing.programs()}
    told = failing.failure(tool, "wants-compiler\n", index=served.url, env=env)

    assert told.title == "wants-compiler needs the program cc"
    assert "package build-essential" in told.message
    assert "run image" not in told.message


@TOOLS
@pytest.mark.parametrize(
    ("program", "package"), [("cmake", "cmake"), ("cargo", "cargo"), ("pkg-config", "pkg-config")]
)
def test_a_build_image_without_a_tool_that_builds(
    failing: Failing, tool: Tool, served: Index, program: str, package: str
) -> None:
    env = {"PATH": failing.programs()}
    told = failing.failure(tool, f"wants-{program}\n", index=served.url, env=env)

    assert told.title == f"wants-{program} needs the program {program}"
    assert f'system-packages = ["{package}"]' in told.message


@TOOLS
def test_a_function_that_no_library_has(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "wants-function\n", index=served.url)

    assert told.title == "wants-function cannot be linked: no library has f"
    assert "undefined reference to `f'" in told.output


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("tool", "programs", "missing"),
    [
        ("pip", (), "program pkg-config"),
        ("uv", ("pkg-config",), "library libmemcached"),
    ],
)
def test_what_meson_looks_for(
    failing: Failing, tmp_path: Path, tool: Tool, programs: tuple[str, ...], missing: str
) -> None:
    made = meson(tmp_path, "wants-meson", "libmemcached")
    path = failing.programs("ar", "as", "cc", "ld", "ninja", *programs)
    env = {**this_machine.of_this_machine(), "CC": "cc", "PATH": path}
    told = failing.failure(tool, f"wants-meson @ {made.as_uri()}\n", env=env)

    assert told.title == f"wants-meson needs the {missing}"


@TOOLS
def test_a_program_of_a_library(failing: Failing, tool: Tool, served: Index) -> None:
    env = {"PATH": failing.programs()}
    told = failing.failure(tool, "wants-pg-config\n", index=served.url, env=env)

    assert told.title == "wants-pg-config needs the program pg_config"
    assert 'system-packages = ["libpq-dev"]' in told.message


@TOOLS
def test_a_module_that_python_dropped(failing: Failing, tool: Tool, served: Index) -> None:
    told = failing.failure(tool, "wants-distutils\n", index=served.url)

    assert told.title == "wants-distutils is too old for Python 3.12 and newer"
    assert "Its build imports distutils, which Python 3.12 no longer has." in told.message
    assert ".python-version" in told.message


@TOOLS
def test_a_module_that_the_build_does_not_say_it_requires(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "wants-a-friend\n", index=served.url)

    assert told.title == "wants-a-friend needs a_friend for its build, but does not declare it"
    assert "[build-system] requires" in told.message


@TOOLS
@pytest.mark.parametrize(
    ("name", "killed"),
    [
        ("kills-a-child", "sh"),
        ("kills-itself", "The build of kills-itself"),
        ("kills-the-tool", ""),
    ],
)
def test_what_the_system_killed_is_put_down_to_memory(
    failing: Failing, tool: Tool, served: Index, name: str, killed: str
) -> None:
    told = failing.failure(tool, f"{name}\n", index=served.url)

    assert told.title == f"{killed or tool} was killed, probably because memory ran out"
    assert "Give the build more memory" in told.message


@TOOLS
def test_a_full_disk(small: Failing, tool: Tool, served: Index) -> None:
    told = small.failure(tool, "large\n", index=served.url)

    assert told.title == "The disk is full"
    assert "docker system df" in told.message


@TOOLS
def test_a_build_that_fails_for_a_reason_of_its_own(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "gives-no-reason\n", index=served.url)

    assert told.title == "gives-no-reason could not be built"
    assert "Its build failed: ValueError: of all things" in told.message


OLD = {
    "print": ("print 'hello'\n", "old is written for Python 2"),
    "use_2to3": (
        "from setuptools import setup\nsetup(name='old', version='1.0', use_2to3=True)\n",
        "old is written for Python 2",
    ),
    "pkg_resources": ("import pkg_resources\n", "old is too old for setuptools 82 and newer"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("tool", ["pip", "uv"])
@pytest.mark.parametrize(("setup", "title"), OLD.values(), ids=OLD)
def test_a_setup_py_of_another_age(
    failing: Failing, tmp_path: Path, tool: Tool, setup: str, title: str
) -> None:
    made = legacy(tmp_path, "old", setup)
    told = failing.failure(tool, f"old @ {made.as_uri()}\n", env=this_machine.of_this_machine())

    assert told.title == title


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("tool", "variable"), [("pip", "PIP_BUILD_CONSTRAINT"), ("uv", "UV_BUILD_CONSTRAINT")]
)
def test_an_older_setuptools_helps_as_the_message_says(
    failing: Failing, tmp_path: Path, tool: Tool, variable: str
) -> None:
    setup = "import pkg_resources, setuptools\nsetuptools.setup(name='old', version='1.0')\n"
    wanted = f"old @ {legacy(tmp_path, 'old', setup).as_uri()}\n"
    env = this_machine.of_this_machine()
    told = failing.failure(tool, wanted, env=env)
    helped = failing.attempt(
        tool, wanted, files={"build.txt": "setuptools<81\n"}, env={**env, variable: "build.txt"}
    )

    assert "write setuptools<81 to the file build.txt" in told.message
    assert variable in told.message
    assert helped.message == "", helped.output


@pytest.mark.thorough
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_rust_extension_without_rust(failing: Failing, tmp_path: Path, tool: Tool) -> None:
    setup = (
        "from setuptools import setup\nfrom setuptools_rust import RustExtension\n"
        "setup(name='oxide', version='1.0', rust_extensions=[RustExtension('oxide')])\n"
    )
    made = legacy(tmp_path, "oxide", setup, requires=("setuptools", "setuptools-rust"))
    env = {**this_machine.of_this_machine(), "PATH": failing.programs("cc")}
    told = failing.failure(tool, f"oxide @ {made.as_uri()}\n", env=env)

    assert told.title == "oxide needs the program Rust"
    assert 'system-packages = ["cargo"]' in told.message


@TOOLS
def test_a_version_and_a_python_that_fit_are_named(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "outgrown==1.0\n", index=served.url)

    assert told.title == "outgrown is too old for Python 3.12 and newer"
    assert "Use a newer version, which has a wheel for Python 3.14: outgrown==1.5" in told.message
    assert "echo 3.11 > .python-version" in told.message
    # The advice is true.
    assert not failing.attempt(tool, "outgrown==1.5\n", index=served.url).message


@TOOLS
def test_a_wheel_that_a_setting_forbids_is_not_denied(
    failing: Failing, tool: Tool, served: Index
) -> None:
    told = failing.failure(tool, "--no-binary forbidden\nforbidden==1.0\n", index=served.url)

    assert "The settings forbid the wheel of forbidden" in told.message
    assert "remove the package from --no-binary" in told.message
