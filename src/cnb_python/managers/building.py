"""What a build from source listens to besides the source: the same release may become other bytes.

Only what is known to be read by compilers, build tools and installers. Whatever else a package
asks its surroundings for cannot be known, and most variables of a build (a commit, a date) must
not cost anything.
"""

import hashlib
import re
from collections.abc import Mapping

from cnb_python.managers.pip_settings import read_pip_settings

_VARIABLES = re.compile(
    r"(C|CXX|CPP|LD|F|FC|ARCH|RUST|MAKE)FLAGS|CC|CXX|CPP|LD|LDSHARED|AR|FC|F77|F90"
    r"|CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|PKG_CONFIG_\w+"
    r"|CMAKE_\w+|SKBUILD_\w+|CARGO_(BUILD|PROFILE)_\w+|SETUPTOOLS_\w+"
    r"|UV_(CONFIG_SETTINGS|NO_BUILD_ISOLATION|BUILD_CONSTRAINT)\w*"
)
_OPTIONS = frozenset(
    {
        *("build-constraint", "build-option", "config-setting", "config-settings"),
        *("global-option", "no-build-isolation", "use-pep517"),
    }
)


def settings_digest(environ: Mapping[str, str]) -> str:
    """Return a digest in hex over the settings of builds from source; empty where there are none.

    *environ* is what a manager's processes would be given. A digest, since a flag may hold a path
    or a token.
    """
    options = read_pip_settings(environ).options
    found = [
        *((name, environ[name]) for name in environ if _VARIABLES.fullmatch(name)),
        *((name, options[name]) for name in options if name in _OPTIONS),
    ]
    text = "\n".join(f"{name}\0{value}" for name, value in sorted(found) if value)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16] if text else ""
