"""Makes source distributions for the package index of a test."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

from tests.support.trees import Files
from tests.support.wheels import metadata

HERE = Path(__file__).parent
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def sdist(
    into: Path,
    name: str,
    version: str,
    files: Files,
    *,
    requires: Iterable[str] = (),
    requires_python: str = "",
) -> Path:
    """Write the sdist of *files*, by path below site-packages, into *into* and return its path.

    Building it makes an extension module of each `*.c`, which needs only a compiler and the
    headers of Python.
    """
    members = checkout(name, version, files, requires=requires, requires_python=requires_python)
    return archive(into, f"{name.replace('-', '_')}-{version}", members)


def checkout(
    name: str,
    version: str,
    files: Files,
    *,
    requires: Iterable[str] = (),
    requires_python: str = "",
) -> Files:
    """Return the source tree of a distribution of *files*, by path: what its sdist holds."""
    options = {
        "name": name,
        "version": version,
        "requires": list(requires),
        "requires_python": requires_python,
    }
    return {
        "PKG-INFO": metadata(name, version, requires, requires_python),
        "pyproject.toml": PYPROJECT,
        "backend.py": (HERE / "backend.py").read_bytes(),
        "wheels.py": (HERE / "wheels.py").read_bytes(),
        "options.json": json.dumps(options),
        **{f"files/{path}": content for path, content in files.items()},
    }


def archive(into: Path, stem: str, members: Files) -> Path:
    """Write `<stem>.tar.gz` of *members*, as they are, below one directory *stem*."""
    path = into / f"{stem}.tar.gz"
    with (
        # tarfile's gzip header would contain the time.
        gzip.GzipFile(path, "wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archived,
    ):
        for member, content in members.items():
            entry = tarfile.TarInfo(f"{stem}/{member}")
            data = content.encode() if isinstance(content, str) else content or b""
            entry.size, entry.mode = len(data), 0o644
            archived.addfile(entry, io.BytesIO(data))
    return path


def c_module(name: str, answer: int, *, header: str = "") -> str:
    """Return the C source of extension module *name*, whose `answer()` gives *answer*.

    *header* is one more header that it includes; with one that does not exist, the build fails.
    """
    include = f"#include <{header}>\n" if header else ""
    return f"""\
{include}#include <Python.h>

static PyObject *answer(PyObject *self, PyObject *unused) {{ return PyLong_FromLong({answer}); }}
static PyMethodDef methods[] = {{{{"answer", answer, METH_NOARGS, NULL}}, {{NULL}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{name}", NULL, -1, methods}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&module); }}
"""
