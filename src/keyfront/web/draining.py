"""The shutdown of a server: asked once, it gives running responses some time; asked twice, it stops at once."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from keyfront.errors import InputError

DRAIN_SECONDS: Final = 30.0
LONGEST_DRAIN: Final = 86_400

_LAST_SECONDS: Final = 5.0
"""Time for the last writes after the second request to stop. Then the process exits, whatever still hangs."""


class Drain:
    """The time that running responses still have. It begins at the first wait."""

    def __init__(self, seconds: float = DRAIN_SECONDS) -> None:
        """Raises `InputError` for a negative time or more than a day."""
        if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_DRAIN:
            raise InputError(f"a drain of {seconds!r} s: give from 0 to {LONGEST_DRAIN:,} seconds")
        self._seconds = float(seconds)
        self._ends: float | None = None
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """End all waits now."""
        self._hurried.set()

    @property
    def left(self) -> float:
        """The seconds that are left; 0 when the time is over."""
        now = asyncio.get_running_loop().time()
        if self._ends is None:
            self._ends = now + self._seconds
        return 0.0 if self._hurried.is_set() else max(0.0, self._ends - now)

    async def wait(self, task: "asyncio.Future[Any]", *, at_most: float | None = None, beyond: float = 0.0) -> bool:
        """Wait for `task`, and return whether it is done. Does not cancel it.

        `at_most`: how many seconds to wait now. `beyond`: extra seconds for this task, unless `hurry` was called.
        """
        left = self.left + beyond
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            limit = left if at_most is None else min(left, at_most)
            await asyncio.wait({task, hurried}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurried.cancel()
        return task.done()


class Ending:
    """A request to stop a server, and how long it may take."""

    def __init__(self, drain_seconds: float) -> None:
        self.drain = Drain(drain_seconds)
        self.asked = asyncio.Event()
        """Set when the server must stop."""

    def ask(self) -> None:
        """Ask the server to stop. The second call stops it at once."""
        if self.asked.is_set():
            self.drain.hurry()
            last = threading.Timer(_LAST_SECONDS, os._exit, (1,))
            last.daemon = True
            last.start()
        self.asked.set()

    def on(self, *signals: int) -> None:
        """Call `ask` at each of these signals. Needs a running event loop."""
        for number in signals:
            asyncio.get_running_loop().add_signal_handler(number, self.ask)


def on_hangup(reload: Callable[[], None], ending: Ending) -> None:
    """Call `reload` at each SIGHUP, but `ending.ask` if the terminal that started this process has closed."""
    in_terminal = os.isatty(0)

    def hung_up() -> None:
        if in_terminal and not os.isatty(0):
            ending.ask()
        else:
            reload()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up)
