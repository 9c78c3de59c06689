"""pip's settings in uv's words, for builds that are told of indexes as pip is.

https://docs.astral.sh/uv/pip/compatibility/#configuration-files-and-environment-variables
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.managers.pip_settings import read_pip_settings

_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


def told(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* with what pip would be told of indexes; uv's own settings are stronger."""
    if any(environ.get(name) for name in _INDEXES):
        return dict(environ)
    return {**dict(_translated(read_pip_settings(environ).options)), **environ}


def _translated(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if index := options.get("index-url"):
        yield "UV_DEFAULT_INDEX", index
    if more := options.get("extra-index-url", "").split():
        # pip takes the best of all indexes, and who wrote this counts on it.
        yield from (("UV_INDEX", " ".join(more)), ("UV_INDEX_STRATEGY", "unsafe-best-match"))
    if links := options.get("find-links", "").split():
        yield "UV_FIND_LINKS", ",".join(links)
    if (bundle := options.get("cert")) and Path(bundle).is_file():
        yield "SSL_CERT_FILE", bundle
    if hosts := options.get("trusted-host"):
        yield "UV_INSECURE_HOST", " ".join(hosts.split())
