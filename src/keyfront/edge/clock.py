"""A clock for lifetimes. The system's clock can be set at any time, by hours."""

import time
from collections.abc import Callable
from functools import partial


def steady_clock() -> Callable[[], float]:
    """Return a clock that starts at the system's time (seconds since the epoch) and is never set.

    It counts the time that the machine sleeps, if the system has such a clock.
    """
    source = getattr(time, "CLOCK_BOOTTIME", None)
    passed = time.monotonic if source is None else partial(time.clock_gettime, source)
    began = time.time() - passed()
    return lambda: began + passed()
