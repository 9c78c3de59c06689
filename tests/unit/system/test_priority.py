"""Work that a build does not wait for never takes the processor from the rest."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnb_python.system.priority import LOW, lower_priority


@pytest.mark.parametrize(("before", "after"), [(0, LOW), (LOW, LOW), (19, 19)])
def test_a_thread_never_gets_a_higher_priority(before: int, after: int) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if own > before:
        pytest.skip(f"these tests run with nice value {own}")

    def priority() -> int:
        os.setpriority(os.PRIO_PROCESS, 0, before)
        lower_priority()
        return os.getpriority(os.PRIO_PROCESS, 0)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(priority).result() == after
