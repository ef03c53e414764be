"""How tests wait: for a condition, never for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(
    condition: Callable[[], Found], seconds: float = 60, *, told: Callable[[], object] = lambda: "it never held"
) -> Found:
    """What `condition` gives, once that is true. In vain for `seconds`, the test fails with what `told` gives."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not (found := condition()):
        assert time.monotonic() < deadline, told()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return found
