"""The services of Cloud Foundry as service bindings.

Cloud Foundry has no directories of bindings while it builds: it passes the services of an app as
JSON in VCAP_SERVICES, or in the file that VCAP_SERVICES_FILE_PATH names. As in libcnb and packit,
they count where the platform mounts no bindings.

https://docs.cloudfoundry.org/devguide/deploy-apps/environment-variable.html#VCAP-SERVICES

Separate from `apply`, since only builds on Cloud Foundry load it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnb_python.bindings.schema import SERVICES, SERVICES_FILE, TYPES
from cnb_python.cnb.bindings import Binding
from cnb_python.errors.inputs import BadServices
from cnb_python.system import json_text, regular_file
from cnb_python.system.json_text import JsonValue

_TYPE, _PROVIDER = "type", "provider"


def service_bindings(environ: Mapping[str, str], directory: Path) -> tuple[Binding, ...]:
    """Return the services that *environ* describes, sorted by name; none if it has no variable.

    Tools read values from files, so *directory*, which must be private, gets one for each.
    Raises BadServices.
    """
    source, text = _services(environ)
    if not text.strip():
        return ()
    try:
        document = json_text.parse_file(text)
    except json_text.InvalidJson as error:
        # The reason may be part of the text.
        raise BadServices(source, f"line {error.line} is not valid JSON") from None
    if not isinstance(document, dict):
        raise BadServices(source, "it is not a JSON object")
    seen = Counter[tuple[str, str]]()
    bindings = []
    for label, listed in document.items():
        for service in _objects(source, label, listed):
            name = _first_text(service, "name", "instance_name") or label
            # Each has its own directory, the first of a name always the same one.
            earlier = seen[label, name]
            own = directory / _file_name(label, name, *([str(earlier)] if earlier else []))
            seen[label, name] += 1
            bindings.append(_binding(label, name, service, own))
    return tuple(sorted(bindings, key=lambda each: each[:3]))


def _services(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return where the services are described, and the description."""
    path = environ.get(SERVICES_FILE, "")
    if environ.get(SERVICES) or not path:
        return SERVICES, environ.get(SERVICES, "")
    try:
        content = regular_file.read(Path(path), regular_file.SECRET_LIMIT)
    except OSError as error:
        raise BadServices(path, error.strerror or str(error)) from error
    return path, content.decode("utf-8", "surrogateescape")


def _objects(source: str, label: str, listed: JsonValue) -> Iterator[dict[str, JsonValue]]:
    if not isinstance(listed, list):
        raise BadServices(source, f"{label} is not a list of services")
    for service in listed:
        if not isinstance(service, dict):
            raise BadServices(source, f"a service of {label} is not a JSON object")
        yield service


def _binding(label: str, name: str, service: Mapping[str, JsonValue], directory: Path) -> Binding:
    given = service.get("credentials")
    values = {key: _text(value) for key, value in given.items()} if isinstance(given, dict) else {}
    tags = service.get("tags")
    kind = (
        values.pop(_TYPE, "").strip() or _tagged(tags if isinstance(tags, list) else ()) or label
    )
    provider = values.pop(_PROVIDER, "").strip() or label
    files = {key: _kept(directory, key, values[key]) for key in values}
    return Binding(name, kind, provider, files)


def _tagged(tags: Iterable[JsonValue]) -> str:
    """Return the tag that is a type of this buildpack.

    A user-provided service has the same label, whatever it is: only tags and credentials differ.
    """
    texts = (tag.casefold() for tag in tags if isinstance(tag, str))
    return next((tag for tag in texts if tag in TYPES), "")


def _first_text(service: Mapping[str, JsonValue], *keys: str) -> str:
    values = map(service.get, keys)
    return next((value for value in values if value and isinstance(value, str)), "")


def _text(value: JsonValue) -> str:
    """Return *value* as Cloud Foundry writes it to a file when it starts the app."""
    return value if isinstance(value, str) else json.dumps(value)


def _kept(directory: Path, key: str, value: str) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / _file_name(key)
    file.touch(mode=0o600)
    file.write_text(value, encoding="utf-8", errors="surrogateescape", newline="")
    return file


def _file_name(*names: str) -> str:
    # Names of services and keys may have any characters, also those of other directories.
    joined = "\0".join(names).encode(errors="surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:12]
