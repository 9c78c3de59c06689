"""The SBOM of a package: what travels inside the buildpack, whatever apps it builds."""

import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from cnb_python.distributions import dist_info
from cnb_python.distributions.model import Distribution
from cnb_python.sbom import cyclonedx, distributions, interpreter, purl, spdx
from cnb_python.sbom.distributions import Described, MarkerValues
from cnb_python.sbom.model import Component, Document, License, document
from tools.package import assemble, bundled, execd
from tools.platforms import real_tools
from tools.processes import run

_GO = re.compile(r": go(\S+)")
_LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
_LOCKS = assemble.ROOT / "src/cnb_python/data/tools"


def of_package(product: assemble.Product) -> Document:
    """Return the SBOM of the assembled tree of *product*."""
    root, version = product.folder, bundled.PINS["interpreter"]["version"]
    markers = MarkerValues(version, bundled.MACHINES[product.arch])
    listed = [
        *_packages(root, markers),
        *_tools(root, product.arch),
        *_programs(root, markers),
        _interpreter(version, product.arch),
        *_app_interpreters(root),
        _exec_d(root),
    ]
    by_ref = {each.ref: each for each in (*listed, _buildpack(root))}
    return document(product.file.stem, by_ref.values())


def rendered(described: Document) -> Mapping[str, bytes]:
    """Return *described* in both formats, by the ends of file names."""
    return {
        ".cdx.json": cyclonedx.render(described),
        ".spdx.json": spdx.render(described),
    }


def _buildpack(root: Path) -> Component:
    facts = tomllib.loads((root / "buildpack.toml").read_text(encoding="utf-8"))["buildpack"]
    return Component(
        ref=f"pkg:github/cnb-python/cnb-python@{facts['version']}",
        name=facts["id"],
        version=facts["version"],
        kind="application",
        purl=f"pkg:github/cnb-python/cnb-python@{facts['version']}",
        license=License(facts["licenses"][0]["type"]),
        description=facts["description"],
        homepage=facts["homepage"],
    )


def _packages(root: Path, markers: MarkerValues) -> Iterable[Component]:
    """Return the packages of the interpreter that runs the buildpack."""
    site_packages = root / f"python/lib/python{bundled.MINOR}/site-packages"
    files = sorted(site_packages.glob("*.dist-info/METADATA"))
    described = [_described(file.parent.name, file.read_bytes()) for file in files]
    return distributions.components(described, markers).values()


def _described(info: str, metadata: bytes) -> Described:
    name, version = dist_info.identity(metadata, info)
    return Described(Distribution(canonicalize_name(name), version, "", ()), metadata, {})


def _tools(root: Path, arch: str) -> Iterator[Component]:
    (pip,) = (root / "tools").glob("pip-*.whl")
    hashes = {"pip": bundled.PINS["pip"]["sha256"], "uv": bundled.PINS["uv"]["sha256"][arch]}
    licenses = {"pip": "MIT", "uv": "MIT OR Apache-2.0"}
    for name, sha256 in hashes.items():
        version = bundled.PINS[name]["version"]
        ref = purl.pypi(name, version)
        yield Component(
            ref,
            name,
            version,
            kind="application",
            purl=ref,
            license=License(licenses[name]),
            sha256=sha256,
            contains=tuple(_vendored(pip, ref)) if name == "pip" else (),
        )


def _vendored(wheel: Path, ref: str) -> Iterator[Component]:
    """Yield the packages that the *wheel* of pip has copies of, by the list that it contains."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("pip/_vendor/vendor.txt").decode()
    for name, version in re.findall(r"^\s*([\w.-]+)==(\S+)", text, re.MULTILINE):
        normalized = canonicalize_name(name)
        package_url = purl.pypi(normalized, version)
        yield Component(f"{ref}#{normalized}", normalized, version, purl=package_url)


def _programs(root: Path, markers: MarkerValues) -> Iterator[Component]:
    """Yield Poetry, Pipenv, PDM and all that they need, which an offline package contains."""
    wheels = sorted((root / "tools/programs").glob("*.whl"))
    described = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            (file,) = (name for name in archive.namelist() if _is_metadata(name))
            each = _described(file.partition("/")[0], archive.read(file))
        described[each.distribution.name, each.distribution.version] = each, _sha256(wheel)
    # Each program is installed by itself, so its lock file tells what its packages require.
    for lock in sorted(_LOCKS.glob("*.txt")) if wheels else ():
        pins = [(name, version) for name, version in _LOCKED.findall(lock.read_text())]
        members = [described[pin] for pin in pins if pin in described]
        listed = distributions.components([each for each, _ in members], markers)
        for each, sha256 in members:
            yield listed[each.distribution.name]._replace(sha256=sha256)


def _is_metadata(name: str) -> bool:
    return name.count("/") == 1 and name.endswith(".dist-info/METADATA")


def _interpreter(version: str, arch: str) -> Component:
    """Return the Python that runs the buildpack, with the libraries that are linked into it.

    They are read from the same release for this machine, since that can be started.
    """
    archives = bundled.PINS["interpreter"]["archive"]
    (sha256,) = (row["sha256"] for row in archives if row["arch"] == arch)
    program = Path(sys.executable)
    printed = subprocess.run(
        [program, "-I", "-B", "-S", "-c", interpreter.probe()],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    ).stdout
    libraries = interpreter.linked_libraries(printed, program.resolve())
    return interpreter.component(version, sha256, libraries)


def _app_interpreters(root: Path) -> Iterator[Component]:
    table = root / "runtimes/python.toml"
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["release"] if table.exists() else ()
    for row in rows:
        each = interpreter.component(row["version"], row["sha256"], ())
        yield each._replace(ref=f"{each.ref}?for=apps")


def _exec_d(root: Path) -> Component:
    """Return the program of exec.d, with the Go library that is linked into it."""
    program = root / "tools" / execd.NAME
    match = _GO.search(run(real_tools.pinned_go(), "version", program))
    go = match[1] if match else ""
    library = Component(
        purl.golang("stdlib", go),
        "stdlib",
        go,
        purl=purl.golang("stdlib", go),
        cpe=f"cpe:2.3:a:golang:go:{go}:*:*:*:*:*:*:*",
        license=License("BSD-3-Clause"),
    )
    sha256 = _sha256(program)
    return Component(
        ref=f"exec.d:{sha256[:16]}",
        name="cnb-python-defaults",
        kind="application",
        license=License("MIT"),
        sha256=sha256,
        description="The program that computes variables when a container starts",
        contains=(library,),
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
