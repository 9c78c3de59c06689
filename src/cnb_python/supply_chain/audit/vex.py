"""VEX documents of the app: which vulnerabilities do not matter for it, and why.

Two formats: OpenVEX, https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md, and CycloneDX,
https://cyclonedx.org/capabilities/vex/. A document that names no Python package is about the app
as a whole.

Separate from `audit`, since its documents are the app's, not a database's.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from cnb_python.errors.supply_chain.audit import BadVex
from cnb_python.python.versions import normalized_version
from cnb_python.supply_chain.audit.finding import AFFECTED, FIXED, NOT_AFFECTED, Finding
from cnb_python.system import json_text, regular_file
from cnb_python.system.json_text import InvalidJson, JsonValue

USUAL, USUAL_DIRECTORY = "vex.json", ".vex"
_OPENVEX, _CYCLONEDX = "openvex", "CycloneDX"
_PURL = "pkg:pypi/"
# What a document calls the app itself.
_OF_APPS = tuple(f"pkg:{kind}/" for kind in ("oci", "docker", "generic", "github", "gitlab"))
# https://cyclonedx.org/docs/1.6/json/#vulnerabilities_items_analysis_state
_STATES = {
    "not_affected": NOT_AFFECTED,
    "false_positive": NOT_AFFECTED,
    "resolved": FIXED,
    "resolved_with_pedigree": FIXED,
}
_STATUSES = {NOT_AFFECTED: NOT_AFFECTED, FIXED: FIXED}


_EARLIEST = datetime.min.replace(tzinfo=UTC)


class Statement(NamedTuple):
    """What a document says about a vulnerability."""

    time: str
    """RFC 3339; the later statement wins. Empty: unknown."""
    ids: frozenset[str]
    packages: tuple[tuple[str, str], ...] | None
    """Normalized names and versions; an empty version is all. None: the app as a whole."""
    status: str
    source: str
    """The file and the reason."""

    def is_about(self, finding: Finding) -> bool:
        """Whether *finding* is the vulnerability, in the package."""
        if self.ids.isdisjoint(finding.ids):
            return False
        version = normalized_version(finding.version)
        return self.packages is None or any(
            name == finding.name and each in {"", finding.version, version}
            for name, each in self.packages
        )


class Vex(NamedTuple):
    """The documents of an app."""

    statements: tuple[Statement, ...]
    digest: str
    """SHA-256 in hex over the documents; empty: there is none."""

    def applied(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return *findings*, each with the status that the latest statement gives it."""
        return tuple(map(self._applied, findings))

    def _applied(self, finding: Finding) -> Finding:
        about = [each for each in self.statements if each.is_about(finding)]
        if not about:
            return finding
        # Of the statements with the same time, the last one counts.
        last = max(reversed(about), key=lambda each: _moment(each.time))
        return finding._replace(status=last.status, source=last.source)


