"""The variables that only collectstatic gets, and what the static files key covers of them.

Separate from `static_files`, which compares them with those of the previous build.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from cnb_python.provision.request import ProvidedEnvironment

SECRET_KEY = "SECRET_KEY"  # noqa: S105 - the name of a variable
# No variable can have this value.
_RANDOM = "\0random"
# Django recommends 50 characters.
_KEY_BYTES = 32


class CollectstaticVariables(NamedTuple):
    """The build's variables, with those for collectstatic alone."""

    environ: Mapping[str, str]
    """For the command."""
    compared: Mapping[str, str]
    """What the static files key covers: without the value of the random key."""
    random_key: str
    """The value of SECRET_KEY that only this build has; empty: it has none."""


def variables_of(environment: ProvidedEnvironment) -> CollectstaticVariables:
    """Return the variables of *environment* for collectstatic, with a random key if it is on."""
    request = environment.request
    settings = request.settings
    own = {variable.name: variable.value for variable in settings.collectstatic_env}
    environ = {**request.context.environ, **own}
    if not settings.collectstatic_secret_key or environ.get(SECRET_KEY):
        return CollectstaticVariables(environ, environ, "")
    key = os.urandom(_KEY_BYTES).hex()
    return CollectstaticVariables(
        {**environ, SECRET_KEY: key}, {**environ, SECRET_KEY: _RANDOM}, key
    )
