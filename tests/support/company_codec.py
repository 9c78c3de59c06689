"""A package without a wheel, and the package that builds it: both are on the index of a test."""

from pathlib import Path

from tests.support.sdists import archive
from tests.support.wheels import wheel

_BACKEND = """\
import zipfile
from pathlib import Path

INFO = "company_codec-1.0.dist-info"
FILES = {{
    "company_codec.py": "V = 'built with the {kind} backend'\\n",
    INFO + "/METADATA": "Metadata-Version: 2.1\\nName: company-codec\\nVersion: 1.0\\n",
    INFO + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    INFO + "/RECORD": "".join(
        name + ",,\\n" for name in ("company_codec.py", INFO + "/METADATA", INFO + "/WHEEL")
    ),
}}


def build_editable(directory, config_settings=None, metadata_directory=None):
    return build_wheel(directory)


def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "company_codec-1.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, name), "w") as archive:
        for path, text in FILES.items():
            archive.writestr(path, text)
    return name
"""
_BUILD = '[build-system]\nrequires = ["company-backend"]\nbuild-backend = "company_backend"\n'
_METADATA = "Metadata-Version: 2.1\nName: company-codec\nVersion: 1.0\n"


def add_backend(directory: Path, version: str, kind: str) -> Path:
    """Write a release of the build backend into *directory*; what it builds contains *kind*."""
    files = {"company_backend.py": _BACKEND.format(kind=kind)}
    return wheel(directory, "company-backend", version, files)


def add_sdist(directory: Path) -> Path:
    """Write the package's only file into *directory*."""
    return archive(
        directory, "company_codec-1.0", {"pyproject.toml": _BUILD, "PKG-INFO": _METADATA}
    )
