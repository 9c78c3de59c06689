"""A build backend without dependencies, in the sdists that `sdists.sdist` makes.

It compiles `*.c` as setuptools does: with the compiler and the headers of the running Python.
 https://peps.python.org/pep-0517/
"""

import json
import os
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import wheels  # type: ignore[import-not-found]  # in the same sdist

HERE = Path(__file__).parent


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: object = None
) -> str:
    """Write the metadata of the wheel without building it, and return its directory."""
    del config_settings
    options = _options()
    info = Path(
        metadata_directory, f"{options['name'].replace('-', '_')}-{options['version']}.dist-info"
    )
    info.mkdir()
    (info / "METADATA").write_text(wheels.metadata(**options))
    (info / "WHEEL").write_text("Wheel-Version: 1.0\n")
    return info.name


def build_wheel(
    wheel_directory: str, config_settings: object = None, metadata_directory: object = None
) -> str:
    """Build the wheel and return its file name."""
    del config_settings, metadata_directory
    sources = HERE / "files"
    files = {
        str(path.relative_to(sources)): path.read_bytes()
        for path in sorted(sources.rglob("*"))
        if path.is_file()
    }
    compiled = {name: content for name, content in files.items() if name.endswith(".c")}
    for name in compiled:
        files[name[: -len(".c")] + _suffix()] = _compiled(sources / name)
        del files[name]
    tag = _platform_tag() if compiled else "py3-none-any"
    return str(wheels.wheel(Path(wheel_directory), files=files, tag=tag, **_options()).name)


def build_editable(
    wheel_directory: str, config_settings: object = None, metadata_directory: object = None
) -> str:
    """Build a wheel that points to the source files, and return its file name."""
    del config_settings, metadata_directory
    options = _options()
    files = {f"_editable_{options['name'].replace('-', '_')}.pth": f"{HERE / 'files'}\n"}
    return str(wheels.wheel(Path(wheel_directory), files=files, **options).name)


def _options() -> Any:  # noqa: ANN401 - keywords of `wheels.wheel`
    return json.loads((HERE / "options.json").read_text())


def _compiled(source: Path) -> bytes:
    compiler = os.environ.get("LDSHARED", sysconfig.get_config_var("LDSHARED"))
    cflags = os.environ.get("CFLAGS", "")
    flags = f"{compiler} {sysconfig.get_config_var('CFLAGS')} {cflags} -fPIC"
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch, "library.so")
        include = sysconfig.get_path("include")
        command = [*shlex.split(flags), f"-I{include}", str(source), "-o", str(library)]
        print(shlex.join(command), flush=True)  # noqa: T201 - as setuptools does
        subprocess.run(command, check=True)
        return library.read_bytes()


def _suffix() -> str:
    suffix: str = sysconfig.get_config_var("EXT_SUFFIX")
    return suffix


def _platform_tag() -> str:
    python = f"cp{sysconfig.get_config_var('py_version_nodot')}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{python}-{python}-{platform}"
