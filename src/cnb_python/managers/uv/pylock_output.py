"""Reads what uv decided: the `pylock.toml` that `uv pip compile` writes.

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from pathlib import Path

from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.pip.pinned import UV, digest
from cnb_python.managers.pip.source_lines import OwnLines, build_options
from cnb_python.system.redaction import shown


def decision_of(lock: Path, own: OwnLines) -> Resolution:
    """Return everything that *lock* says is in the environment. Raises UnreadableToml.

    The version of what comes from a directory is empty where uv does not say it.
    """
    packages = toml.tables_at(toml.read(lock), "packages")
    return Resolution(
        tuple(sorted(_pin(table, own, lock.parent) for table in packages)),
        from_files_alone=False,
        by=UV,
    )


def _pin(table: TomlTable, own: OwnLines, beside: Path) -> Pin:
    name, version = canonicalize_name(_text(table, "name")), _text(table, "version")
    if directory := toml.table_at(table, "directory"):
        path = (beside / _text(directory, "path")).resolve()
        line = f"-e {path}" if directory.get("editable") else f"{name} @ {path.as_uri()}"
        own_line = own.line_of(name, path.as_uri())
        return Pin(name, version, digest((str(path),)), own_line or line, is_cacheable=False)
    if source := toml.table_at(table, "vcs"):
        return Pin(name, version, *_of_vcs(name, source, own))
    if archive := toml.table_at(table, "archive"):
        return Pin(name, version, *_of_archive(name, archive, own, beside))
    files = (*toml.tables_at(table, "wheels"), toml.table_at(table, "sdist"))
    decided = tuple(sorted(f"sha256:{one}" for one in {_sha256(file) for file in files} if one))
    # Compiling, uv passes over the hashes of the app's own lines: they hold all the same.
    hashes = own.hashes.get(name) or decided
    line = f"{name}=={version}" + "".join(f" --hash={one}" for one in hashes)
    origin = digest((shown(_text(table, "index")), *hashes))
    return Pin(name, version, origin, line, is_cacheable=bool(hashes))


def _of_vcs(name: str, source: TomlTable, own: OwnLines) -> tuple[str, str]:
    url, commit, below = (_text(source, key) for key in ("url", "commit-id", "subdirectory"))
    fragment = f"#subdirectory={below}" if below else ""
    own_line = own.line_of(name, url)
    line = f"{name} @ {_text(source, 'type')}+{url}@{commit}{fragment}"
    return digest((commit, shown(url), below, own_line)), own_line or line


def _of_archive(
    name: str, archive: TomlTable, own: OwnLines, beside: Path
) -> tuple[str, str, bool]:
    path, sha256 = _text(archive, "path"), _sha256(archive)
    url = (beside / path).resolve().as_uri() if path else _text(archive, "url")
    hashed = f" --hash=sha256:{sha256}" if sha256 else ""
    own_line = own.line_of(name, url)
    origin = digest((sha256, shown(url), build_options(own_line)))
    return origin, own_line or f"{name} @ {url}{hashed}", bool(sha256)


def _sha256(file: TomlTable) -> str:
    return _text(toml.table_at(file, "hashes"), "sha256")


def _text(table: TomlTable, key: str) -> str:
    value = table.get(key, "")
    return value if isinstance(value, str) else ""
