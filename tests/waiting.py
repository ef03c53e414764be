"""How tests wait: for a condition, never for luck."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], object], seconds: float = 30, *, told: Callable[[], object] = lambda: "it never held"
) -> None:
    """Return when `condition` holds. In vain for `seconds`, the test fails with what `told` gives."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
