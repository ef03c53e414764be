"""The garbage collector of keyfront's programs. It leaves imported modules alone, because they never become garbage.

Python's defaults look at all of them again and again while a program loads, and once more when it ends. For `keyfront
up` that was a third of the work of a start and a stop.
"""

import atexit
import gc
from typing import Final

_LOADING: Final = 100_000
_SERVING: Final = 10_000
"""How many objects are allocated before the collector looks for garbage among the new ones."""


def collect_rarely() -> None:
    """Collect rarely from now on, and not at the end. A program calls this first."""
    gc.set_threshold(_LOADING)
    atexit.register(gc.freeze)


def keep_loaded() -> None:
    """Never look again at what exists now, and collect the rest as usual. A server calls this once it is ready."""
    gc.freeze()
    gc.set_threshold(_SERVING)
