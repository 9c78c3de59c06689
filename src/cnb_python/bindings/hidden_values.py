"""The secrets in service bindings, of any type: code of packages can read and print all of them.

Separate from `apply`, since only builds with bindings load it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnb_python.bindings.schema import OSV, PIP_CONF, URL, UV_TOML
from cnb_python.cnb.bindings import Binding
from cnb_python.system import regular_file
from cnb_python.system.secret_values import named_secrets, secrets_in

_CERTIFICATES = "ca-certificates"


def binding_secrets(bindings: Iterable[Binding]) -> tuple[str, ...]:
    """Return the secrets in the values of *bindings*, in every spelling."""
    return tuple(secret for binding in bindings for secret in _of_binding(binding))


def _of_binding(binding: Binding) -> Iterator[str]:
    if binding.type.casefold() == _CERTIFICATES:
        return
    if binding.type.casefold() == OSV:
        # Records are public, and there may be thousands.
        address = dict(_values({URL: binding.secrets[URL]} if URL in binding.secrets else {}))
        yield from secrets_in(address.get(URL, ""))
        return
    values = dict(_values(binding.secrets))
    for key in (PIP_CONF, UV_TOML):
        yield from secrets_in(values.pop(key, ""))
    yield from named_secrets(values)


def _values(files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    for key, file in files.items():
        try:
            content = regular_file.read(file, regular_file.SECRET_LIMIT)
        except OSError:
            continue  # what reads it for the build reports that
        yield key, content.decode("utf-8", "surrogateescape")
