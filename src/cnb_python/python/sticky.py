"""The line that an app keeps although the default has moved on: a setting.

What the previous build noted comes with the image, so it outlives the cache.
"""

from cnb_python.cnb.metadata import Metadata
from cnb_python.config.settings import STICKY
from cnb_python.python.origin import Origin
from cnb_python.python.releases import FREETHREADED, Inventory
from cnb_python.python.request import PythonRequest
from cnb_python.python.resolver import line_request

ORIGIN = Origin(f"the previous build, which {STICKY} keeps to")
# As `layers.key.EnvironmentKey` names them.
_LINE, _FLAVOUR = "python", "flavour"


def kept_line(store: Metadata, inventory: Inventory) -> PythonRequest | None:
    """Return the line of the build that left *store*, None where *inventory* does not know it.

    That is one of a newer release of the buildpack, or there was no such build.
    """
    minor = store.get(_LINE)
    if not isinstance(minor, str) or inventory.line(minor) is None:
        return None
    return line_request(minor, ORIGIN, freethreaded=store.get(_FLAVOUR) == FREETHREADED)
