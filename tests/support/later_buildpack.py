"""A small buildpack for the same group that prints which Python and Flask it finds.

It also compiles and runs a program that embeds Python.
"""

from pathlib import Path

from tests.support.trees import write_files

_TOML = """\
api = "0.10"

[buildpack]
id = "tests/neighbour"
version = "1.0"

[[targets]]
os = "linux"
"""
_REQUIRES = """\
#!/bin/sh
printf '[[requires]]\\nname = "python"\\n[requires.metadata]\\nbuild = %s\\n' {build} \
> "$CNB_BUILD_PLAN_PATH"
"""
_PASSES = "#!/bin/sh\n"
_LOOKS = """\
#!/bin/sh
echo "Neighbour: $(command -v python || echo no python)"
if command -v python > /dev/null; then
    python -c 'import flask; print("Neighbour:", flask.__file__, flask.Flask("app").name)'
    cd "$(mktemp -d)"
    printf '#include <Python.h>\\n%s\\n' 'int main(void) { return puts(Py_GetVersion()) < 0; }' \
        > embed.c
    cc $(python3-config --embed --cflags) -o embed embed.c $(python3-config --embed --ldflags)
    echo "Neighbour: embeds $(./embed)"
fi
"""


def neighbour(directory: Path, *, asks: bool | None = None) -> Path:
    """Write the buildpack to the new *directory* and return that.

    *asks*: whether it requires `python` at build time; None: it requires nothing.
    """
    detect = _PASSES if asks is None else _REQUIRES.format(build=str(asks).lower())
    files = {"buildpack.toml": _TOML, "bin/detect": detect, "bin/build": _LOOKS}
    write_files(directory, files)
    for path in (directory, directory / "bin", *(directory / "bin").iterdir()):
        path.chmod(0o755)
    return directory
