"""A clock for lifetimes. The one of the system may be set at any time, hours back and forth."""

import time
from collections.abc import Callable
from functools import partial


def steady_clock() -> Callable[[], float]:
    """Gives seconds since the epoch as the system has them now, and from then on what passes, a sleep included."""
    source = getattr(time, "CLOCK_BOOTTIME", None)
    passed = time.monotonic if source is None else partial(time.clock_gettime, source)
    began = time.time() - passed()
    return lambda: began + passed()
