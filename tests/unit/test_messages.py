"""Every failure has words."""

import pytest

from cnb_python.errors.base import BuildpackError
from tools.docs.error_samples import kinds


@pytest.mark.parametrize("kind", kinds())
def test_a_failure_describes_itself(kind: type[BuildpackError]) -> None:
    assert "describe" in vars(kind)