def _moment(text: str) -> datetime:
    """Return the time *text* in UTC; the earliest time if *text* is not a time."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError, OverflowError:
        return _EARLIEST


def read_vex(directory: Path, names: Sequence[str]) -> Vex:
    """Return the documents of the app in *directory*: the files *names*, else the usual ones.

    Raises BadVex.
    """
    files = [(name, directory / name) for name in names] or [*_usual(directory)]
    statements: list[Statement] = []
    digest = hashlib.sha256()
    for name, path in files:
        try:
            content = regular_file.read(path)
            document = json_text.parse_file(content.decode("utf-8-sig"))
        except OSError as error:
            raise BadVex(name, error.strerror or type(error).__name__) from error
        except InvalidJson as error:
            raise BadVex(name, f"line {error.line}: {error.reason}") from error
        except UnicodeDecodeError as error:
            raise BadVex(name, "it is not UTF-8 text") from error
        digest.update(content)
        try:
            statements += _statements(document, name)
        except RecursionError as error:  # of products in products in ...
            raise BadVex(name, "it is nested too deeply") from error
    return Vex(tuple(statements), digest.hexdigest() if files else "")


def _usual(directory: Path) -> Iterator[tuple[str, Path]]:
    if (directory / USUAL).is_file():
        yield USUAL, directory / USUAL
    folder = directory / USUAL_DIRECTORY
    if folder.is_dir():
        for path in sorted(folder.glob("*.json")):
            yield f"{USUAL_DIRECTORY}/{path.name}", path


def _statements(document: JsonValue, name: str) -> Iterator[Statement]:
    table = document if isinstance(document, dict) else {}
    if _OPENVEX in str(table.get("@context", "")):
        return _of_openvex(table, name)
    if table.get("bomFormat") == _CYCLONEDX:
        return _of_cyclonedx(table, name)
    raise BadVex(name, "it is neither an OpenVEX nor a CycloneDX document")


def _of_openvex(document: Mapping[str, JsonValue], name: str) -> Iterator[Statement]:
    statements = document.get("statements")
    if not isinstance(statements, list):
        raise BadVex(name, "it has no list of statements")
    for statement in _tables(statements):
        status = statement.get("status")
        if status not in {*_STATUSES, AFFECTED, "under_investigation"}:
            raise BadVex(name, f"{status!r} is not a status of OpenVEX")
        vulnerability = statement.get("vulnerability")
        table = vulnerability if isinstance(vulnerability, dict) else {"name": vulnerability}
        aliases = table.get("aliases")
        ids = [table.get("name"), *(aliases if isinstance(aliases, list) else ())]
        reason = statement.get("justification") or statement.get("impact_statement")
        yield Statement(
            str(statement.get("timestamp") or document.get("timestamp") or ""),
            frozenset(_id(each) for each in ids if isinstance(each, str)),
            _packages([*_purls_of_products(statement.get("products"))]),
            _STATUSES.get(str(status), AFFECTED),
            _source(name, reason),
        )


def _purls_of_products(products: JsonValue) -> Iterator[str]:
    """Yield the purls of *products* and of their components."""
    for product in products if isinstance(products, list) else ():
        if isinstance(product, str):
            yield product
        elif isinstance(product, dict):
            identifiers = product.get("identifiers")
            purl = identifiers.get("purl") if isinstance(identifiers, dict) else None
            yield from (each for each in (product.get("@id"), purl) if isinstance(each, str))
            yield from _purls_of_products(product.get("subcomponents"))


def _of_cyclonedx(document: Mapping[str, JsonValue], name: str) -> Iterator[Statement]:
    purls = {
        str(each.get("bom-ref")): str(each.get("purl", ""))
        for each in _tables(document.get("components"))
    }
    for entry in _tables(document.get("vulnerabilities")):
        analysis = entry.get("analysis")
        if not isinstance(analysis, dict):
            continue
        refs = [str(each.get("ref", "")) for each in _tables(entry.get("affects"))]
        # A ref may be that of another document: urn:cdx:SERIAL/VERSION#REF.
        named = [purls.get(ref) or unquote(ref.rpartition("#")[2]) for ref in refs]
        references = [each.get("id") for each in _tables(entry.get("references"))]
        yield Statement(
            str(analysis.get("lastUpdated") or entry.get("updated") or ""),
            frozenset(
                _id(each) for each in (entry.get("id"), *references) if isinstance(each, str)
            ),
            _packages(named),
            _STATES.get(str(analysis.get("state")), AFFECTED),
            _source(name, analysis.get("justification") or analysis.get("detail")),
        )


def _packages(purls: Sequence[str]) -> tuple[tuple[str, str], ...] | None:
    """Return name and version of the Python packages among *purls*; None: they name the app.

    https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
    """
    if not any(purl.startswith("pkg:") and not purl.startswith(_OF_APPS) for purl in purls):
        return None
    return tuple(_package(purl) for purl in purls if purl.startswith(_PURL))


def _package(purl: str) -> tuple[str, str]:
    bare = purl.removeprefix(_PURL).partition("?")[0].partition("#")[0]
    name, _, version = bare.partition("@")
    return canonicalize_name(unquote(name)), normalized_version(unquote(version))


def _id(text: str) -> str:
    """Return the name of a vulnerability, which may be the end of its address."""
    return text.rstrip("/").rpartition("/")[2]


def _source(name: str, reason: JsonValue) -> str:
    # A sentence of the app's author, in one line.
    words = " ".join(reason.split())[:200] if isinstance(reason, str) else ""
    return f"{name}: {words}" if words else name


def _tables(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
